"""What an operator may give a patient: places found by pinyin, their days, and slices with what is left (B7).

Every question is asked with the pools of the operator's own channel, for this very patient. The claim decides; this
only draws the page.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from appointments.errors import AgreementEnded
from appointments.models import Appointment, PartnerGroup, Pool, Schedule, Slot
from appointments.models.rules import Channel
from hospital import clock
from hospital.models import (
    Agreement,
    CareTeam,
    CareTeamMember,
    Department,
    Organization,
    Practitioner,
    PractitionerRole,
)

from . import reserved, rules
from .bookings import slice_at
from .desk import fees_on
from .find import matching
from .numbers import count_left, open_to, takeable
from .rules import ChannelPools

MOST = 6
"""Places of one sort in a list, and days of a strip."""

STRIP = timedelta(days=14)
"""Days looked at together: one window of the strip."""

ACTOR = ("department", "service", "team", "room", "campus", "role__practitioner")


@dataclass(frozen=True)
class Scope:
    """One channel at one hospital, for one patient. `department_id`: the only department that the operator has."""

    channel: str
    house: Organization
    partner_id: int | None
    patient_id: int
    department_id: int | None
    now: datetime

    @cached_property
    def pools(self) -> ChannelPools:
        return reserved.pools_for_patient(
            self.channel,
            organization_id=self.house.pk,
            patient_id=self.patient_id,
            day=self.today,
            partner_id=self.partner_id,
        )

    @cached_property
    def over(self) -> AgreementEnded | None:
        """Why a lower institution books nothing here now."""
        if self.partner_id is None:
            return None
        return rules.refusal_to_partner(self.partner_id, organization_id=self.house.pk, day=self.today)

    @property
    def today(self) -> date:
        return clock.today(self.now)

    @cached_property
    def last_day(self) -> date:
        """As far ahead as any rule may have released to the channel."""
        return self.today + timedelta(days=rules.public_horizon(self.house.pk, channel=self.channel, day=self.today))

    def schedules(self) -> QuerySet[Schedule]:
        """Sittings ahead that anybody may be given. A leading expert's are reached through the team (B11)."""
        leaders = CareTeamMember.objects.filter(leader=True, active=True, team__active=True)
        rows = Schedule.objects.filter(
            organization=self.house, day__gte=self.today, day__lte=self.last_day, ends_at__gt=self.now, gate_team=None
        )
        rows = rows.filter(service__active=True, department__active=True)
        rows = rows.filter(Q(role=None) | Q(role__active=True, role__practitioner__active=True))
        rows = rows.filter(Q(team=None) | Q(team__active=True))
        rows = rows.exclude(role__practitioner__in=leaders.values("role__practitioner"))
        return rows.filter(department=self.department_id) if self.department_id else rows

    def bookings(self) -> QuerySet[Appointment]:
        """The patient's bookings that this operator may see: a lower institution only its own."""
        rows = Appointment.objects.filter(patient=self.patient_id, schedule__organization=self.house)
        if self.channel == Channel.PARTNER:
            rows = rows.filter(partner=self.partner_id)
        if self.department_id:
            rows = rows.filter(department=self.department_id)
        return rows.select_related("slot", "schedule__organization", *(f"schedule__{name}" for name in ACTOR))


def hosts_of(partner: Organization) -> list[Organization]:
    """Hospitals that a lower institution books at: the one above it, those that keep numbers for it, and those of its
    agreements; also of one that ended, where it still looks after what it booked. One query."""
    groups = PartnerGroup.objects.filter(active=True, members=partner)
    kept = Pool.objects.filter(Q(partner=partner) | Q(group__in=groups))
    wanted = Q(pk=partner.parent_id) | Q(pk__in=kept.values("organization")) | Q(pk__in=groups.values("organization"))
    wanted |= Q(pk__in=Agreement.objects.filter(member=partner).values("hospital"))
    return list(Organization.objects.filter(wanted, active=True).order_by("code"))


def departments_of(doctor: Practitioner | None, *, house: Organization) -> list[int]:
    if doctor is None:
        return []
    rows = PractitionerRole.objects.filter(practitioner=doctor, department__organization=house, active=True)
    return list(rows.order_by("pk").values_list("department", flat=True))


# ---- places ----


@dataclass(frozen=True)
class Place:
    """A department, a doctor in one department, or a team."""

    sort: str  # department, role, team
    pk: int
    name: str
    note: str
    why: str = ""  # 上次, 本科室

    @property
    def key(self) -> str:
        return f"{self.sort}-{self.pk}"

    @property
    def wanted(self) -> Q:
        return Q(**{self.sort: self.pk})


def place_at(scope: Scope, sort: str, pk: int) -> Place | None:
    """Only what can be found in this hospital."""
    rows = {"department": _departments, "role": _roles, "team": _teams}[sort](scope).filter(pk=pk)
    return next((_PLACE[sort](row) for row in rows), None)


def places(scope: Scope, text: str) -> list[Place]:
    """Departments, doctors and teams by Chinese name, pinyin or its initials. Three queries."""
    departments = matching(_departments(scope), text).order_by("rank", "order", "code")[:MOST]
    roles = matching(_roles(scope), text, path="practitioner__").order_by("rank", "practitioner__pinyin", "pk")[:MOST]
    teams = matching(_teams(scope), text).order_by("rank", "pinyin", "pk")[:MOST]
    found = (("department", departments), ("role", roles), ("team", teams))
    return [_PLACE[sort](row) for sort, rows in found for row in rows]


def likely(scope: Scope, *, own: list[int]) -> list[Place]:
    """Before anything is typed: the own departments, then whom the patient saw last, then whom they are booked with;
    as far as the operator may see."""
    state = Appointment.Status
    seen = scope.bookings().filter(status__in=[state.FULFILLED, state.ARRIVED, state.BOOKED], schedule__gate_team=None)
    rows = sorted(seen.order_by("-start", "-pk")[: MOST * 5], key=lambda row: row.status == state.BOOKED)
    keys = [_place_of(row.schedule) for row in rows]
    last = [_again(scope, *key) for key in list(dict.fromkeys(keys))[:MOST]]
    mine = [_PLACE["department"](row, why=_("本科室")) for row in _departments(scope).filter(pk__in=own)]
    return [place for place in (*mine, *last) if place]


def place_of_schedule(scope: Scope, schedule: Schedule) -> Place | None:
    """Who is booked there: the doctor, the team, or the department's plain clinic."""
    return place_at(scope, *_place_of(schedule))


def _again(scope: Scope, sort: str, pk: int) -> Place | None:
    found = place_at(scope, sort, pk)
    return Place(found.sort, found.pk, found.name, found.note, _("上次")) if found else None


def _place_of(schedule: Schedule) -> tuple[str, int]:
    if schedule.role_id:
        return "role", schedule.role_id
    return ("team", schedule.team_id) if schedule.team_id else ("department", schedule.department_id)


def _departments(scope: Scope) -> QuerySet[Department]:
    rows = Department.objects.filter(organization=scope.house, active=True).select_related("campus")
    return rows.filter(pk=scope.department_id) if scope.department_id else rows


def _roles(scope: Scope) -> QuerySet[PractitionerRole]:
    leaders = CareTeamMember.objects.filter(leader=True, active=True, team__active=True)
    rows = PractitionerRole.objects.filter(
        department__organization=scope.house, active=True, practitioner__active=True, department__active=True
    ).exclude(practitioner__in=leaders.values("role__practitioner"))
    rows = rows.filter(department=scope.department_id) if scope.department_id else rows
    return rows.select_related("practitioner", "department", "service")


def _teams(scope: Scope) -> QuerySet[CareTeam]:
    rows = CareTeam.objects.filter(organization=scope.house, active=True).select_related("department")
    return rows.filter(department=scope.department_id) if scope.department_id else rows


def _department_place(row: Department, why: str = "") -> Place:
    return Place("department", row.pk, row.name, row.campus.name if row.campus else "", why)


def _role_place(row: PractitionerRole) -> Place:
    return Place("role", row.pk, row.practitioner.name, f"{row.practitioner.title} {row.department.name}")


def _team_place(row: CareTeam) -> Place:
    return Place("team", row.pk, row.name, row.department.name)


_PLACE = {"department": _department_place, "role": _role_place, "team": _team_place}


@dataclass(frozen=True)
class DepartmentNumbers:
    """A department with a sitting ahead. `today` and `later`: numbers left of this day and of the days after."""

    department: Department
    today: int
    later: int


def departments_with_numbers(scope: Scope) -> dict[str, list[DepartmentNumbers]]:
    """Group (内科系统 …) → its departments with a sitting, in the hospital's own order. Three queries."""
    rows = list(scope.schedules().filter(status=Schedule.Status.OPEN).values("pk", "day", "department"))
    left = count_left([row["pk"] for row in rows], pools=scope.pools, now=scope.now)
    found: dict[int, list[int]] = {}
    for row in rows:
        numbers = found.setdefault(row["department"], [0, 0])
        numbers[row["day"] > scope.today] += left.get(row["pk"], 0)
    groups: dict[str, list[DepartmentNumbers]] = {}
    for one in _departments(scope).filter(pk__in=found):
        groups.setdefault(one.group, []).append(DepartmentNumbers(one, *found[one.pk]))
    return groups


# ---- days and slices ----


@dataclass(frozen=True)
class Slice:
    """Numbers that start within one public segment, takeable by the channel now."""

    schedule: int
    start: datetime
    ends: datetime
    left: int

    @property
    def value(self) -> str:
        return f"{self.schedule}@{self.start.isoformat()}"


@dataclass
class Sitting:
    """One sitting of the chosen day."""

    schedule: Schedule
    fee: Decimal | None
    slices: list[Slice] = field(default_factory=list)

    @property
    def left(self) -> int:
        return sum(each.left for each in self.slices)

    @property
    def stopped(self) -> bool:
        return self.schedule.status == Schedule.Status.STOPPED


@dataclass(frozen=True)
class Day:
    day: date
    left: int
    stopped: bool  # every sitting of that day

    @property
    def few(self) -> bool:
        return 0 < self.left <= 2


@dataclass(frozen=True)
class Strip:
    """The days of one window that have a sitting. `before` and `after` begin the next windows, None at the ends."""

    days: list[Day]
    chosen: date | None
    since: date
    before: date | None
    after: date | None


def strip(scope: Scope, place: Place, *, since: date | None, day: date | None, target: date) -> Strip:
    """Two weeks from `since`; else from `target`, or from the first later day with a number. Two queries, at most four.

    Opens on the wanted day, else on the first with a number.
    """
    given = since or day
    begins = min(max(given or target, scope.today), scope.last_day)
    if given and day and not begins <= day < begins + STRIP:
        begins = max(day, scope.today)
    days = _days(scope, place, begins, begins + STRIP)
    if given is None and not any(each.left for each in days) and (first := _first_day(scope, place, after=begins)):
        begins, days = first, _days(scope, place, first, first + STRIP)
    open_days = [each.day for each in days if each.left]
    chosen = (
        day if any(each.day == day for each in days) else next(iter(open_days or [each.day for each in days]), None)
    )
    after = begins + STRIP
    return Strip(
        days=days,
        chosen=chosen,
        since=begins,
        before=max(begins - STRIP, scope.today) if begins > scope.today else None,
        after=after if after <= scope.last_day else None,
    )


def _days(scope: Scope, place: Place, first: date, end: date) -> list[Day]:
    rows = list(
        scope.schedules()
        .filter(place.wanted, day__gte=first, day__lt=end)
        .order_by("day")
        .values("pk", "day", "status")
    )
    left = count_left([row["pk"] for row in rows if row["status"] == "open"], pools=scope.pools, now=scope.now)
    by_day: dict[date, list[dict]] = {}
    for row in rows:
        by_day.setdefault(row["day"], []).append(row)
    return [
        Day(
            day=day,
            left=sum(left.get(row["pk"], 0) for row in mine),
            stopped=all(row["status"] != "open" for row in mine),
        )
        for day, mine in by_day.items()
    ]


def _first_day(scope: Scope, place: Place, *, after: date) -> date | None:
    """The first day with a number, after that day; else the first with one at all."""
    rows = scope.schedules().filter(place.wanted, status=Schedule.Status.OPEN).order_by("day")
    days = dict(rows.values_list("pk", "day"))
    left = count_left(list(days), pools=scope.pools, now=scope.now)
    with_numbers = sorted({days[pk] for pk in left})
    return next((day for day in with_numbers if day >= after), with_numbers[0] if with_numbers else None)


def sittings(scope: Scope, place: Place, *, day: date) -> list[Sitting]:
    """The place's sittings of a day with their slices. Three queries."""
    rows = scope.schedules().filter(place.wanted, day=day).select_related(*ACTOR)
    fees = fees_on(scope.house.pk, day=day)
    found = {
        row.pk: Sitting(schedule=row, fee=fees.get(row.service.price_code))
        for row in rows.order_by("starts_at", "service__level", "pk")
    }
    for each in _slices(scope, [row.schedule for row in found.values() if not row.stopped]):
        found[each.schedule].slices.append(each)
    return list(found.values())


def _slices(scope: Scope, schedules: list[Schedule]) -> list[Slice]:
    by_id = {row.pk: row for row in schedules}
    minutes = {pk: rules.booking_rule_for(row, day=scope.today).segment_minutes for pk, row in by_id.items()}
    left: dict[tuple[int, datetime], int] = {}
    slots = Slot.objects.filter(takeable(now=scope.now), open_to(scope.pools, now=scope.now), schedule__in=by_id)
    for pk, start in slots.values_list("schedule_id", "start"):
        begins = slice_at(start, first=by_id[pk].starts_at, minutes=minutes[pk])
        left[pk, begins] = left.get((pk, begins), 0) + 1
    return [
        Slice(
            schedule=pk,
            start=begins.astimezone(clock.ZONE),
            ends=min(begins + timedelta(minutes=minutes[pk]), by_id[pk].ends_at).astimezone(clock.ZONE),
            left=number,
        )
        for (pk, begins), number in sorted(left.items(), key=lambda each: (each[0][1], each[0][0]))
    ]


def sitting_at(scope: Scope, schedule_id: int) -> Schedule | None:
    """A sitting that this operator may look at; its numbers are the claim's matter."""
    return scope.schedules().select_related("organization", *ACTOR).filter(pk=schedule_id).first()


# ---- the patient's own ----


def coming(scope: Scope) -> list[Appointment]:
    """Booked from today on, the nearest first. One query."""
    rows = scope.bookings().filter(
        day__gte=scope.today, status__in=[Appointment.Status.BOOKED, Appointment.Status.ARRIVED]
    )
    return list(rows.order_by("start", "pk"))
