"""What displaced patients are told: one message with the question, and one that the exam stands after all.

Called by the handlers, in the order of each booking's facts. The link's key is made here, with the message that carries
it: the case keeps its digest, the message keeps it encrypted until the SMS is settled.
"""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from appointments.services.stops.cases import new_token
from exams.models import Device, DowntimeCase, ExamBooking
from exams.selectors.device_cases import ASKED, answered_together, names_of
from hospital import messages
from hospital.models import Message

from . import cases

UP = "exam.device_up"


def ask(*, case: int, dedupe: str, now: datetime) -> None:
    """Keep another time, and ask. Nothing is said where nothing is to be answered any more by now."""
    rows = cases.keep_another_time(case, now=now)
    if not rows:
        return
    row = rows[0]
    token = new_token()
    DowntimeCase.objects.filter(pk=row.pk).update(token_hash=cases.digest_of(token))
    offer = row.offer if cases.are_kept(rows, now=now) else None
    messages.tell(
        patient=row.patient,
        template=ASKED,
        params=_params(row.booking)
        | {
            "exam": names_of(rows),
            "case": row.pk,
            "was": row.booking.during.lower.isoformat(),
            "start": offer.during.lower.isoformat() if offer else "",
            "place": place_of(offer.device) if offer else "",
            "until": row.deadline.isoformat() if row.deadline > now else "",
        },
        about=f"exam:{row.booking_id}",
        dedupe=dedupe,
        link=address_of(token),
        now=now,
    )


def _params(row: ExamBooking) -> dict:
    house = row.variant.item.organization
    return {"exam": row.variant.name, "hospital": house.short_name or house.name, "phone": house.phone}


def place_of(device: Device) -> str:
    room = device.room
    way = room.department.way_to(room) if room.department else str(room)
    return f"{room.campus.name} {way}"


def address_of(token: str) -> str:
    """Empty where the house has not said under which address the public finds it: then the text names other ways."""
    return settings.PUBLIC_URL + reverse("exams:case_answer", args=[token]) if settings.PUBLIC_URL else ""


def say_it_stands(*, case: int, dedupe: str, now: datetime) -> None:
    """Who was told otherwise hears that the exam stands; a question that nobody has seen yet is dropped, and then
    nothing is said at all."""
    row = cases.related().filter(pk=case).first()
    if row is None or not row.booking.holds:
        return
    about = f"exam:{row.booking_id}"
    questions = Message.objects.filter(about=about, template=ASKED)
    questions.filter(status=Message.Status.WAITING, tries=0).update(status=Message.Status.DROPPED, link="")
    if questions.filter(status=Message.Status.SENT).exists() or questions.filter(tries__gt=0).exists():
        _tell(row, UP, dedupe=dedupe, now=now)


def _tell(case: DowntimeCase, template: str, *, dedupe: str, now: datetime) -> None:
    row = case.booking
    messages.tell(
        patient=case.patient,
        template=template,
        params=_params(row)
        | {
            "exam": names_of(answered_together(case)),
            "start": row.during.lower.isoformat(),
            "place": place_of(row.device),
        },
        about=f"exam:{row.pk}",
        dedupe=dedupe,
        now=now,
    )


def still_asks(message: Message) -> bool:
    """Asked right before sending: answered or put back meanwhile? Then the question is not sent."""
    return DowntimeCase.objects.filter(
        pk=message.params["case"], answer=DowntimeCase.Answer.NONE, booking__holds=False
    ).exists()
