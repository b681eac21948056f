"""The demo's month of referrals: drawn around the numbers and visits that are there, by the laws of the tables."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from hospital.models import Organization
from referrals import stats
from referrals.demo import month
from referrals.models import CarePlan, FollowUp, Referral, ReferralEvent
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    PatientFactory,
    PractitionerFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
KINDS = ("booked", "fulfilled", "cancelled", "noshow")


@pytest.fixture
def house():
    """Forty numbers of a past clinic that a community took, a quarter each as they ended."""
    schedule = open_schedule(numbers=40, day=TODAY - timedelta(days=5))
    community = CommunityFactory()
    doctor = PractitionerFactory(user=StaffFactory(roles="doctor"))
    for number in range(1, 41):
        status = KINDS[number % 4]
        at = schedule.starts_at - timedelta(days=3)
        cancelled = {"cancelled_at": at + timedelta(days=1)} if status == "cancelled" else {}
        row = appointment_row(
            schedule, PatientFactory(), number=number, status=status, channel="partner", partner=community,
            confirmed_at=at, **cancelled,
        )  # fmt: skip
        if status == "fulfilled":
            row.encounter = row.schedule.encounters.create(
                appointment=row, department=row.department, patient=row.patient, practitioner=doctor,
                status="finished", checked_in_at=row.start, called_at=row.start, started_at=row.start,
                finished_at=row.start + timedelta(minutes=8), room=schedule.room,
            )  # fmt: skip
    return schedule.organization


def test_letters_end_as_their_numbers_did_and_the_figures_follow(house, monkeypatch):
    """R7: nothing that is shown was written: counts come from the rows."""
    monkeypatch.setattr(month, "OF_PARTNERS", 1)
    users = {name: StaffFactory(roles=role) for name, role in (("zhuanzhen", "referral"), ("shequ", "partner"))}
    communities = list(Organization.objects.filter(code="SQ1"))
    drawn = month.Month(house, communities, users=users, dice=random.Random("one"), now=NOW)
    up, down = drawn.live(since=NOW - timedelta(days=30))

    assert up >= 40
    by_number = Counter(Referral.objects.filter(appointment__isnull=False).values_list("appointment__status", "status"))
    assert by_number["booked", "booked"] == 10
    assert not [pair for pair in by_number if pair[0] in ("cancelled", "noshow")]
    assert ReferralEvent.objects.filter(kind="lost").count() == 20
    found = stats.figures(organization=house.pk, first=TODAY - timedelta(days=30), last=TODAY)
    assert found.up.sent + found.up.withdrawn == up
    assert found.down.sent == down == CarePlan.objects.count() == FollowUp.objects.count()
    assert not ReferralEvent.objects.filter(at__gt=NOW).exists()
