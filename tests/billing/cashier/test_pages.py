"""M1, M2, M6: the window's pages: find, take, give back; what is typed wrongly stays, what is another house's is not
there."""

from datetime import timedelta
from decimal import Decimal as Yuan
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from appointments import invariants
from appointments.services import changes
from billing.models import CashierShift, Invoice, Payment, Refund
from billing.policies.paying import Said
from billing.services import invoicing, paying, shifts
from billing.views import cashier_shift
from hospital.models import AuditEvent, PriceItem, RoleAssignment
from tests.factories import NOW, OrganizationFactory, PatientFactory, StaffFactory
from tests.factories.billing import InvoiceFactory, ShiftFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def put(till, invoice, **said):
    said = {"owed": str(invoice.cash_paid), "request_key": str(uuid4())} | said
    return till.post(reverse("billing:cashier_take", args=[invoice.token]), said)


def text(page) -> str:
    return page.content.decode()


def open_bill(till, patient):
    """As the cashier comes to it: by what was scanned."""
    page = till.post("/cashier/", {"q": patient.medical_number}, follow=True)
    return page.context["invoice"]


def test_a_scan_opens_the_bill_and_change_is_said(till, window):
    window.hold()
    invoice = open_bill(till, window.patient)
    page = put(till, invoice, cash="100")
    done = till.get(page.url)
    assert [str(each) for each in (done.context["kept"]["given"], done.context["kept"]["change"])] == [
        "100.00",
        "80.00",
    ]
    assert "已收款" in text(done)
    invoice.refresh_from_db()
    payment = invoice.payments.get()
    assert (invoice.status, payment.means, payment.way, payment.shift, payment.by) == (
        "paid", "cash", "window", window.shift, window.cashier
    )  # fmt: skip
    assert invoice.lines.get().appointment.status == "booked"
    assert AuditEvent.objects.filter(action="patient.seen.cashier", patient=window.patient).count() == 1
    assert invariants.violations(now=NOW) == []


@pytest.mark.parametrize("q", ["document", "phone", "token", "address"])
def test_found_by_document_phone_and_the_code_of_the_bill(till, window, q):
    invoice = window.invoice()
    said = {
        "document": "11010519491231002X", "phone": "13911112222", "token": str(invoice.token),
        "address": f"https://yuyue.example.cn/pay/{invoice.token}/",
    }  # fmt: skip
    page = till.post("/cashier/", {"q": said[q]}, follow=True)
    assert page.context["invoice"] == invoice


def test_another_houses_bill_is_not_there(till, window):
    other = InvoiceFactory(organization=OrganizationFactory(code="H2"), patient=window.patient)
    assert till.get(reverse("billing:cashier_invoice", args=[other.token])).status_code == 404
    page = till.post("/cashier/", {"q": str(other.token)})
    assert (page.status_code, "没有找到" in text(page)) == (200, True)


def test_what_was_typed_stays_with_what_is_wrong_about_it(till, window):
    invoice = window.invoice()
    short = put(till, invoice, cash="10")
    assert (short.status_code, "还差 ¥10.00" in text(short), 'value="10"' in text(short)) == (422, True, True)
    nonsense = put(till, invoice, cash="二十", bank="5")
    assert (nonsense.status_code, 'value="二十"' in text(nonsense)) == (422, True)
    assert "请填写刷卡凭条上的参考号。" in text(nonsense)
    changed = put(till, invoice, owed="19.00")
    assert (changed.status_code, "应收金额刚刚变了" in text(changed)) == (409, True)
    assert Payment.objects.count() == 0


def test_a_code_is_for_the_sum_that_the_page_showed(till, window, wechat):
    """Somebody sold a service or took a line off meanwhile: the cashier looks again before the phone pays."""
    changed = put(till, window.invoice(), owed="19.00", cash="5", scan="wechat")
    assert (changed.status_code, "应收金额刚刚变了" in text(changed), Payment.objects.count()) == (409, True, 0)


def test_a_slip_of_the_finger_is_no_hundred_thousand(till, window):
    slip = put(till, window.invoice(), cash="1e5")
    assert (slip.status_code, 'value="1e5"' in text(slip)) == (422, True)


def test_a_page_sent_twice_takes_once(till, window):
    invoice, key = window.invoice(), str(uuid4())
    first, second = (put(till, invoice, cash="20", request_key=key) for _press in range(2))
    assert (first.url, Payment.objects.count()) == (second.url, 1)


def test_the_phone_pays_its_part_before_cash_is_taken(till, window, wechat):
    """Mixed: 5 in cash, the rest by a code."""
    invoice = window.invoice()
    page = put(till, invoice, cash="5", scan="wechat")
    payment = invoice.payments.get()
    assert (payment.amount, payment.status, Payment.objects.filter(means="cash").count()) == (15, "pending", 0)
    waiting = reverse("billing:cashier_waiting", args=[invoice.token])
    assert till.get(waiting).status_code == 204

    wechat.pay(payment.order)
    till.post(reverse("billing:cashier_look", args=[invoice.token]))
    again = till.get(page.url)
    assert (again.context["bill"].owed, 'value="5"' in text(again)) == (5, True)
    put(till, invoice, owed="5.00", cash="5")
    invoice.refresh_from_db()
    assert (invoice.status, sorted(invoice.payments.values_list("means", flat=True))) == ("paid", ["cash", "wechat"])


def test_who_does_not_want_to_scan_any_more_pays_otherwise(till, window, wechat):
    invoice = window.invoice()
    put(till, invoice, scan="wechat")
    till.post(reverse("billing:cashier_stop", args=[invoice.token]))
    assert invoice.payments.get().status == "closed"
    put(till, invoice)
    invoice.refresh_from_db()
    assert invoice.status == "paid"


def test_a_service_is_sold_taken_off_and_given_back_out_of_the_drawer(till, window):
    sell = reverse("billing:cashier_sell", args=[window.patient.pk])
    assert "病历本" in text(till.get("/cashier/prices/", {"q": "blb"}))
    for _twice in range(2):
        till.post(sell, {"code": "BL01", "quantity": "2"})
    first, second = Invoice.objects.order_by("pk")
    till.post(reverse("billing:cashier_take_off", args=[second.token, second.lines.get().pk]))
    second.refresh_from_db()
    assert second.status == "void"

    put(till, first, cash="10")
    line = first.lines.get()
    page = till.post(reverse("billing:cashier_give_back", args=[first.token, line.pk]), follow=True)
    [refund] = page.context["to_hand_out"]
    out = reverse("billing:cashier_hand_out", args=[first.token])
    till.post(out, {"refund": refund.pk, "means": "cash"})
    refund.refresh_from_db()
    assert (refund.status, refund.amount, refund.shift) == ("done", Yuan("5.00"), window.shift)
    assert till.post(out, {"refund": refund.pk, "means": "cash"}).status_code == 409
    assert invariants.violations(now=NOW) == []


def test_a_number_that_still_stands_is_not_given_back_here(till, window):
    row = window.hold()
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    put(till, invoice)
    back = reverse("billing:cashier_give_back", args=[invoice.token, invoice.lines.get().pk])
    assert till.post(back).status_code == 409
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    till.post(back)
    assert Refund.objects.get().amount == Yuan("20.00")


def test_what_costs_nothing_is_said_yes_to(till, window):
    PriceItem.objects.create(
        organization=OrganizationFactory(), code="FREE", name="义诊", amount=0, effective_from=NOW.date()
    )
    till.post(reverse("billing:cashier_sell", args=[window.patient.pk]), {"code": "FREE", "quantity": "1"})
    invoice = Invoice.objects.get()
    assert "确认 0 元" in text(till.get(reverse("billing:cashier_invoice", args=[invoice.token])))
    till.post(reverse("billing:cashier_free", args=[invoice.token]))
    invoice.refresh_from_db()
    assert (invoice.status, Payment.objects.count()) == ("paid", 0)
    costs = window.invoice()
    assert till.post(reverse("billing:cashier_free", args=[costs.token])).status_code == 409


def test_without_a_drawer_nothing_is_taken_and_the_page_leads_to_opening_one(client, window):
    invoice = window.invoice()
    client.force_login(StaffFactory(roles="cashier"))
    assert "备用金" in text(client.get("/cashier/"))
    assert client.get(reverse("billing:cashier_invoice", args=[invoice.token])).url == "/cashier/shift/"
    assert put(client, invoice).status_code == 409
    wrong = client.post("/cashier/shift/open/", {"window": "", "change": "-1"})
    assert (wrong.status_code, 'value="-1"' in text(wrong)) == (422, True)
    client.post("/cashier/shift/open/", {"window": "3号窗口", "change": "¥1,000"})
    assert CashierShift.objects.get(window="3号窗口").change == 1000
    assert put(client, invoice).status_code == 302


def test_a_shift_is_counted_and_checked_by_a_colleague(till, client, window):
    put(till, window.invoice(), cash="20")
    page = till.post("/cashier/shift/count/", {"counted": "219", "cheques": "0"}, follow=True)
    assert ("短款" in text(page), 'name="note" maxlength="200" autofocus' in text(page)) == (True, True)
    own = reverse("billing:cashier_shift_close", args=[window.shift.pk])
    assert till.post(own, {"note": ""}).status_code == 422
    client.force_login(other := StaffFactory(roles="cashier"))
    ShiftFactory(cashier=other)
    assert "短款" in text(client.get(reverse("billing:cashier_shift_one", args=[window.shift.pk])))
    client.post(own, {"note": "找零差一元"})
    window.shift.refresh_from_db()
    assert (window.shift.status, window.shift.checked_by, window.shift.difference) == ("closed", other, -1)
    assert "找零差一元" in text(client.get("/cashier/shifts/"))


def test_drawers_that_are_not_closed_stand_before_those_that_are(till, window):
    closed = ShiftFactory(cashier=StaffFactory(roles="cashier"), opened_at=NOW, window="9")
    shifts.count(shift=closed, counted=closed.change, cheques=0, by=closed.cashier, now=NOW)
    shifts.close(shift=closed, note="", by=closed.cashier, now=NOW)
    assert list(till.get("/cashier/shifts/").context["shifts"]) == [window.shift, closed]


def test_a_list_that_does_not_show_all_says_so(till, window, monkeypatch):
    monkeypatch.setattr(cashier_shift, "MOST", 1)
    put(till, window.invoice(), cash="20")
    assert "各列最近" not in text(till.get("/cashier/shift/"))
    put(till, window.invoice(PatientFactory()), cash="20")
    assert "收和退各列最近 1 笔" in text(till.get("/cashier/shift/"))


def test_more_than_a_bill_holds_is_refused_with_a_sentence(till, window):
    PriceItem.objects.create(
        organization=window.shift.organization,
        code="BIG",
        name="大型",
        amount=Yuan("200000"),
        effective_from=NOW.date(),
    )
    sell = reverse("billing:cashier_sell", args=[window.patient.pk])
    said = till.post(sell, {"code": "BIG", "quantity": "999"})
    assert (said.status_code, "一张账单最多" in text(said)) == (409, True)


def test_the_work_page_asks_the_database_a_few_times(till, window, django_assert_max_num_queries):
    invoice = window.invoice(PatientFactory())
    till.get(reverse("billing:cashier_invoice", args=[invoice.token]))
    with django_assert_max_num_queries(30):
        till.get(reverse("billing:cashier_invoice", args=[invoice.token]))


def test_two_cashiers_at_once_take_twice_and_the_second_gives_it_back(till, window):
    """Both pages showed the bill as open; the second one's cash goes back over the counter."""
    invoice = window.invoice()
    paying.take(invoice=invoice, means="cash", way="window", by=window.cashier, shift=window.shift, now=NOW)
    late = put(till, invoice, cash="50")
    assert (late.status_code, "应收金额刚刚变了：现在是 ¥0.00" in text(late)) == (409, True)

    other = window.invoice()
    begun = [
        paying.begin(invoice=other, means="cash", way="window", by=window.cashier, shift=window.shift, now=NOW)
        for _cashier in range(2)
    ]
    for payment in begun:
        paying.succeed(order=payment.order, said=Said(payment.amount, ""), by=window.cashier, now=NOW)
    assert "还要付给患者退款 ¥20.00" in text(till.get(reverse("billing:cashier_done", args=[other.token])))


def test_a_count_of_a_shift_that_is_no_more_says_so(till, window):
    """M1: counted and closed in another window."""
    wrong = {"counted": "", "cheques": ""}
    till.post("/cashier/shift/count/", {"counted": "200", "cheques": "0"})
    again = till.post("/cashier/shift/count/", wrong)
    assert (again.status_code, "这个班次还没有点款，或已经交班" in text(again)) == (409, True)
    till.post(reverse("billing:cashier_shift_close", args=[window.shift.pk]), {"note": ""})
    gone = till.post("/cashier/shift/count/", wrong)
    assert (gone.status_code, "您的收费班次没有开班" in text(gone)) == (409, True)


def test_a_drawer_left_open_since_yesterday_is_said_with_its_day(till, window):
    assert "一直没有交班" not in text(till.get("/cashier/"))
    CashierShift.objects.update(opened_at=NOW - timedelta(hours=20))
    page = text(till.get("/cashier/"))
    assert (
        page.count(f"{timezone.localtime(NOW - timedelta(hours=20)):%m-%d %H:%M}") == 2
    )  # in the bar, and with what to do about it
    assert "一直没有交班" in page


def test_a_bill_whose_hold_ran_out_on_the_page_says_that_it_is_void(till, window):
    invoice = window.invoice()
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        page = text(till.get(reverse("billing:cashier_invoice", args=[invoice.token])))
    assert ("已作废" in page, "待支付" in page) == (True, False)


def test_a_drawer_left_behind_is_counted_by_a_colleague_and_closed_by_finance(till, client, window):
    shift = window.shift
    colleague, finance = StaffFactory(roles="cashier"), StaffFactory(roles="finance")
    page = reverse("billing:cashier_shift_one", args=[shift.pk])
    count = reverse("billing:cashier_shift_count_left", args=[shift.pk])
    client.force_login(colleague)
    assert client.get(page).status_code == 404  # somebody sits there
    assert "只能由收费员本人点款" in text(client.post(count, {"counted": "200", "cheques": "0"}))

    CashierShift.objects.update(opened_at=NOW - timedelta(hours=20))
    assert page in text(client.get("/cashier/shifts/"))
    wrong = client.post(count, {"counted": "abc", "cheques": "0"})
    assert (wrong.status_code, 'value="abc"' in text(wrong)) == (422, True)
    counted = text(client.post(count, {"counted": "199", "cheques": "0"}, follow=True))
    assert ("复核并交班" in counted, "您代点的" in counted, "短款" in counted) == (True, True, True)
    close = reverse("billing:cashier_shift_close", args=[shift.pk])
    assert "不能再由您复核" in text(client.post(close, {"note": "少一元"}))

    client.force_login(finance)
    assert "/cashier/shifts/" in text(client.get("/finance/"))
    assert "代点" in text(client.get("/cashier/shifts/"))
    assert client.post(close, {"note": "少一元"}).status_code == 302
    shift.refresh_from_db()
    assert (shift.status, shift.counted_by, shift.checked_by) == ("closed", colleague, finance)
    assert client.get("/cashier/").status_code == 403


def test_who_counts_a_drawer_that_was_counted_meanwhile_is_told_so(client, window):
    CashierShift.objects.update(opened_at=NOW - timedelta(hours=20))
    first, second = StaffFactory(roles="cashier"), StaffFactory(roles="finance")
    count = reverse("billing:cashier_shift_count_left", args=[window.shift.pk])
    client.force_login(first)
    page = text(client.get(reverse("billing:cashier_shift_one", args=[window.shift.pk])))
    assert 'class="appbar__bit"' not in page  # the drawer in the bar is one's own
    client.post(count, {"counted": "200", "cheques": "0"})
    client.force_login(second)
    again = text(client.post(count, {"counted": "150", "cheques": "0"}))
    assert ("已经有人点过了" in again, "请先开班" in again, "复核并交班" in again) == (True, False, True)
    client.force_login(window.cashier)
    assert f"代点 {first}" in text(client.get("/cashier/shift/"))


def test_finance_of_another_house_sees_no_drawer_here(client, window):
    CashierShift.objects.update(opened_at=NOW - timedelta(hours=20))
    client.force_login(StaffFactory(roles="finance", roles__at=OrganizationFactory(code="H2")))
    assert client.get(reverse("billing:cashier_shift_one", args=[window.shift.pk])).status_code == 404
    count = reverse("billing:cashier_shift_count_left", args=[window.shift.pk])
    assert client.post(count, {"counted": "200", "cheques": "0"}).status_code == 404


def test_who_sits_at_windows_of_two_houses_says_at_which(client, window):
    there = OrganizationFactory(code="H2", name="柳堤社区")
    cashier = StaffFactory(roles="cashier")
    RoleAssignment.objects.create(user=cashier, role="cashier", organization=there)
    client.force_login(cashier)
    assert "柳堤社区" in text(client.get("/cashier/shift/"))
    said = {"window": "1", "change": "0"}
    assert client.post("/cashier/shift/open/", said).status_code == 422
    foreign = OrganizationFactory(code="H3")
    assert client.post("/cashier/shift/open/", said | {"organization": foreign.pk}).status_code == 422
    client.post("/cashier/shift/open/", said | {"organization": there.pk})
    assert CashierShift.objects.get(cashier=cashier).organization == there
