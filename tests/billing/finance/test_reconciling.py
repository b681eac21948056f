"""M8: a gateway's day beside ours: what fits is closed by itself, what does not is listed with a cure, and no yuan is
left on the gateway's account that a bill does not explain."""

from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from appointments import invariants
from appointments.services import changes
from billing import invariants as ours
from billing.errors.finance import (
    BillAway,
    BillUnfit,
    DayClosed,
    DayNotExplained,
    DifferenceSettled,
    NotToBeSentBack,
)
from billing.gateways import ports
from billing.models import (
    BillRow,
    ChargeItem,
    Difference,
    LedgerEntry,
    MoneyCase,
    Payment,
    Reconciliation,
    Refund,
    UnownedReturn,
)
from billing.policies.paying import Said
from billing.selectors.ledger import balance
from billing.services import hearing, jobs, paying, reconciling, refunding, sending_back, settling_cases
from hospital import clock
from hospital.models import AuditEvent
from tests.factories import NOW, TODAY, OrganizationFactory

from .conftest import NEXT_DAY, bill_line

pytestmark = pytest.mark.django_db
MIDNIGHT = clock.at(TODAY, time(23, 59, 30))
Status = Reconciliation.Status


def reconcile(day=TODAY, *, now=NEXT_DAY) -> Reconciliation:
    return reconciling.reconcile(organization_id=OrganizationFactory().pk, gateway="wechat", day=day, now=now)


def listed(row) -> list[tuple]:
    rows = Difference.objects.filter(reconciliation=row).order_by("pk")
    return [(each.kind, each.cure, each.settled_at is not None) for each in rows]


def all_is_explained(now=NEXT_DAY):
    names = {each.invariant.name for each in invariants.violations(now=now)}
    assert names & {each.name for each in ours.INVARIANTS} == set()


def back(payment, now=NOW) -> Refund:
    """Given back by the gateway, the whole of it."""
    line = ChargeItem.objects.get(invoice=payment.invoice_id)
    changes.cancel(appointment=line.appointment, by=None, channel="counter", now=now)
    refunding.of_booking(kind="appointment", booking=line.appointment_id, reason="cancelled", by=None, now=now)
    refund = Refund.objects.get(payment=payment)
    refunding.send(refund=refund, now=now)
    refund.refresh_from_db()
    return refund


def test_a_day_on_which_all_fits_is_closed_and_reaches_the_bank(paid, wechat):
    first, second = paid(), paid()
    refund = back(second)
    wechat.write(bill_line(first.order), bill_line(second.order),
                 bill_line(refund.order, kind="refund", reference=refund.reference, fee="-0.12"))  # fmt: skip

    row = reconcile()

    assert (row.status, row.theirs, row.ours) == (Status.CLOSED, 3, 3)
    assert (row.received, row.given_back, row.fees) == (Decimal(40), Decimal(20), Decimal("0.12"))
    assert balance("wechat") == 0
    assert (balance("at_bank"), balance("fees")) == (Decimal("19.88"), Decimal("0.12"))
    assert LedgerEntry.objects.get(kind="payout").reconciliation == row
    assert AuditEvent.objects.filter(action="reconciliation.closed", subject=f"reconciliation:{row.pk}").count() == 1
    assert reconcile().pk == row.pk
    assert LedgerEntry.objects.filter(kind="payout").count() == 1
    all_is_explained()


def test_a_lost_callback_is_taken_from_the_bill_and_the_number_confirmed(begun, wechat):
    payment = begun()
    wechat.pay(payment.order)
    wechat.write(bill_line(payment.order))

    row = reconcile()

    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert listed(row) == [("theirs_only", "take", True)]
    assert row.status == Status.CLOSED
    wechat.write(day=TODAY + timedelta(days=1))
    assert (
        reconcile(TODAY + timedelta(days=1), now=NEXT_DAY + timedelta(days=1)).status == Status.CLOSED
    )  # not ours only
    all_is_explained()


def test_money_for_an_order_nobody_knows_is_booked_and_goes_back_whole(paid, wechat, finance):
    payment = paid()
    wechat.orders["X1"] = {"amount": Decimal("7.50"), "state": ports.State.DONE}
    wechat.write(bill_line(payment.order), bill_line("X1", "7.50", reference="T-X1", fee="0.05"))
    row = reconcile()
    assert listed(row) == [("theirs_only", "refund", False)]
    assert row.status == Status.COMPARED
    with pytest.raises(DayNotExplained):
        reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)
    with pytest.raises(IntegrityError), transaction.atomic():  # the database says the same
        Reconciliation.objects.filter(pk=row.pk).update(status="closed", closed_at=NEXT_DAY)

    wechat.away = ["after"]  # it did what was asked, and the answer was lost
    difference = Difference.objects.get()
    reconciling.send_back(difference=difference, by=finance, now=NEXT_DAY)
    assert balance("unowned") == Decimal("-7.50")
    all_is_explained()
    with pytest.raises(DifferenceSettled):
        reconciling.by_hand(difference=difference, note="已核实", by=finance, now=NEXT_DAY)

    wechat.refuses = {"refund"}  # it is looked up first, not sent again
    jobs.catch_up(now=NEXT_DAY + timedelta(minutes=2))
    assert [one["amount"] for one in wechat.refunds.values()] == [Decimal("7.50")]
    assert balance("unowned") == 0
    sent = UnownedReturn.objects.get()
    news = ports.News(sent.number, ports.State.DONE, sent.amount, "RT-X1")
    told = hearing.hear(gateway="wechat", organization=row.organization_id, digest="d" * 64, now=NEXT_DAY,
                        notice=ports.Notice("N1", "refund", news))  # fmt: skip
    assert told.verdict == "again"  # the gateway's own notice of it is nobody's case
    assert MoneyCase.objects.get().settled_by == finance
    assert reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY).closed_by == finance
    wechat.write(bill_line(sent.number, "7.50", kind="refund", fee="0"), day=clock.today(NEXT_DAY))
    assert reconcile(clock.today(NEXT_DAY), now=NEXT_DAY + timedelta(days=1)).status == Status.CLOSED
    assert balance("wechat") == 0
    all_is_explained()


def test_a_refused_return_waits_for_a_transfer_from_the_bank(paid, wechat, finance):
    paid()
    wechat.orders["X1"] = {"amount": Decimal(9), "state": ports.State.DONE}
    wechat.refuses = {"refund"}
    wechat.write(bill_line(Payment.objects.get().order), bill_line("X1", "9.00"))
    row = reconcile()
    reconciling.send_back(difference=Difference.objects.get(), by=finance, now=NEXT_DAY)
    case = MoneyCase.objects.get()
    assert (case.sent_back.status, settling_cases.ways(case)) == ("refused", ["transfer"])
    reconciling.by_hand(difference=Difference.objects.get(), note="渠道拒绝，转账退", by=finance, now=NEXT_DAY)
    reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)
    all_is_explained()

    settling_cases.settle(case=case, way="transfer", note="已转账", by=finance, now=NEXT_DAY)

    assert (balance("unowned"), balance("wechat")) == (0, 0)
    with pytest.raises(DifferenceSettled):
        settling_cases.settle(case=case, way="transfer", note="已转账", by=finance, now=NEXT_DAY)
    all_is_explained()


def test_that_it_never_came_is_said_only_of_what_stands_on_no_bill(begun, wechat, finance):
    payment = begun()
    wechat.pay(payment.order)
    paying.succeed(order=payment.order, said=Said(Decimal(21), "T-21"), now=NOW)  # the callback
    case = MoneyCase.objects.get()
    assert settling_cases.ways(case) == ["transfer", "never"]

    wechat.write(bill_line(payment.order, "21.00", reference="T-21"))
    reconcile()
    assert settling_cases.ways(case) == ["transfer"]
    with pytest.raises(NotToBeSentBack):
        settling_cases.settle(case=case, way="never", note="渠道说没有", by=finance, now=NEXT_DAY)


def test_what_came_with_another_amount_goes_back_once_whoever_told_of_it(begun, wechat, finance):
    payment = begun()
    wechat.pay(payment.order)
    paying.succeed(order=payment.order, said=Said(Decimal(21), "T-21"), now=NOW)  # the callback
    wechat.write(bill_line(payment.order, "21.00", reference="T-21"))

    row = reconcile()

    assert listed(row) == [("amount", "refund", False)]
    wechat.orders[payment.order]["amount"] = Decimal(21)
    reconciling.send_back(difference=Difference.objects.get(), by=finance, now=NEXT_DAY)
    assert balance("unowned") == 0
    assert MoneyCase.objects.filter(settled_at=None).count() == 0
    assert LedgerEntry.objects.filter(kind="unowned").count() == 1
    all_is_explained()


def test_a_wrong_amount_may_go_back_before_any_bill(begun, wechat, finance):
    payment = begun()
    wechat.pay(payment.order)
    paying.succeed(order=payment.order, said=Said(Decimal(21), "T-21"), now=NOW)
    wechat.orders[payment.order]["amount"] = Decimal(21)
    sending_back.of_case(case=MoneyCase.objects.get(), by=finance, now=NOW)
    wechat.write(bill_line(payment.order, "21.00", reference="T-21"),
                 bill_line(UnownedReturn.objects.get().number, "21.00", kind="refund", fee="0"))  # fmt: skip

    assert reconcile().status == Status.CLOSED
    assert (balance("wechat"), balance("unowned")) == (0, 0)
    all_is_explained()


def test_what_was_taken_goes_back_by_its_lines_only(begun, wechat, finance):
    """A callback of another amount came first, then the right one."""
    payment = begun()
    paying.succeed(order=payment.order, said=Said(Decimal(21), "T-21"), now=NOW)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=NOW)
    with pytest.raises(NotToBeSentBack):
        sending_back.of_case(case=MoneyCase.objects.get(), by=finance, now=NOW)
    assert not UnownedReturn.objects.exists()


def test_at_midnight_the_other_sides_next_day_explains_it(paid, wechat):
    late = paid(now=MIDNIGHT)
    row = reconcile()
    assert listed(row) == [("ours_only", "next_day", False)]

    wechat.write(bill_line(late.order, at=MIDNIGHT + timedelta(minutes=1)), day=TODAY + timedelta(days=1))
    tomorrow = reconcile(TODAY + timedelta(days=1), now=NEXT_DAY + timedelta(days=1))

    row.refresh_from_db()
    assert (row.status, tomorrow.status) == (Status.CLOSED, Status.CLOSED)
    assert listed(tomorrow) == []
    assert balance("wechat") == 0
    all_is_explained()


def test_what_the_next_day_does_not_explain_is_for_a_person(paid, wechat):
    """Nothing waits for a bill that came already."""
    paid(now=MIDNIGHT)
    row = reconcile()
    wechat.write(day=TODAY + timedelta(days=1))
    reconcile(TODAY + timedelta(days=1), now=NEXT_DAY + timedelta(days=1))
    assert listed(row) == [("ours_only", "by_hand", False)]


@pytest.mark.parametrize(
    ("theirs", "over_short", "unowned"), [("19.00", Decimal(1), Decimal(0)), ("21.00", Decimal(0), Decimal(-1))]
)
def test_what_we_took_and_the_bill_says_otherwise_is_never_sent_back_by_itself(
    paid, wechat, finance, theirs, over_short, unowned
):
    """The number stands: only the difference is a loss, or somebody's."""
    payment = paid()
    wechat.write(bill_line(payment.order, theirs, fee="0"))
    row = reconcile()
    assert listed(row) == [("amount", "by_hand", False)]

    reconciling.by_hand(difference=Difference.objects.get(), note="已与渠道核对", by=finance, now=NEXT_DAY)
    reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)

    assert (balance("wechat"), balance("over_short"), balance("unowned")) == (0, over_short, unowned)
    all_is_explained()


def test_what_the_gateway_never_had_is_a_loss_until_it_turns_up(paid, wechat, finance):
    payment = paid()
    row = reconcile()
    assert listed(row) == [("ours_only", "by_hand", False)]
    reconciling.by_hand(difference=Difference.objects.get(), note="渠道查无此笔", by=finance, now=NEXT_DAY)
    reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)
    assert (balance("wechat"), balance("over_short")) == (0, Decimal(20))
    with pytest.raises(DayClosed):
        reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)

    wechat.write(bill_line(payment.order), day=TODAY + timedelta(days=1))
    reconcile(TODAY + timedelta(days=1), now=NEXT_DAY + timedelta(days=1))

    assert (balance("wechat"), balance("over_short")) == (0, 0)
    all_is_explained()


def test_what_the_gateway_gave_back_by_itself_is_listed_for_a_person(paid, wechat, finance):
    payment = paid()
    wechat.write(bill_line(payment.order), bill_line("R-of-the-console", "5.00", kind="refund", fee="0"))
    row = reconcile()
    assert listed(row) == [("theirs_only", "by_hand", False)]
    reconciling.by_hand(difference=Difference.objects.get(), note="在商户平台误退", by=finance, now=NEXT_DAY)
    reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)
    assert (balance("wechat"), balance("over_short")) == (0, Decimal(5))
    all_is_explained()


def test_a_refund_that_is_not_done_here_leaves_nothing_on_the_gateways_account(paid, wechat, finance):
    payment = paid()
    wechat.refuses = {"refund"}
    refund = back(payment)
    wechat.write(bill_line(payment.order), bill_line(refund.order, "15.00", kind="refund", fee="0"))
    row = reconcile()
    assert (refund.status, listed(row)) == ("refused", [("amount", "by_hand", False)])

    reconciling.by_hand(difference=Difference.objects.get(), note="渠道只退了 15 元", by=finance, now=NEXT_DAY)
    reconciling.close(reconciliation=row, by=finance, now=NEXT_DAY)

    assert (balance("wechat"), balance("over_short"), balance("unowned")) == (0, 15, 0)
    all_is_explained()


def test_a_refund_that_was_said_to_be_done_and_is_on_no_bill_is_for_a_person(paid, wechat):
    payment = paid()
    assert back(payment).status == "done"
    wechat.write(bill_line(payment.order, fee="0"))
    row = reconcile()
    assert (row.status, listed(row)) == ("compared", [("ours_only", "by_hand", False)])


def test_a_refund_whose_answer_was_lost_is_done_by_the_bill(paid, wechat):
    payment = paid()
    wechat.away = ["after"]
    refund = back(payment)
    assert refund.status == "asked"
    wechat.write(bill_line(payment.order), bill_line(refund.order, kind="refund", reference="RT1", fee="0"))
    assert listed(reconcile()) == [("theirs_only", "take", True)]
    refund.refresh_from_db()
    assert (refund.status, balance("wechat")) == ("done", Decimal(0))


@pytest.mark.parametrize(
    "lines",
    [
        [bill_line("A"), bill_line("A")],
        [bill_line("A", "0.00")],
        [bill_line("A", "1.005")],
        [ports.BillLine(
            "payment", "", "", Decimal(1), Decimal(0), NOW)],
        [ports.BillLine("gift", "A", "T", Decimal(1), Decimal(0), NOW)],
        [bill_line("A" * 33)],
    ],
)  # fmt: skip
def test_a_bill_that_cannot_be_is_refused_whole_and_kept_for_the_office(lines, paid, wechat):
    paid()
    wechat.write(bill_line(Payment.objects.get().order), *lines)
    with pytest.raises(BillUnfit):
        reconcile()
    assert BillRow.objects.count() == 0
    assert MoneyCase.objects.get().kind == "stuck"


def test_a_bill_that_does_not_come_holds_nobody_up_and_is_told_after_two_days(paid, wechat):
    paid()
    wechat.no_bill = True
    with pytest.raises(BillAway):
        reconcile()
    assert MoneyCase.objects.count() == 0
    assert reconciling.work(now=NEXT_DAY + timedelta(days=3)) == 4  # each day since the first payment
    assert MoneyCase.objects.filter(kind="stuck").count() == 2
    wechat.no_bill = False
    wechat.write(bill_line(Payment.objects.get().order))
    reconciling.work(now=NEXT_DAY + timedelta(days=3))
    assert set(Reconciliation.objects.values_list("status", flat=True)) == {"closed"}
    assert MoneyCase.objects.filter(settled_at=None).count() == 0


def test_a_day_on_which_something_breaks_holds_up_no_other(paid, wechat):
    paid()
    wechat.write(None)  # nothing that a bill could have
    assert reconciling.work(now=NEXT_DAY + timedelta(days=1)) == 2
    assert list(Reconciliation.objects.order_by("day").values_list("status", flat=True)) == ["fetching", "closed"]


def test_houses_that_share_an_account_each_keep_their_own_rows(paid, wechat):
    payment = paid()
    other = OrganizationFactory(code="H2")
    wechat.write(bill_line(payment.order), bill_line("X1"))
    row = reconciling.reconcile(organization_id=other.pk, gateway="wechat", day=TODAY, now=NEXT_DAY)
    assert (row.theirs, row.status) == (0, Status.CLOSED)
    assert reconcile().theirs == 2  # what nobody knows is the first house's to give back, once
