"""Paying with the insurance on the phone, in a real browser, its server slow and forgetful (M5, V2)."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from billing.models import Invoice
from hospital.models import Patient
from tests.billing.insurance.conftest import _server, insurance  # noqa: F401
from tests.billing.insurance.house import document_of, rules
from tests.bookings.scenes import account_with, people, where
from tests.browser.conftest import sideways
from tests.consult.rooms import half_day, today
from tests.patient.scenes import doctor


def good(page, axe):
    """As people read it: plain, and in the elderly edition."""
    for edition in ("", "elderly"):
        page.evaluate("edition => document.documentElement.dataset.edition = edition", edition)
        assert sideways(page) == 0
        axe(page)
    page.evaluate("delete document.documentElement.dataset.edition")
    assert page.troubles == []


@pytest.mark.own_window
def test_an_insured_person_sees_the_split_settles_and_pays_their_part(open_as, axe, live_server, insurance):  # noqa: F811
    """An answer is lost in between: the page waits and goes on by itself."""
    rules(code="Schief")
    account = account_with()
    [patient] = people(account)
    Patient.objects.filter(pk=patient.pk).update(insurance="employee")
    insurance.person(document_of(patient), insured={"310": "1"}, balance="5.00")
    schedule = half_day(role=doctor(None), day=today() + timedelta(days=3))
    page = open_as(account, where(schedule, patient=patient.pk), size=(390, 844))
    page.locator(".actionbar button").click()

    expect(page.get_by_text("付款前先选：用医保结算，还是全额自费。")).to_be_visible()
    expect(page.get_by_role("button", name="去支付")).to_have_count(0)
    good(page, axe)
    insurance.behave("fail_after", "2204")
    page.get_by_text("我同意医院用").click()
    page.get_by_role("button", name="用医保结算").click()
    expect(page.get_by_text("医保系统暂时没有响应，还没有结算。")).to_be_visible()
    good(page, axe)
    expect(page.get_by_role("button", name="确认医保结算")).to_be_visible()
    good(page, axe)
    page.get_by_role("button", name="确认医保结算").click()
    expect(page.get_by_text("医保已结算。")).to_be_visible()
    good(page, axe)
    invoice = Invoice.objects.get()
    assert (invoice.fund_paid, invoice.account_paid, invoice.cash_paid) == (35, 5, 10)
