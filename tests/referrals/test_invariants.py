"""X2: each invariant of the referrals finds the row that breaks it, and what the services did breaks none."""

from datetime import timedelta

import pytest

from appointments import invariants
from appointments.models import NoShow
from hospital.models import PatientMerge
from referrals.invariants import INVARIANTS
from referrals.models import AdmissionRequest, FollowUp, GreenCall, Referral
from referrals.policies.moves import Side
from referrals.services import answering, numbers, writing
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    ReferralFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


def broken() -> set[str]:
    ours = {each.name for each in INVARIANTS}
    return {each.invariant.name for each in invariants.violations(now=NOW)} & ours


@pytest.fixture
def booked():
    """Sent up and given a number, by the services."""
    schedule, centre, by = open_schedule(numbers=2), CommunityFactory(), StaffFactory(roles="partner")
    row = writing.draft(
        patient=PatientFactory(), origin=centre, receiver=schedule.organization, direction="up", by=by, now=NOW - A_DAY,
        department=schedule.department, reason="血压不稳", diagnosis="高血压", history="8 年", consent="patient",
    )  # fmt: skip
    row = writing.send(referral=row, by=by, now=NOW - A_DAY)
    number = appointment_row(schedule, row.patient)
    return numbers.take(referral=row, appointment=number, by=by, side=Side.RECEIVER, now=NOW - A_DAY)


def change(rows, **more):
    type(rows).objects.filter(pk=rows.pk).update(**more)


def test_what_the_services_did_breaks_none(booked):
    assert broken() == set()
    numbers.lost(appointment=booked.appointment_id, why="stopped", by=None, now=NOW)
    assert broken() == set()
    answering.reject(referral=booked, reason="不收治", by=booked.by, now=NOW)
    assert broken() == set()


def test_state_number_and_deadline(booked):
    number = booked.appointment
    change(booked, patient=PatientFactory())
    assert broken() == {"referral_number_is_its_patients"}
    change(booked, patient=number.patient, status="accepted")
    assert broken() == {"referral_agrees_with_its_trail"}
    change(booked, appointment=None)
    assert broken() == {"referral_agrees_with_its_trail", "referral_that_waits_has_a_deadline"}


def test_a_number_that_went(booked):
    number = booked.appointment
    change(number, status="noshow")
    NoShow.objects.create(appointment=number, patient=number.patient, day=TODAY, marked_at=NOW)
    assert broken() == set()  # the worker has ten minutes
    NoShow.objects.update(marked_at=NOW - timedelta(minutes=11))
    assert broken() == {"referral_comes_back_with_its_number_gone"}


def test_what_goes_down_rings_or_is_admitted_and_whose_it_is():
    centre, house = CommunityFactory(), OrganizationFactory()
    down = ReferralFactory(direction="down", origin=house, receiver=centre, department=None)
    assert "referral_down_has_a_plan" in broken()
    FollowUp.objects.create(referral=down, patient=PatientFactory(), organization=centre, due_on=TODAY)
    assert "follow_up_is_its_referrals" in broken()
    green = ReferralFactory(urgency="green")
    assert "green_referral_has_its_call" in broken()
    GreenCall.objects.create(referral=green, rung_at=NOW - A_DAY, due_at=NOW)
    assert "green_referral_has_its_call" not in broken()
    Referral.objects.filter(pk=green.pk).update(status="accepted")
    Referral.objects.filter(pk=green.pk).update(status="arrived")
    green.events.create(kind="arrived", status="arrived", at=NOW - A_DAY)
    assert "green_referral_has_its_call" in broken()
    AdmissionRequest.objects.create(
        organization=house, patient=PatientFactory(), referral=green, department=DepartmentFactory(), kind="ward",
        by=green.by, diagnosis="高血压", purpose="调压", wished_from=TODAY, asked_at=NOW,
    )  # fmt: skip
    assert "admission_is_its_referrals" in broken()
    PatientMerge.objects.create(
        kept=down.patient, merged=green.patient, reason="同一人", by=green.by, merged_at=NOW - A_DAY
    )
    assert "nothing_open_hangs_on_a_merged_record" in broken()
