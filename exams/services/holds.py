"""The clocks of holds (E1): run out, they are let go each minute; whoever books takes them over at once, without
waiting. While somebody pays, they run a little longer."""

from datetime import datetime

from django.db import transaction

from appointments.services.sql import database_now
from exams.errors import HoldEnded
from exams.models import ExamBooking, ExamRequest
from exams.policies.booking import LAPSED
from exams.services.claims import in_one, let_go, lock_people
from hospital.models import Patient

BATCH = 200


def lapse(*, now: datetime) -> int:
    """End every hold past its time; its request is open again unless another booking of it stands. Waits for nobody
    (patient, request, booking, each with SKIP LOCKED): who is being served right now is left for the next minute.
    Publishes exam.lapsed for each. Returns how many."""
    lapsed = after = 0
    while True:
        rows = ExamBooking.objects.filter(status=ExamBooking.Status.PENDING, hold_until__lte=now, pk__gt=after)
        found = list(rows.order_by("pk").values_list("pk", "patient_id", "request_id")[:BATCH])
        if not found:
            return lapsed
        lapsed += _lapse(found, now=now)
        after = found[-1][0]


@transaction.atomic
def _lapse(found: list[tuple[int, int, int]], *, now: datetime) -> int:
    patients = _take(Patient, {patient for _pk, patient, _request in found})
    requests = _take(ExamRequest, {request for _pk, patient, request in found if patient in patients})
    ours = [pk for pk, patient, request in found if patient in patients and request in requests]
    rows = ExamBooking.objects.select_for_update(no_key=True, skip_locked=True, of=["self"])
    rows = list(rows.filter(pk__in=ours, status=ExamBooking.Status.PENDING, hold_until__lte=now).order_by("pk"))
    let_go(rows, note=LAPSED, now=now)
    return len(rows)


def _take(model, ids: set[int]) -> set[int]:
    rows = model.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=ids).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def hold_longer(*, booking: ExamBooking, until: datetime, now: datetime | None = None) -> bool:
    """The clock of a held exam runs till `until`, never beyond its own start and never shorter than before: somebody is
    paying for it. Whether it is held now. Raises HoldEnded where it is gone."""
    with in_one():
        seen = ExamBooking.objects.filter(pk=booking.pk).values_list("patient_id", "request_id").first()
        if seen is None:
            raise HoldEnded()
        [row] = lock_people(patients=[seen[0]], requests=[seen[1]], bookings=[booking.pk])
        if row.status != ExamBooking.Status.PENDING:
            return False
        until = min(until, row.during.lower)
        if row.hold_until < until:
            row.hold_until = until
            row.save(update_fields=["hold_until"])
        return row.hold_until > (now or database_now())
