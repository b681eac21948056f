"""M5–M9: what PostgreSQL refuses of money, each seen refused."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.models import (
    BillRow,
    CashierShift,
    ChargeItem,
    Difference,
    GatewayMessage,
    InsuranceSettlement,
    Invoice,
    LedgerAccount,
    LedgerEntry,
    LedgerLine,
    MoneyCase,
    Payment,
    Receipt,
    Reconciliation,
    Refund,
)
from billing.policies import accounts
from billing.services import ledger
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory
from tests.factories.billing import InvoiceFactory, ShiftFactory, credit_for, pays_first

pytestmark = pytest.mark.django_db
TEN = Decimal("10.00")


class refuses:  # noqa: N801  reads as what it does
    """The block breaks this constraint or trigger; what is deferred is asked at once."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.block = transaction.atomic()
        self.block.__enter__()

    def __exit__(self, kind, error, trace):
        if kind is None:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except DatabaseError as found:
                kind, error, trace = type(found), found, found.__traceback__
        self.block.__exit__(kind or RuntimeError, error or RuntimeError(), trace)
        assert kind is not None, f"{self.name} was not refused"
        assert issubclass(kind, DatabaseError), error
        named = getattr(error.__cause__, "diag", None)
        assert self.name in f"{error} {named and named.constraint_name}", error
        return True


@pytest.fixture
def invoice():
    return InvoiceFactory()


def line_on(invoice, amount=TEN, **more):
    with transaction.atomic():
        line = ChargeItem.objects.create(
            invoice=invoice, kind="service", code="S", name="服务", price=amount, amount=amount, added_at=NOW, **more
        )
        Invoice.objects.filter(pk=invoice.pk).update(total=amount, cash_paid=amount)
    return line


def paid(invoice, amount=TEN, **more):
    made = {
        "invoice": invoice, "organization": invoice.organization, "means": "wechat", "gateway": "wechat",
        "way": "phone", "amount": amount, "order": f"P{Payment.objects.count()}", "asked_at": NOW,
        "status": "succeeded", "applied": amount, "succeeded_at": NOW,
    }  # fmt: skip
    return Payment.objects.create(**{**made, **more})


def refund(payment, amount, **more):
    made = {"payment": payment, "amount": amount, "reason": "staff", "means": "wechat", "asked_at": NOW}
    return Refund.objects.create(**{**made, "order": f"R{Refund.objects.count()}", **more})


def entry(postings, key="k"):
    house = OrganizationFactory()
    return ledger.write(key=key, kind="test", organization_id=house.pk, postings=postings, now=NOW)


def test_fund_account_and_cash_add_up_to_the_total(invoice):
    """M5: to the fen."""
    line_on(invoice)
    for wrong in ({"cash_paid": Decimal("9.99")}, {"fund_paid": Decimal("0.01")}):
        with refuses("invoice_is_borne_in_full"):
            Invoice.objects.filter(pk=invoice.pk).update(**wrong)
    with refuses("invoice_not_negative"):
        Invoice.objects.filter(pk=invoice.pk).update(fund_paid=Decimal(-1), cash_paid=Decimal(11))
    with refuses("invoice_uninsured_pays_all"):
        Invoice.objects.filter(pk=invoice.pk).update(fund_paid=Decimal(1), cash_paid=Decimal(9))


def test_an_invoice_costs_what_its_lines_cost(invoice):
    line = line_on(invoice)
    with refuses("invoice_lines_add_up"):
        Invoice.objects.filter(pk=invoice.pk).update(total=11, cash_paid=11)
    with refuses("invoice_lines_add_up"):
        ChargeItem.objects.filter(pk=line.pk).update(status="withdrawn", ended_at=NOW)
    with refuses("price_stays"):
        ChargeItem.objects.filter(pk=line.pk).update(price=TEN * 2, amount=TEN * 2)
    with refuses("chargeitem_multiplied"):
        line_on(InvoiceFactory(), quantity=2)


def test_states_move_only_as_they_may(invoice):
    line_on(invoice)
    row = paid(invoice)
    for model, pk, status in (
        (Invoice, invoice.pk, "nonsense"),
        (Payment, row.pk, "failed"),
        (Refund, refund(row, TEN, status="done", done_at=NOW).pk, "asked"),
    ):
        with refuses("Invalid transition"):
            model.objects.filter(pk=pk).update(status=status)
    for each in (invoice, row, Refund.objects.get()):
        with refuses("Cannot delete"):
            type(each).objects.filter(pk=each.pk).delete()


def test_what_was_received_is_never_changed(invoice):
    row = paid(invoice)
    with refuses("what_it_is_stays"):
        Payment.objects.filter(pk=row.pk).update(amount=Decimal("1.00"))
    with refuses("Cannot update"):
        Payment.objects.filter(pk=row.pk).update(applied=Decimal("1.00"))
    with refuses("payment_applied_once_received"):
        paid(invoice, applied=Decimal("10.01"))
    with refuses("payment_order"):
        paid(invoice, order=row.order)
    paid(invoice, reference="T1")
    with refuses("payment_one_reference_per_gateway"):
        paid(invoice, reference="T1")


def test_never_more_is_refunded_than_was_paid(invoice):
    """M6."""
    line, row = line_on(invoice, Decimal("4.00")), paid(invoice)
    refund(row, Decimal("4.00"), line=line)
    with refuses("refund_never_more_than_it_cost"):
        refund(row, Decimal("0.01"), line=line)
    refund(row, Decimal("6.00"), status="refused")
    with refuses("refund_never_more_than_was_paid"):
        refund(row, Decimal("0.01"))
    with refuses("refund_never_more_than_was_paid"):
        refund(paid(invoice, status="pending", applied=None, succeeded_at=None), TEN)
    with refuses("refund_of_something"):
        refund(row, Decimal(0))


def test_money_at_the_window_lies_in_an_open_shift(invoice):
    shift = ShiftFactory()
    cash = {"means": "cash", "gateway": "", "way": "window"}
    with refuses("payment_at_the_window_in_a_shift"):
        paid(invoice, **cash)
    with refuses("payment_by_hand_or_gateway"):
        paid(invoice, means="cash", gateway="wechat", way="window", shift=shift)
    with refuses("payment_by_terminal_has_a_reference"):
        paid(invoice, means="bank", gateway="", way="window", shift=shift)
    paid(invoice, shift=shift, **cash)
    counted = {"status": "counted", "expected": 210, "counted": 210, "difference": 0, "counted_at": NOW}
    CashierShift.objects.filter(pk=shift.pk).update(**counted)
    with refuses("money_in_an_open_shift"):
        paid(invoice, shift=shift, **cash)
    with refuses("cashiershift_one_at_a_time"):
        ShiftFactory(cashier=shift.cashier)
    with refuses("cashiershift_counted"):
        CashierShift.objects.filter(pk=shift.pk).update(counted=200)
    CashierShift.objects.filter(pk=shift.pk).update(counted=200, difference=-10)
    with refuses("cashiershift_difference_says_why"):
        CashierShift.objects.filter(pk=shift.pk).update(status="closed", closed_at=NOW)
    CashierShift.objects.filter(pk=shift.pk).update(status="closed", closed_at=NOW, note="少收一张十元")
    with refuses("closed_stays"):
        CashierShift.objects.filter(pk=shift.pk).update(note="")


def test_an_entry_balances_and_is_never_changed():
    """M8: also not by a balanced pair that comes later."""
    with refuses("ledger_entry_balances"):
        entry([*accounts.received("cash", TEN), accounts.Posting("cash", debit=Decimal("0.01"))])
    row = entry(accounts.received("cash", TEN))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    with refuses("ledger_entry_balances"):
        for side in ("debit", "credit"):
            LedgerLine.objects.create(entry=row, account=LedgerAccount.objects.first(), **{side: TEN})
    with refuses("ledgerline_on_one_side"):
        LedgerLine.objects.create(entry=row, account=LedgerAccount.objects.first(), debit=1, credit=1)
    for rows in (LedgerEntry.objects.all(), LedgerLine.objects.all()):
        with refuses("append_only"):
            rows.update(**({"kind": "x"} if rows.model is LedgerEntry else {"debit": 1}))
        with refuses("append_only"):
            rows._raw_delete(rows.db)
    assert entry(accounts.received("cash", TEN * 2)).amount == TEN  # the same key: what is there


def test_each_callback_is_kept_once():
    made = {"gateway": "wechat", "message": "m1", "kind": "payment", "received_at": NOW}
    GatewayMessage.objects.create(**made)
    with refuses("gatewaymessage_once"):
        GatewayMessage.objects.create(**made)
    with refuses("as_it_came"):
        GatewayMessage.objects.update(body={"more": 1})


def test_an_insurance_settlement_adds_up_stands_once_and_stays(invoice):
    made = {
        "organization": invoice.organization, "invoice": invoice, "insurance": "employee", "total": TEN,
        "fund_paid": Decimal(6), "account_paid": Decimal(3), "cash_paid": Decimal(1), "started_at": NOW,
    }  # fmt: skip
    with refuses("settlement_is_borne_in_full"):
        InsuranceSettlement.objects.create(**{**made, "cash_paid": Decimal(2)})
    row = InsuranceSettlement.objects.create(**made, status="settled", settled_at=NOW, number="S1")
    with refuses("settlement_one_at_a_time"):
        InsuranceSettlement.objects.create(**made, attempt=2)
    with refuses("Cannot update"):
        InsuranceSettlement.objects.filter(pk=row.pk).update(fund_paid=Decimal(5), cash_paid=Decimal(2))
    with refuses("settlement_settled_has_a_number"):
        InsuranceSettlement.objects.create(**{**made, "invoice": InvoiceFactory()}, status="settled", settled_at=NOW)


def test_a_day_with_differences_is_not_closed(invoice):
    day = Reconciliation.objects.create(organization=invoice.organization, gateway="wechat", day=TODAY)
    with refuses("reconciliation_once_a_day"):
        Reconciliation.objects.create(organization=invoice.organization, gateway="wechat", day=TODAY)
    row = BillRow.objects.create(reconciliation=day, kind="payment", order="P9", reference="T9", amount=TEN)
    with refuses("difference_is_one"):
        Difference.objects.create(reconciliation=day, kind="ours_only", row=row, theirs=TEN, cure="by_hand")
    Difference.objects.create(reconciliation=day, kind="theirs_only", row=row, theirs=TEN, cure="refund")
    closed = {"status": "closed", "closed_at": NOW}
    with refuses("reconciliation_closed_without_differences"):
        Reconciliation.objects.update(**closed)
    Difference.objects.update(settled_at=NOW)
    Reconciliation.objects.update(**closed)
    with refuses("difference_of_an_open_day"):
        Difference.objects.create(reconciliation=day, kind="theirs_only", row=row, theirs=TEN, cure="refund")


def test_agreements_receipts_and_cases(invoice):
    patient = PatientFactory()
    credit_for(patient)
    with refuses("creditagreement_one_at_a_time"):
        credit_for(patient)
    receipt = {
        "organization": invoice.organization, "invoice": invoice, "kind": "einvoice", "total": TEN, "cash_paid": TEN,
        "asked_at": NOW,
    }  # fmt: skip
    Receipt.objects.create(**receipt, request="r1")
    with refuses("receipt_one_of_a_kind"):
        Receipt.objects.create(**receipt, request="r2")
    with refuses("receipt_issued_has_a_number"):
        Receipt.objects.update(status="issued", issued_at=NOW)
    MoneyCase.objects.create(kind="unknown", key="k", opened_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        MoneyCase.objects.create(kind="unknown", key="k", opened_at=NOW)
    pays_first()
    with refuses("paymentrule_one_a_day"):
        pays_first()
    with refuses("paymentrule_sensible"):
        pays_first(credit_limit=Decimal(-1), since=TODAY)
