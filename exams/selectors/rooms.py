"""Before the devices: who waits, whose turn it is, who is inside, who comes next (E5)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.db.models.functions import Greatest

from exams.models import Device, ExamBooking, Modality
from exams.policies import visit as policy

Status = ExamBooking.Status

HERE = (Status.ARRIVED, Status.CALLED, Status.RUNNING)
"""Checked in and not yet done."""

STILL_HERE = timedelta(days=2)
"""How long somebody who was checked in is still looked for: past midnight, and after a night nobody worked."""


ONE_NEEDLE = timedelta(minutes=15)
"""Blood tests with no more time between them are one who waits: one of them may have been given up."""

INSIDE = (Status.CALLED, Status.RUNNING)
"""On the way into a room, or in it."""


def elsewhere(patient_id: int, *, device_id: int) -> ExamBooking | None:
    """Where else the patient is called to or examined now."""
    rows = ExamBooking.objects.filter(patient=patient_id, status__in=INSIDE).exclude(device=device_id)
    return rows.select_related("device").first()


def next_waiting(device: Device) -> ExamBooking | None:
    """Whose turn it is: one already called, else the first in turn who is not in another room."""
    away = ExamBooking.objects.filter(patient=OuterRef("patient"), status__in=INSIDE).exclude(device=device)
    rows = ExamBooking.objects.filter(~Exists(away), device=device, status__in=ExamBooking.WAITING, holds=True)
    on_the_way = Case(When(status=Status.CALLED, then=0), default=1, output_field=IntegerField())
    due = Greatest(F("during__startswith"), "checked_in_at", "passed_at")  # PostgreSQL: nulls do not count
    rows = rows.annotate(due=due, begins=F("during__startswith"))
    rows = rows.order_by(on_the_way, "-priority", "due", "begins", "pk")
    return rows.first()


@dataclass
class Queue:
    """A device's day."""

    device: Device
    running: list[ExamBooking] = field(default_factory=list)
    called: list[ExamBooking] = field(default_factory=list)
    waiting: list[ExamBooking] = field(default_factory=list)
    coming: list[ExamBooking] = field(default_factory=list)  # booked, not here yet
    displaced: list[ExamBooking] = field(default_factory=list)  # the device is down: they wait for another time
    done: list[ExamBooking] = field(default_factory=list)
    missed: list[ExamBooking] = field(default_factory=list)  # no-shows, and exams that could not be done

    @property
    def inside(self) -> ExamBooking | None:
        return self.running[0] if self.running else None

    @property
    def somebody(self) -> bool:
        return bool(self.running or self.called or self.waiting)

    @property
    def waiting_count(self) -> int:
        return len(self.called) + len(self.waiting)


def queues_of(devices: Iterable[Device], *, day: date) -> dict[int, Queue]:
    """Device → its queue of the day; whoever is still here from an earlier day stands in it as well. One query."""
    queues = {device.pk: Queue(device) for device in devices}
    rows = ExamBooking.objects.filter(_of_the_day(day), device__in=list(queues))
    for row in rows.select_related("patient", "variant__item", "request").order_by(F("during__startswith"), "pk"):
        _sort_into(queues[row.device_id], row, day=day)
    for queue in queues.values():
        queue.waiting.sort(key=policy.turn)
        queue.called.sort(key=lambda row: row.called_at)
        _fold_draws(queue)
    return queues


def _fold_draws(queue: Queue) -> None:
    """Blood tests of one patient are one who waits, or comes: the first stands for all, its `also` names the others."""
    first: dict[int, ExamBooking] = {}
    for rows in (queue.running, queue.called, queue.waiting):
        rows[:] = [row for row in rows if not _folded(row, first)]
    coming: dict[int, ExamBooking] = {}
    queue.coming[:] = [row for row in queue.coming if not _folded(row, coming)]


def _folded(row: ExamBooking, first: dict[int, ExamBooking]) -> bool:
    row.also = []
    if row.variant.item.modality != Modality.LAB:
        return False
    stands = first.get(row.patient_id)
    if stands is None or row.during.lower - [stands, *stands.also][-1].during.upper > ONE_NEEDLE:
        first[row.patient_id] = row
        return False
    stands.also.append(row)
    return True


def inside_elsewhere(queue: Queue) -> dict[int, ExamBooking]:
    """Of those who wait: patient → the exam in another room to which they are called or where they are. One query."""
    waiting = [row.patient_id for row in queue.waiting]
    rows = ExamBooking.objects.filter(patient__in=waiting, status__in=INSIDE).exclude(device=queue.device)
    return {row.patient_id: row for row in rows.select_related("device")} if waiting else {}


def _of_the_day(day: date) -> Q:
    late = Q(day__gte=day - STILL_HERE, day__lt=day, status__in=HERE)
    late |= Q(day__lt=day, status=Status.RUNNING)  # nobody pressed 结束 before the holiday: the device is taken by it
    early = Q(day=day + timedelta(days=1), status__in=HERE)  # checked in before midnight for just after it
    return (Q(day=day) & ~Q(status__in=[Status.PENDING, Status.CANCELLED])) | late | early


def _sort_into(queue: Queue, row: ExamBooking, *, day: date) -> None:
    if not row.holds and row.status in (Status.BOOKED, *ExamBooking.WAITING):
        queue.displaced.append(row)
        return
    place = {
        Status.RUNNING: queue.running,
        Status.CALLED: queue.called,
        Status.ARRIVED: queue.waiting,
        Status.BOOKED: queue.coming,
        Status.DONE: queue.done,
    }
    place.get(row.status, queue.missed).append(row)


def devices_of(organizations: Iterable[int]) -> QuerySet[Device]:
    """In use, in the order of their places."""
    rows = Device.objects.filter(organization__in=organizations, active=True)
    rows = rows.select_related("room", "zone__campus", "organization")
    return rows.order_by("zone__campus__code", "zone__name", "code")


def ahead_of(booking: ExamBooking) -> int:
    """How many people are served before a patient who waits."""
    rows = ExamBooking.objects.filter(device=booking.device_id, status__in=ExamBooking.WAITING, holds=True)
    mine = policy.turn(booking)
    before = {row.patient_id for row in rows if row.status == Status.CALLED or policy.turn(row) < mine}
    return len(before - {booking.patient_id})


def todays(patient_ids: Iterable[int], *, organizations: Iterable[int], now: datetime, today: date) -> dict:
    """Patient → exams to check in or under way now: today's, and those just before and after midnight. One query."""
    found: dict[int, list[ExamBooking]] = defaultdict(list)
    rows = ExamBooking.objects.filter(patient__in=list(patient_ids), request__organization__in=organizations)
    near = Q(day=today) | Q(day__gte=today - STILL_HERE, day__lt=today, status__in=HERE)
    near |= Q(day=today + timedelta(days=1), during__startswith__lte=now + timedelta(hours=6))
    near |= Q(day=today - timedelta(days=1), status=Status.BOOKED)
    rows = rows.filter(near).exclude(status__in=[Status.PENDING, Status.CANCELLED])
    related = ("variant__item", "device__room", "device__zone__campus", "request__requester", "patient")
    for row in rows.select_related(*related).order_by(F("during__startswith"), "pk"):
        found[row.patient_id].append(row)
    return found
