"""Finance's pages: the trial balance opened down to rows, a day's differences, what is kept for the office."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.gateways import ports
from billing.models import Difference, LedgerEntry, MoneyCase, Reconciliation
from billing.selectors.ledger import balance
from billing.services import paying, reconciling
from hospital.models import AuditEvent
from tests.factories import NOW, TODAY, OrganizationFactory, StaffFactory
from tests.factories.billing import ShiftFactory

from .conftest import NEXT_DAY, bill_line
from .test_reconciling import back

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, finance):
    with time_machine.travel(NEXT_DAY, tick=False):
        client.force_login(finance)
        yield client


@pytest.fixture
def day(paid, wechat):
    """One that fits, one that nobody knows."""
    payment = paid()
    wechat.orders["X1"] = {"amount": Decimal("7.50"), "state": ports.State.DONE}
    wechat.write(bill_line(payment.order), bill_line("X1", "7.50", reference="T-X1", fee="0.05"))
    return reconciling.reconcile(organization_id=OrganizationFactory().pk, gateway="wechat", day=TODAY, now=NEXT_DAY)


def page(client, address, status=200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def test_a_total_opens_down_to_the_rows_it_is_made_of(desk, day, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        shown = page(desk, f"/finance/?day={TODAY}")
    assert "微信支付（待结算）" in shown
    assert "借贷平衡" in shown
    with django_assert_max_num_queries(16):
        shown = page(desk, f"/finance/entries/?day={TODAY}&account=wechat")
    assert "收款" in shown
    entry = LedgerEntry.objects.get(kind="received")
    shown = page(desk, f"/finance/entries/{entry.pk}/")
    assert entry.payment.order in shown
    shown = page(desk, f"/finance/invoices/{entry.invoice_id}/")
    assert entry.payment.reference in shown
    assert entry.invoice.patient.name not in shown  # masked
    assert AuditEvent.objects.filter(action="patient.seen.finance", patient=entry.invoice.patient).count() == 1


def test_days_that_make_no_sense_say_so_and_stay_as_typed(desk, day):
    shown = page(desk, "/finance/?day=2026-11-23&to=2026-11-01")
    assert "结束日期早于开始日期" in shown
    assert 'value="2026-11-01"' in shown
    for odd in ("?day=gestern", "entries/?account=nothing&kind=x", "entries/?page=999", "cases/?kind=x&page=y"):
        page(desk, f"/finance/{odd}")
    assert "还没有账" in page(desk, "/finance/?day=2020-01-01")


def test_a_day_is_closed_when_its_last_difference_is_explained(desk, day, wechat):
    address = f"/finance/reconciliation/{day.pk}/"
    difference = Difference.objects.get()
    assert "1 笔待处理" in page(desk, "/finance/reconciliation/")
    assert "原路退回 ¥7.50" in page(desk, address)
    assert desk.post(f"{address}close/").status_code == 409
    empty = desk.post(f"/finance/differences/{difference.pk}/by-hand/", {"note": " "})
    assert empty.status_code == 422
    assert "请写明核实的结果" in empty.content.decode()
    assert desk.post(f"/finance/differences/{difference.pk}/take/").status_code == 409

    desk.post(f"/finance/differences/{difference.pk}/send-back/")
    assert (balance("unowned"), balance("wechat")) == (0, Decimal(20))  # not yet paid out
    wechat.write(bill_line(difference.sent_back.number, "7.50", kind="refund", fee="0"), day=TODAY + timedelta(days=1))
    assert "已处理" in page(desk, address)
    desk.post(f"{address}close/")

    day.refresh_from_db()
    assert (day.status, day.closed_by.username) == ("closed", "caiwu")
    assert page(desk, f"{address}rows/?q=X1").count("T-X1") == 1
    assert "没有找到" in page(desk, f"{address}rows/?q=nothing")
    assert desk.post(f"{address}close/").status_code == 409


def test_what_is_kept_for_the_office_is_settled_with_a_sentence(desk, day, wechat):
    difference = Difference.objects.get()
    wechat.refuses = {"refund"}
    desk.post(f"/finance/differences/{difference.pk}/send-back/")
    case = MoneyCase.objects.get()
    address = f"/finance/cases/{case.pk}/"
    assert "渠道拒绝" in page(desk, address)

    wrong = desk.post(address, {"way": "note", "note": "写了很多"})
    assert wrong.status_code == 422
    assert "写了很多" in wrong.content.decode()
    assert desk.post(address, {"way": "transfer", "note": "转账 8846"}).status_code == 302

    assert (balance("unowned"), balance("at_bank")) == (0, Decimal("-7.50"))
    assert "没有要处理的" in page(desk, "/finance/cases/")
    assert "转账 8846" in page(desk, "/finance/cases/?settled=on")
    assert desk.post(address, {"way": "transfer", "note": "再来"}).status_code == 409


def test_a_refund_that_the_gateway_never_made_waits_and_says_of_which_day(desk, paid, wechat):
    payment = paid()
    refund = back(payment)
    wechat.write(bill_line(payment.order))
    day = reconciling.reconcile(organization_id=OrganizationFactory().pk, gateway="wechat", day=TODAY, now=NEXT_DAY)
    desk.post(f"/finance/differences/{Difference.objects.get(refund=refund).pk}/by-hand/", {"note": "渠道没有退"})
    listed = page(desk, "/finance/cases/")
    assert ("等处理" in listed, "已退费" in listed) == (True, False)
    case = page(desk, f"/finance/cases/{MoneyCase.objects.get().pk}/")
    assert (f"/finance/reconciliation/{day.pk}/" in case, "本院有，渠道没有" in case) == (True, True)


def test_an_auditor_reads_and_another_house_finds_nothing(client, day):
    difference = Difference.objects.get()
    with time_machine.travel(NEXT_DAY, tick=False):
        client.force_login(StaffFactory(roles="auditor"))
        assert "/send-back/" not in page(client, f"/finance/reconciliation/{day.pk}/")
        assert client.post(f"/finance/differences/{difference.pk}/send-back/").status_code == 403
        client.force_login(StaffFactory(roles="finance", roles__at=OrganizationFactory(code="H9")))
        for address in (f"reconciliation/{day.pk}/", f"entries/{LedgerEntry.objects.first().pk}/"):
            page(client, f"/finance/{address}", 404)
        assert client.post(f"/finance/differences/{difference.pk}/send-back/").status_code == 404
    assert Reconciliation.objects.get(organization=day.organization).status == "compared"


def test_what_lay_in_the_drawers_reaches_the_bank_by_its_slip(desk, begun):
    """A slip once, and never more than lies there; what was typed stays."""
    shift = ShiftFactory(cashier=StaffFactory(roles="cashier"))
    payment = begun()
    paying.take(invoice=payment.invoice, means="cash", way="window", by=shift.cashier, shift=shift, now=NOW)
    slip = {"account": "cash", "amount": "15.00", "fee": "", "slip": "8846-01"}

    assert "20.00" in page(desk, "/finance/deposits/")
    too_much = desk.post("/finance/deposits/", slip | {"amount": "20.01"})
    assert (too_much.status_code, balance("at_bank")) == (422, 0)
    assert "现在只有 ¥20.00" in too_much.content.decode()
    assert 'value="8846-01"' in too_much.content.decode()
    with_fee = desk.post("/finance/deposits/", slip | {"amount": "19.80", "fee": "0.50"})
    assert (with_fee.status_code, balance("cash")) == (422, Decimal(20))  # the fee was in the drawer too
    for odd in ({"amount": "0"}, {"amount": "x"}, {"slip": "a b"}, {"account": "wechat"}, {"fee": "-1"}):
        assert desk.post("/finance/deposits/", slip | odd).status_code == 422, odd
    assert desk.post("/finance/deposits/", slip | {"fee": "0.50"}).status_code == 302
    assert {name: balance(name) for name in ("cash", "at_bank", "fees")} == {
        "cash": Decimal("4.50"), "at_bank": Decimal(15), "fees": Decimal("0.50")
    }  # fmt: skip
    assert "已经登记过" in desk.post("/finance/deposits/", slip | {"amount": "1.00"}).content.decode()
    assert page(desk, "/finance/deposits/").count("8846-01") == 1
    assert AuditEvent.objects.filter(action="money.deposited").count() == 1
    desk.force_login(StaffFactory(roles="auditor"))
    assert desk.post("/finance/deposits/", slip).status_code == 403
