"""What else a patient has: exams booked and done, and where they are promised to be. What rules and plans ask about."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Q

from appointments.models import Appointment
from appointments.selectors import promised
from exams.models import DiagnosticReport, ExamBooking, ExamRequest, OrderingRule
from exams.planner.problem import Rule
from exams.policies.ordering import Exam, draws, planner_rules, sittings
from exams.selectors.holding import holding
from exams.selectors.ordering import exam_of, rules_in_force
from hospital.models import PatientTime

Status = ExamBooking.Status

LOOK_BACK = timedelta(days=14)
"""The longest interval that an ordering rule can ask for (orderingrule_sensible_gap)."""

RESULT_COUNTS_DAYS = 30
"""For items whose results have no validity of their own: long enough for "first this check, then that exam"."""

OVER = frozenset({Status.DONE, Status.RUNNING})
TAKEN_AWAY = frozenset({Status.BOOKED, *ExamBooking.WAITING})
"""A booking in one of these that holds nothing lost its time to a downtime."""


@dataclass(frozen=True)
class Standing:
    """An exam that is booked or was done. `key` names it for the rules."""

    booking: ExamBooking
    exam: Exam
    start: datetime
    end: datetime

    @property
    def key(self) -> str:
        return self.exam.key

    @property
    def over(self) -> bool:
        return self.booking.status in OVER


def standing_exams(patient_id: int, *, now: datetime, ignoring: Collection[int] = ()) -> list[Standing]:
    """Booked ones from now on and those done within the longest interval, in the order of time. Two queries."""
    rows = ExamBooking.objects.filter(patient=patient_id, day__gte=(now - LOOK_BACK - timedelta(days=1)).date())
    rows = rows.filter(holding(now) | Q(status__in=OVER)).exclude(pk__in=ignoring)
    rows = rows.select_related("request__variant__item", "device__zone__campus")
    rows = rows.prefetch_related("request__variant__groups").order_by("during")
    found = []
    for row in rows:
        start = row.started_at or row.during.lower
        end = row.finished_at or max(row.during.upper, start)
        found.append(Standing(row, exam_of(row.request, key=f"b{row.pk}"), start, end))
    return found


def sitting_of(booking: ExamBooking, *, now: datetime) -> list[ExamBooking]:
    """同一次麻醉, 一次采血: the booking with what is done back to back with it on its device, the first first; else
    alone. What a downtime took away has with it what it took along. At most three queries."""
    if _is_taken_away(booking):
        return taken_together(booking)
    live = [each for each in standing_exams(booking.patient_id, now=now) if each.booking.pk != booking.pk]
    beside = [each.booking for each in live if each.booking.device_id == booking.device_id and not each.over]
    return _run_of(booking, beside)


def taken_together(booking: ExamBooking) -> list[ExamBooking]:
    """The sitting of an exam whose time a downtime took away, as far as it was taken away with it; else alone."""
    if not _is_taken_away(booking):
        return [booking]
    rows = ExamBooking.objects.filter(patient=booking.patient_id, device=booking.device_id, day=booking.day)
    rows = rows.filter(holds=False, status__in=TAKEN_AWAY).exclude(pk=booking.pk)
    rows = rows.select_related("request__variant__item", "device__zone__campus")
    return _run_of(booking, list(rows.prefetch_related("request__variant__groups")))


def _is_taken_away(booking: ExamBooking) -> bool:
    return not booking.holds and booking.status in TAKEN_AWAY


def _run_of(booking: ExamBooking, beside: list[ExamBooking]) -> list[ExamBooking]:
    rows = sorted([booking, *beside], key=lambda row: row.during.lower)
    if not any(_touch(one, other) and booking in (one, other) for one, other in pairwise(rows)):
        return [booking]
    ordering = rules_in_force(booking.request.organization_id)
    runs = [[rows[0]]]
    for one, other in pairwise(rows):
        if _touch(one, other) and _one_sitting(one, other, ordering):
            runs[-1].append(other)
        else:
            runs.append([other])
    return next(run for run in runs if booking in run)


def draw_of(booking: ExamBooking, *, now: datetime) -> list[ExamBooking]:
    """一次采血: the other tests of that day for which the same needle serves, on the same device and not over. Three
    queries, none for anything but a blood test."""
    own = exam_of(booking.request, key=f"b{booking.pk}")
    if not own.draw:
        return []
    near = {each.key: each for each in standing_exams(booking.patient_id, now=now) if not each.over}
    near = {key: each for key, each in near.items() if key != own.key and _same_place(each.booking, booking)}
    exams = [own, *(each.exam for each in near.values())]
    mates = next(
        (keys for keys in draws(exams, rules_in_force(booking.request.organization_id)) if own.key in keys), ()
    )
    return [near[key].booking for key in mates if key != own.key]


def _same_place(one: ExamBooking, other: ExamBooking) -> bool:
    return (one.device_id, one.day) == (other.device_id, other.day)


def _touch(one: ExamBooking, other: ExamBooking) -> bool:
    return one.during.upper == other.during.lower


def _one_sitting(one: ExamBooking, other: ExamBooking, ordering: list[OrderingRule]) -> bool:
    exams = [exam_of(one.request), exam_of(other.request)]
    pair = (exams[0].key, exams[1].key)
    return pair in sittings(exams, ordering) or pair in draws(exams, ordering)


def rules_between(new: Iterable[Exam], standing: Iterable[Standing], rules: Iterable[OrderingRule]) -> tuple[Rule, ...]:
    """Of the new exams with each other and with those that stand."""
    return planner_rules([*new, *(each.exam for each in standing)], rules)


@dataclass(frozen=True)
class Promise:
    """Where the patient is promised to be. `zone`: of an exam; `campus`: of a consultation."""

    source: str
    source_id: int
    start: datetime
    end: datetime
    campus: int | None = None
    zone: int | None = None


def promises(patient_id: int, *, first: datetime, last: datetime, ignoring: Collection[int] = ()) -> list[Promise]:
    """Between two moments, consultations and exams, in the order of time. `ignoring`: bookings of exams. At most three
    queries."""
    rows = promised.times_of([patient_id], between=(first, last))
    rows = [row for row in rows if row.source != "exam" or row.source_id not in ignoring]
    campuses = dict(_of(rows, "appointment", Appointment).values_list("pk", "schedule__campus_id"))
    zones = {
        pk: (zone, campus)
        for pk, zone, campus in _of(rows, "exam", ExamBooking).values_list(
            "pk", "device__zone_id", "device__zone__campus_id"
        )
    }
    found = []
    for row in rows:
        zone, campus = zones.get(row.source_id, (None, None)) if row.source == "exam" else (None, None)
        campus = campuses.get(row.source_id) if row.source == "appointment" else campus
        found.append(Promise(row.source, row.source_id, row.during.lower, row.during.upper, campus, zone))
    return sorted(found, key=lambda each: each.start)


def _of(rows: list[PatientTime], source: str, model):
    return model.objects.filter(pk__in=[row.source_id for row in rows if row.source == source])


def gone(patient_id: int, *, requests: Collection[int], now: datetime) -> list[int]:
    """The patient's holds that a new booking replaces: those of these requests, and those that have run out."""
    rows = ExamBooking.objects.filter(patient=patient_id, status=Status.PENDING, holds=True)
    return list(rows.filter(Q(request__in=requests) | Q(hold_until__lte=now)).values_list("pk", flat=True))


def done_items(patient_id: int, *, now: datetime) -> set[int]:
    """Exam items that the patient was examined for, or has a result of, that still counts. Two queries."""
    asked = ExamRequest.objects.filter(patient=patient_id, status=ExamRequest.Status.DONE)
    reports = DiagnosticReport.objects.filter(patient=patient_id, status=DiagnosticReport.Status.RELEASED)
    rows = [
        *asked.values_list("variant__item_id", "variant__item__valid_days", "ended_at"),
        *reports.values_list("variant__item_id", "variant__item__valid_days", "performed_at"),
    ]
    return {item for item, days, at in rows if at > now - timedelta(days=days or RESULT_COUNTS_DAYS)}
