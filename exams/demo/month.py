"""Day after day: who was with a doctor is asked for exams, and takes what the planner finds free at that moment."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from appointments.models import Encounter
from exams.models import Device, DeviceAbility, ExamVariant
from exams.planner import DAY, Option, Plan, Problem, Task, best, first_come
from exams.policies.ordering import Exam, planner_rules
from exams.selectors.ordering import rules_in_force
from hospital import clock
from hospital.models import PatientTime

from .free import Count, Free, Span
from .wishes import HABITS, draw

A_DEVICE = 7
"""Patients a working day asked for exams, for each device: what the house can bear."""

WITHIN = 11
"""Days in which a plan is looked for."""

READY = 30
"""Minutes from the doctor's room to the first exam at the earliest."""

SECONDS = 0.5


@dataclass
class Wanted:
    """One exam of one visit, and where it went. Minutes as Count."""

    encounter: Encounter
    variant: ExamVariant
    asked: int
    device: int = 0
    start: int = -1
    end: int = -1
    walk_in: bool = False


@dataclass
class Visit:
    """What one visit asked for. `plan`: several at once."""

    encounter: Encounter
    asked: int
    exams: list[Wanted]
    plan: Plan | None = None
    first_come_trips: int | None = None


@dataclass
class Month:
    dice: random.Random
    free: Free
    count: Count
    variants: dict[str, ExamVariant]
    devices: list[Device]
    rules: list
    able: dict[int, list[Device]]
    promised: dict[int, list[Span]] = field(default_factory=dict)
    done: dict[tuple[int, int], Wanted] = field(default_factory=dict)  # (patient, item): the last
    repeats: list[tuple[Encounter, Wanted, bool, Wanted | None]] = field(default_factory=list)  # avoided, the new one

    def live(self, day: date, *, until: datetime) -> list[Visit]:
        """The exams asked for on that day by doctors whose patients are out of the room."""
        rows = Encounter.objects.filter(schedule__day=day, status=Encounter.Status.FINISHED, finished_at__lte=until)
        rows = rows.filter(schedule__organization=self.devices[0].organization_id, practitioner__isnull=False)
        seen = list(rows.select_related("patient", "practitioner").order_by("pk"))
        most = min(int(len(seen) * 0.85), A_DEVICE * len(self.devices))
        asked = sorted(self.dice.sample(seen, most), key=lambda row: (row.finished_at, row.pk))
        self._promises({row.patient_id for row in asked}, day)
        return [visit for row in asked if (visit := self._ask(row)).exams]

    def _promises(self, patients: set[int], day: date) -> None:
        """Where they are expected otherwise, with the way there and back."""
        times = PatientTime.objects.filter(
            patient__in=patients, during__endswith__gt=clock.at(day, datetime.min.time())
        )
        found = defaultdict(list)
        for patient, during in times.exclude(source="exam").values_list("patient_id", "during"):
            found[patient].append((self.count.minute(during.lower) - 15, self.count.minute(during.upper) + 15))
        for patient in patients:
            own = self.promised.get(patient, [])
            self.promised[patient] = sorted(set(own) | set(found[patient]))

    def _ask(self, encounter: Encounter) -> Visit:
        asked = self.count.minute(encounter.finished_at)
        codes = draw(self.dice, woman=encounter.patient.sex == "F")
        wanted = [Wanted(encounter, self.variants[code], asked) for code in codes if code in self.variants]
        visit = Visit(encounter, asked, [each for each in wanted if not self._known(each)])
        if len(visit.exams) > 1:
            self._plan(visit)
        elif visit.exams and self.dice.random() >= HABITS.unbooked:
            self._single(visit.exams[0])
        return visit

    def _known(self, wanted: Wanted) -> bool:
        """A valid result is there: the doctor uses it, or goes on with a reason."""
        item = wanted.variant.item
        before = self.done.get((wanted.encounter.patient_id, item.pk))
        ready = before and before.end + item.result_minutes < wanted.asked < before.end + item.valid_days * DAY
        if not ready:
            return False
        avoided = self.dice.random() < HABITS.uses_result
        self.repeats.append((wanted.encounter, before, avoided, None if avoided else wanted))
        return avoided

    # ---- where and when ----

    def _task(self, number: int, wanted: Wanted, first: int, days: int) -> Task:
        variant = wanted.variant
        options = []
        able = self.able.get(variant.pk, [])
        for device in self.dice.sample(able, len(able)):  # of two that are as good, the first is taken: not always one
            spans = []
            for day in range(first // DAY, first // DAY + days):
                for a, b in self._open(device.pk, wanted, day, first):
                    spans.append((a - first // DAY * DAY, b - first // DAY * DAY))
            if spans:
                options.append(Option(str(device.pk), str(device.zone_id), tuple(spans)))
        return Task(str(number), variant.minutes, tuple(options), variant.before, variant.after)

    def _open(self, device: int, wanted: Wanted, day: int, first: int) -> Iterable[Span]:
        """As the leaflet allows: fasting patients in the morning, the drip before and the watching after also free."""
        variant, leaflet = wanted.variant, wanted.variant.preparation
        last = (day + 1) * DAY
        if leaflet:
            first = max(first, wanted.asked + leaflet.lead_minutes, wanted.asked + min(leaflet.fast_minutes, 600))
            if leaflet.latest_start:
                at = leaflet.latest_start
                last = min(last, day * DAY + at.hour * 60 + at.minute + variant.minutes)
        busy = [(a - variant.after, b + variant.before) for a, b in self.promised[wanted.encounter.patient_id]]
        return self.free.on(device, day, first=first, last=last, busy=busy)

    def _plan(self, visit: Visit) -> None:
        first = visit.asked + READY + self.dice.choice(HABITS.soon) * DAY
        tasks = tuple(self._task(number, each, first, WITHIN) for number, each in enumerate(visit.exams))
        exams = [
            Exam(str(number), each.variant.item_id, frozenset(group.pk for group in each.variant.groups.all()), {})
            for number, each in enumerate(visit.exams)
        ]
        zones = {option.place for task in tasks for option in task.options}
        walks = {(a, b): 10 for a in zones for b in zones if a < b}
        problem = Problem(tasks, planner_rules(exams, self.rules), walks, WITHIN)
        one_by_one = first_come(problem, [task.key for task in tasks])
        plan = best(problem, seconds=SECONDS)
        if plan is None:
            return
        visit.first_come_trips = one_by_one.trips if one_by_one else None
        if one_by_one and self.dice.random() < HABITS.first_come:
            plan = one_by_one
        else:
            visit.plan = plan
        for line in plan.placed:
            self._take(visit.exams[int(line.key)], int(line.device), line.start + first // DAY * DAY)

    def _single(self, wanted: Wanted) -> None:
        """At the earliest time of a day that suits; a few walk in."""
        simple = wanted.variant.item.simple
        wanted.walk_in = simple and self.dice.random() < HABITS.walk_in
        later = 0 if wanted.walk_in else self.dice.choice(HABITS.soon) * DAY
        first = wanted.asked + READY + later
        if later and self.dice.random() < 0.5:  # the afternoon, or the day's middle
            first = first // DAY * DAY + self.dice.choice((9 * 60, 10 * 60, 13 * 60, 14 * 60, 15 * 60))
        task = self._task(0, wanted, max(first, wanted.asked + READY), 1 if wanted.walk_in else WITHIN)
        plan = first_come(Problem((task,), days=WITHIN), ["0"])
        if plan is None:
            wanted.walk_in = False
            return
        [line] = plan.placed
        self._take(wanted, int(line.device), line.start + max(first, wanted.asked + READY) // DAY * DAY)

    def _take(self, wanted: Wanted, device: int, start: int) -> None:
        variant, patient = wanted.variant, wanted.encounter.patient_id
        wanted.device, wanted.start, wanted.end = device, start, start + variant.minutes
        self.free.take(device, start, wanted.end)
        self.promised[patient].append((start - variant.before - 10, wanted.end + variant.after + 10))
        self.done[patient, variant.item_id] = wanted


def begin(dice: random.Random, *, devices: dict[str, Device], first_day: date) -> Month:
    """What the month is drawn from."""
    count = Count(first_day)
    used = list(devices.values())
    organization = used[0].organization_id
    ways = ExamVariant.objects.filter(item__organization=organization).select_related("item", "preparation")
    stars = {"plain": "", "contrast": "*"}
    variants = {
        each.item.code + stars[each.kind]: each for each in ways.prefetch_related("groups") if each.kind in stars
    }
    able = defaultdict(list)
    by_pk = {device.pk: device for device in used}
    for ability in DeviceAbility.objects.filter(device__in=used).order_by("device_id"):
        able[ability.variant_id].append(by_pk[ability.device_id])
    return Month(dice, Free(count, used), count, variants, used, rules_in_force(organization), dict(able))


def days(first_day: date, last_day: date) -> Iterable[date]:
    for number in range((last_day - first_day).days + 1):
        yield first_day + timedelta(days=number)
