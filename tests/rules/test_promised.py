"""Where patients are promised to be is found by the index of the constraint that keeps them out of two places."""

from datetime import timedelta

import pytest
from django.db import connection

from appointments.selectors import promised
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("patients", [[7], [7, 8]], ids=["one", "a family"])
def test_nobody_elses_time_is_looked_through(patients):
    """B2, E2: of a table that grew since it was analysed PostgreSQL may believe that the range alone is a short way; it
    then read everybody's time of those days, since a bare number is no bigint to the index."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX patienttime_patient")
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = promised.times_of(patients, between=(NOW, NOW + timedelta(days=1))).values_list("source").explain()
    assert "Index Cond: ((patient_id = " in plan, plan
    assert "Filter: (patient_id" not in plan, plan
