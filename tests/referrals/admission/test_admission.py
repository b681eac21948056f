"""B23: an admission or day-surgery request, from asking to the bed's door."""

import random
from datetime import timedelta

import pytest

from hospital.messages import wording_of
from hospital.models import AuditEvent, Fact, Message
from referrals import errors
from referrals.demo import admissions
from referrals.models import AdmissionNeed, AdmissionRequest
from referrals.models.admission import ADMISSION_MOVES
from referrals.policies import admission as policy
from referrals.policies.admission import MAY, Act, allowed, refusal
from referrals.services import admission
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    EncounterFactory,
    PatientFactory,
    PractitionerFactory,
    ReferralFactory,
    RoleFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

SOON = TODAY + timedelta(days=3)
BLOOD, ECG = ("exam", "血常规"), ("exam", "心电图")


@pytest.fixture
def office(db):
    return StaffFactory(roles="referral")


def asked(by, *, needs=(BLOOD, ECG), patient=None, department=None, **said):
    said = {"kind": "ward", "diagnosis": "胆囊结石", "purpose": "腹腔镜胆囊切除", "wished_from": SOON, **said}
    patient, department = patient or PatientFactory(), department or DepartmentFactory()
    return admission.ask(
        patient=patient, department=department, doctor=None, by=by, needs=list(needs), now=NOW, **said
    )  # fmt: skip


def ready(by, **said):
    return admission.approve(request=asked(by, needs=(), **said), by=by, now=NOW)


def tick_all(request, by, **how):
    for need in request.needs.all():
        admission.tick(need=need, done=True, by=by, office=True, now=NOW, **how)
    request.refresh_from_db()
    return request


def told(request) -> list[str]:
    rows = Message.objects.filter(about=f"admission:{request.pk}", channel="sms").order_by("pk")
    return list(rows.values_list("template", flat=True))


def test_from_asking_over_what_is_missing_and_a_day_to_the_ward(office):
    """B23: each step is a fact and is traced; the patient hears of the day."""
    row = asked(office)
    assert admission.approve(request=row, by=office, now=NOW).status == "preparing"
    with pytest.raises(errors.AdmissionMissing) as refused:
        admission.schedule(request=row, day=SOON, place="外科楼", by=office, now=NOW)
    assert "血常规、心电图" in refused.value.sentence
    assert tick_all(row, office).status == "ready"
    admission.schedule(request=row, day=SOON, place="外科楼 3 层", by=office, now=NOW)
    admission.schedule(request=row, day=SOON, place="外科楼 3 层", by=office, now=NOW)  # a double click
    with pytest.raises(errors.AdmissionTooEarly):
        admission.admit(request=row, by=office, now=NOW)
    done = admission.admit(request=row, by=office, now=NOW + timedelta(days=3))

    assert (done.status, done.scheduled_on) == ("admitted", SOON)
    steps = ["asked", "approved", "need_done", "need_done", "scheduled", "admitted"]
    topics = Fact.objects.filter(key=f"admission:{row.pk}").order_by("pk").values_list("topic", flat=True)
    assert list(topics) == [f"admission.{step}" for step in steps]
    assert AuditEvent.objects.filter(subject=f"admission:{row.pk}").count() == len(steps)
    assert told(row) == ["admission.scheduled"]


def test_something_more_that_is_missing_takes_the_day_back_and_the_patient_hears_it(office):
    row = admission.schedule(request=ready(office), day=SOON, place="", by=office, now=NOW)
    admission.add_need(request=row, kind="assessment", text="心内科会诊", by=office, office=True, now=NOW)
    row.refresh_from_db()

    assert (row.status, row.scheduled_on) == ("preparing", None)
    assert told(row) == ["admission.scheduled", "admission.put_off"]
    with pytest.raises(errors.NeedThereAlready):
        admission.add_need(request=row, kind="other", text=" 心内科会诊 ", by=office, office=True, now=NOW)
    assert tick_all(row, office, waived=True).status == "ready"
    assert AdmissionNeed.objects.get().waived


def test_one_open_request_a_patient_department_and_kind(office):
    row = asked(office)
    with pytest.raises(errors.AdmissionAskedAlready) as refused:
        asked(office, patient=row.patient, department=row.department)
    assert "待审核" in refused.value.sentence
    assert asked(office, patient=row.patient, department=row.department, kind="day")
    admission.cancel(request=row, reason="患者要求", by=office, now=NOW)
    assert asked(office, patient=row.patient, department=row.department)


@pytest.mark.parametrize("act", [admission.refuse, admission.cancel, admission.put_off])
def test_a_no_needs_a_reason_and_is_told(office, act):
    row = ready(office)
    if act is admission.put_off:
        admission.schedule(request=row, day=SOON, place="", by=office, now=NOW)
    if act is admission.refuse:
        AdmissionRequest.objects.filter(pk=row.pk).update(status="preparing")
    with pytest.raises(errors.AdmissionNeedsReason):
        act(request=row, reason="  ", by=office, now=NOW)
    act(request=row, reason="床位紧张", by=office, now=NOW)
    act(request=row, reason="床位紧张", by=office, now=NOW)

    assert told(row)[-1] in ("admission.refused", "admission.cancelled", "admission.put_off")
    row.refresh_from_db()
    assert row.note == "床位紧张"


def test_why_it_was_put_off_stands_until_there_is_a_day_again(office):
    row = admission.schedule(request=ready(office), day=SOON, place="", by=office, now=NOW)
    row = admission.put_off(request=row, reason="床位紧张", by=office, now=NOW)
    assert (row.status, row.note) == ("ready", "床位紧张")
    row = admission.schedule(request=row, day=SOON, place="", by=office, now=NOW)
    row.refresh_from_db()
    assert (row.status, row.note) == ("scheduled", "")


def test_who_runs_the_list_hears_what_is_asked_and_the_doctor_what_becomes_of_it(office):
    """B23: in the app, without what is written in it; whoever does it hears nothing."""
    doctor, place = StaffFactory(roles="doctor"), DepartmentFactory()
    ward, other = StaffFactory(roles="ward"), StaffFactory(roles="ward")
    ward.role_assignments.update(department=place)
    other.role_assignments.update(department=DepartmentFactory(code="C9"))
    row = asked(doctor, needs=(), department=place, urgency="urgent")
    admission.approve(request=row, by=office, now=NOW)
    admission.schedule(request=row, day=SOON, place="", by=office, now=NOW)
    admission.put_off(request=row, reason="床位紧张", by=office, now=NOW)
    admission.cancel(request=row, reason="患者要求", by=ward, now=NOW)
    refused = asked(office, needs=(), department=place)
    admission.refuse(request=refused, reason="门诊可做", by=ward, now=NOW)

    rows = Message.objects.filter(template="admission.to_staff").order_by("pk")
    heard = {user: [wording_of(each, language="zh-hans") for each in rows if each.user == user] for user in (
        office, ward, other, doctor,
    )}  # fmt: skip
    titles = {user: [words.title for words in said] for user, said in heard.items()}
    assert titles == {
        office: ["新的住院申请：急", "住院申请未通过"],
        ward: ["新的住院申请：急", "新的住院申请"],
        other: [],
        doctor: ["住院已安排", "住院安排已暂缓", "住院申请已取消"],
    }
    body = " ".join(words.body for said in heard.values() for words in said)
    assert place.name in body
    for hidden in ("胆囊", "床位紧张", row.patient.name):
        assert hidden not in body


@pytest.mark.parametrize("days", [-1, 366])
def test_a_day_gone_by_or_a_slip_of_the_hand_is_no_day(office, days):
    with pytest.raises(errors.AdmissionDayGone):
        admission.schedule(request=ready(office), day=TODAY + timedelta(days), place="", by=office, now=NOW)


def test_the_sender_of_a_referral_reads_what_became_of_the_patient(office):
    """R4: the trail is visible to both sides."""
    referral = ReferralFactory(status="accepted")
    row = asked(office, patient=referral.patient, department=referral.department, referral=referral, needs=())
    admission.approve(request=row, by=office, now=NOW)
    admission.schedule(request=row, day=SOON, place="", by=office, now=NOW)

    texts = list(referral.events.values_list("text", flat=True))
    assert [text[:5] for text in texts] == ["已申请住院", "住院已安排"]
    assert referral.events.first().detail == {"admission": row.pk}


@pytest.mark.parametrize("status", ["draft", "rejected", "completed"])
def test_no_request_rests_on_a_referral_that_is_not_here(office, status):
    over = {} if status == "draft" else {"ended_at": NOW, "due_at": None}
    referral = ReferralFactory(status=status, **over)
    with pytest.raises(errors.AdmissionReferralOver):
        asked(office, patient=referral.patient, department=referral.department, referral=referral)


def test_a_department_that_closed_takes_nobody_in(office):
    with pytest.raises(errors.AdmissionDepartmentClosed):
        asked(office, department=DepartmentFactory(code="C9", active=False))


def test_every_act_leads_only_where_the_database_lets_it():
    after = {"approve": "ready", "refuse": "refused", "put_off": "ready", "admit": "admitted", "cancel": "cancelled"}
    for act, target in after.items():
        assert all(target in ADMISSION_MOVES[status] for status in MAY[Act(act)]), act
    for status in MAY[Act.PREPARE]:
        for open_ in (0, 1):
            target = policy.after_preparing(status, open_needs=open_)
            assert target == status or target in ADMISSION_MOVES[status], (status, target)


def test_the_asking_doctor_prepares_and_cancels_and_nothing_moves_once_it_is_over():
    assert allowed(status="ready", office=False) == {Act.PREPARE, Act.CANCEL}
    assert allowed(status="asked", office=True) == {Act.APPROVE, Act.REFUSE, Act.PREPARE, Act.CANCEL}
    for status in ("admitted", "refused", "cancelled"):
        assert allowed(status=status, office=True) == frozenset()
        assert isinstance(refusal(Act.CANCEL, status=status, office=True), errors.AdmissionOver)


def test_the_demo_draws_admissions_in_every_state(office):
    doctor = StaffFactory(roles="doctor")
    schedule = open_schedule(numbers=12, role=RoleFactory(practitioner=PractitionerFactory(user=doctor)))
    for number in range(1, 13):
        visit = appointment_row(schedule, PatientFactory(), status="fulfilled", number=number)
        EncounterFactory(
            appointment=visit, status="finished", started_at=NOW, finished_at=NOW - timedelta(days=2),
            practitioner=schedule.role.practitioner,
        )  # fmt: skip

    dice = random.Random(3)
    assert admissions.live(organization=schedule.organization, clerk=office, now=NOW, dice=dice) == 12
    assert len(set(AdmissionRequest.objects.values_list("status", flat=True))) >= 5
