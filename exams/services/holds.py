"""Holds whose clock has run out (E1): let go each minute. Whoever books takes them over at once, without waiting."""

from datetime import datetime

from django.db import transaction

from exams.models import ExamBooking, ExamRequest
from exams.policies.booking import LAPSED
from exams.services.claims import let_go
from hospital.models import Patient

BATCH = 200


def lapse(*, now: datetime) -> int:
    """End every hold past its time; its request is open again unless another booking of it stands. Waits for nobody
    (patient, request, booking, each with SKIP LOCKED): who is being served right now is left for the next minute.
    Returns how many."""
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
