"""R1–R4: a referral's way from the family doctor's desk to the end, and back onto the list when its number is lost."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from hospital import clock
from hospital.models import Agreement, CalendarDay, Fact
from referrals import errors
from referrals.models import MOVES, OVER, Referral, ReferralEvent
from referrals.policies import deadlines
from referrals.policies.moves import MAY, Act, Side, allowed
from referrals.selectors.workdays import workday_at
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

WRITTEN = {
    "reason": "血压控制不佳", "diagnosis": "高血压 3 级", "diagnosis_code": "I10", "history": "八年",
    "consent": "patient",
}  # fmt: skip
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def office(db):
    return StaffFactory(roles="referral")


@pytest.fixture
def family_doctor(db):
    return StaffFactory(roles="partner", roles__at=CommunityFactory())


def drafted(by, **written):
    pair = {"origin": CommunityFactory(), "receiver": OrganizationFactory()}
    said = {"patient": PatientFactory(), "direction": "up", "department": DepartmentFactory(), **WRITTEN, **written}
    return writing.draft(**pair, by=by, now=NOW, **said)


def kinds(referral) -> list[str]:
    return list(referral.events.values_list("kind", flat=True))


def test_up_with_a_question_back_a_number_and_a_visit(family_doctor, office):
    """R1, R4: every step is on the trail, is a fact, and says whose turn it is."""
    row = drafted(family_doctor)
    assert writing.send(referral=row, by=family_doctor, now=NOW).due_at > NOW
    writing.send(referral=row, by=family_doctor, now=LATER)  # a double click
    answering.ask_back(referral=row, question="近期肾功能？", by=office, now=LATER)
    writing.answer(referral=row, text="肌酐 86", by=family_doctor, now=LATER)
    answering.accept(referral=row, by=office, now=LATER)
    number = appointment_row(open_schedule(), row.patient)
    numbers.take(referral=row, appointment=number, by=office, side=Side.RECEIVER, now=LATER)
    numbers.arrived(referral=row, by=None, now=LATER)
    numbers.seen(referral=row, by=None, now=LATER)
    done = answering.complete(referral=row, by=office, now=LATER)
    assert done.ended_at == LATER
    assert done.answered_at == LATER
    steps = ["created", "sent", "asked", "answered", "accepted", "booked", "arrived", "seen", "completed"]
    assert kinds(row) == steps
    topics = Fact.objects.filter(key=f"referral:{row.pk}").order_by("pk").values_list("topic", flat=True)
    assert list(topics) == [f"referral.{kind}" for kind in steps]


@pytest.mark.parametrize("why", ["cancelled", "stopped", "noshow"])
def test_a_number_that_is_lost_puts_the_referral_back_on_the_list(family_doctor, office, why):
    """R4: nothing disappears."""
    row = writing.send(referral=drafted(family_doctor), by=family_doctor, now=NOW)
    number = appointment_row(open_schedule(), row.patient)
    numbers.take(referral=row, appointment=number, by=family_doctor, side=Side.ORIGIN, now=NOW)
    back = numbers.lost(appointment=number.pk, why=why, by=None, now=LATER)
    assert back.status == "accepted"
    assert back.due_at > LATER
    assert back.appointment_id is None
    assert numbers.lost(appointment=number.pk, why=why, by=None, now=LATER) is None


def test_two_family_doctors_at_once_hear_of_each_other(family_doctor):
    row = writing.send(referral=drafted(family_doctor), by=family_doctor, now=NOW)
    again = drafted(family_doctor, patient=row.patient, department=row.department)
    with pytest.raises(errors.AlreadyReferred) as refused:
        writing.send(referral=again, by=family_doctor, now=NOW)
    assert row.number in refused.value.sentence


def test_what_is_missing_is_named_by_field_and_nothing_is_lost(family_doctor):
    row = drafted(family_doctor, reason="", consent="")
    with pytest.raises(errors.ReferralIncomplete) as refused:
        writing.send(referral=row, by=family_doctor, now=NOW)
    assert set(refused.value.fields) == {"reason", "consent"}
    row.refresh_from_db()
    assert (row.status, row.history) == ("draft", "八年")


def test_nobody_refers_after_the_agreement_ended(family_doctor):
    """P10: a partner whose contract ended."""
    row = drafted(family_doctor)
    Agreement.objects.create(
        hospital=row.receiver,
        member=row.origin,
        effective_from=TODAY.replace(month=1),
        effective_to=TODAY - timedelta(1),
    )
    with pytest.raises(errors.AgreementEnded):
        writing.send(referral=row, by=family_doctor, now=NOW)


def test_a_department_that_closed_takes_nobody(family_doctor):
    closed = DepartmentFactory(code="C9", active=False)
    with pytest.raises(errors.ReceiverClosed):
        writing.send(referral=drafted(family_doctor, department=closed), by=family_doctor, now=NOW)


def test_a_redirected_one_waits_anew_at_the_other_department(family_doctor, office):
    row = writing.send(referral=drafted(family_doctor), by=family_doctor, now=NOW)
    other = DepartmentFactory(code="D2", name="心血管内科")
    after = answering.redirect(referral=row, reason="更适合心内科", by=office, department=other, now=LATER)
    assert (after.status, after.department) == ("redirected", other)
    assert after.due_at > LATER


def test_what_was_sent_is_never_changed_and_no_step_goes(db):
    row = ReferralFactory()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Referral.objects.filter(pk=row.pk).update(history="另一段")
    event = ReferralEvent.objects.create(referral=row, kind="noted", status="sent", at=NOW)
    with pytest.raises(Exception, match="append_only"), transaction.atomic():
        event.delete()


def test_every_act_leads_only_where_the_database_lets_it():
    after = {
        Act.SEND: "sent", Act.WITHDRAW: "withdrawn", Act.ANSWER: "answered", Act.ASK: "asked", Act.ACCEPT: "accepted",
        Act.REDIRECT: "redirected", Act.REJECT: "rejected", Act.BOOK: "booked", Act.ARRIVE: "arrived", Act.SEE: "seen",
        Act.COMPLETE: "completed", Act.RETURN: "returned",
    }  # fmt: skip
    for act, target in after.items():
        for status in MAY[act][1]:
            assert target in MOVES[status] or target == status, (act, status)


def test_nobody_of_neither_side_may_do_anything_and_over_is_over():
    for status in Referral.Status:
        assert allowed(side=None, status=status, direction="up") == frozenset()
        if status in OVER:
            assert allowed(side=Side.RECEIVER, status=status, direction="up") == frozenset()


def test_a_routine_deadline_runs_on_workdays_only(db):
    """Friday 16:00 and 48 hours: Tuesday 16:00."""
    rule = OrganizationFactory() and deadlines.ReferralRule(routine_hours=48)
    friday = NOW + timedelta(days=4, hours=6)
    due = deadlines.due_at(urgency="routine", since=friday, rule=rule, is_workday=lambda day: day.isoweekday() <= 5)
    assert due == friday + timedelta(days=4)
    assert deadlines.due_at(urgency="green", since=friday, rule=rule, is_workday=None) == friday + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("urgency", "hours", "since", "due"),
    [  # November 2026: 20 is a Friday; 23 a holiday, 21 a Saturday on which is worked instead
        ("routine", 48, "20 16:00", "24 16:00"),
        ("routine", 48, "20 00:00", "22 00:00"),  # to the end of the Saturday
        ("routine", 1, "21 23:30", "24 00:30"),  # over midnight, Sunday and the holiday
        ("routine", 24, "22 09:00", "25 00:00"),  # came on a Sunday: its clock begins on Tuesday
        ("urgent", 48, "22 23:30", "23 01:30"),
        ("green", 48, "22 23:55", "23 00:05"),
    ],
)
def test_deadlines_by_urgency_over_midnight_weekend_and_holiday(urgency, hours, since, due):
    """R4: urgent and green run around the clock. No database."""
    days = {22: False, 23: False, 21: True}
    said = deadlines.due_at(
        urgency=urgency, since=at(since), rule=deadlines.ReferralRule(routine_hours=hours),
        is_workday=lambda day: days.get(day.day, day.isoweekday() <= 5),
    )  # fmt: skip
    assert said == at(due)


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=clock.ZONE)


def test_a_house_without_a_calendar_keeps_the_others_holidays(db):
    """The lower institution's, whose days nobody enters; its own go first."""
    hospital, community = OrganizationFactory(), CommunityFactory()
    CalendarDay.objects.create(organization=hospital, day=TODAY, kind="holiday", name="元旦")
    is_workday = workday_at(community.pk, or_of=hospital.pk, since=TODAY)
    assert not is_workday(TODAY)
    CalendarDay.objects.create(organization=community, day=TODAY, kind="workday", follows=1)
    assert workday_at(community.pk, or_of=hospital.pk, since=TODAY)(TODAY)
