"""加号: numbers above a session's capacity. One count for the office, the consult room and the why-not page."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q

from appointments.models import Appointment, Pool, Schedule, Slot


def count_extras(schedules: Iterable[Schedule]) -> dict[int, int]:
    """Schedule → numbers above its capacity, whoever added them; blocked ones (given back, undone) don't count."""
    return dict(_above(schedules).values_list("schedule_id").annotate(count=Count("id")))


def given_extras(schedule: Schedule) -> int:
    """As a doctor's 加号 counts against the limit: those that the office added for the consult room and nobody has
    are still to be given."""
    counted = _above([schedule]).aggregate(all=Count("id"), waiting=Count("id", filter=WAITING))
    return counted["all"] - counted["waiting"]


def prepared(schedule: Schedule) -> Slot | None:
    """The first number that the office added for the consult room to give and nobody has."""
    return _above([schedule]).filter(WAITING).order_by("number").first()


def undone(schedules: Iterable[Schedule], *, now: datetime) -> list[Slot]:
    """Numbers of add-ons that were taken back before anybody had them, and whose time is still to come."""
    never_had = ~Exists(Appointment.objects.filter(slot=OuterRef("pk")))
    rows = Slot.objects.filter(never_had, BEYOND, schedule__in=schedules, status=Slot.Status.BLOCKED, start__gt=now)
    return list(rows.order_by("schedule_id", "number"))


BEYOND = Q(number__gt=F("schedule__capacity"))
WAITING = Q(pool__kind=Pool.Kind.EXTRA, status=Slot.Status.FREE)


def _above(schedules: Iterable[Schedule]):
    rows = Slot.objects.filter(BEYOND, schedule__in=schedules)
    return rows.exclude(status=Slot.Status.BLOCKED).order_by()
