"""E7: a critical value reaches the doctor who asked, stays open until somebody answers for it, and is passed on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from exams import errors, tasks
from exams.models import CriticalNotice, ExamRule, ReportAccess
from exams.services import reports as service
from hospital import messages, outbox
from hospital.models import AuditEvent, Message, RoleAssignment
from tests.factories import NOW, TODAY, OrganizationFactory, RoleFactory, StaffFactory

from . import scenes

pytestmark = pytest.mark.django_db

CRITICAL = replace(scenes.SAYS, critical=True)


def worker(now=NOW):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def told(template):
    return list(
        Message.objects.filter(template=template, channel="inapp").order_by("id").values_list("user", flat=True)
    )


def a_notice(doctor=None, **more):
    version = scenes.released(scenes.done_exam(doctor=doctor), says=CRITICAL, **more)
    return CriticalNotice.objects.get(version=version)


def sign_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_patient_hears_that_there_is_a_report_and_the_doctor_that_it_is_critical_and_nobody_what(client):
    """E7, V1: two electronic ways, no content in an SMS."""
    doctor = scenes.a_doctor()
    notice = a_notice(doctor)
    worker()

    said = Message.objects.order_by("id")
    assert set(said.values_list("template", "channel", "user")) == {
        ("report.ready", "inapp", None), ("report.ready", "sms", None), ("report.critical", "inapp", doctor.user_id)
    }  # fmt: skip
    words = "".join(wording.title + wording.body for wording in map(messages.wording_of, said))
    assert [word for word in ("脂肪肝", "血红蛋白", "58", notice.version.report.patient.name) if word in words] == []
    sms = messages.wording_of(said.get(channel="sms"))
    assert "腹部超声" not in sms.body
    assert notice.due_at == NOW + timedelta(minutes=30)


def test_corrections_and_withdrawals_are_told_to_the_patient():
    version = scenes.released()
    service.correct(
        report=version.report, says=replace(scenes.SAYS, conclusion="x"), reason="误", by=version.by, now=NOW
    )
    service.withdraw(report=version.report, reason="误", by=version.by, now=NOW)
    worker()
    assert list(Message.objects.filter(channel="sms").order_by("id").values_list("template", flat=True)) == [
        "report.ready", "report.corrected", "report.withdrawn",
    ]  # fmt: skip
    for row in Message.objects.all():
        assert messages.wording_of(row).body


def test_who_acted_on_a_critical_value_hears_that_it_was_corrected_or_taken_back():
    """E7: in its own words only where no new notice says so; never what it says."""
    doctor, other = scenes.a_doctor(), scenes.reporter()
    notice = a_notice(doctor)
    report, by = notice.version.report, notice.version.by
    service.acknowledge(notice=notice, note="已通知患者", by=other, now=NOW)
    service.correct(report=report, says=replace(CRITICAL, conclusion="另一处"), reason="误", by=by, now=NOW)
    worker()
    assert told("report.critical_changed") == []

    service.correct(report=report, says=replace(scenes.SAYS, conclusion="没有"), reason="又误", by=by, now=NOW)
    worker()
    service.withdraw(report=report, reason="误", by=by, now=NOW)
    worker()
    assert told("report.critical_changed") == [doctor.user_id, doctor.user_id]
    assert "没有" not in messages.wording_of(Message.objects.filter(template="report.critical_changed").first()).body


def test_who_answered_for_another_hears_it_too(client):
    doctor, other = scenes.a_doctor(), scenes.reporter()
    notice = a_notice(doctor)
    service.acknowledge(notice=notice, note="已通知患者", by=other, now=NOW)
    service.correct(report=notice.version.report, says=scenes.SAYS, reason="误", by=notice.version.by, now=NOW)
    worker()
    assert set(told("report.critical_changed")) == {doctor.user_id, other.pk}
    page = sign_in(client, doctor.user).get(f"/critical/{notice.pk}/").content.decode()
    assert f'href="/exam-reports/{notice.version.report_id}/"' in page


def test_the_minutes_are_the_houses_own():
    organization = OrganizationFactory()
    ExamRule.objects.create(organization=organization, effective_from=TODAY, acknowledge_minutes=10)
    assert a_notice(scenes.a_doctor()).due_at == NOW + timedelta(minutes=10)


def test_who_did_not_answer_in_time_is_passed_on_once_to_department_and_office():
    """E7"""
    doctor = scenes.a_doctor()
    department = doctor.roles.get().department
    mate = RoleFactory(practitioner=scenes.a_doctor(code="P-mate"), department=department).practitioner
    other = scenes.a_doctor(code="P-other")
    office = StaffFactory(roles="office")
    elsewhere = StaffFactory()
    RoleAssignment.objects.create(user=elsewhere, role="office", organization=OrganizationFactory(code="H2"))
    by = scenes.reporter()
    notice = a_notice(doctor, by=by)

    assert service.escalate(now=NOW + timedelta(minutes=29)) == 0
    assert service.escalate(now=NOW + timedelta(minutes=30)) == 1
    assert service.escalate(now=NOW + timedelta(minutes=31)) == 0
    worker()

    notice.refresh_from_db()
    assert notice.escalated_at == NOW + timedelta(minutes=30)
    assert set(told("report.critical_overdue")) == {mate.user_id, office.pk, by.pk}
    assert other.user_id not in told("report.critical_overdue")
    assert "张医生" in messages.wording_of(Message.objects.filter(template="report.critical_overdue").first()).body


def test_without_a_doctor_who_can_be_told_the_office_hears_at_once():
    office, by = StaffFactory(roles="office"), scenes.reporter()
    assert a_notice(None, by=by).escalated_at == NOW
    worker()
    assert set(told("report.critical_overdue")) == {office.pk, by.pk}
    assert told("report.critical") == []
    assert "没有可通知" in messages.wording_of(Message.objects.filter(template="report.critical_overdue").first()).body


def test_an_answered_one_is_not_passed_on_and_its_late_messages_are_not_written():
    doctor = scenes.a_doctor()
    notice = a_notice(doctor)
    service.acknowledge(notice=notice, note="已通知患者", by=doctor.user, now=NOW)
    worker()
    tasks.follow_up_critical()
    assert service.escalate(now=NOW + timedelta(hours=2)) == 0
    assert told("report.critical") == []


def test_an_answer_says_what_was_done_once():
    doctor, other = scenes.a_doctor(), scenes.reporter()
    notice = a_notice(doctor)
    with pytest.raises(errors.NoteMissing):
        service.acknowledge(notice=notice, note="  ", by=doctor.user, now=NOW)
    done = service.acknowledge(notice=notice, note=" 已收住院 ", by=doctor.user, now=NOW)
    service.acknowledge(notice=notice, note="已收住院", by=doctor.user, now=NOW)
    with pytest.raises(errors.AlreadyAcknowledged) as refused:
        service.acknowledge(notice=notice, note="我也", by=other, now=NOW)
    assert done.note == "已收住院"
    assert "张医生" in refused.value.sentence
    assert AuditEvent.objects.filter(action="report.critical_acknowledged").count() == 1


def test_the_doctor_sees_it_on_the_list_and_the_banner_and_answers(client):
    """E7"""
    doctor = scenes.a_doctor()
    notice = a_notice(doctor)
    a_notice(scenes.a_doctor(code="P-other"))
    sign_in(client, doctor.user)
    assert [row.pk for row in client.get("/critical/").context["open"]] == [notice.pk]
    banner = client.get("/critical/banner/").content.decode()
    assert "查看并确认" in banner
    assert notice.version.report.patient.name not in banner

    assert "血红蛋白" in client.get(f"/critical/{notice.pk}/").content.decode()
    assert ReportAccess.objects.filter(way="staff", user=doctor.user).count() == 1
    assert client.post(f"/critical/{notice.pk}/", {"note": ""}).status_code == 422
    assert client.post(f"/critical/{notice.pk}/", {"note": "已电话通知"}).status_code == 302

    assert client.get("/critical/banner/").content.decode().strip() == ""
    page = client.get("/critical/")
    assert (page.context["open"], [row.note for row in page.context["settled"]]) == ([], ["已电话通知"])
    sign_in(client, scenes.reporter())
    again = client.post(f"/critical/{notice.pk}/", {"note": "我也打了"})
    assert (again.status_code, "已电话通知" in again.content.decode()) == (409, True)


def test_the_department_sees_it_once_it_is_passed_on_and_the_office_without_what_it_says(client):
    doctor = scenes.a_doctor()
    mate = scenes.a_doctor(code="P-mate")
    RoleFactory(practitioner=mate, department=doctor.roles.get().department)
    notice = a_notice(doctor)
    sign_in(client, mate.user)
    assert client.get(f"/critical/{notice.pk}/").status_code == 404
    service.escalate(now=NOW + timedelta(hours=1))
    assert client.get(f"/critical/{notice.pk}/").status_code == 200
    assert "查看并确认" in client.get("/critical/banner/").content.decode()

    sign_in(client, StaffFactory(roles="office"))
    text = client.get(f"/critical/{notice.pk}/").content.decode()
    assert ("血红蛋白" in text, notice.version.report.patient.name in text) == (False, False)
    assert client.post(f"/critical/{notice.pk}/", {"note": "已联系病区"}).status_code == 302

    outsider = StaffFactory()
    RoleAssignment.objects.create(user=outsider, role="office", organization=OrganizationFactory(code="H2"))
    sign_in(client, outsider)
    assert client.get(f"/critical/{notice.pk}/").status_code == 404
    sign_in(client, StaffFactory(roles="counter"))
    assert client.get("/critical/").status_code == 403


def test_the_list_costs_the_same_however_many_there_are(client, django_assert_max_num_queries):
    doctor = scenes.a_doctor()
    for _ in range(4):
        a_notice(doctor)
    sign_in(client, doctor.user)
    with django_assert_max_num_queries(14):
        assert len(client.get("/critical/").context["open"]) == 4


@pytest.mark.django_db(transaction=True)
def test_two_who_answer_at_once_are_one():
    notice = a_notice(scenes.a_doctor())
    people = [scenes.reporter() for _ in range(4)]

    def answer(by):
        try:
            return service.acknowledge(notice=notice, note=f"由{by.pk}", by=by, now=NOW).acknowledged_by_id
        except errors.AlreadyAcknowledged:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crowd:
        won = [each for each in crowd.map(answer, people) if each]
    assert len(won) == 1
