"""再约一次: whom the account's people saw last, and the next slices there, one tap from the summary."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Q

from appointments.models import Appointment, Schedule, Slot
from appointments.models.rules import Channel
from hospital import clock, family, masking
from hospital.models import Patient, User

from . import rules
from .bookings import slice_at
from .numbers import open_to, takeable

MOST = 3
"""Places to offer again, and slices of each."""

LOOK_BACK = timedelta(days=365)
ROWS = 60
"""Bookings looked at: five people with a year of visits, the latest first."""

AHEAD = timedelta(days=30)
SCHEDULES = 60
"""Half-days looked at; the web's pools open a week or two ahead."""

State = Appointment.Status


@dataclass(frozen=True)
class Offer:
    """A slice that the web may take now."""

    schedule: Schedule
    start: datetime
    ends: datetime
    left: int

    @property
    def few(self) -> bool:
        return self.left <= 2

    @property
    def choice(self) -> str:
        """As the slots page sends it."""
        return f"{self.schedule.pk}@{self.start.astimezone(clock.ZONE).isoformat()}"


@dataclass
class Again:
    """The same doctor, team or clinic for the same patient."""

    last: Appointment
    taken: set[date] = field(default_factory=set)  # days on which this department has the patient already
    offers: list[Offer] = field(default_factory=list)

    @property
    def patient(self) -> Patient:
        return self.last.patient

    @property
    def masked(self) -> str:
        return masking.name(self.last.patient.name)

    @property
    def schedule(self) -> Schedule:
        return self.last.schedule


def _place(schedule: Schedule) -> tuple:
    """Who is booked: the doctor, the team, or the plain clinic."""
    if schedule.role_id:
        return ("role", schedule.role_id)
    if schedule.team_id:
        return ("team", schedule.team_id)
    return ("clinic", schedule.department_id, schedule.service_id)


def again_for(account: User, *, now: datetime) -> list[Again]:
    """At most three, the latest first, each with its next three slices. Three queries, however much was booked."""
    seen = _last_places(account, now=now)
    if not seen:
        return []
    schedules = _coming([again.schedule for again in seen], now=now)
    offers = _offers(schedules, now=now)
    for again in seen:
        place = _place(again.schedule)
        fitting = (offer for offer in offers if _place(offer.schedule) == place)
        again.offers = [offer for offer in fitting if offer.schedule.day not in again.taken][:MOST]
    return seen


def _last_places(account: User, *, now: datetime) -> list[Again]:
    """Per patient and place the latest visit; a leading expert is only seen again through the team (B11)."""
    rows = Appointment.objects.filter(
        family.seen(account, own=Q(by=account)),
        status__in=[State.FULFILLED, State.BOOKED, State.ARRIVED],
        day__gt=clock.today(now) - LOOK_BACK,
        schedule__gate_team=None,
        schedule__service__active=True,
        schedule__department__active=True,
    ).exclude(Q(schedule__role__active=False) | Q(schedule__role__practitioner__active=False))
    rows = rows.select_related(
        "patient",
        "schedule__department",
        "schedule__service",
        "schedule__campus",
        "schedule__team",
        "schedule__role__practitioner",
    )
    found: dict[tuple, Again] = {}
    taken = defaultdict(set)
    for row in rows.order_by("-start", "-pk")[:ROWS]:
        found.setdefault((row.patient_id, _place(row.schedule)), Again(row))
        taken[row.patient_id, row.department_id].add(row.day)
    latest = list(found.values())[:MOST]
    for again in latest:
        again.taken = taken[again.last.patient_id, again.last.department_id]
    return latest


def _coming(places: list[Schedule], *, now: datetime) -> list[Schedule]:
    """Their open half-days that are still running or ahead."""
    wanted = Q()
    for place in places:
        if place.role_id:
            wanted |= Q(role=place.role_id)
        elif place.team_id:
            wanted |= Q(team=place.team_id)
        else:
            wanted |= Q(role=None, team=None, department=place.department_id, service=place.service_id)
    today = clock.today(now)
    rows = Schedule.objects.filter(
        wanted, status=Schedule.Status.OPEN, gate_team=None, ends_at__gt=now, day__range=(today, today + AHEAD)
    )
    return list(rows.order_by("starts_at", "pk")[:SCHEDULES])


def _offers(schedules: list[Schedule], *, now: datetime) -> list[Offer]:
    """Slices with numbers that are open to the web, in order of time. One query a hospital."""
    by_id = {schedule.pk: schedule for schedule in schedules}
    left: dict[tuple[int, datetime], int] = defaultdict(int)
    minutes = {}
    for house in {schedule.organization_id for schedule in schedules}:
        pools = rules.pools_for(Channel.WEB, organization_id=house, day=clock.today(now))
        mine = [schedule.pk for schedule in schedules if schedule.organization_id == house]
        slots = Slot.objects.filter(takeable(now=now), open_to(pools, now=now), schedule__in=mine)
        for pk, start in slots.values_list("schedule_id", "start"):
            schedule = by_id[pk]
            if pk not in minutes:
                minutes[pk] = rules.booking_rule_for(schedule, day=clock.today(now)).segment_minutes
            left[pk, slice_at(start, first=schedule.starts_at, minutes=minutes[pk])] += 1
    return [
        Offer(
            schedule=by_id[pk],
            start=start,
            ends=min(start + timedelta(minutes=minutes[pk]), by_id[pk].ends_at),
            left=number,
        )
        for (pk, start), number in sorted(left.items(), key=lambda each: (each[0][1], each[0][0]))
    ]
