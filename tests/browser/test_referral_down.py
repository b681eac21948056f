"""R2, R3, V4: two institutions in two windows: seen in the consult room, sent back with a plan, followed up at home."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from hospital.models import Organization
from referrals.models import FollowUp, Referral
from tests.browser.conftest import sideways
from tests.consult.rooms import bring_in, doctor_with_a_room, now, today
from tests.factories import AccountFactory, CommunityFactory, ReferralFactory, RelatedPersonFactory, StaffFactory
from tests.referrals.down.community import clinic


@pytest.fixture
def referral():
    """Up from the community centre; the patient sits in the room."""
    room = doctor_with_a_room()
    Organization.objects.filter(code="H1").update(kind="hospital")
    visit = bring_in(room)
    clinic(day=today() + timedelta(days=14), opened=now() - timedelta(days=1))
    row = ReferralFactory(
        patient=visit.patient, appointment=visit.appointment, department=visit.department, status="arrived",
        due_at=None, results="外院 B 超：胆囊结石", created_at=now() - timedelta(days=1),
        sent_at=now() - timedelta(days=1), consented_at=now() - timedelta(days=1),
    )  # fmt: skip
    row.family_doctor = StaffFactory(roles="partner", roles__at=CommunityFactory(), full_name="何静")
    row.consultant = room.user
    return row


def test_seen_in_the_room_sent_back_with_a_number_and_followed_up_at_home(referral, open_as, axe):
    room = open_as(referral.consultant, "/consult/")
    expect(room.get_by_role("link", name="上转 柳堤社区")).to_be_visible()
    digit = room.get_by_role("link", name="转诊", exact=False).filter(has=room.locator("kbd")).first
    room.keyboard.press(digit.locator("kbd").inner_text())
    expect(room.get_by_text("外院 B 超：胆囊结石")).to_be_visible()
    expect(room.get_by_text("血压控制不佳，请专科调整用药")).to_be_visible()
    axe(room)

    room.keyboard.press("d")
    room.get_by_label("诊疗经过").fill("加用氨氯地平，血压达标")
    room.get_by_label("用药方案").fill("氨氯地平 5mg 每日一次")
    room.get_by_label("预警情况").fill("胸痛、头痛加重")
    room.get_by_role("radio", name="本人同意").check()
    room.get_by_role("radio", name="08:00", exact=False).check()
    axe(room)
    assert sideways(room) == 0
    room.get_by_label("预警情况").fill("")
    room.get_by_role("button", name="下转，发给机构和患者").click()
    expect(room.get_by_role("alert").first).to_be_visible()
    expect(room.get_by_role("radio", name="08:00", exact=False)).to_be_checked()
    room.get_by_label("预警情况").fill("胸痛、头痛加重")
    room.get_by_role("button", name="下转，发给机构和患者").click()
    expect(room.get_by_text("已转回柳堤社区卫生服务中心")).to_be_visible()
    down = Referral.objects.get(direction="down")
    assert Appointment.objects.get(follow_up_of__referral=down).status == "booked"

    home = open_as(referral.family_doctor, f"/referrals/{down.pk}/")
    expect(home.get_by_text("胸痛、头痛加重")).to_be_visible()
    axe(home)
    home.goto(home.url.partition("/referrals/")[0] + "/follow-ups/?shown=open")
    expect(home.get_by_text("还没接收")).to_be_visible()
    axe(home)
    home.locator("tbody a").first.click()
    home.get_by_role("radio", name="平稳").check()
    home.get_by_label("记录", exact=True).fill("血压 132/80")
    axe(home)
    home.get_by_role("button", name="记下").click()
    expect(home.get_by_text("随访结束")).to_be_visible()
    down.refresh_from_db()
    assert (down.status, FollowUp.objects.get().outcome) == ("completed", "same")

    account = RelatedPersonFactory(account=AccountFactory(), patient=referral.patient, proof="window").account
    phone = open_as(account, f"/my-referrals/{down.pk}/", size=(390, 844))
    expect(phone.get_by_text("胸痛、头痛加重")).to_be_visible()
    axe(phone)
    assert sideways(phone) == 0
    troubles = [said for page in (room, home, phone) for said in page.troubles if "422" not in said]
    assert not troubles
