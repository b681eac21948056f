"""M6: what goes back and how it is told; the worklist; who did not come; the sentence before a booking is given up."""

from datetime import time, timedelta
from decimal import Decimal as Yuan

import pytest
import time_machine

from appointments.models import Appointment, NoShow
from appointments.services import changes, noshow, visit
from billing.errors import NoShowKeepsFee, NotRefundable, RefundUnderWay
from billing.models import ChargeItem, Invoice, MoneyCase, PaymentRule, Refund
from billing.policies.splitting import Split
from billing.selectors import given_back, refund_work, rules
from billing.selectors.ledger import balance
from billing.services import following, insuring, jobs, paying, refunding, reversing
from hospital import clock
from hospital.models import AuditEvent, ExternalRecord
from tests.factories import NOW, AccountFactory, OrganizationFactory, PatientFactory, RelatedPersonFactory, StaffFactory
from tests.factories.billing import ShiftFactory, pays_first

from .scenes import SOON, hold, in_cash, invoice_of, owed, paid, sound, texts, told, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def patient(db):
    pays_first()
    return PatientFactory(name="退宝")


@pytest.fixture
def drawer(db):
    return ShiftFactory()


def cancelled(row, now=SOON) -> None:
    row.refresh_from_db()
    changes.cancel(appointment=row, by=None, channel="web", now=now)
    work(now)


def test_what_is_paid_and_what_goes_back_is_told_by_means(patient, wechat, drawer):
    """Mixed: the phone's part goes back by itself, the cash is fetched."""
    row = hold(patient, channel="counter")
    in_cash(row, drawer, amount="12.50")
    paid(row, wechat, way="window", shift=drawer, by=drawer.cashier)
    work()
    assert given_back.promise(kind="appointment", booking=row.pk).amount == Yuan("20.00")
    cancelled(row)
    (first, paid_said), (second, back) = told(patient)
    assert (first, paid_said["amount"], paid_said["means"]) == ("money.paid", "20.00", ["cash", "wechat"])
    assert (second, back["origin"], back["window"]) == ("money.back", [["wechat", "7.50"]], [["cash", "12.50"]])
    text = texts(patient)[1]
    assert text.startswith("退费 20.00 元，原路退回|")
    assert "7.50元原路退回微信支付" in text
    assert "现金支付的12.50元，请带证件到收费窗口领取" in text
    given = given_back.given(kind="appointment", booking=row.pk)
    assert (given.amount, given.returning) == (Yuan("20.00"), False)
    sound()


def test_the_sentence_before_a_booking_is_given_up(patient):
    row, on_credit = hold(patient), owed(patient, days=28).lines.get().appointment
    assert given_back.promise(kind="appointment", booking=row.pk) is None
    invoice_of(row)
    assert given_back.promise(kind="appointment", booking=row.pk).kind == "unpaid"
    assert given_back.promise(kind="appointment", booking=on_credit.pk).kind == "credit"


def test_of_an_insured_line_only_the_insurance_says_how_much_goes_back(wechat):
    pays_first()
    patient = PatientFactory(insurance="employee")
    row = hold(patient)
    invoice = invoice_of(row)
    settlement = insuring.start(invoice=invoice, by=None, now=NOW)
    split = Split(Yuan("12.00"), Yuan("5.00"), Yuan("3.00"))
    insuring.settled(settlement=settlement, split=split, number="S1", by=None, now=NOW)
    paid(row, wechat)
    assert given_back.promise(kind="appointment", booking=row.pk).kind == "insured"
    cancelled(row)
    assert given_back.given(kind="appointment", booking=row.pk).returning
    assert [line.pk for line in refund_work.waiting_for_insurance([invoice.organization_id])] == [
        invoice.lines.get().pk
    ]
    insuring.reversed_(settlement=settlement, by=None, now=SOON)
    work()
    assert [template for template, _said in told(patient)] == ["money.paid", "money.back", "money.insured_back"]
    first, back, insured_back = texts(patient)
    assert "医保统筹支付12.00元，个人账户支付5.00元" in first
    assert "退费3.00元" in back
    assert "统筹支付的12.00元已退回医保基金。个人账户支付的5.00元已退回您的医保个人账户。" in insured_back
    sound()


def test_what_the_insurance_bore_wholly_is_told_when_it_goes_back(patient):
    patient.insurance = "employee"
    patient.save()
    row = hold(patient)
    invoice = invoice_of(row)
    settlement = insuring.start(invoice=invoice, by=None, now=NOW)
    insuring.settled(settlement=settlement, split=Split(Yuan("20.00"), Yuan(0), Yuan(0)), number="S1", by=None, now=NOW)
    work()
    cancelled(row)
    insuring.reversed_(settlement=settlement, by=None, now=SOON)
    work(), work()
    assert [template for template, _said in told(patient)] == ["money.paid", "money.insured_back"]
    assert "统筹支付的20.00元已退回医保基金。" in texts(patient)[1]
    assert "个人账户" not in texts(patient)[1]


def test_who_declined_the_insurance_and_paid_all_hears_of_their_own_money_only(patient, wechat):
    patient.insurance = "employee"
    patient.save()
    row = hold(patient)
    invoice = invoice_of(row)
    settlement = insuring.start(invoice=invoice, by=None, now=NOW)
    insuring.settled(
        settlement=settlement, split=Split(Yuan("12.00"), Yuan("5.00"), Yuan("3.00")), number="S1", by=None, now=NOW
    )
    reversing.ask_to_reverse(invoice=Invoice.objects.get(), now=NOW)
    insuring.reversed_(settlement=settlement, by=None, now=NOW)
    paid(row, wechat)
    cancelled(row)
    work()
    assert [template for template, _said in told(patient)][-1] == "money.back"


def test_who_paid_twice_hears_that_the_second_goes_back(patient, wechat):
    row = hold(patient)
    codes = [paying.begin(invoice=invoice_of(row), means="wechat", way="phone", by=None, now=NOW) for _one in "12"]
    for code in codes:
        paying.succeed(order=code.order, said=wechat.pay(code.order), now=NOW)
    work()
    assert [(template, said["amount"]) for template, said in told(patient)] == [
        ("money.paid", "20.00"),
        ("money.back", "20.00"),
    ]
    assert "多付退回" in texts(patient)[1]


def test_nobody_is_told_of_what_they_never_paid(patient):
    row = hold(patient)
    invoice_of(row)
    changes.drop(appointment=row, by=None, now=NOW)
    work()
    assert told(patient) == []


def test_a_refused_refund_is_told_tried_again_and_paid_out(patient, wechat, drawer, client):
    """The worklist, as finance and as the cashier with an open drawer."""
    row = hold(patient)
    paid(row, wechat)
    wechat.refuses = {"refund"}
    cancelled(row)
    [refund] = Refund.objects.all()
    house = refund.payment.organization_id
    assert refund_work.counts([house], now=SOON) == {"refused": 1, "by_hand": 0, "stuck": 0, "waiting": 0, "done": 0}
    assert told(patient)[-1][0] == "money.back_failed"

    client.force_login(StaffFactory(roles="finance", full_name="蔡芬"))
    page = client.get("/refunds/").content.decode()
    assert "退*" in page
    assert "退宝" not in page
    again = client.post(f"/refunds/{refund.pk}/again/", follow=True).content.decode()
    assert "渠道又拒绝了（NOTENOUGH）" in again
    assert "重新发起" in again
    told_off = client.post(f"/refunds/{refund.pk}/pay-out/", {"means": "cash", "seen": "on"})
    assert (told_off.status_code, "选择一个有效的选项" in told_off.content.decode()) == (422, True)
    missing = client.post(f"/refunds/{refund.pk}/pay-out/", {"means": "bank", "seen": "on"})
    assert (missing.status_code, "请填写支票号或银行转账的流水号" in missing.content.decode()) == (422, True)

    client.force_login(drawer.cashier)
    unseen = client.post(f"/refunds/{refund.pk}/pay-out/", {"means": "cash"})
    assert (unseen.status_code, Refund.objects.get().status) == (422, "refused")
    done = client.post(f"/refunds/{refund.pk}/pay-out/", {"means": "cash", "seen": "on"}, follow=True)
    assert "已退给患者 ¥20.00" in done.content.decode()
    twice = client.post(f"/refunds/{refund.pk}/pay-out/", {"means": "cash", "seen": "on"})
    assert (twice.status_code, "已经处理过" in twice.content.decode()) == (409, True)
    refund.refresh_from_db()
    assert (refund.status, refund.means, refund.shift, balance("cash")) == ("done", "cash", drawer, -20)
    work()
    assert "已在收费窗口退给您（现金）" in texts(patient)[-1]
    assert AuditEvent.objects.filter(action="patient.seen.refund", patient=patient).exists()
    sound()


def test_a_refused_refund_that_goes_through_later_is_told(patient, wechat, client):
    row = hold(patient)
    paid(row, wechat)
    wechat.refuses = {"refund"}
    cancelled(row)
    assert MoneyCase.objects.get(settled_at=None).kind == "refused"  # on finance's list until it goes through
    wechat.refuses = set()
    client.force_login(StaffFactory(roles="finance"))
    page = client.post(f"/refunds/{Refund.objects.get().pk}/again/", follow=True).content.decode()
    assert "已原路退回。" in page
    work()
    assert (told(patient)[-1][0], len(wechat.refunds)) == ("money.back_done", 1)
    sound()


def test_while_a_gateway_may_pay_nobody_else_does_and_one_without_answer_is_asked_now(patient, wechat, drawer, client):
    row = hold(patient)
    paid(row, wechat)
    wechat.away = ["before"] * 9
    cancelled(row)
    [refund] = Refund.objects.all()
    assert refund.status == "asked"
    with pytest.raises(RefundUnderWay):
        refunding.pay_out(refund=refund, means="cash", by=drawer.cashier, shift=drawer, now=SOON)
    for hour in range(1, 9):
        jobs.catch_up(now=SOON + timedelta(hours=2 * hour))
    house = refund.payment.organization_id
    assert refund_work.counts([house], now=SOON)["stuck"] == 1
    wechat.away = []
    client.force_login(drawer.cashier)
    assert "没有结果" in client.get("/refunds/?kind=stuck").content.decode()
    assert "现在就问" in client.get(f"/refunds/{refund.pk}/").content.decode()
    client.post(f"/refunds/{refund.pk}/again/")
    assert (Refund.objects.get().status, len(wechat.refunds)) == ("done", 1)
    assert refund_work.counts([house], now=clock.now())["stuck"] == 0


def test_a_refund_whose_answer_was_lost_is_asked_about_before_it_is_sent_again(patient, wechat):
    row = hold(patient)
    paid(row, wechat)
    wechat.away = ["after"]
    cancelled(row)
    wechat.refuses.add("refund")
    jobs.catch_up(now=SOON + timedelta(hours=1))
    assert (Refund.objects.get().status, len(wechat.refunds)) == ("done", 1)
    sound()


def test_refunds_are_found_by_the_person_or_the_number(patient, wechat, client, django_assert_max_num_queries):
    row = hold(patient)
    paid(row, wechat)
    cancelled(row)
    refund = Refund.objects.get()
    client.force_login(StaffFactory(roles="auditor"))
    with django_assert_max_num_queries(16):
        found = client.post("/refunds/", {"q": "退宝"}).content.decode()
    assert f"/refunds/{refund.pk}/" in found
    assert f"/refunds/{refund.pk}/" in client.post("/refunds/", {"q": refund.order}).content.decode()
    assert "没有找到退费" in client.post("/refunds/", {"q": "查无此人"}).content.decode()
    assert client.post("/refunds/", {"q": ""}).status_code == 422
    assert client.post(f"/refunds/{refund.pk}/again/").status_code == 403
    elsewhere = OrganizationFactory(code="H7", name="别院")
    client.force_login(StaffFactory(roles="finance", roles__at=elsewhere))
    assert client.get(f"/refunds/{refund.pk}/").status_code == 404
    assert f"/refunds/{refund.pk}/" not in client.post("/refunds/", {"q": "退宝"}).content.decode()


def missed(row) -> None:
    Appointment.objects.filter(pk=row.pk).update(status="noshow")
    NoShow.objects.create(appointment=row, patient_id=row.patient_id, day=row.day, marked_at=NOW)
    following.missed(kind="appointment", booking=row.pk, by=None, now=SOON)


def test_who_did_not_come_owes_nothing_unpaid_and_gets_back_by_the_rule(patient, wechat, drawer):
    """Nothing goes back by itself; at the window it may, unless the house keeps it."""
    unpaid, came_not = hold(patient, days=12, channel="phone"), hold(patient, days=20)
    open_ = invoice_of(unpaid)
    changes.confirm(appointment=unpaid, by=None, now=NOW)
    paid(came_not, wechat)
    missed(unpaid)
    missed(came_not)
    work()
    open_.refresh_from_db()
    assert (open_.status, Refund.objects.count()) == ("void", 0)
    line = came_not.charges.get()
    PaymentRule.objects.update(noshow_refund=False)
    rules.forget()
    with pytest.raises(NoShowKeepsFee):
        refunding.by_staff(line=line, by=drawer.cashier, now=SOON)
    NoShow.objects.filter(appointment=came_not).update(excused_at=NOW)
    refunding.by_staff(line=line, by=drawer.cashier, now=SOON)
    assert Refund.objects.get().reason == "staff"
    with pytest.raises(NotRefundable):
        refunding.by_staff(line=line, by=drawer.cashier, now=SOON)
    sound()


def test_who_did_not_come_on_credit_owes_it_until_the_window_lets_it_go(patient, drawer):
    invoice = owed(patient, days=20)
    line = invoice.lines.get()
    missed(line.appointment)
    invoice.refresh_from_db()
    assert invoice.status == "owed"
    refunding.by_staff(line=line, by=drawer.cashier, now=SOON)
    invoice.refresh_from_db()
    assert (invoice.status, balance("patient_due")) == ("void", 0)
    sound()


def test_the_job_of_no_shows_lets_the_money_hear_of_it(patient):
    row = hold(patient, channel="phone", days=1)
    invoice = invoice_of(row)
    changes.confirm(appointment=row, by=None, now=NOW)
    after = NOW + timedelta(days=2)
    assert noshow.mark_noshows(now=after) == 1
    work(after)
    invoice.refresh_from_db()
    assert invoice.status == "void"


def test_a_patient_reads_what_goes_back_and_afterwards_what_did(patient, wechat, client):
    """退号: the sentence before, the refund after, on their own pages."""
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=patient)
    row = hold(patient)
    invoice_of(row)
    client.force_login(account)
    assert "如果刚刚付过款，会自动原路退回" in client.get(f"/bookings/{row.pk}/cancel/").content.decode()
    paid(row, wechat)
    asked = client.get(f"/bookings/{row.pk}/cancel/").content.decode()
    assert "¥20.00 原路退回微信支付，不用办理，一般1–3个工作日到账。" in asked
    client.post(f"/bookings/{row.pk}/cancel/")
    assert (
        "¥20.00 原路退回微信支付" in client.get(f"/bookings/{row.pk}/").content.decode()
    )  # before anybody heard of it
    work()
    page = client.get(f"/bookings/{row.pk}/").content.decode()
    assert "已退：微信支付" in page
    assert "付过的钱会退" not in page
    assert "退费 20.00 元，原路退回" in client.get("/messages/").content.decode()


def missed_and_given_back(patient, wechat, drawer) -> Appointment:
    """A paid number that nobody came to, its money given back at the window."""
    row = hold(patient, days=1)
    paid(row, wechat)
    missed(row)
    refunding.by_staff(line=row.charges.get(), by=drawer.cashier, now=SOON)
    work()
    row.refresh_from_db()
    return row


def test_who_comes_after_all_with_the_money_back_owes_it_again(patient, wechat, drawer):
    """Marked as not come at noon, given the money back, and here in the afternoon: nobody is seen for nothing."""
    row = missed_and_given_back(patient, wechat, drawer)
    there = clock.at(row.day, time(16))
    visit.check_in(appointment=row, by=None, now=there)
    work(there)
    line = row.charges.exclude(status__in=ChargeItem.GONE).get()
    assert (line.invoice.status, line.amount, line.earned_at) == ("owed", row.fee, there)
    visit.check_in(appointment=row, by=None, now=there)
    work(there)
    assert row.charges.exclude(status__in=ChargeItem.GONE).count() == 1
    sound()


def test_who_was_registered_in_another_system_pays_there_though_the_money_of_here_went_back(patient, wechat, drawer):
    row = missed_and_given_back(patient, wechat, drawer)
    about = {"system": "his", "kind": "visit", "number": "V1", "digest": "", "changed_at": NOW, "received_at": NOW}
    ExternalRecord.objects.create(patient=patient, subject=f"appointment:{row.pk}", **about)
    visit.check_in(appointment=row, by=None, now=clock.at(row.day, time(16)))
    work(clock.at(row.day, time(16)))
    assert not Invoice.objects.filter(status="owed").exists()


def test_who_comes_and_has_paid_owes_nothing_more(patient, wechat):
    row = hold(patient, days=1)
    paid(row, wechat)
    row.refresh_from_db()
    visit.check_in(appointment=row, by=None, now=clock.at(row.day, time(9)))
    work(clock.at(row.day, time(9)))
    assert row.charges.get().invoice.status == "paid"
