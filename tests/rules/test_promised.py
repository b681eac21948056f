"""Where patients are promised to be is found by the index of the constraint that keeps them out of two places."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from appointments.selectors import promised
from hospital.models import PatientTime
from tests.factories import NOW, PatientFactory

pytestmark = pytest.mark.django_db


def test_nobody_elses_time_is_looked_through():
    """B2, E2: of days that it knows little of PostgreSQL believes that the range alone is a short way; it then read
    everybody's time of those days, since a bare number is no bigint to the index and a list no condition of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = _plan_of([7, 8])
        assert "Index Cond: (patient_id = ANY " in plan, plan
        cursor.execute("DROP INDEX patienttime_patient")
        plan = _plan_of([7])
        assert "Index Cond: ((patient_id = " in plan, plan


def _plan_of(patients: list[int]) -> str:
    return promised.times_of(patients, between=(NOW, NOW + timedelta(days=1))).values_list("source").explain()


def test_only_times_that_touch_the_span_are_found():
    """A promise that ends as the span begins, or begins as it ends, stands in nobody's way; of one as of a family."""
    own, other = PatientFactory(), PatientFactory()
    for hour, patient in ((-1, own), (0, own), (1, other), (2, other)):
        during = DateTimeTZRange(NOW + timedelta(hours=hour), NOW + timedelta(hours=hour + 1))
        PatientTime.objects.create(patient=patient, during=during, source="x", source_id=hour + 1)
    span = (NOW, NOW + timedelta(hours=2))
    found = [set(promised.times_of(whose, between=span).values_list("source_id", flat=True))
             for whose in ([own.pk], [other.pk], [own.pk, other.pk], [])]  # fmt: skip
    assert found == [{1}, {2}, {1, 2}, set()]
