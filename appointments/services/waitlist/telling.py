"""What those who wait are told, each once: that there is a number for them until when; that waiting is over, and why.

Whoever left, declined, or has a number otherwise knows it.
"""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from appointments.models import Appointment, WaitlistEntry, WaitlistOffer
from appointments.selectors.waitlist import RELATED
from appointments.services import notices
from hospital import messages
from hospital.models import Message

OFFERED, ENDED = "waitlist.offered", "waitlist.ended"

Why = WaitlistEntry.Why
TOLD = frozenset({Why.CUTOFF, Why.STOPPED, Why.LAPSED})


def say_offered(*, entry: int, appointment: int, now: datetime) -> None:
    """候补成功请确认, unless it is settled by now."""
    offer = WaitlistOffer.objects.filter(appointment=appointment, state=WaitlistOffer.State.OPEN).first()
    if offer is None or offer.deadline <= now:
        return
    row = Appointment.objects.select_related(*notices.RELATED).get(pk=appointment)
    messages.tell(
        patient=row.patient,
        template=OFFERED,
        params=notices.params_of(row, now=now) | {"entry": entry, "until": offer.deadline.isoformat()},
        about=f"appointment:{row.pk}",
        dedupe=f"waitlist:{entry}:offered",
        link=address_of(entry),
        now=now,
    )


def address_of(entry: int) -> str:
    """Where the number is accepted: the patient signs in there. Empty where the house has no public address."""
    where = reverse("appointments:waiting", args=[entry])
    return settings.PUBLIC_URL + where if settings.PUBLIC_URL else ""


def still_offered(message: Message) -> bool:
    """Asked right before sending: accepted or settled meanwhile? Then nothing is said."""
    open_ones = WaitlistOffer.objects.filter(state=WaitlistOffer.State.OPEN)
    return open_ones.filter(appointment=message.params["appointment"]).exists()


def say_ended(*, entry: int, why: str, now: datetime) -> None:
    """候补结束, where the patient could not know it."""
    if why not in TOLD:
        return
    row = WaitlistEntry.objects.select_related(*RELATED).get(pk=entry)
    schedule = row.schedule
    messages.tell(
        patient=row.patient,
        template=ENDED,
        params={
            "entry": row.pk,
            "why": why,
            "hospital": schedule.organization.short_name or schedule.organization.name,
            "phone": schedule.organization.phone,
            "department": schedule.department.name,
            "doctor": schedule.actor_name,
            "start": schedule.starts_at.isoformat(),
        },
        about=f"waitlist:{row.pk}",
        dedupe=f"waitlist:{row.pk}:ended",
        now=now,
    )
