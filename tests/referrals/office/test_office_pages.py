"""R4, R5: booking for the patient, the bar that rings, and the house's own deadlines."""

from datetime import timedelta

import pytest

from appointments.models import Appointment
from hospital.models import AuditEvent
from referrals.models import GreenCall, Referral, ReferralRule
from referrals.selectors.rules import referral_rule
from referrals.services import writing
from tests.factories import (
    NOW,
    TODAY,
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


def test_the_office_books_what_the_sender_wished_for(client, here, referral):
    sitting = open_schedule(day=TODAY + timedelta(days=3), department=referral.department)
    shown = text(client.get(f"{here}book/?day={sitting.day:%Y-%m-%d}"))
    assert "本院的号" in shown
    slot = f"{sitting.pk}@{sitting.starts_at.isoformat()}"
    said = {"slot": slot, "from": "own", "request_key": "11111111-1111-1111-1111-111111111111"}
    for _twice in range(2):
        answer = client.post(f"{here}book/", said)
    assert answer.url == here
    referral.refresh_from_db()
    assert (referral.status, referral.appointment.status) == ("booked", "booked")
    assert Appointment.objects.count() == 1


def test_a_refused_booking_says_why_and_leaves_no_hold(client, here, referral):
    sitting = open_schedule(day=TODAY + timedelta(days=3), department=referral.department, numbers=1)
    other = ReferralFactory()
    appointment_row(sitting, other.patient)
    slot = f"{sitting.pk}@{sitting.starts_at.isoformat()}"
    said = {"slot": slot, "from": "own", "request_key": "11111111-1111-1111-1111-111111111111"}
    answer = client.post(f"{here}book/", said)
    assert answer.status_code == 409
    assert "约满" in text(answer) or "没有" in text(answer)
    referral.refresh_from_db()
    assert referral.status == "sent"


def test_a_number_that_the_patient_has_already_is_used(client, here, referral):
    number = appointment_row(open_schedule(), referral.patient)
    assert "用这个号" in text(client.get(f"{here}book/"))
    for _twice in range(2):
        assert client.post(f"{here}book/{number.pk}/").url == here
    assert client.post(f"{here}book/999999/").status_code == 404
    referral.refresh_from_db()
    assert referral.appointment == number


def test_the_bar_rings_on_every_page_until_somebody_takes_it(client, office, here):
    row = ReferralFactory(status="draft", urgency="green")
    writing.send(referral=row, by=row.by, now=NOW)
    shown = text(client.get("/referral-office/"))
    assert "绿色通道呼叫，等您确认" in shown
    assert "<title>（1）绿色通道呼叫！ 转诊待办" in shown
    bar = client.get("/referral-office/ringing/")
    assert "（1）绿色通道呼叫！" in text(bar)
    assert client.get(f"/referral-office/ringing/?seen={row.green.pk}").status_code == 204
    answer = client.post(f"/referrals/{row.pk}/green/")
    assert answer.url == f"/referrals/{row.pk}/"
    page = text(client.get(answer.url))
    assert "写预留情况" in page
    assert "绿色通道呼叫，等您确认" not in page
    vague = client.post(
        f"/referrals/{row.pk}/green/arrange/", {"capacity": "bed", "state": "none_left", "team_told": "李"}
    )
    assert vague.status_code == 422
    assert "请写清楚患者该送到哪里" in text(vague)
    said = {"capacity": "bed", "state": "reserved", "note": "抢救室 2 床", "expected": "11:20"}
    assert client.post(f"/referrals/{row.pk}/green/arrange/", said).status_code == 302
    Referral.objects.filter(pk=row.pk).update(status="arrived")
    GreenCall.objects.update(closed_at=NOW)
    late = client.post(f"/referrals/{row.pk}/green/arrange/", said | {"note": "改送导管室"})
    assert (late.status_code, "改送导管室" in text(late)) == (409, True)  # nothing typed is lost
    Referral.objects.filter(pk=row.pk).update(status="accepted")
    GreenCall.objects.update(closed_at=None)
    client.force_login(row.by)
    assert "抢救室 2 床" in text(client.get(f"/referrals/{row.pk}/"))
    assert client.post(f"/referrals/{row.pk}/green/arrange/", said).status_code == 404
    looked = AuditEvent.objects.count()
    panel = text(client.get(f"/referrals/{row.pk}/", headers={"HX-Request": "true", "HX-Target": "greencall"}))
    assert "抢救室 2 床" in panel
    assert 'hx-trigger="freshen"' in panel
    assert "<html" not in panel
    assert AuditEvent.objects.count() == looked


def test_the_house_sets_its_own_deadlines_from_a_day_on(client, here):
    rules = "/referral-office/rules/"
    assert "按系统默认值办理" in text(client.get(rules))
    said = {
        "effective_from": (TODAY + timedelta(days=1)).isoformat(), "routine_hours": "24", "urgent_minutes": "60",
        "green_minutes": "90", "green_escalate_minutes": "5", "answer_hours": "48", "follow_up_days": "7",
        "attachment_mb": "10", "attachments": "10", "why": "试行", "seen": "0",
    }  # fmt: skip
    wrong = client.post(rules, said)
    assert wrong.status_code == 422
    assert "应在 1 到 60 之间" in text(wrong)
    assert 'value="24"' in text(wrong)
    assert client.post(rules, said | {"green_minutes": "8"}).status_code == 302
    house = OrganizationFactory()
    assert referral_rule(house.pk, day=TODAY + timedelta(days=1)).routine_hours == 24
    row = ReferralRule.objects.get()
    client.force_login(StaffFactory(roles="auditor"))
    assert "保存规则" not in text(client.get(rules))
    assert client.post(rules, said).status_code == 404
    client.force_login(StaffFactory(roles="referral", roles__at=OrganizationFactory(code="H8", name="别家")))
    assert client.post(f"{rules}{row.pk}/withdraw/", {"why": "x"}).status_code == 404
