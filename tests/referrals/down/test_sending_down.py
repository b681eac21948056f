"""R3: back down with a plan, the next visit booked and the first follow-up on the list in one step, or none of it."""

from datetime import timedelta

import pytest

from appointments.errors import SoldOut
from appointments.models import Appointment
from hospital.models import Agreement, Organization
from referrals import errors
from referrals.models import CarePlan, FollowUp, Referral
from referrals.services import answering, down, writing
from tests.factories import NOW, TODAY, DepartmentFactory, PatientFactory, ReferralFactory, StaffFactory

from .community import DAY, WRITTEN, arrived, clinic, plan, sent_down

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


def test_back_down_with_a_number_at_the_partner_and_a_first_follow_up():
    """R3, V4"""
    schedule, up = clinic(), arrived()
    first = schedule.slots.order_by("number").first()
    row = sent_down(
        referral=up, plan=plan(discharged_on=TODAY), number=down.Number(schedule, first.start), deciding=NOW
    )
    up.refresh_from_db()
    assert (up.status, up.ended_at) == ("returned", NOW)
    assert (row.status, row.direction, row.answers_to, row.origin) == ("sent", "down", up, up.receiver)
    number = Appointment.objects.get()
    assert (number.status, number.schedule, number.patient) == ("booked", schedule, up.patient)
    assert CarePlan.objects.get().appointment == number
    follow_up = FollowUp.objects.get()
    assert (follow_up.organization, follow_up.due_on) == (row.receiver, TODAY + timedelta(days=7))


def test_a_number_that_is_gone_sends_nobody_down():
    """All or nothing: the writer chooses another one, and nothing is half sent."""
    schedule = clinic(numbers=1)
    start = schedule.slots.get().start
    schedule.slots.update(status="blocked")
    with pytest.raises(SoldOut):
        sent_down(number=down.Number(schedule, start), deciding=NOW)
    assert not Referral.objects.filter(direction="down").exists()
    assert Referral.objects.get().status == "arrived"
    assert not FollowUp.objects.exists()


def test_a_patient_goes_back_once_and_again_after_it_was_withdrawn():
    up = arrived()
    first = sent_down(referral=up)
    with pytest.raises(errors.SentBackAlready) as refused:
        sent_down(referral=up)
    assert first.number in refused.value.sentence
    writing.withdraw(referral=first, reason="改转康复医院", by=first.by, now=NOW)
    down.rehome_follow_up(referral=first.pk, now=NOW)
    assert sent_down(referral=up).answers_to == up
    assert FollowUp.objects.count() == 1


def test_who_was_not_here_is_not_sent_back():
    with pytest.raises(errors.NotHereToGoDown):
        sent_down(referral=ReferralFactory())
    assert not Referral.objects.filter(direction="down").exists()


def test_a_stay_that_began_without_a_referral_goes_down_too():
    """V4: a discharged patient nobody had referred."""
    up = arrived()
    row = down.send_down(
        patient=PatientFactory(), origin=up.receiver, receiver=up.origin, plan=plan(), written=WRITTEN,
        by=StaffFactory(roles="ward"), now=NOW,
    )  # fmt: skip
    assert (row.status, row.answers_to) == ("sent", None)
    with pytest.raises(errors.SentDownAlready):
        down.send_down(
            patient=row.patient, origin=up.receiver, receiver=up.origin, plan=plan(), written=WRITTEN, by=row.by,
            now=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=366)])
def test_a_plan_names_a_day_that_comes(day):
    with pytest.raises(errors.PlanDayGone):
        sent_down(plan=plan(follow_up_on=day))


def test_a_number_of_another_day_than_the_plans_is_not_booked():
    schedule = clinic(day=DAY + timedelta(days=1))
    with pytest.raises(errors.NumberNotOfPlan):
        sent_down(number=down.Number(schedule, schedule.starts_at), deciding=NOW)


def test_nobody_is_sent_down_where_no_agreement_holds():
    up = arrived()
    Agreement.objects.create(
        hospital=up.receiver, member=up.origin, effective_from=TODAY - timedelta(9), effective_to=TODAY - timedelta(1)
    )
    with pytest.raises(errors.AgreementEnded):
        sent_down(referral=up)


def test_a_follow_up_goes_where_the_patient_goes():
    """Nothing disappears: with a redirected one to the new receiver, with a rejected one back to the hospital."""
    row, office = sent_down(), StaffFactory(roles="referral")
    other = Organization.objects.create(code="SQ2", name="东门社区", parent=row.origin, kind="community")
    answering.redirect(
        referral=row, reason="患者住东门", by=office, department=DepartmentFactory(), receiver=other, now=NOW
    )
    assert down.rehome_follow_up(referral=row.pk, now=NOW).organization == other
    answering.reject(referral=row, reason="康复床位已满", by=office, now=NOW)
    assert down.rehome_follow_up(referral=row.pk, now=NOW).organization == row.origin
    assert FollowUp.objects.count() == 1
