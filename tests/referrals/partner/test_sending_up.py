"""R1: a letter and its number go together or not at all."""

from datetime import timedelta

import pytest

from appointments.errors import AgreementEnded, HoldLapsed
from appointments.models import Appointment, Slot
from appointments.services import supply
from hospital.models import Agreement, Fact
from referrals.errors import AlreadyReferred, NotTheirTurn, ReferralIncomplete
from referrals.models import Referral
from referrals.selectors.holding import held_by
from referrals.services import sending_up, writing
from tests.booking.acts import take
from tests.factories import NOW, TODAY, DepartmentFactory, PoolFactory, ReferralFactory, StaffFactory, open_schedule

WRITTEN = {
    "reason": "血压控制不佳", "diagnosis": "高血压 3 级", "diagnosis_code": "I10", "history": "高血压 8 年",
    "consent": "patient",
}  # fmt: skip


@pytest.fixture
def draft(alliance):
    return begin(alliance)


def begin(alliance, **more):
    return writing.draft(
        patient=alliance.patient, origin=alliance.centre, receiver=alliance.hospital, direction="up",
        by=alliance.doctor, now=NOW, **(WRITTEN | more),
    )  # fmt: skip


def hold(draft, schedule, alliance, now=NOW):
    return sending_up.hold(
        referral=draft, schedule=schedule, start=schedule.starts_at, by=alliance.doctor, now=now, decided=now
    )


def send(draft, number, alliance, now=NOW):
    return sending_up.send_with_number(referral=draft, appointment=number, by=alliance.doctor, now=now, decided=now)


def test_a_letter_and_its_number_are_sent_in_one_step_and_twice_is_once(alliance, draft):
    number = hold(draft, alliance.clinic, alliance)
    draft.refresh_from_db()
    assert (draft.department, draft.role) == (alliance.clinic.department, alliance.clinic.role)
    assert number.slot.pool.kind == "partner"
    for _twice in range(2):
        sent = send(draft, number, alliance)
    assert (sent.status, sent.appointment_id, sent.office_books) == ("booked", number.pk, False)
    assert Appointment.objects.get().status == "booked"
    assert list(sent.events.values_list("kind", flat=True)) == ["created", "sent", "booked"]
    topics = list(Fact.objects.filter(topic__startswith="referral.").order_by("pk").values_list("topic", flat=True))
    assert topics == ["referral.created", "referral.sent", "referral.booked"]


@pytest.mark.parametrize("gap", ["consent", "history", "diagnosis"])
def test_what_is_missing_keeps_the_draft_and_the_hold(alliance, gap):
    draft = begin(alliance, **{gap: ""})
    number = hold(draft, alliance.clinic, alliance)
    with pytest.raises(ReferralIncomplete) as refused:
        send(draft, number, alliance)
    assert set(refused.value.fields) == {gap}
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert held_by(draft, now=NOW) == number


def test_a_hold_that_ran_out_leaves_an_unsent_draft(alliance, draft):
    number = hold(draft, alliance.clinic, alliance)
    late = NOW + timedelta(minutes=16)
    assert held_by(draft, now=late) is None
    with pytest.raises(HoldLapsed):
        send(draft, number, alliance, now=late)
    assert Referral.objects.get().status == "draft"
    assert not Fact.objects.filter(topic="referral.sent").exists()


def test_an_agreement_that_ended_meanwhile_sends_nothing(alliance, draft):
    number = hold(draft, alliance.clinic, alliance)
    Agreement.objects.create(
        hospital=alliance.hospital, member=alliance.centre, effective_from=TODAY - timedelta(9),
        effective_to=TODAY - timedelta(1),
    )  # fmt: skip
    with pytest.raises(AgreementEnded):
        send(draft, number, alliance)
    assert (Referral.objects.get().status, Appointment.objects.get().status) == ("draft", "pending")


def test_another_choice_moves_the_hold_and_the_letter_with_it(alliance, draft):
    first = hold(draft, alliance.clinic, alliance)
    other = open_schedule(numbers=2, pool="partner", day=alliance.clinic.day + timedelta(days=1))
    second = hold(draft, other, alliance)
    assert second.pk == first.pk
    draft.refresh_from_db()
    assert draft.department == other.department
    assert not Slot.objects.filter(schedule=alliance.clinic).exclude(status="free").exists()


def test_asking_the_office_gives_the_held_number_back(alliance, draft):
    hold(draft, alliance.clinic, alliance)
    sent = sending_up.send_to_office(referral=draft, by=alliance.doctor, now=NOW, decided=NOW)
    assert (sent.status, sent.office_books) == ("sent", True)
    assert Appointment.objects.get().status == "cancelled"


def test_the_second_family_doctor_hears_of_the_first_and_keeps_draft_and_hold(alliance, draft):
    number = hold(draft, alliance.clinic, alliance)
    first = ReferralFactory(
        patient=alliance.patient, department=alliance.clinic.department, origin=alliance.centre,
        receiver=alliance.hospital, by=StaffFactory(roles="partner", roles__at=alliance.centre),
    )  # fmt: skip
    with pytest.raises(AlreadyReferred) as refused:
        send(draft, number, alliance)
    assert first.number in refused.value.sentence
    assert held_by(draft, now=NOW) == number


def test_a_discarded_draft_lets_its_number_go_and_one_that_was_sent_is_not_discarded(alliance, draft):
    hold(draft, alliance.clinic, alliance)
    sending_up.discard(referral=draft, by=alliance.doctor, now=NOW, decided=NOW)
    assert Appointment.objects.get().status == "cancelled"
    assert Referral.objects.get().status == "withdrawn"
    sent = begin(alliance, department=DepartmentFactory())
    writing.send(referral=sent, by=alliance.doctor, now=NOW)
    with pytest.raises(NotTheirTurn):
        sending_up.discard(referral=sent, by=alliance.doctor, now=NOW, decided=NOW)


def test_a_recall_leaves_what_is_held_and_takes_the_rest(alliance, draft):
    """P4: at D−7 while the family doctor is still writing."""
    PoolFactory(organization=alliance.hospital, kind="public")
    recall = NOW + timedelta(hours=1)
    held = hold(draft, alliance.clinic, alliance, now=recall - timedelta(minutes=5))
    supply.follow_up(now=recall)
    assert sorted(alliance.clinic.slots.values_list("pool__kind", "status")) == [
        ("partner", "held"), ("public", "free"), ("public", "free"), ("public", "free")
    ]  # fmt: skip
    sent = send(draft, held, alliance, now=recall + timedelta(minutes=5))
    assert (sent.status, Appointment.objects.get().slot.pool.kind) == ("booked", "partner")


def test_a_number_that_the_patient_has_already_carries_the_letter(alliance, draft):
    booked = take(alliance.clinic, alliance.patient, channel="partner", partner=alliance.centre.pk, confirmed=True)
    sent = send(draft, booked, alliance)
    assert (sent.status, sent.appointment_id, sent.department) == ("booked", booked.pk, alliance.clinic.department)
    again = begin(alliance)
    with pytest.raises(AlreadyReferred):
        send(again, booked, alliance)
