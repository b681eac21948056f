"""Writing what is to be said."""

from datetime import datetime

from hospital.models import Message, Patient, User

CHANNELS = (Message.Channel.INAPP, Message.Channel.SMS)


def tell(
    *,
    template: str,
    params: dict,
    dedupe: str,
    now: datetime,
    patient: Patient | None = None,
    user: User | None = None,
    about: str = "",
    to: str = "",
    link: str = "",
) -> None:
    """Say something to a patient (in the app and by SMS) or to an account (in the app; by SMS with `to`).

    `to` is a number for the SMS that can't be looked up when it is sent: kept encrypted, emptied once it is settled.
    So is `link`, an address with a key in it that the SMS alone carries: in the app the person is signed in.

    `params` are JSON: names of places and staff, ISO times; never the person's own name, phone or documents, which
    are read when the words are made. The same `dedupe` again says nothing again. `about` is the fact key it speaks of.
    """
    channels = CHANNELS if patient or to else CHANNELS[:1]
    rows = [
        Message(
            patient=patient,
            user=user,
            channel=channel,
            template=template,
            params=params,
            to=to if channel == Message.Channel.SMS else "",
            link=link if channel == Message.Channel.SMS else "",
            about=about,
            dedupe=f"{dedupe}:{channel}",
            created_at=now,
            next_try_at=now,
        )
        for channel in channels
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
