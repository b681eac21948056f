"""Where patients are promised to be (PatientTime), found by the index of the constraint that keeps them out of two
places."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import BigIntegerField, QuerySet, Value
from django.db.models.functions import Cast

from hospital.models import PatientTime


def key(pk: int) -> Cast:
    """As a bigint. A bare number is an integer to PostgreSQL, for which the exclusion constraints' indexes on (bigint,
    range) are no use: it would look through the whole time of everybody (56 ms instead of 0.6 at 700,000 rows)."""
    return Cast(Value(pk), BigIntegerField())


def times_of(patients: Iterable[int], *, between: tuple[datetime, datetime]) -> QuerySet[PatientTime]:
    """Of several: by the index on the patient. That on the range answers a list after reading all of the range, and
    looks cheap beside it on days of which PostgreSQL knows little."""
    patients, (first, last) = set(patients), between
    if len(patients) == 1:
        return PatientTime.objects.filter(patient=key(patients.pop()), during__overlap=between)
    return PatientTime.objects.filter(patient__in=patients, during__startswith__lt=last, during__endswith__gt=first)
