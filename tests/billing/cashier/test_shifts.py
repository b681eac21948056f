"""M8: a drawer is opened, counted against the journal and closed; every fen of it is explained."""

from datetime import timedelta
from decimal import Decimal as Yuan

import pytest
from django.db import IntegrityError, transaction

from appointments import invariants
from appointments.services import changes
from billing.errors import (
    CountedAlready,
    CountedByYou,
    DifferenceUnexplained,
    DrawerInUse,
    NeedsReference,
    PaymentSettled,
    ShiftNotCounted,
    ShiftNotOpen,
    ShiftOpenAlready,
    ShiftUncertain,
    SlipUsed,
)
from billing.models import CashierShift, Payment, Refund
from billing.policies.window import Slip
from billing.selectors import drawers
from billing.selectors.ledger import balance
from billing.services import invoicing, paying, refunding, shifts
from billing.services import window as service
from hospital.models import AuditEvent, RoleAssignment, User
from tests.factories import NOW, OrganizationFactory, PatientFactory, StaffFactory

SOON = NOW + timedelta(minutes=1)


def take(window, invoice, *, cash=None, slips=(), key="k1", now=NOW):
    return service.take(
        invoice=invoice, shown=invoice.cash_paid, cash=cash, slips=list(slips), request_key=key,
        shift=window.shift, by=window.cashier, now=now,
    )  # fmt: skip


def test_a_drawer_should_hold_its_change_and_what_was_taken_less_what_was_given_back(window):
    row = window.hold()
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    take(window, invoice, cash=Yuan("50"))
    take(window, window.invoice(), slips=[Slip("cheque", "C77")], key="k2")
    changes.cancel(appointment=row, by=None, channel="counter", now=SOON)
    refunding.return_line(line=invoice.lines.get().pk, reason="cancelled", by=None, now=SOON)
    [refund] = Refund.objects.all()
    service.hand_out(refund=refund, means="cash", reference="", by=window.cashier, now=SOON)

    assert [(row.means, row.taken, row.given_back) for row in drawers.through(window.shift)] == [
        ("cash", Yuan("20.00"), Yuan("20.00")), ("cheque", Yuan("20.00"), Yuan(0))
    ]  # fmt: skip
    counted = shifts.count(shift=window.shift, counted=Yuan("199.50"), cheques=1, by=window.cashier, now=SOON)
    assert (counted.status, counted.expected, counted.difference) == ("counted", Yuan("200.00"), Yuan("-0.50"))

    with pytest.raises(DifferenceUnexplained):
        shifts.close(shift=counted, note=" ", by=window.cashier, now=SOON)
    other = StaffFactory(roles="cashier")
    closed = shifts.close(shift=counted, note="找零少了五角", by=other, now=SOON)
    shifts.close(shift=counted, note="", by=other, now=SOON)  # twice is once
    assert (closed.status, closed.checked_by) == ("closed", other)
    assert (balance("over_short"), balance("cash")) == (Yuan("0.50"), Yuan("-0.50"))
    assert invariants.violations(now=NOW) == []
    assert list(AuditEvent.objects.filter(subject=f"shift:{closed.pk}").values_list("action", flat=True)) == [
        "shift.counted", "shift.closed"
    ]  # fmt: skip


def test_a_cashier_has_one_drawer_at_a_time_and_takes_into_no_other(window):
    with pytest.raises(ShiftOpenAlready):
        shifts.open_(organization=OrganizationFactory(), cashier=window.cashier, window="2", change=Yuan(0), now=NOW)
    shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=window.cashier, now=NOW)
    with pytest.raises(ShiftNotOpen):
        take(window, window.invoice())
    with pytest.raises(CountedAlready):
        shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=window.cashier, now=NOW)
    shifts.reopen(shift=window.shift, by=window.cashier, now=NOW)
    take(window, window.invoice())
    with pytest.raises(ShiftNotCounted):
        shifts.close(shift=window.shift, note="", by=window.cashier, now=NOW)


def test_cheques_that_are_missing_need_a_word_too(window):
    take(window, window.invoice(), slips=[Slip("cheque", "C77")])
    shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=window.cashier, now=SOON)
    with pytest.raises(DifferenceUnexplained):
        shifts.close(shift=window.shift, note="", by=window.cashier, now=SOON)


def test_what_was_begun_and_cut_off_is_decided_before_the_drawer_is_counted(window):
    """A worker that died between the two halves of taking cash."""
    first, second = window.invoice(), window.invoice()
    cut = [
        paying.begin(invoice=row, means="cash", way="window", by=window.cashier, shift=window.shift, now=NOW)
        for row in (first, second)
    ]
    with pytest.raises(ShiftUncertain):
        shifts.count(shift=window.shift, counted=Yuan("220"), cheques=0, by=window.cashier, now=SOON)
    shifts.was_received(payment=cut[0], by=window.cashier, now=SOON)
    shifts.was_not_received(payment=cut[1], by=window.cashier, now=SOON)
    cut[1].refresh_from_db()
    with pytest.raises(PaymentSettled):
        shifts.was_received(payment=cut[1], by=window.cashier, now=SOON)
    row = shifts.count(shift=window.shift, counted=Yuan("220"), cheques=0, by=window.cashier, now=SOON)
    assert (row.difference, CashierShift.objects.get().status) == (0, "counted")


def test_the_same_page_pressed_twice_takes_once(window):
    invoice = window.invoice()
    shown = invoice.cash_paid
    slips = [Slip("bank", "T1", Yuan("5.00"))]
    for _press in range(2):
        found = service.take(
            invoice=invoice, shown=shown, cash=Yuan("100"), slips=slips, request_key="k", shift=window.shift,
            by=window.cashier, now=NOW,
        )  # fmt: skip
    assert found.change == Yuan("85.00")
    assert sorted(Payment.objects.values_list("means", "amount", "applied")) == [
        ("bank", Yuan("5.00"), Yuan("5.00")), ("cash", Yuan("15.00"), Yuan("15.00"))
    ]  # fmt: skip
    invoice.refresh_from_db()
    assert invoice.status == "paid"


# ---- a drawer left behind ----

LATER = NOW + timedelta(hours=17)


def test_who_did_not_come_back_is_counted_for_by_one_and_checked_by_another(window):
    take(window, window.invoice(), cash=Yuan("20"))
    colleague, other = StaffFactory(roles="cashier"), StaffFactory(roles="finance")
    with pytest.raises(DrawerInUse):
        shifts.count(shift=window.shift, counted=Yuan("220"), cheques=0, by=colleague, now=SOON)

    counted = shifts.count(shift=window.shift, counted=Yuan("220"), cheques=0, by=colleague, now=LATER)
    assert (counted.status, counted.counted_by) == ("counted", colleague)
    with pytest.raises(CountedByYou):
        shifts.close(shift=counted, note="", by=colleague, now=LATER)
    closed = shifts.close(shift=counted, note="", by=other, now=LATER)
    assert (closed.status, closed.checked_by) == ("closed", other)


@pytest.mark.parametrize("gone", ["switched off", "works elsewhere"])
def test_a_cashier_who_left_the_house_leaves_the_drawer_to_others_at_once(window, gone):
    if gone == "switched off":
        User.objects.filter(pk=window.cashier.pk).update(is_active=False)
    else:
        RoleAssignment.objects.filter(user=window.cashier).delete()
    assert shifts.count(
        shift=window.shift, counted=Yuan("200"), cheques=0, by=StaffFactory(roles="finance"), now=SOON
    ).counted_by


def test_of_a_code_only_its_gateway_says_that_it_was_paid(window, wechat):
    about = {"means": "wechat", "way": "window", "by": window.cashier, "shift": window.shift}
    code = paying.begin(invoice=window.invoice(), **about, now=NOW)
    with pytest.raises(PaymentSettled):
        shifts.was_received(payment=code, by=window.cashier, now=SOON)
    code.refresh_from_db()
    assert code.status == "pending"


def test_who_comes_back_after_all_closes_or_opens_it_again(window):
    colleague = StaffFactory(roles="cashier")
    counted = shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=colleague, now=LATER)
    again = shifts.reopen(shift=counted, by=window.cashier, now=LATER)
    assert (again.status, again.counted_by) == ("open", None)
    counted = shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=colleague, now=LATER)
    assert shifts.close(shift=counted, note="", by=window.cashier, now=LATER).checked_by is None


def test_the_database_wants_two_pairs_of_eyes(window):
    colleague = StaffFactory(roles="cashier")
    counted = shifts.count(shift=window.shift, counted=Yuan("200"), cheques=0, by=colleague, now=LATER)
    with pytest.raises(IntegrityError, match="cashiershift_two_pairs_of_eyes"), transaction.atomic():
        CashierShift.objects.filter(pk=counted.pk).update(status="closed", closed_at=LATER, checked_by=colleague)


def test_what_was_cut_off_in_a_drawer_left_behind_is_answered_by_who_counts_it(window):
    invoice = window.invoice()
    cut = paying.begin(
        invoice=invoice, means="cash", way="window", by=window.cashier, now=NOW, shift=window.shift
    )  # fmt: skip
    colleague = StaffFactory(roles="cashier")
    with pytest.raises(DrawerInUse):
        shifts.was_received(payment=cut, by=colleague, now=SOON)
    shifts.was_received(payment=cut, by=colleague, now=LATER)
    invoice.refresh_from_db()
    assert invoice.status == "paid"


# ---- one slip, one bill ----


@pytest.mark.parametrize("means", ["bank", "cheque"])
def test_a_slip_pays_one_bill_a_day(window, means):
    slip = [Slip(means, "000123")]
    take(window, window.invoice(), slips=slip)
    other = window.invoice(PatientFactory())
    with pytest.raises(SlipUsed):
        take(window, other, slips=slip, key="k2")
    assert other.payments.count() == 0
    take(window, other, slips=slip, key="k3", now=NOW + timedelta(days=1))  # terminals begin again


def test_a_slip_that_was_not_taken_after_all_pays_another_bill(window):
    cut = paying.begin(
        invoice=window.invoice(), means="bank", way="window", by=window.cashier, now=NOW, shift=window.shift,
        reference="000123",
    )  # fmt: skip
    shifts.was_not_received(payment=cut, by=window.cashier, now=NOW)
    take(window, window.invoice(PatientFactory()), slips=[Slip("bank", "000123")])


def test_what_a_terminal_or_a_cheque_pays_or_gives_back_is_found_again_by_its_number(window):
    row = window.hold()
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    about = {"invoice": invoice, "means": "bank", "way": "window", "by": window.cashier, "shift": window.shift}
    with pytest.raises(NeedsReference):
        paying.take(**about, reference=" ", now=NOW)
    assert not invoice.payments.exists()
    paying.take(**about, reference="T1", now=NOW)
    changes.cancel(appointment=row, by=None, channel="counter", now=SOON)
    refunding.return_line(line=invoice.lines.get().pk, reason="cancelled", by=None, now=SOON)
    back = {"refund": Refund.objects.get(), "means": "bank", "by": window.cashier, "now": SOON}
    with pytest.raises(NeedsReference):
        service.hand_out(**back, reference="")
    assert service.hand_out(**back, reference="T2").reference == "T2"
