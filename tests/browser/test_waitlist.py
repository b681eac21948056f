"""候补 in a real browser: join without script, a number freed by another, the offer, the success card (B9, V2)."""

from datetime import time, timedelta

from playwright.sync_api import expect

from appointments.models import BookingRule, WaitlistEntry
from appointments.selectors import rules
from tests.bookings.scenes import account_with, people
from tests.consult.rooms import now, today
from tests.factories import CampusFactory, DepartmentFactory, PatientFactory, appointment_row
from tests.patient.scenes import doctor, half_day
from tests.waitlist.scenes import give_back, join, work

from .conftest import sideways
from .looking import broken_words, covered, shot
from .test_patient_booking import HELD, NARROW, OLD_BROWSER, SMALL_TARGETS, TAP, good


def a_full_morning():
    CampusFactory(name="本部", address="江州市人民路1号")
    place = DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼 3 层")
    role = doctor(place, pinyin="wangjianguo", initials="wjg")
    schedule = half_day(role=role, numbers=4, day=today() + timedelta(days=4), opened=now() - timedelta(days=1))
    for number in range(1, 5):
        appointment_row(schedule, PatientFactory(), number=number)
    BookingRule.objects.update(waitlist_from=time(0), waitlist_until=time(23, 59, 59))  # the test may run at night
    rules.forget()
    return schedule


def narrow(page):
    """320 px in every edition, as an old browser draws it: nothing sideways, small, hidden or broken."""
    seen = page.viewport_size
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    for edition, tap in TAP.items():
        page.evaluate("edition => edition ? document.documentElement.dataset.edition = edition : 0", edition)
        assert sideways(page) == 0, edition
        assert page.evaluate(SMALL_TARGETS, tap) == [], edition
    assert covered(page) == []
    assert broken_words(page) == []
    page.evaluate(OLD_BROWSER)
    assert sideways(page) == 0
    page.set_viewport_size(seen)
    page.reload()


def test_from_a_full_half_day_through_the_line_to_the_success_card(open_as, axe):
    """B9: another's cancelled number is offered, accepted, booked; what the other one waits for is left again."""
    schedule = a_full_morning()
    account = account_with("周志明", "李秀英")
    first = people(account)[0]
    page = open_as(account, f"/book/departments/{schedule.department_id}/?day={schedule.day}", size=HELD)
    expect(page.get_by_text("上午：满号可候补")).to_be_visible()
    page.get_by_role("link", name="王建国").click()
    good(page, axe)
    page.get_by_role("link", name="满号 · 可候补").click()

    expect(page.get_by_text("还没有人候补")).to_be_visible()
    good(page, axe)
    narrow(page)
    page.get_by_text("周*明").click()
    shot(page, "patient-waitlist-join")
    page.get_by_role("button", name="加入候补").click()
    expect(page.get_by_text("候补中，下一个就轮到。")).to_be_visible()
    good(page, axe)
    narrow(page)
    join(schedule, people(account)[1], by=account, now=now())

    give_back(schedule, 2, now=now())
    work(now())
    page.get_by_role("link", name="返回").click()
    expect(page.get_by_text("候补到号，待接受")).to_be_visible()
    expect(page.get_by_text("候补第1位")).to_be_visible()
    good(page, axe)
    narrow(page)
    shot(page, "patient-waitlist-offer")
    page.get_by_role("button", name="接受", exact=True).click()
    expect(page.get_by_role("heading", name="预约成功")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("第 2 号")
    good(page, axe)
    assert WaitlistEntry.objects.get(patient=first).status == "filled"

    page.get_by_role("link", name="看我的预约").click()
    page.get_by_role("link", name="退出候补").click()
    expect(page.get_by_text("位次不保留")).to_be_visible()
    good(page, axe)
    page.get_by_role("button", name="确定退出").click()
    expect(page.get_by_text("已退出候补。")).to_be_visible()
    good(page, axe)


def test_joining_needs_no_script(open_as):
    schedule = a_full_morning()
    page = open_as(account_with("周志明"), f"/book/waitlist/?schedule={schedule.pk}", size=HELD, script=False)
    page.get_by_role("button", name="加入候补").click()

    expect(page.get_by_text("候补中，下一个就轮到。")).to_be_visible()
