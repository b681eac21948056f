"""The next visit of an account's people, for the home page."""

from datetime import datetime

from django.db.models import Q

from appointments.models import Appointment
from hospital import clock, family
from hospital.models import User

RELATED = (
    "patient",
    "slot",
    "department",
    *(f"schedule__{name}" for name in ("role__practitioner", "team", "service")),
)
PLACE = ("schedule__campus", "schedule__room")


def next_visit(account: User, *, now: datetime) -> Appointment | None:
    """The earliest visit still to come; a hold only while its clock runs. One query."""
    waiting = Q(status__in=[Appointment.Status.BOOKED, Appointment.Status.ARRIVED])
    held = Q(status=Appointment.Status.PENDING, slot__hold_until__gt=now)
    rows = Appointment.objects.filter(
        family.seen(account, own=Q(by=account)), waiting | held, day__gte=clock.today(now), schedule__ends_at__gt=now
    )
    return rows.select_related(*RELATED, *PLACE).order_by("start", "id").first()
