"""Paying in a real browser, with the payment gateway as a real process (M1, M2, M8, V2): a hold on the phone, and the
consult room's basket of four lines by one scan."""

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from billing.models import Invoice, Payment
from exams.models import ExamBooking
from tests.bookings.scenes import account_with, people, where
from tests.browser.conftest import sideways
from tests.browser.consulting import settled
from tests.browser.test_consult_exams import add
from tests.consult.rooms import half_day, today, with_a_strip
from tests.exams.consult.rooms import offered, room_with_a_patient
from tests.factories import DepartmentFactory
from tests.factories.billing import pays_first
from tests.patient.scenes import doctor

PHONE = (390, 844)


def good(page, axe):
    assert sideways(page) == 0
    axe(page)
    assert page.troubles == []


def in_every_edition(page, axe):
    """As people read it: plain, and in the elderly edition."""
    good(page, axe)
    page.context.add_cookies([{"name": "edition", "value": "elderly", "url": page.url}])
    page.reload()
    good(page, axe)
    page.context.clear_cookies(name="edition")
    page.reload()


@pytest.mark.own_window
def test_a_patient_pays_a_hold_on_the_phone(open_as, axe, live_server, payment_gateway):
    """From step 4 to the gateway's page and back: the number is booked, and the page says so by itself."""
    pays_first()
    payment_gateway.calls_back_to(live_server.url)
    from datetime import timedelta

    place = DepartmentFactory(name="心血管内科", location="门诊楼")
    schedule = half_day(role=doctor(place, pinyin="wangjianguo", initials="wjg"), day=today() + timedelta(days=3))
    account = account_with()
    [patient] = people(account)
    page = open_as(account, where(schedule, patient=patient.pk), size=PHONE)
    expect(page.get_by_text("先留号，付费后确认")).to_be_visible()
    page.locator(".actionbar button").click()

    expect(page.get_by_role("button", name="去支付")).to_be_visible()
    expect(page.locator("#clock")).to_contain_text("已为您保留到")
    in_every_edition(page, axe)
    page.get_by_text("支付宝").click()
    page.get_by_role("button", name="去支付").click()
    expect(page.get_by_role("heading", name="等待支付宝")).to_be_visible()
    page.get_by_role("button", name="换一种方式").click()
    page.get_by_role("button", name="去支付").click()
    expect(page.get_by_role("heading", name="等待微信支付")).to_be_visible()
    in_every_edition(page, axe)

    page.get_by_role("link", name="打开微信支付付款").click()
    page.get_by_role("button", name="确认支付").click()
    page.get_by_role("link", name="返回商家").click()
    expect(page.locator(".done")).to_contain_text("已付 ¥50.00")
    expect(page.get_by_text("已确认", exact=True)).to_be_visible()
    page.troubles.clear()  # the gateway's own page has no icon
    in_every_edition(page, axe)
    page.get_by_role("link", name="看预约凭证").click()
    expect(page.get_by_text("约好了")).to_be_visible()
    expect(page.get_by_text("已付费")).to_be_visible()
    page.goto(f"{live_server.url}/invoices/")
    in_every_edition(page, axe)

    assert Appointment.objects.get().status == "booked"
    said = Payment.objects.order_by("pk").values_list("means", "status", "way")
    assert list(said) == [("alipay", "closed", "phone"), ("wechat", "succeeded", "phone")]


@pytest.mark.own_window
def test_the_consult_rooms_basket_of_four_lines_is_paid_by_one_scan(open_as, axe, live_server, payment_gateway):
    """Two numbers and two exams by keys; Ctrl Enter shows the code, the patient's phone pays, the page confirms."""
    pays_first()
    payment_gateway.calls_back_to(live_server.url)
    room = room_with_a_patient()
    with_a_strip(room)
    offered(2)
    page = open_as(room.user, "/consult/")
    settled(page)
    for session in (0, 2):
        page.locator(".session").nth(session).click()
        settled(page)
        page.locator(".time:not([disabled])").first.click()
        settled(page)
    page.keyboard.press("Digit4")
    expect(page.locator("#exam-q")).to_be_focused()
    for initials in ("fb", "cg"):
        add(page, initials)
    page.keyboard.press("Enter")
    expect(page.locator(".plan--best .btn--primary")).to_be_focused()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.locator("#basket .item")).to_have_count(4)
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
    expect(page.locator(".till__sum")).to_contain_text("¥400.00")
    good(page, axe)

    page.keyboard.press("Control+Enter")
    expect(page.locator(".till__qr svg")).to_be_visible()
    settled(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    good(page, axe)
    payment = Payment.objects.get()
    payment_gateway("pay", order=payment.order)
    expect(page.locator(".till__paid")).to_contain_text("已收 ¥400.00")
    expect(page.locator("#basket .tag--ok")).to_have_count(4)
    good(page, axe)

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.lines.count(), payment.way) == ("paid", 4, "consult")
    assert {row.status for row in ExamBooking.objects.all()} == {"booked"}
    assert set(Appointment.objects.filter(channel="consult").values_list("status", flat=True)) == {"booked"}
