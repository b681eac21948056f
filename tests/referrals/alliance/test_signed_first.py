"""R6: signed residents first: a share of their own inside the institution's numbers, earlier, and in the queue."""

from datetime import time, timedelta

import pytest

from appointments.errors import NotOpen, SoldOut
from appointments.models import BookingRule, Encounter, SupplyRule, SupplyShare
from appointments.selectors import reserved, rules, soldout
from appointments.services import visit
from appointments.services.allocation import Allocation
from hospital.models import Agreement, SignedResident
from referrals.services import queueing
from tests.api.conftest import Program, issue
from tests.booking.acts import take
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    ReferralFactory,
    StaffFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre():
    return CommunityFactory()


def sign(patient, centre, last=TODAY + timedelta(days=300)):
    return SignedResident.objects.create(
        patient=patient, organization=centre, effective_from=TODAY - timedelta(days=60), effective_to=last
    )


@pytest.fixture
def clinic():
    """Two numbers for signed residents are open already; those for all lower institutions open tomorrow."""
    row = open_schedule(numbers=2, pool="signed")
    add_numbers(row, count=2, pool="partner", opened=NOW + timedelta(days=1))
    rules.forget()
    return row


def ask(clinic, centre, patient):
    return take(clinic, patient, channel="partner", partner=centre.pk, confirmed=True)


def test_only_its_own_signed_residents_reach_what_is_kept_for_them(clinic, centre):
    mine, theirs, over = PatientFactory.create_batch(3)
    sign(mine, centre)
    sign(theirs, CommunityFactory(code="SQ2", name="石埠社区"))
    sign(over, centre, last=TODAY - timedelta(days=1))
    assert ask(clinic, centre, mine).slot.pool.kind == "signed"
    for other in (theirs, over, PatientFactory()):
        with pytest.raises(NotOpen):
            ask(clinic, centre, other)


def test_one_institutions_own_share_is_found_by_its_signed_residents_only(clinic, centre):
    own = PoolFactory(organization=clinic.organization, kind="signed", partner=centre)
    patient = PatientFactory()
    asked = {"organization_id": clinic.organization_id, "patient_id": patient.pk, "day": TODAY}
    rules.forget()
    before = reserved.pools_for_patient("partner", **asked, partner_id=centre.pk)
    sign(patient, centre)
    after = reserved.pools_for_patient("partner", **asked, partner_id=centre.pk)
    assert own.pk in set(after.ids) - set(before.ids)
    assert own.pk not in reserved.pools_for_patient("web", **asked).ids


def test_a_share_for_signed_residents_fills_a_pool_of_its_own_with_an_earlier_window(centre):
    house = OrganizationFactory()
    rule = SupplyRule.objects.create(organization=house, effective_from=TODAY)
    shared = {"shared_days": 7, "shared_time": time(7), "opens_time": time(7)}
    SupplyShare.objects.bulk_create(
        SupplyShare(rule=rule, **each)
        for each in (
            {"kind": "signed", "percent": 10, "opens_days": 14, "partner": centre, **shared},
            {"kind": "partner", "percent": 30, "opens_days": 10, **shared},
            {"kind": "public", "percent": 60, "opens_days": 7, "opens_time": time(7)},
        )
    )
    schedule = open_schedule(numbers=10)
    allocation = Allocation(house)
    days = {row.pool: (schedule.starts_at - row.opens_at).days for row in allocation.openings(schedule)}
    signed = next(pk for (kind, of, _group), pk in allocation.own.items() if (kind, of) == ("signed", centre.pk))
    assert days[signed] == 14
    assert allocation.pools_by_number(schedule).count(signed) == 1
    assert rules.public_horizon(house.pk, channel="partner", day=TODAY) == 14


def test_sold_out_for_others_is_not_sold_out_for_a_signed_resident(stopped_clock, clinic, centre):
    soldout.forget()
    program = Program(issue(UserFactory(), "read", "book_anyone", channel="partner", organization=centre))
    resident, path = PatientFactory(), f"/schedules/{clinic.pk}/appointments/"
    sign(resident, centre)
    soldout.remember(clinic.pk, f"partner:{centre.pk}:", now=NOW)
    assert program.post(path, {"patient": PatientFactory().pk}).json()["code"] == SoldOut.code
    assert program.post(path, {"patient": resident.pk}).status_code == 201


@pytest.mark.parametrize(("signed_priority", "priority"), [(1, 1), (0, 0)])
def test_a_signed_resident_comes_first_in_the_queue_where_the_rule_says_so(centre, signed_priority, priority):
    OrganizationFactory()
    BookingRule.objects.update(signed_priority=signed_priority)
    today, nurse, resident = open_schedule(day=TODAY), StaffFactory(roles="triage"), PatientFactory()
    sign(resident, centre)
    rows = {
        who.pk: visit.check_in(appointment=appointment_row(today, who, number=number), by=nurse, now=NOW)
        for number, who in enumerate((PatientFactory(), resident), start=1)
    }
    assert rows[resident.pk].priority == priority
    assert {row.priority for pk, row in rows.items() if pk != resident.pk} == {0}


def test_signed_with_an_institution_whose_agreement_ended_waits_in_turn(centre):
    today, resident = open_schedule(day=TODAY), PatientFactory()
    sign(resident, centre)
    Agreement.objects.create(
        hospital=today.organization,
        member=centre,
        effective_from=TODAY - timedelta(9),
        effective_to=TODAY - timedelta(1),
    )
    row = appointment_row(today, resident)
    assert visit.check_in(appointment=row, by=StaffFactory(roles="triage"), now=NOW).priority == 0


@pytest.mark.parametrize(("urgency", "priority"), [("green", 2), ("urgent", 1), ("routine", 0)])
def test_an_urgent_referral_brings_its_patient_forward_at_check_in(urgency, priority):
    """R5: twice is once, and whom a nurse put higher stays there."""
    today, patient = open_schedule(day=TODAY), PatientFactory()
    number = appointment_row(today, patient)
    ReferralFactory(patient=patient, urgency=urgency, status="booked", appointment=number, due_at=None)
    visit.check_in(appointment=number, by=StaffFactory(roles="triage"), now=NOW)
    for _twice in range(2):
        queueing.serve_sooner(appointment=number.pk, now=NOW)
    assert Encounter.objects.get().priority == priority
