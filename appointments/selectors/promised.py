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
    """Of several PostgreSQL makes a list of bigints by itself."""
    patients = set(patients)
    whose = {"patient": key(patients.pop())} if len(patients) == 1 else {"patient__in": patients}
    return PatientTime.objects.filter(**whose, during__overlap=between)
