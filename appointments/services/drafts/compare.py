"""The templates beside what stands, day by day: what is new, other, gone, and what can't be. Reads, writes nothing."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count

from appointments.models import (
    Appointment,
    DraftLine,
    LayoutDraft,
    Schedule,
    ScheduleTemplate,
    Substitution,
)
from appointments.services import planning, unlaying
from appointments.services.moving import WAITING
from appointments.services.timetable import Plan, Planned, Timetable
from hospital import clock

KEEPS_NUMBERS = frozenset({"starts_at", "ends_at", "minutes", "room"})
"""Of these a schedule may change while each patient keeps the number; each is told."""

RELATED = ("department", "service", "role__practitioner", "team", "gate_team", "room")
"""Fetched apart, each once: a quarter's sessions name the same few doctors and rooms again and again."""


@dataclass(eq=False)
class Line:
    """One difference. `planned`: as the template wants it; `schedule`: what stands."""

    action: str
    name: str
    day: date
    template: int | None = None
    schedule: Schedule | None = None
    planned: Planned | None = None
    differences: list[list[str]] = field(default_factory=list)
    patients: int = 0
    seen: bool = False  # somebody has or had a number, or numbers were blocked: its rows can't be deleted
    reason: str = ""  # what stands in the way, or what the office should know: selectors.drafts.REASONS

    @property
    def key(self) -> tuple:
        return (self.action, *self.place)

    @property
    def place(self) -> tuple:
        return (self.template, self.schedule and self.schedule.pk, self.day)

    @property
    def keeps_numbers(self) -> bool:
        return {name for name, _is, _would in self.differences} <= KEEPS_NUMBERS

    @property
    def moves(self) -> bool:
        """Its rows go to their new place as they are, instead of being laid anew."""
        return self.action == DraftLine.Action.CHANGE and self.seen and self.keeps_numbers

    @property
    def obstacle(self) -> str:
        """Why ticking would not help; the words are selectors.drafts.REASONS."""
        if self.action == DraftLine.Action.DROP and self.patients:
            return "has_patients"
        if self.action == DraftLine.Action.CHANGE and self.patients and not self.keeps_numbers:
            return "numbers_would_change"
        return ""


@dataclass
class Comparison:
    lines: list[Line] = field(default_factory=list)
    adopted: list[tuple[Schedule, int]] = field(default_factory=list)
    """What stands and a changed pattern goes on with: (schedule, template). Said nowhere, since nothing changes."""

    @property
    def digest(self) -> str:
        """Of everything but the patients: they come and go while the office looks."""
        said = sorted(json.dumps([*line.key, line.differences], default=str, ensure_ascii=False) for line in self.lines)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


class Wanted:
    """What the templates yield on the days of a draft, read once for all of them."""

    def __init__(self, draft: LayoutDraft):
        self.draft = draft
        timetable = Timetable(
            organization=draft.organization, first_day=draft.first_day, last_day=draft.last_day,
            department=draft.department_id, published=False,
        )  # fmt: skip
        self.templates: list[ScheduleTemplate] = timetable.templates
        self.plans: dict[date, Plan] = defaultdict(Plan)
        plan = timetable.plan()
        for each in plan.planned:
            self.plans[each.schedule.day].planned.append(each)
        for conflict in plan.conflicts:
            self.plans[conflict.day].conflicts.append(conflict)

    def between(self, first_day: date, last_day: date) -> Plan:
        days = sorted(day for day in self.plans if first_day <= day <= last_day)
        plans = [self.plans[day] for day in days]
        planned = [each for plan in plans for each in plan.planned]
        return Plan(planned, [conflict for plan in plans for conflict in plan.conflicts])


def compare(*, wanted: Wanted, first_day: date, last_day: date, now: datetime) -> Comparison:
    """A handful of queries, however many days and doctors there are. Who waits where is `count_patients`'s matter, who
    stands in whose way the seats'."""
    draft = wanted.draft
    rows = Schedule.objects.filter(organization=draft.organization, day__range=(first_day, last_day))
    if draft.department_id:
        rows = rows.filter(department=draft.department_id)
    standing = list(rows.filter(template__isnull=False).prefetch_related(*RELATED).order_by("day", "id"))
    result = Comparison()
    plan = wanted.between(first_day, last_day)
    _Pairing(plan, standing, substituted=_substituted(first_day, last_day), now=now).fill(result)
    result.lines.sort(key=lambda line: (line.day, line.name, line.action))
    return result


class _Pairing:
    """Which planned schedule continues which standing one: the same template and day, else the same actor and half."""

    def __init__(self, plan: Plan, standing: list[Schedule], *, substituted: set[int], now: datetime):
        self.plan, self.substituted, self.now = plan, substituted, now
        self.by_place = {(row.template_id, row.day): row for row in standing}
        self.unsure = {(conflict.template, conflict.day) for conflict in plan.conflicts}
        self.left = {place: row for place, row in self.by_place.items() if place not in self.unsure}

    def fill(self, result: Comparison) -> None:
        new = [each for each in self.plan.planned if not self._same_place(each, result)]
        by_actor = defaultdict(list)
        for row in self.left.values():
            by_actor[_actor_and_half(row)].append(row)
        for each in new:
            old = _nearest(by_actor[_actor_and_half(each.schedule)], each)
            if old is not None:
                del self.left[old.template_id, old.day]
                self._other(old, each, result)
            elif each.schedule.starts_at > self.now:
                result.lines.append(_added(each))
        for row in self.left.values():
            if row.starts_at > self.now and row.status == Schedule.Status.OPEN:
                line = Line(DraftLine.Action.DROP, _name(row), row.day, row.template_id, row)
                line.differences = [["dropped", _hours(row), str(row.room)]]
                result.lines.append(line)
        for conflict in self.plan.conflicts:
            line = Line(DraftLine.Action.CONFLICT, conflict.name[:120], conflict.day, conflict.template)
            line.schedule = self.by_place.get((conflict.template, conflict.day))
            line.differences = [[conflict.code, *conflict.names]]
            result.lines.append(line)

    def _same_place(self, each: Planned, result: Comparison) -> bool:
        row = self.left.pop((each.template.pk, each.schedule.day), None)
        if row is not None:
            self._other(row, each, result)
        return row is not None

    def _other(self, row: Schedule, each: Planned, result: Comparison) -> None:
        """A stopped clinic stays stopped and a substitute stays in, whatever the pattern says now; one that has begun
        stays as it is."""
        differences = [list(one) for one in planning.what_differs(row, each)]
        if row.template_id != each.template.pk:
            result.adopted.append((row, each.template.pk))
        fixed = row.status != Schedule.Status.OPEN or row.pk in self.substituted or row.starts_at <= self.now
        if differences and not fixed:
            line = Line(DraftLine.Action.CHANGE, _name(row), row.day, each.template.pk, row, each, differences)
            result.lines.append(line)


def _substituted(first_day: date, last_day: date) -> set[int]:
    rows = Substitution.objects.filter(stands=True, schedule__day__range=(first_day, last_day))
    return set(rows.values_list("schedule", flat=True))


def _actor_and_half(row: Schedule) -> tuple:
    person = row.role.practitioner_id if row.role_id else None
    plain = (row.department_id, row.service_id) if person is None and row.team_id is None else None
    return (person, row.team_id, plain, row.day, row.half)


def _nearest(rows: list[Schedule], each: Planned) -> Schedule | None:
    """Of several (a plain clinic in two rooms) the one in the same room, else the first. Taken out of `rows`."""
    if not rows:
        return None
    place = next((n for n, row in enumerate(rows) if row.room_id == each.schedule.room_id), 0)
    return rows.pop(place)


def _name(row: Schedule) -> str:
    return f"{row.department} {row.actor_name} {row.get_half_display()}"[:120]


def _hours(row: Schedule) -> str:
    return f"{row.starts_at.astimezone(clock.ZONE):%H:%M}–{row.ends_at.astimezone(clock.ZONE):%H:%M}"


def _added(each: Planned) -> Line:
    row, template = each.schedule, each.template
    name = f"{template.department} {template.actor_name} {row.get_half_display()}"[:120]
    said = [["added", str(row.capacity), _hours(row), str(template.room)]]
    return Line(DraftLine.Action.ADD, name, row.day, template.pk, None, each, said)


def count_patients(lines: list[Line]) -> None:
    """Who waits for each line's schedule, and whose rows something hangs on."""
    lines = [line for line in lines if line.schedule]
    ids = [line.schedule.pk for line in lines]
    rows = Appointment.objects.filter(schedule__in=ids, status__in=WAITING).order_by().values_list("schedule")
    waiting, kept = dict(rows.annotate(Count("pk"))), unlaying.in_the_books(ids)
    for line in lines:
        line.patients, line.seen = waiting.get(line.schedule.pk, 0), line.schedule.pk in kept
