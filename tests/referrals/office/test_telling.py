"""R4, R5: who hears what, once; deadlines are told once; the green channel rings until somebody has it."""

from datetime import timedelta

import pytest

from hospital.messages import wording_of
from hospital.models import AuditEvent, Fact, Message, User
from referrals import errors
from referrals.models import GreenCall, Referral
from referrals.policies.moves import Side
from referrals.services import answering, ending, escalation, green, numbers, writing
from tests.factories import (
    NOW,
    OrganizationFactory,
    PractitionerFactory,
    ReferralFactory,
    RoleFactory,
    StaffFactory,
    TeamMemberFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=4)


def told(user=None, patient=None) -> list[str]:
    rows = Message.objects.filter(user=user, patient=patient, channel="inapp").order_by("pk")
    return [wording_of(row, language="zh-hans").title for row in rows]


@pytest.fixture
def rung(office):
    row = ReferralFactory(status="draft", urgency="green")
    return writing.send(referral=row, by=row.by, now=NOW)


def test_each_side_hears_of_what_the_other_did(office, referral, facts):
    answering.ask_back(referral=referral, question="近期肾功能？", by=office, now=NOW)
    writing.answer(referral=referral, text="肌酐 86", by=referral.by, now=NOW)
    answering.reject(referral=referral, reason="请先到眼科", by=office, now=NOW)
    facts()
    assert told(user=referral.by) == ["请补充转诊资料", "转诊被退回"]
    assert told(user=office) == ["转诊资料已补充"]
    assert told(patient=referral.patient) == ["转诊没有接收"]
    said = " ".join(wording_of(row, language="zh-hans").body for row in Message.objects.all())
    for hidden in ("肾功能", "肌酐", "眼科", referral.patient.name):
        assert hidden not in said
    assert f"转诊单 {referral.number}" in said


def test_the_patient_hears_what_becomes_of_the_number(office, referral, facts):
    """R4: of what was accepted as it stood then; of what was rejected whether the number stands."""
    number = appointment_row(open_schedule(), referral.patient)
    answering.accept(referral=referral, by=office, now=NOW)
    numbers.take(referral=referral, appointment=number, by=office, side=Side.RECEIVER, now=NOW)
    ending.reject(referral=referral, reason="先检查", give_back=False, by=office, now=NOW)
    facts()
    rows = Message.objects.filter(patient=referral.patient, channel="sms", template="referral.to_patient").order_by(
        "pk"
    )
    said = [wording_of(row, language="zh-hans").body for row in rows]
    assert ["约好会发短信" in said[0], "已约的号给您保留着" in said[1]] == [True, True]


def test_a_lower_institution_without_an_office_hears_through_its_family_doctors(facts):
    """R3: what goes down."""
    here = ReferralFactory().origin
    doctor = StaffFactory(roles="partner", roles__at=here)
    down = ReferralFactory(
        status="draft", direction="down", origin=OrganizationFactory(), receiver=here,
        by=StaffFactory(roles="doctor"), department=None,
    )  # fmt: skip
    writing.send(referral=down, by=down.by, now=NOW)
    facts()
    assert told(user=doctor) == ["新转诊单"]


def test_a_deadline_that_passed_is_told_once(office, facts):
    row = ReferralFactory(due_at=NOW - timedelta(minutes=1))
    assert escalation.escalate(now=NOW) == 1
    assert escalation.escalate(now=LATER) == 0
    facts()
    assert told(user=office) == told(user=row.by) == ["转诊单超时"]
    assert list(row.events.values_list("kind", flat=True)) == ["escalated"]


def test_the_green_channel_is_acknowledged_by_one_and_the_time_is_kept(office, rung, facts):
    """R5."""
    call = green.acknowledge(referral=rung, by=office, now=LATER)
    assert call.acknowledged_at - call.rung_at == timedelta(minutes=4)
    row = Referral.objects.get()
    assert (row.status, row.due_at, row.answered_at) == ("accepted", LATER + timedelta(hours=2), LATER)
    green.acknowledge(referral=rung, by=office, now=LATER)  # a double click
    with pytest.raises(errors.GreenTakenAlready):
        green.acknowledge(referral=rung, by=StaffFactory(roles="referral"), now=LATER)
    said = {"capacity": "bed", "state": "none_left", "note": "送市二院", "team_told": "", "expected_at": None}
    for _twice in range(2):
        green.arrange(referral=rung, by=office, now=LATER, **said)
    facts()
    assert told(user=rung.by) == ["绿色通道已确认", "绿色通道预留情况"]
    assert list(row.events.values_list("kind", flat=True)) == ["sent", "green", "green"]


def test_what_nobody_acknowledged_goes_to_the_leaders_once_and_ends_with_the_referral(office, rung, facts):
    leader = StaffFactory(roles="office")
    with pytest.raises(errors.GreenNotTaken):
        green.arrange(
            referral=rung, capacity="bed", state="asked", note="", team_told="", expected_at=None, by=office, now=NOW
        )
    assert green.escalate(now=LATER) == 0
    assert [green.escalate(now=NOW + timedelta(minutes=5)) for _twice in range(2)] == [1, 0]
    facts()
    assert "绿色通道无人确认" in told(user=leader)
    assert "referral" not in Message.objects.filter(user=leader).get().params  # no link: the letter isn't theirs
    assert told(user=office) == ["新转诊单", "绿色通道呼叫", "绿色通道无人确认"]
    assert told(user=rung.by) == ["转诊单超时"]
    writing.withdraw(referral=rung, reason="家属改去急救中心", by=rung.by, now=NOW)
    facts()
    assert GreenCall.objects.get().closed_at is not None


def test_passed_on_to_another_hospital_it_rings_there(office, rung):
    green.acknowledge(referral=rung, by=office, now=LATER)
    said = {"capacity": "bed", "state": "reserved", "note": "3 床", "team_told": "李", "expected_at": LATER}
    green.arrange(referral=rung, by=office, now=LATER, **said)
    other = OrganizationFactory(code="H2", name="市二医院")
    there = Referral.objects.get().department.__class__.objects.create(organization=other, code="E1", name="急诊科")
    answering.redirect(referral=rung, reason="没有床", by=office, department=there, receiver=other, now=LATER)
    call = GreenCall.objects.get()
    assert (call.acknowledged_at, call.rung_at, call.expected_at) == (None, LATER, None)


def test_an_emergency_is_not_asked_back_and_an_urgent_one_answers_in_its_own_time(office, rung, referral):
    """R5: nobody waits two workdays for the answer of somebody in a hurry."""
    with pytest.raises(errors.GreenNotAsked):
        answering.ask_back(referral=rung, question="心电图？", by=office, now=NOW)
    Referral.objects.filter(pk=referral.pk).update(urgency="urgent")
    asked = answering.ask_back(referral=referral, question="用药？", by=office, now=NOW)
    assert asked.due_at == NOW + timedelta(minutes=120)


def test_who_was_acknowledged_and_never_comes_is_asked_for(office, rung, facts):
    """R5: taken in hand is not here yet."""
    green.acknowledge(referral=rung, by=office, now=NOW)
    assert Referral.objects.get(pk=rung.pk).due_at == NOW + timedelta(minutes=120)
    said = {"capacity": "bed", "state": "reserved", "note": "", "team_told": "李医生", "by": office, "now": NOW}
    coming = NOW + timedelta(minutes=40)
    green.arrange(referral=rung, expected_at=coming, **said)
    assert Referral.objects.get(pk=rung.pk).due_at == coming + timedelta(minutes=10)
    step = rung.events.last()
    assert (step.text, step.detail["expected"]) == ("已通知：李医生", coming.isoformat())
    assert "李医生" not in str(list(Fact.objects.values_list("payload"))) + str(list(AuditEvent.objects.values()))
    assert escalation.escalate(now=coming + timedelta(minutes=10)) == 1
    facts()
    late = Message.objects.get(user=office, template="referral.to_office", params__kind="escalated")
    assert "患者还没有到院" in wording_of(late, language="zh-hans").body


def test_who_comes_to_the_door_closes_the_call_and_another_ones_check_in_opens_it_again(office, rung, facts):
    """R5: also of one that has a number for another day, which is then missed."""
    green.acknowledge(referral=rung, by=office, now=NOW)
    number = appointment_row(open_schedule(), rung.patient)
    numbers.take(referral=rung, appointment=number, by=office, side=Side.RECEIVER, now=NOW)
    numbers.arrived(referral=rung, by=office, now=LATER)
    facts()
    assert GreenCall.objects.get().closed_at is not None
    numbers.not_arrived(referral=rung, by=office, now=LATER)
    facts()
    assert GreenCall.objects.get().closed_at is None
    numbers.arrived(referral=rung, by=office, now=LATER)
    facts()
    row = numbers.lost(appointment=number.pk, why="noshow", by=None, now=LATER)
    assert (row.status, row.due_at, row.appointment_id) == ("arrived", None, None)
    assert GreenCall.objects.get().closed_at is not None


@pytest.mark.parametrize("wished", ["doctor", "team"])
def test_the_team_that_was_asked_for_is_told_once_it_is_taken(office, rung, facts, wished):
    """R5: not before: nobody prepares for who may not come."""
    doctor = StaffFactory(roles="doctor")
    role = RoleFactory(practitioner=PractitionerFactory(user=doctor))
    team = TeamMemberFactory(role=role).team if wished == "team" else None
    Referral.objects.filter(pk=rung.pk).update(team=team, role=None if team else role)
    facts()
    assert told(user=doctor) == []
    green.acknowledge(referral=rung, by=office, now=LATER)
    facts()
    assert told(user=doctor) == ["绿色通道患者要来"]


def test_a_house_without_a_referral_office_hears_through_its_leaders(rung, facts):
    """Nothing is sent to nobody."""
    User.objects.filter(role_assignments__role="referral").update(is_active=False)
    leader = StaffFactory(roles="office")
    facts()
    assert {"新转诊单", "绿色通道呼叫"} <= set(told(user=leader))
