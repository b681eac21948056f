"""R1–R5, V4: two institutions, each in its own window: up with a number, seen, down with a date, followed up, and read
by the patient's family; and the green channel from the letter to the door."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from appointments.services import visit
from hospital import outbox
from hospital.models import Organization
from referrals.models import FollowUp, GreenCall, Referral
from tests.browser.conftest import sideways
from tests.consult.rooms import doctor_with_a_room, now, today
from tests.factories import (
    AccountFactory,
    CommunityFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    add_numbers,
)
from tests.referrals.down.community import clinic

PHONE = "13700137000"


class Alliance:
    """A hospital whose doctor sits now, with two numbers that are kept for the community centre; and its own clinic."""

    def __init__(self):
        self.room = doctor_with_a_room(waiting=0)
        Organization.objects.filter(code="H1").update(kind="hospital")
        yesterday = now() - timedelta(days=1)
        add_numbers(self.room.schedule, count=2, pool="partner", minutes=7, opened=yesterday)  # in a slice of their own
        clinic(day=today() + timedelta(days=14), opened=yesterday)
        self.family_doctor = StaffFactory(roles="partner", roles__at=CommunityFactory(), full_name="何静")
        self.office = StaffFactory(roles="referral", full_name="汪转诊")
        self.patient = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm", phone=PHONE)


@pytest.fixture
def alliance():
    return Alliance()


def told():
    """What was published reaches its handlers, as the worker would do."""
    outbox.fan_out(now=now())
    while outbox.deliver(now=now()) or outbox.fan_out(now=now()):
        pass


def there(page, path):
    """Another address of the same site."""
    return re.match(r"https?://[^/]+", page.url).group() + path


def faults(*pages):
    """But for what was being kept while the page was left, which is cut off, and what a wrong field answers."""
    cut_off = ("422", "htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
    return [each for page in pages for each in page.troubles if not any(word in each for word in cut_off)]


def letter(home, *, urgency, reason):
    """From the call to what is the matter: the person is found and compared, the letter written."""
    home.get_by_role("searchbox").fill(PHONE)
    home.keyboard.press("Enter")
    home.get_by_role("button", name="对上了，继续").click()
    home.get_by_role("button", name="写转诊单").click()
    home.get_by_role("radio", name=urgency).check()
    home.get_by_label("初步诊断").fill("gxy")
    home.get_by_role("radio", name="I10").check()
    home.get_by_label("转诊理由").fill(reason)
    home.get_by_label("病史摘要").fill("高血压 8 年，近两周晨起头痛。")
    home.get_by_label("过敏史").fill("青霉素皮疹")
    home.get_by_role("radio", name="本人同意").check()


def test_up_with_a_number_seen_and_sent_back_down_until_the_follow_up_is_done(alliance, open_as, axe):
    home = open_as(alliance.family_doctor, "/partner/")
    letter(home, urgency="常规", reason="血压控制不佳")
    home.get_by_label("检查检验结果").fill("外院 B 超：胆囊结石")
    home.get_by_label("拟转科室、医生或团队").fill("wjg")
    home.get_by_role("radio", name="王建国").check()
    home.locator(".slice").last.click()  # of those kept for the centre; before it are everybody's
    expect(home.get_by_role("timer")).to_contain_text(":")
    home.keyboard.press("Control+Enter")
    expect(home.get_by_text("已发出，号已约好")).to_be_visible()
    up = Referral.objects.get()
    assert (up.status, up.appointment.partner, up.appointment.slot.pool.kind) == ("booked", up.origin, "partner")

    office = open_as(alliance.office, "/referral-office/")
    office.keyboard.press("3")
    expect(office.get_by_text(up.number)).to_be_visible()  # nothing waits for an answer, and it is in sight
    visit.check_in(appointment=up.appointment, by=alliance.office, now=now())
    told()
    room = open_as(alliance.room.user, "/consult/")
    room.keyboard.press("n")
    digit = room.get_by_role("link", name="转诊", exact=False).filter(has=room.locator("kbd")).first
    room.keyboard.press(digit.locator("kbd").inner_text())
    expect(room.get_by_text("青霉素皮疹").first).to_be_visible()
    expect(room.get_by_text("外院 B 超：胆囊结石")).to_be_visible()
    expect(room.get_by_role("link", name="下转，带计划")).to_be_visible()
    axe(room)
    room.keyboard.press("d")
    room.get_by_label("诊疗经过").fill("加用氨氯地平，血压达标")
    room.get_by_label("用药方案").fill("氨氯地平 5mg 每日一次")
    room.get_by_role("radio", name="本人同意").check()
    room.get_by_role("radio", name="08:00", exact=False).check()
    axe(room)
    assert sideways(room) == 0
    room.get_by_role("button", name="下转，发给机构和患者").click()
    expect(room.get_by_role("alert").first).to_be_visible()
    expect(room.get_by_role("radio", name="08:00", exact=False)).to_be_checked()
    room.get_by_label("预警情况").fill("胸痛、头痛加重")
    room.get_by_role("button", name="下转，发给机构和患者").click()
    expect(room.get_by_text("已转回柳堤社区卫生服务中心")).to_be_visible()
    told()

    home.goto(there(home, "/partner/"))
    home.get_by_text("下转待接收").click()
    expect(home.get_by_text("青霉素皮疹")).to_be_visible()
    axe(home)
    home.keyboard.press("a")
    expect(home.get_by_text("已接收").first).to_be_visible()
    home.goto(there(home, "/follow-ups/?shown=open"))
    axe(home)
    home.locator("tbody a").first.click()
    home.get_by_role("radio", name="平稳").check()
    home.get_by_label("记录", exact=True).fill("血压 132/80")
    axe(home)
    home.get_by_role("button", name="记下").click()
    expect(home.get_by_text("随访结束")).to_be_visible()
    up.refresh_from_db()
    down = Referral.objects.get(answers_to=up)
    assert (up.status, down.status, FollowUp.objects.get().outcome) == ("returned", "completed", "same")
    assert Appointment.objects.get(follow_up_of__referral=down).status == "booked"
    office.goto(there(office, f"/referrals/{up.pk}/"))
    expect(office.get_by_text(down.number).first).to_be_visible()
    account = RelatedPersonFactory(account=AccountFactory(), patient=alliance.patient, proof="window").account
    phone = open_as(account, f"/my-referrals/{down.pk}/", size=(390, 844))
    expect(phone.get_by_text("胸痛、头痛加重")).to_be_visible()
    axe(phone)
    assert sideways(phone) == 0
    assert faults(home, office, room, phone) == []


def test_a_green_channel_rings_from_the_letter_until_the_patient_is_at_the_door(alliance, open_as):
    office = open_as(alliance.office, "/referral-office/")
    home = open_as(alliance.family_doctor, "/partner/")
    letter(home, urgency="绿色通道", reason="胸痛两小时，疑心肌梗死")
    home.get_by_label("拟转科室、医生或团队").fill("xxgnk")
    home.get_by_role("radio", name="心血管内科").check()
    home.keyboard.press("Control+Enter")
    row = Referral.objects.get()
    expect(home.get_by_text(row.number).first).to_be_visible()
    expect(office.get_by_role("alert")).to_contain_text("绿色通道呼叫，等您确认")
    office.keyboard.press("s")
    expect(office.get_by_text("已确认收到，转出机构会马上看到")).to_be_visible()
    office.get_by_role("radio", name="床位").check()
    office.get_by_role("radio", name="已预留").check()
    office.get_by_label("送到哪里").fill("抢救室 2 床")
    office.get_by_role("button", name="保存并告诉对方").click()
    expect(office.get_by_text("预留情况已更新")).to_be_visible()
    home.reload()
    expect(home.get_by_text("抢救室 2 床").first).to_be_visible()
    office.get_by_role("button", name="患者已到院").click()
    expect(office.get_by_text(f"{row.number} 已记到院")).to_be_visible()
    told()
    row.refresh_from_db()
    assert row.status == "arrived"
    assert GreenCall.objects.get().closed_at  # nothing rings, nothing is waited for
    home.reload()
    expect(home.get_by_text("已到院").first).to_be_visible()
    office.goto(there(office, "/referral-office/"))
    expect(office.get_by_role("alert")).to_have_count(0)
    assert faults(home, office) == []
