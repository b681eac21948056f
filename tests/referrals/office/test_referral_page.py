"""R2–R4: one page for both sides; each is offered what its turn and its role allow, and nothing typed is lost."""

from datetime import timedelta

import pytest

from hospital.models import AuditEvent, Department
from referrals.models import Referral, ReferralEvent
from referrals.policies.hands import offered
from referrals.policies.moves import Act, Side
from tests.factories import (
    NOW,
    DepartmentFactory,
    OrganizationFactory,
    ReferralFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client, office, referral):
    client.force_login(office)
    return f"/referrals/{referral.pk}/"


def text(answer) -> str:
    return answer.content.decode()


def test_the_office_reads_the_whole_dossier_once(client, here, referral, django_assert_max_num_queries):
    with django_assert_max_num_queries(23):
        shown = text(client.get(here))
    for words in (referral.reason, "高血压 3 级", "I10", referral.patient.name, "本人同意", "接收", "要求补充", "退回"):
        assert words in shown
    assert "撤回" not in shown
    assert AuditEvent.objects.filter(action="patient.seen.referral").exists()


def test_a_stranger_of_a_third_institution_finds_nothing(client, here):
    other = OrganizationFactory(code="H9", name="别的医院")
    client.force_login(StaffFactory(roles=["referral", "partner"], roles__at=other))
    assert client.get(here).status_code == 404
    assert client.post(f"{here}act/accept/").status_code == 404


def test_ask_answer_accept_reject_step_by_step(client, here, office, referral):
    short = client.post(f"{here}act/ask/", {"text": " "})
    assert short.status_code == 422
    assert "请填写“要补充什么”" in text(short)
    assert client.post(f"{here}act/ask/", {"text": "近期肾功能？"}).url == here
    client.force_login(referral.by)
    assert "近期肾功能？" in text(client.get(here))
    assert client.post(f"{here}act/answer/", {"text": "肌酐 86"}).url == here
    assert client.post(f"{here}act/accept/").status_code == 404  # never theirs
    client.force_login(office)
    assert client.post(f"{here}act/accept/", {"text": ""}).url == here
    late = client.post(f"{here}act/ask/", {"text": "再问一句"})
    assert late.status_code == 409
    assert "已接收" in text(late)
    assert "再问一句" in text(late)  # nothing typed is lost
    assert client.post(f"{here}act/reject/", {"text": "请先到眼科"}).url == "/referral-office/"
    referral.refresh_from_db()
    assert referral.status == "rejected"


def test_who_rejects_says_what_becomes_of_the_number(client, here, referral):
    number = appointment_row(open_schedule(), referral.patient)
    referral.appointment, referral.status = number, "booked"
    referral.save()
    silent = client.post(f"{here}act/reject/", {"text": "请先到眼科"})
    assert silent.status_code == 422
    assert "请先到眼科" in text(silent)
    client.post(f"{here}act/reject/", {"text": "请先到眼科", "number": "give_back"})
    number.refresh_from_db()
    assert number.status == "cancelled"


def test_a_redirect_names_a_place_that_is_there(client, here, referral):
    eyes = DepartmentFactory(code="D7", name="眼科")
    wrong = client.post(f"{here}act/redirect/", {"department": eyes.pk, "who": "没有这人", "text": "视物模糊"})
    assert wrong.status_code == 422
    assert "眼科没有“没有这人”" in text(wrong)
    assert client.post(f"{here}act/redirect/", {"department": eyes.pk, "text": "视物模糊"}).url == "/referral-office/"
    referral.refresh_from_db()
    assert (referral.status, referral.department) == ("redirected", eyes)


def test_the_list_has_the_overdue_first_and_no_full_name(client, here, referral, django_assert_max_num_queries):
    with django_assert_max_num_queries(17):
        shown = text(client.get("/referral-office/?late=&urgency=nonsense&page=x"))
    assert referral.number in shown
    assert referral.patient.name not in shown
    fresh = text(client.get("/referral-office/", headers={"HX-Request": "true", "HX-Target": "referrals"}))
    assert 'id="turns" hx-swap-oob="true"' in fresh
    assert "<html" not in fresh
    assert "没有找到" in text(client.get("/referral-office/?q=U9999999"))
    assert referral.number in text(client.get(f"/referral-office/?q={referral.number}"))


def test_the_green_channel_comes_first_a_closed_place_is_marked_and_nobody_is_named(client, here, referral, office):
    """R4, R5: a referral to a department that closed doesn't lie there; who consented is nobody's in a list."""
    Referral.objects.filter(pk=referral.pk).update(due_at=NOW - timedelta(days=9))
    green = ReferralFactory(urgency="green", department=DepartmentFactory(code="E1", name="急诊科"))
    ReferralEvent.objects.create(referral=green, kind="sent", status="sent", text="王大山（父亲）", at=NOW)
    shown = text(client.get("/referral-office/"))
    assert shown.index(green.number) < shown.index(referral.number)
    assert "王大山" not in shown
    assert "已停用，请改派" not in shown
    assert "要求补充" not in text(client.get(f"/referrals/{green.pk}/"))
    Department.objects.filter(pk=referral.department_id).update(active=False)
    assert "已停用，请改派" in text(client.get("/referral-office/"))
    assert "请改派，或代约时另选" in text(client.get(here))


def test_doctors_ask_and_finish_and_an_auditor_only_reads():
    """No database: whose hand may do it."""
    waiting = {"side": Side.RECEIVER, "status": "sent", "direction": "up"}
    assert offered(roles={"doctor"}, **waiting) == {Act.ASK, Act.ATTACH}
    assert offered(roles={"auditor"}, **waiting) == frozenset()
    assert {Act.ACCEPT, Act.REJECT, Act.REDIRECT, Act.BOOK} <= offered(roles={"referral"}, **waiting)
    assert Act.REDIRECT not in offered(roles={"partner"}, **waiting | {"direction": "down"})
