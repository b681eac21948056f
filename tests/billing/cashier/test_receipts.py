"""M9: numbers from the finance platform over a real line; voided and issued anew when something goes back."""

from datetime import timedelta
from decimal import Decimal as Yuan
from threading import Thread

import pytest

from billing.errors import NoPlatform, NotYetPaid, OtherReceiptThere, ReceiptOver, ReceiptUnderWay, WhyVoid
from billing.gateways import ports
from billing.gateways.finance_platform import Account, FinancePlatform
from billing.models import Receipt
from billing.services import jobs, receipts, refunding
from billing.services import window as service
from hospital import outbox
from simulators.finance.book import Book
from simulators.finance.server import Server
from tests.factories import NOW, StaffFactory

SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def platform(db):
    server = Server(("127.0.0.1", 0), book=Book(), app="H1", key="secret")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    account = Account(url=f"http://127.0.0.1:{server.server_address[1]}/api", app="H1", key="secret")
    ports.register("receipt", FinancePlatform(account))
    yield server
    ports.forget("receipt", "finance")
    server.shutdown(), server.server_close(), thread.join()


@pytest.fixture
def paid(window):
    """A service of two booklets, paid in cash: 5.00; and a third one."""
    about = {"patient": window.patient, "organization": window.shift.organization, "by": window.cashier, "now": NOW}
    invoice = service.sell(code="BL01", quantity=2, **about)
    service.sell(code="BL01", quantity=1, invoice=invoice, **about)
    invoice.refresh_from_db()
    service.take(
        invoice=invoice, shown=invoice.cash_paid, cash=Yuan("10"), slips=[], request_key="k",
        shift=window.shift, by=window.cashier, now=NOW,
    )  # fmt: skip
    invoice.refresh_from_db()
    return invoice


def issue(invoice, *, kind="einvoice", now=NOW) -> Receipt:
    row = receipts.ask(invoice=invoice, kind=kind, by=None, now=now)
    jobs.catch_up(now=now)
    row.refresh_from_db()
    return row


def facts(now=SOON):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def test_a_paid_bill_gets_one_number_however_often_it_is_asked_for(paid, platform):
    row, again = issue(paid), issue(paid)
    assert (again, row.status, row.code, row.number, row.total) == (
        row, "issued", "11060126", "0000000001", Yuan("7.50")
    )  # fmt: skip
    assert [each["amount"] for each in row.lines] == ["5.00", "2.50"]
    with pytest.raises(OtherReceiptThere):
        receipts.ask(invoice=paid, kind="receipt", by=None, now=NOW)
    with pytest.raises(ReceiptOver):
        receipts.again(receipt=row, by=StaffFactory(roles="cashier"), now=SOON)
    assert platform.seen == [("invoiceEBillOutpatient", row.request)]


def test_an_answer_that_was_lost_is_the_same_number_on_the_next_try(paid, platform):
    """The platform did it, and the line broke."""
    platform.script |= {"away": 1, "lost": 1}
    row = issue(paid)
    assert (row.status, row.next_try_at > NOW) == ("asked", True)
    jobs.catch_up(now=SOON)
    jobs.catch_up(now=LATER)
    row.refresh_from_db()
    assert (row.status, row.number, len(platform.seen)) == ("issued", "0000000001", 2)


def test_what_goes_back_voids_the_receipt_and_a_new_one_says_what_stays(paid, window, platform):
    first = issue(paid)
    line = paid.lines.order_by("pk").last()
    facts(now=NOW)
    refunding.by_staff(line=line, by=window.cashier, now=SOON)
    facts()
    first.refresh_from_db()
    assert (first.status, first.why, first.reissue) == ("voiding", "退费", True)
    jobs.catch_up(now=SOON)
    jobs.catch_up(now=SOON)
    first.refresh_from_db()
    second = first.replaced_by
    assert (first.status, first.red_number, second.status, second.number, second.total) == (
        "void", "9000000001", "issued", "0000000002", Yuan("5.00")
    )  # fmt: skip

    refunding.by_staff(line=paid.lines.order_by("pk").first(), by=window.cashier, now=LATER)
    facts(LATER), jobs.catch_up(now=LATER), facts(LATER)
    assert list(Receipt.objects.order_by("pk").values_list("status", flat=True)) == ["void", "void"]


def test_what_goes_back_while_the_number_is_asked_for_is_seen_when_it_comes(paid, window, platform):
    row = receipts.ask(invoice=paid, kind="einvoice", by=None, now=NOW)
    refunding.by_staff(line=paid.lines.order_by("pk").last(), by=window.cashier, now=SOON)
    facts()
    for _round in range(3):
        jobs.catch_up(now=SOON)
    row.refresh_from_db()
    assert (row.status, row.replaced_by.status, row.replaced_by.total) == ("void", "issued", Yuan("5.00"))


def test_voided_by_hand_it_is_exchanged_for_a_paper_one(paid, window, platform):
    row = issue(paid)
    with pytest.raises(WhyVoid):
        receipts.void(receipt=row, why=" ", by=window.cashier, now=SOON, reissue=False)
    receipts.void(receipt=row, why="换开纸质收据", by=window.cashier, now=SOON, reissue=False)
    with pytest.raises(ReceiptUnderWay):
        receipts.ask(invoice=paid, kind="receipt", by=window.cashier, now=SOON)
    jobs.catch_up(now=SOON)
    paper = issue(paid, kind="receipt", now=SOON)
    assert (paper.replaces, paper.code, paper.status) == (row, "11010126", "issued")


def test_what_the_platform_refuses_is_kept_for_the_window_and_asked_for_again(paid, window, platform):
    platform.script |= {"refuse": "E1001"}
    row = issue(paid)
    assert (row.status, row.next_try_at) == ("refused", None)
    assert receipts.again(receipt=row, by=window.cashier, now=SOON) == row
    jobs.catch_up(now=SOON)
    row.refresh_from_db()
    assert row.status == "issued"

    platform.script |= {"refuse": "E1005"}
    receipts.void(receipt=row, why="抬头有误", by=window.cashier, now=SOON, reissue=True)
    jobs.catch_up(now=SOON)
    row.refresh_from_db()
    assert row.status == "issued"  # still counts


def test_only_what_is_paid_gets_a_receipt_and_only_where_there_is_a_platform(window, paid, platform):
    with pytest.raises(NotYetPaid):
        receipts.ask(invoice=window.invoice(), kind="einvoice", by=None, now=NOW)
    ports.forget("receipt", "finance")
    with pytest.raises(NoPlatform):
        receipts.ask(invoice=paid, kind="einvoice", by=None, now=NOW)


class Remembering(Book):
    """Keeps what it was told last."""

    def do(self, deed, given):
        self.told = given
        return super().do(deed, given)


def test_the_platform_is_told_the_hour_of_the_hospital(paid, platform):
    platform.book = Remembering()
    issue(paid)
    assert platform.book.told["busDateTime"] == "20261123100000"


def test_an_answer_that_is_not_signed_with_our_key_says_nothing(paid, platform):
    platform.key = "another"
    account = Account(url=f"http://127.0.0.1:{platform.server_address[1]}/api", app="H1", key="secret")
    ports.register("receipt", FinancePlatform(account))
    assert issue(paid).status == "asked"
