"""M8: finance in a real browser: a total opened down to its invoice, a day with money that nobody knows, by keys."""

import re
from datetime import time, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from billing.gateways import ports
from billing.models import Invoice, Reconciliation
from billing.services import invoicing, paying, reconciling
from hospital import clock
from hospital.models import PriceItem
from tests.billing.finance.conftest import Billing, bill_line
from tests.browser.conftest import sideways
from tests.consult.rooms import now
from tests.factories import StaffFactory
from tests.factories.billing import InvoiceFactory


@pytest.fixture
def yesterday():
    """One payment of ours and one of nobody's; paid out less the fees."""
    gateway, at = Billing(), clock.at(clock.today(now()) - timedelta(days=1), time(10))
    ports.register("payment", gateway)
    invoice = InvoiceFactory(opened_at=at)
    PriceItem.objects.create(organization=invoice.organization, code="BL", name="病历复印", amount=30,
                             effective_from=at.date() - timedelta(days=9))  # fmt: skip
    invoicing.add_service(invoice=invoice, code="BL", by=None, now=at)
    payment = paying.begin(invoice=Invoice.objects.get(), means="wechat", way="phone", by=None, now=at)
    paying.succeed(order=payment.order, said=gateway.pay(payment.order), now=at)
    gateway.orders["TILL-7"] = {"amount": Decimal("7.50"), "state": ports.State.DONE}
    gateway.write(bill_line(payment.order, "30.00"), bill_line("TILL-7", "7.50"), day=clock.today(at))
    yield reconciling.reconcile(
        organization_id=invoice.organization_id, gateway="wechat", day=clock.today(at), now=now()
    )
    ports.forget("payment", "wechat")


def test_finance_opens_a_total_and_closes_a_day(open_as, axe, yesterday):
    page = open_as(StaffFactory(roles="finance", full_name="丁会计"), f"/finance/?day={yesterday.day}")
    expect(page.get_by_text("借贷平衡")).to_be_visible()
    axe(page)
    assert sideways(page) == 0
    page.set_viewport_size({"width": 1440, "height": 340})
    expect(page.get_by_role("rowheader", name="合计")).to_be_in_viewport(ratio=0.9)  # below many accounts too
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="微信支付（待结算）").click()
    expect(page.get_by_role("heading", name="微信支付（待结算）")).to_be_visible()
    axe(page)
    page.get_by_role("link", name=re.compile("^账单")).first.click()
    expect(page.get_by_text("病历复印")).to_be_visible()
    axe(page)

    page.keyboard.press("r")
    expect(page.get_by_text("1 笔待处理")).to_be_visible()
    axe(page)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_text("人工核实").click()
    page.get_by_role("button", name="按核实结果处理").click()
    expect(page.get_by_text("请写明核实的结果")).to_be_visible()
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="记入无主款并原路退回 ¥7.50").click()
    expect(page.get_by_text("已记入无主款并原路退回付款人")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text("已平账，渠道结算款已记入银行存款")).to_be_visible()
    axe(page)
    assert Reconciliation.objects.get().closed_by.full_name == "丁会计"

    page.keyboard.press("c")
    expect(page.get_by_text("没有要处理的")).to_be_visible()
    axe(page)
