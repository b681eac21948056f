"""The window by keyboard, in a real browser (M1, M2, M5): a plain case with its keys counted from the very first, then
cash, card and insurance on one bill."""

from datetime import timedelta
from decimal import Decimal
from time import monotonic

import pytest
from playwright.sync_api import expect

from appointments.services import booking
from billing.gateways import ports
from billing.models import Invoice, Receipt
from tests.billing.cashier.test_receipt_pages import Platform
from tests.billing.insurance.conftest import _server, insurance  # noqa: F401
from tests.billing.insurance.house import CARD, insured, item, rules
from tests.browser.conftest import sideways
from tests.browser.consulting import settled
from tests.consult.rooms import half_day, today
from tests.factories import PatientFactory, StaffFactory
from tests.patient.scenes import doctor


@pytest.fixture
def platform():
    ports.register("receipt", there := Platform())
    yield there
    ports.forget("receipt", "finance")


class Keys:
    """A keyboard that counts: a scanner is one act, every key another."""

    def __init__(self, page):
        self.page, self.pressed = page, 0

    def scan(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")
        self.pressed += 1

    def type(self, *keys: str) -> None:
        for key in keys:
            settled(self.page)
            self.page.keyboard.press(key)
            self.pressed += 1


def good(page, axe):
    settled(page)
    assert sideways(page) == 0
    axe(page)
    assert page.troubles == []


def held(schedule, patient) -> None:
    booking.book(schedule=schedule, patient=patient, channel="counter", by=None, request_key=None)


@pytest.mark.own_window
def test_the_window_takes_cash_card_and_insurance_by_keyboard(open_as, axe, insurance, platform):  # noqa: F811
    rules()
    item("Schief")
    insurance.person(CARD, insured={"310": "1"}, balance="5.00")
    schedule = half_day(role=doctor(None), day=today() + timedelta(days=3))
    plain, covered = PatientFactory(), insured()
    page = open_as(StaffFactory(roles="cashier"), "/cashier/")
    keys = Keys(page)
    good(page, axe)
    expect(page.get_by_label("窗口", exact=True)).to_be_focused()
    page.keyboard.type("1号窗口")
    page.get_by_label("备用金").fill("")
    page.get_by_label("备用金").focus()
    page.keyboard.type("200")
    page.keyboard.press("Enter")

    # the plain case: a scan, a hundred in cash, Enter to the next
    expect(page.locator("#id_q")).to_be_focused()
    held(schedule, plain)
    begun, keys.pressed = monotonic(), 0
    keys.scan(plain.medical_number)
    expect(page.locator("#pay_cash")).to_be_focused()
    keys.type("1", "0", "0", "Enter")
    expect(page.locator(".till__back dd")).to_have_text("¥50.00")
    keys.type("Enter")
    expect(page.locator("#id_q")).to_be_focused()
    assert (keys.pressed, monotonic() - begun < 20) == (6, True)
    [first] = Invoice.objects.all()
    assert first.status == "paid"

    # cash, card and insurance: blank ticks the consent, Enter goes on
    held(schedule, covered)
    keys.scan(covered.medical_number)
    expect(page.get_by_text("付款前先选：用医保结算，还是全额自费。")).to_be_visible()
    good(page, axe)
    keys.type("Space", "Enter")
    expect(page.get_by_role("button", name="确认医保结算")).to_be_focused()
    keys.type("Enter")
    expect(page.get_by_text("医保已结算。")).to_be_visible()
    expect(page.locator("#pay_cash")).to_be_focused()
    invoice = Invoice.objects.get(patient=covered)
    assert (invoice.account_paid, invoice.fund_paid > 0, invoice.cash_paid > 5) == (5, True, True)

    page.keyboard.type("1")
    keys.type("Enter")
    expect(page.get_by_role("alert")).to_contain_text("收到的钱不够")
    page.troubles.clear()  # that it was refused
    good(page, axe)
    keys.type("F2")
    page.keyboard.type("3")
    keys.type("F4")
    page.keyboard.type("T20261122")
    keys.type("Enter")
    expect(page.locator(".till__even")).to_have_text("现金 ¥3.00 正好，不用找零")
    expect(page.locator("#receipt")).to_contain_text("0000000002")
    good(page, axe)
    taken = dict(invoice.payments.values_list("means", "amount"))
    assert taken == {"cash": Decimal("3.00"), "bank": invoice.cash_paid - 3}
    receipt = Receipt.objects.get(invoice=invoice)
    assert (receipt.status, receipt.fund_paid, receipt.total) == ("issued", invoice.fund_paid, Decimal("50.00"))

    page.get_by_role("link", name="打印票据").click()
    expect(page.get_by_role("heading", name="医疗电子票据", exact=True)).to_be_visible()
    good(page, axe)
    page.get_by_role("link", name="交班").click()
    page.get_by_label("抽屉里的现金").fill("253")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="交班")).to_be_focused()
    good(page, axe)
    keys.type("Enter")
    expect(page.get_by_text("已交班。")).to_be_visible()
