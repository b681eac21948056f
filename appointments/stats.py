"""Figures, each with its definition, counted from the app's own rows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import (
    Avg,
    BooleanField,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    Value,
    When,
)
from django.db.models.functions import Greatest, TruncDate

from appointments.models import Appointment, Encounter, Schedule, Slot
from appointments.models.rules import Channel
from hospital import clock
from hospital.models import Practitioner

IN_VISIT_CHANNELS = (Channel.CONSULT, Channel.WARD)


@dataclass(frozen=True)
class Rate:
    """A share with both of its counts, so that it can be checked and opened down to the rows."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """One decimal; None where nothing was counted yet."""
        return round(100 * self.numerator / self.denominator, 1) if self.denominator else None


def in_visit_rate(*, practitioner: Practitioner, now: datetime) -> Rate:
    """诊间预约率 of one doctor, this month to date.

    Numerator: of the denominator, those whose number was booked from a consult room or ward.
    Denominator: visits that this doctor finished on days of this month (of the hospital's calendar).
    Source: Encounter (finished) and its Appointment's channel. A visit seen for a colleague counts for who saw it.
    """
    today = clock.today(now)
    visits = Encounter.objects.filter(
        practitioner=practitioner,
        status=Encounter.Status.FINISHED,
        schedule__day__range=(date(today.year, today.month, 1), today),
    )
    counted = visits.aggregate(
        booked_in_visit=Count("id", filter=Q(appointment__channel__in=IN_VISIT_CHANNELS)), visits=Count("id")
    )
    return Rate(counted["booked_in_visit"], counted["visits"])


@dataclass(frozen=True)
class WeekFigures:
    """The figures over the office's week. Definitions: docs/decisions/0009-figures.md, and beside each on the page."""

    in_visit: Rate
    booked: Rate
    used: Rate
    noshow: Rate
    waiting_minutes: float | None
    waits: int  # how many first calls the mean is over


def week_figures(*, schedules: Q, first: date, days: int = 7) -> tuple[WeekFigures, WeekFigures]:
    """A period's figures and those of the same length before it. Two queries.

    `schedules` narrows the schedules counted (organization, campus, department group, level), as a Q on Schedule.
    """
    before, last = first - timedelta(days=days), first + timedelta(days=days - 1)
    ids = Schedule.objects.filter(schedules, day__range=(before, last)).values("pk")
    visits = {row.pop("now"): row for row in _counted_visits(ids, first)}
    numbers = {row.pop("now"): row for row in _counted_numbers(ids, first)}
    return _figures(visits.get(True), numbers.get(True)), _figures(visits.get(False), numbers.get(False))


def _counted_visits(schedules, first: date) -> list[dict]:
    state = Appointment.Status
    visit = Q(status=state.FULFILLED)
    walked_in = Q(channel=Channel.COUNTER, booked_on=F("day"))
    noshow = Q(status=state.NOSHOW, noshow__excused_at__isnull=True)
    due = Q(status__in=[state.ARRIVED, state.FULFILLED, state.NOSHOW])
    waited = ExpressionWrapper(
        F("encounter__called_at") - Greatest("start", "encounter__checked_in_at"), output_field=DurationField()
    )
    rows = Appointment.objects.filter(schedule__in=schedules).annotate(
        now=Case(When(day__gte=first, then=True), default=False, output_field=BooleanField()),
        booked_on=TruncDate("created_at", tzinfo=clock.ZONE),
        waited=Greatest(waited, Value(timedelta(0)), output_field=DurationField()),
    )
    called = Q(encounter__called_at__isnull=False)
    return list(
        rows.order_by()
        .values("now")
        .annotate(
            visits=Count("id", filter=visit),
            in_visit=Count("id", filter=visit & Q(channel__in=IN_VISIT_CHANNELS)),
            booked=Count("id", filter=visit & ~walked_in),
            noshows=Count("id", filter=noshow),
            due=Count("id", filter=due),
            waiting=Avg("waited", filter=called),
            waits=Count("id", filter=called),
        )
    )


def _counted_numbers(schedules, first: date) -> list[dict]:
    open_ones = Slot.objects.filter(schedule__in=schedules, schedule__status=Schedule.Status.OPEN)
    rows = open_ones.exclude(status=Slot.Status.BLOCKED).annotate(
        now=Case(When(schedule__day__gte=first, then=True), default=False, output_field=BooleanField())
    )
    taken = Count("id", filter=Q(status=Slot.Status.BOOKED))
    return list(rows.order_by().values("now").annotate(taken=taken, numbers=Count("id")))


def _figures(visits: dict | None, numbers: dict | None) -> WeekFigures:
    visits, numbers = visits or {}, numbers or {}
    waiting = visits.get("waiting")
    return WeekFigures(
        in_visit=Rate(visits.get("in_visit", 0), visits.get("visits", 0)),
        booked=Rate(visits.get("booked", 0), visits.get("visits", 0)),
        used=Rate(numbers.get("taken", 0), numbers.get("numbers", 0)),
        noshow=Rate(visits.get("noshows", 0), visits.get("due", 0)),
        waiting_minutes=round(waiting.total_seconds() / 60, 1) if waiting is not None else None,
        waits=visits.get("waits", 0),
    )
