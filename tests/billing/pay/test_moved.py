"""M2, M6: a paid number that was moved to a dearer or a cheaper clinic, as everybody's page says it."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from appointments.models import Appointment
from appointments.services import booking
from billing.models import ChargeItem, Invoice
from billing.policies.splitting import Split
from billing.selectors.paid import _moved
from billing.services import following, insuring, paying
from hospital.models import Patient, PriceItem
from tests.billing.giving.scenes import texts, work
from tests.bookings.scenes import choose, clinic, text_of
from tests.factories import NOW, ServiceFactory, StaffFactory, open_schedule
from tests.factories.billing import pays_first

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(mine, wechat):
    """¥20.00, on the phone."""
    pays_first()
    mine.get(choose(mine, clinic(), mine.person).url)
    payment = paying.begin(invoice=Invoice.objects.get(), means="wechat", way="phone", by=None, now=NOW)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=NOW)
    return Appointment.objects.get()


def schedule_for(fee: int, name: str):
    schedule = open_schedule(service=ServiceFactory(code=f"s{fee}", name=name, price_code=f"P{fee}"))
    PriceItem.objects.create(
        organization=schedule.organization, code=f"P{fee}", name=name, amount=fee, effective_from=date(2020, 1, 1)
    )
    return schedule


def moved(row, *, fee: int, name: str) -> None:
    schedule = schedule_for(fee, name)
    booking.reschedule(appointment=row, schedule=schedule, channel="counter", by=None, request_key=None, now=NOW)


@pytest.mark.parametrize(
    ("fee", "words"),
    [
        (50, "新号 ¥50.00，原来 ¥20.00：已经付过费的，还要补缴 ¥30.00，可在“我的账单”、自助机或收费窗口付。"),
        (15, "新号 ¥15.00，原来 ¥20.00：已经付过费的，退回差价 ¥5.00。"),
    ],
)
def test_the_window_says_what_a_move_costs(client, paid, fee, words):
    """The person stands before it: nobody reads it in a message first."""
    client.force_login(StaffFactory(roles="counter"))
    later = schedule_for(fee, "专家门诊")
    said = {"schedule": later.pk, "request_key": uuid4()}
    page = text_of(client.post(f"/desk/appointments/{paid.pk}/move/", said, follow=True))
    assert f"已改约。{words}用医保结算过的，退回后按新号重新结算。" in page
    following.moved(booking=paid.pk, by=None, now=NOW)
    page = text_of(client.get(f"/desk/patients/{paid.patient_id}/"))
    assert ("挂号费 ¥50.00 还需支付 ¥30.00" if fee == 50 else "挂号费 ¥15.00 已付费") in page


def bill(mine) -> str:
    return text_of(mine.get(f"/pay/{Invoice.objects.get().token}/"))


def test_of_a_dearer_number_the_rest_is_asked_for_and_nothing_reads_as_refunded(mine, paid):
    moved(paid, fee=50, name="主任医师门诊")
    detail = text_of(mine.get(f"/bookings/{paid.pk}/"))
    assert ("改约差价待补缴" in detail, "已付费" in detail) == (True, False)

    following.moved(booking=paid.pk, by=None, now=NOW)
    page = bill(mine)
    for words in ("还需支付", "¥30.00", "余下的请在", "已改约", "付过的钱转到新的号上"):
        assert words in page, words
    assert [words in page for words in ("先诊疗后付费：", "已退费", "改约差价")] == [False] * 3
    detail = text_of(mine.get(f"/bookings/{paid.pk}/"))
    assert "还需支付 ¥30.00" in detail
    assert mine.get(f"/pay/for/appointment/{paid.pk}/").url == f"/pay/{Invoice.objects.get().token}/"
    assert f"/pay/for/appointment/{paid.pk}/" in detail


def test_of_one_that_the_insurance_settled_it_is_settled_anew(mine, paid):
    """Nobody is told of a difference that they will not pay."""
    insured = Invoice(fund_paid=14, account_paid=0)
    line = ChargeItem(invoice=insured, amount=20)
    assert _moved(line, Appointment(fee=50)) == "改约后按新号重新结算"


def test_a_number_that_the_insurance_bore_whole_reads_as_moved_and_leads_to_the_booking(mine, wechat):
    """Its bill is over, nothing was paid on it, and nobody is told to book anew."""
    pays_first()
    Patient.objects.filter(pk=mine.person.pk).update(insurance="employee")
    mine.get(choose(mine, clinic(), mine.person).url)
    invoice, row = Invoice.objects.get(), Appointment.objects.get()
    settlement = insuring.start(invoice=invoice, by=None, now=NOW)
    split = Split(Decimal(14), Decimal(6), Decimal(0))
    insuring.presettled(settlement=settlement, split=split, now=NOW)
    insuring.settled(settlement=settlement, split=split, number="S1", by=None, now=NOW)
    paying.settle_free(invoice=invoice, by=None, now=NOW)
    moved(row, fee=50, name="主任医师门诊")
    following.moved(booking=row.pk, by=None, now=NOW)
    insuring.reversed_(settlement=settlement, by=None, now=NOW)

    page = bill(mine)
    said = "改约后撤销了这一项的结算；新的号另外缴费，见预约详情。"
    assert (said in page, f'href="/bookings/{row.pk}/"' in page) == (True, True)
    assert [words in page for words in ("改约差价", "重新预约")] == [False] * 2
    work(NOW)
    assert (
        "已改约，原来的医保结算已撤销，不用办理；新的号另外缴费。统筹支付的14.00元已退回医保基金。"
        in texts(row.patient)[-1]
    )


def test_of_a_cheaper_number_only_the_difference_reads_as_going_back(mine, paid):
    moved(paid, fee=15, name="便民门诊")
    assert "改约差价将自动退回" in text_of(mine.get(f"/bookings/{paid.pk}/"))
    following.moved(booking=paid.pk, by=None, now=NOW)
    page = bill(mine)
    for words in ("已付 ¥15.00", "已改约", "付过的钱转到新的号上", "退 ¥5.00 到微信支付"):
        assert words in page, words
    assert "已退费" not in page


def test_what_was_moved_before_it_was_paid_reads_as_replaced(mine, paid):
    """Twice: the number in between was owed, and nobody paid it."""
    for fee in (50, 20):
        moved(paid, fee=fee, name=f"{fee}元门诊")
        following.moved(booking=paid.pk, by=None, now=NOW)
    page = bill(mine)
    assert ("换成了改约后的号，这一项不用付款。" in page, "已经取消" in page) == (True, False)


def test_what_costs_nothing_is_not_to_be_paid_at_the_visit(mine, wechat):
    pays_first()
    row = clinic()
    PriceItem.objects.all().update(amount=0)
    mine.get(choose(mine, row, mine.person).url)
    number = Appointment.objects.get()
    detail = text_of(mine.get(f"/bookings/{number.pk}/"))
    assert ("不用付费" in detail, "缴费" in detail, "付过的钱" in detail) == (True, False, False)
    page = text_of(mine.get(mine.get(f"/pay/for/appointment/{number.pk}/").url))
    assert ("不用付费" in page, "待付费" in page) == (True, False)
