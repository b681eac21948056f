"""M8, M9: what the last walk over the money found."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from appointments import invariants
from appointments.services import booking
from billing.errors.finance import DifferenceSettled
from billing.models import CashierShift, ChargeItem, MoneyCase, Payment, Refund
from billing.policies.paying import Said
from billing.selectors.ledger import balance
from billing.services import following, invoicing, paying, refunding, sending_back, settling_cases, shifts
from hospital.models import PriceItem, RoleAssignment
from tests.factories import NOW, OrganizationFactory, PatientFactory, ServiceFactory, StaffFactory, open_schedule
from tests.factories.billing import ShiftFactory, held_number, pays_first

SOON = NOW + timedelta(minutes=1)


@pytest.mark.django_db
def test_a_code_of_a_window_is_paid_after_its_drawer_was_counted(wechat):
    """M8: the money is there; it lies with the gateway, not in the drawer."""
    shift = ShiftFactory()
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    code = paying.begin(invoice=invoice, means="wechat", way="window", shift=shift, by=shift.cashier, now=NOW)
    shifts.count(shift=shift, counted=shift.change, cheques=0, by=shift.cashier, now=NOW)
    shifts.close(shift=CashierShift.objects.get(), note="", by=shift.cashier, now=NOW)
    outcome = paying.succeed(order=code.order, said=wechat.pay(code.order), now=SOON)

    assert (outcome.verdict, Payment.objects.get().status) == ("taken", "succeeded")
    invoice.refresh_from_db()
    assert invoice.status == "paid"


@pytest.mark.django_db
def test_a_free_number_moved_to_one_with_a_fee_is_owed():
    """M2: as a number moved to a dearer one is; no number of a prepaid channel is confirmed unpaid."""
    pays_first()
    free = open_schedule(service=ServiceFactory(code="free", price_code="F"))
    PriceItem.objects.create(
        organization=free.organization, code="F", name="便民门诊", amount=0, effective_from=date(2020, 1, 1)
    )
    row = booking.book(schedule=free, patient=PatientFactory(), channel="web", by=None, request_key=None,
                       confirmed=True, now=NOW)  # fmt: skip
    assert row.status == "booked"
    row = booking.reschedule(appointment=row, schedule=open_schedule(), channel="web", by=None, request_key=None,
                             now=NOW)  # fmt: skip
    for _twice in range(2):
        following.moved(booking=row.pk, by=None, now=SOON)

    line = ChargeItem.objects.select_related("invoice").get()
    assert (line.amount, line.invoice.status, line.invoice.total) == (row.fee, "owed", Decimal(20))
    assert invariants.violations(now=SOON) == []


@pytest.mark.django_db
def test_who_only_looks_at_a_house_brings_none_of_its_money_to_the_bank(client):
    """M8: of finance at one house, an auditor at another."""
    shift = ShiftFactory()
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    paying.take(invoice=invoice, means="cash", way="window", by=shift.cashier, shift=shift, now=NOW)
    both = StaffFactory(roles="auditor")
    RoleAssignment.objects.create(user=both, role="finance", organization=OrganizationFactory(code="H2"))
    slip = {"account": "cash", "amount": "15.00", "fee": "", "slip": "8846-01"}
    with time_machine.travel(SOON, tick=False):
        client.force_login(both)
        assert client.get("/finance/deposits/").status_code == 200
        assert client.post(f"/finance/deposits/?house={shift.organization_id}", slip).status_code == 403
    assert balance("at_bank") == 0


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_cashier_does_not_say_of_a_code_whether_it_was_paid(client, wechat, answer):
    """M8: only the gateway knows."""
    shift = ShiftFactory()
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    code = paying.begin(invoice=invoice, means="wechat", way="window", shift=shift, by=shift.cashier, now=NOW)
    with time_machine.travel(SOON, tick=False):
        client.force_login(shift.cashier)
        client.post(reverse("billing:cashier_received", args=[code.pk]), {"answer": answer})
    code.refresh_from_db()
    assert (code.status, balance("wechat")) == ("pending", 0)


@pytest.mark.django_db
def test_a_slip_that_was_cut_off_keeps_its_number_for_the_answer(monkeypatch):
    """M8: the process died between the two commits; the cashier says that the terminal took it."""
    shift = ShiftFactory()
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    bank = {"invoice": invoice, "means": "bank", "way": "window", "reference": "884613", "by": shift.cashier}
    with monkeypatch.context() as dies:
        dies.setattr(paying, "succeed", lambda **_said: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            paying.take(**bank, shift=shift, now=NOW)
    outcome = shifts.was_received(payment=Payment.objects.get(), by=shift.cashier, now=SOON)
    assert (outcome.verdict, outcome.payment.reference) == ("taken", "884613")


@pytest.mark.django_db
def test_what_was_paid_out_by_hand_is_not_sent_by_the_gateway_from_an_old_page(client, wechat):
    """M6: 再退一次 on a page that was open in another window."""
    shift = ShiftFactory()
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    code = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    paying.succeed(order=code.order, said=wechat.pay(code.order), now=NOW)
    refunding.return_line(line=invoice.lines.get().pk, reason="staff", by=None, now=NOW)
    wechat.refuses.add("refund")
    stale = Refund.objects.get()
    refunding.send(refund=stale, now=NOW)
    refunding.pay_out(refund=stale, means="cash", shift=shift, by=shift.cashier, now=NOW)
    wechat.refuses.clear()
    refunding.send(refund=stale, now=SOON)
    with time_machine.travel(SOON, tick=False):
        client.force_login(shift.cashier)
        client.post(reverse("billing:refund_again", args=[stale.pk]))
    assert wechat.refunds == {}


@pytest.mark.django_db
def test_what_went_back_by_transfer_is_not_sent_by_the_gateway_from_an_old_page(wechat):
    """M8: money of another amount, whose return the gateway refused first."""
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    code = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    paying.succeed(order=code.order, said=Said(Decimal(15), "T-15"), now=NOW)
    wechat.refuses.add("refund")
    case, finance = MoneyCase.objects.get(), StaffFactory(roles="finance")
    back = sending_back.of_case(case=case, by=finance, now=NOW)
    settling_cases.settle(case=case, way=settling_cases.TRANSFER, note="8846", by=finance, now=NOW)
    with pytest.raises(DifferenceSettled):
        sending_back.again(row=back, by=finance, now=SOON)
