"""The page's reasons are the claim's own: both are asked the same questions and must answer alike (B16)."""

import random
from datetime import timedelta

import pytest
from django.db import connection

from appointments.models import BookingRule
from appointments.policies import who
from tests.factories import TODAY, PatientFactory, appointment_row, open_schedule

DAY = TODAY + timedelta(days=100)
LIMITS = [2, 3, 5]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_limits_on_the_page_and_in_the_claim_agree(seed):
    """Random visits around a day, counted by policies.who and by booking_over_limit."""
    dice, patient = random.Random(seed), PatientFactory()
    visits = []
    for number in range(dice.randint(2, 9)):
        day = DAY + timedelta(days=dice.choice([0, 0, *range(-8, 9), -91, -90, -89, 89, 90, *range(-80, 80, 9)]))
        counts = dice.random() < 0.85
        schedule = open_schedule(day=day, numbers=10)
        appointment_row(schedule, patient, number=number + 1, counts=counts)
        visits.append(who.Visit(day=day, department_id=schedule.department_id, counts=counts))
    departments = [visits[0].department_id, open_schedule(day=DAY).department_id]

    for day in {DAY, visits[0].day, DAY + timedelta(days=3)}:
        within = [visit for visit in visits if abs(visit.day - day) < timedelta(days=who.QUARTER)]
        for department in departments:
            with connection.cursor() as cursor:
                asked = [patient.pk, day, department, LIMITS, True, None]
                cursor.execute("SELECT booking_over_limit(%s, %s, %s, %s, %s, %s)", asked)
                [code] = cursor.fetchone()
            refusal = who.refusal_to_give(
                who.Person(visits=tuple(within)),
                day=day,
                department_id=department,
                numbers=(),
                limits=LIMITS,
                rule=BookingRule(),
            )
            assert (refusal.code if refusal else None) == code, (seed, day, department)


def test_used_counts_the_fullest_window_that_holds_the_day():
    days = [DAY - timedelta(days=6), DAY - timedelta(days=1), DAY + timedelta(days=1), DAY + timedelta(days=7)]
    used = who.used_by([who.Visit(day=day, department_id=1, counts=True) for day in days], day=DAY)

    assert used == who.Used(day=0, week=2, quarter=4)
    assert not used.full(LIMITS)
    assert used.full([2, 2, 5])
