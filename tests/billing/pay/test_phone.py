"""M1, M2: every booking on the phone leads to paying; who pays has what was held, and sees what became of the rest."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment, Slot
from appointments.services import supply
from billing.models import ChargeItem, Invoice, Payment
from billing.services import jobs, paying
from hospital import clock
from hospital.models import ApiToken
from tests.bookings.scenes import account_with, choose, clinic, text_of
from tests.factories import NOW
from tests.factories.billing import credit_for, pays_first

pytestmark = pytest.mark.django_db
SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(days=9)


@pytest.fixture
def house():
    return pays_first()


def follow(client, response):
    """The last page of a row of redirects."""
    while response.status_code == 302:
        response = client.get(response.url)
    return response


def booked(mine) -> str:
    """Through step 4, to the address of paying."""
    response = choose(mine, clinic(), mine.person)
    assert re.fullmatch(r"/pay/for/appointment/\d+/", response.url), response.url
    return mine.get(response.url).url


def press(client, address, deed, **said):
    key = re.search(r'name="request_key" value="([0-9a-f-]{36})"', text_of(client.get(address)))
    return client.post(f"{address}{deed}/", {"request_key": key[1] if key else "", **said})


def test_a_hold_is_paid_and_confirmed_on_the_phone(mine, house, wechat):
    address = booked(mine)
    page = text_of(mine.get(address))
    for words in ("应付", "¥20.00", "已为您保留到", "周*明", "微信支付", "心血管内科"):
        assert words in page, words

    pressed = [press(mine, address, "start", means="wechat") for _twice in range(2)]
    payment = Payment.objects.get()
    page = text_of(follow(mine, pressed[1]))
    assert (payment.way, payment.status, payment.by) == ("phone", "pending", mine.user)
    assert "<svg" in page
    assert "我已付款" in page

    seen = re.search(r"state/\?seen=([^\"]+)", page)[1]
    assert "HX-Refresh" not in mine.get(f"{address}state/?seen={seen}").headers
    wechat.pay(payment.order)
    assert mine.post(f"{address}look/", {"payment": payment.pk}).url == address  # the callback was lost: it is asked
    assert mine.get(f"{address}state/?seen={seen}").headers["HX-Refresh"] == "true"
    page = text_of(mine.get(address))
    row = Appointment.objects.get()
    assert row.status == "booked"
    for words in ("已付 ¥20.00", "已确认", f"/bookings/{row.pk}/done/"):
        assert words in page, words


def test_a_hold_that_ran_out_while_somebody_pays_never_reads_as_confirmed(mine, house, wechat):
    address = booked(mine)
    press(mine, address, "start", means="wechat")
    Slot.objects.filter(appointments__isnull=False).update(hold_until=SOON)
    with time_machine.travel(SOON + timedelta(minutes=1), tick=False):
        supply.lapse_holds(now=clock.now())
        assert Appointment.objects.get().status == "cancelled"
        page = text_of(mine.get(address))
    assert "已确认，待付费" not in page
    for words in ("保留时间已过", "付款码还有效", "自动原路退回"):
        assert words in page, words


def test_who_has_the_link_alone_pays_without_reading_what_for(mine, house, wechat):
    """M1: an adult child pays for a parent; a name of a clinic tells about health."""
    address = booked(mine)
    other = Client()
    page = text_of(other.get(address))
    assert "挂号" in page
    for secret in ("心血管内科", "周志明", "王医生"):
        assert secret not in page
    press(other, address, "start", means="wechat")
    payment = Payment.objects.get()
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    assert Appointment.objects.get().status == "booked"
    assert "心血管内科" not in text_of(other.get(address))


def test_what_is_typed_wrong_or_late_is_said_and_nothing_is_asked(mine, house, wechat):
    address = booked(mine)
    assert press(mine, address, "start", means="cash").status_code == 422
    assert press(mine, address, "start").status_code == 422
    assert mine.get("/pay/8d8ac610-566d-4ef0-9c22-186b2a5ed793/").status_code == 404
    assert Payment.objects.count() == 0
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        mine.force_login(mine.user, backend="django.contrib.auth.backends.ModelBackend")
        page = text_of(mine.get(address))
        assert "没有在保留时间内付款" in page
        assert "重新预约" in page
        assert (
            mine.post(
                f"{address}start/", {"means": "wechat", "request_key": str(Invoice.objects.get().token)}
            ).status_code
            == 302
        )
    assert Payment.objects.count() == 0


def test_a_gateway_that_is_away_is_said_and_asked_again_by_the_same_number(mine, house, wechat):
    address = booked(mine)
    wechat.away = ["before"]
    page = text_of(follow(mine, press(mine, address, "start", means="wechat")))
    assert "微信支付暂时没有响应" in page
    assert "还没有向您收钱" in page
    assert "再试一次" in page
    press(mine, address, "start", means="wechat")
    payment = Payment.objects.get()
    assert payment.asked == {"qr": f"weixin://pay/{payment.order}"}


def test_a_page_that_waits_is_drawn_anew_when_it_is_held_longer(mine, house, wechat):
    """Each line says till when; not only the clock on top."""
    address = booked(mine)
    wechat.away = ["before"]
    press(mine, address, "start", means="wechat")
    Slot.objects.filter(appointments__isnull=False).update(hold_until=SOON)
    seen = re.search(r"state/\?seen=([^\"]+)", text_of(mine.get(address)))[1]
    assert "HX-Refresh" not in mine.get(f"{address}state/?seen={seen}").headers
    Slot.objects.filter(appointments__isnull=False).update(hold_until=SOON + timedelta(minutes=5))
    assert mine.get(f"{address}state/?seen={seen}").headers["HX-Refresh"] == "true"


def test_another_way_is_chosen_and_the_first_code_can_not_be_paid_any_more(mine, house, wechat):
    address = booked(mine)
    press(mine, address, "start", means="wechat")
    payment = Payment.objects.get()
    assert "去支付" in text_of(follow(mine, mine.post(f"{address}leave/", {"payment": payment.pk})))
    payment.refresh_from_db()
    assert (payment.status, wechat.orders[payment.order]["state"]) == ("closed", "closed")


def test_what_went_back_is_shown_with_its_reason(mine, house, wechat):
    """M6: two codes were paid, one goes back."""
    address = booked(mine)
    invoice = Invoice.objects.get()
    twice = [paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW) for _n in range(2)]
    for payment in twice:
        paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    page = text_of(mine.get(address))
    for words in ("退 ¥20.00 到微信支付", "多付退回", "退费中"):
        assert words in page, words
    jobs.catch_up(now=SOON)
    assert "已原路退回" in text_of(mine.get(address))
    page = text_of(mine.get("/invoices/"))
    assert "没有要付的账单" in page
    assert "退费 ¥20.00" in page


def test_who_signed_pays_after_the_visit(mine, house, wechat):
    """M4."""
    address = booked(mine)
    assert "先诊疗后付费" not in text_of(mine.get(address))
    credit_for(mine.person)
    assert mine.post(f"{address}credit/").url == address
    page = text_of(mine.get(address))
    assert Appointment.objects.get().status == "booked"
    assert "先诊疗后付费：请在" in page
    assert "去支付" in page
    assert "应付" in text_of(mine.get("/invoices/"))


def test_nobody_opens_the_invoice_of_a_booking_that_is_not_theirs(mine, house, django_assert_max_num_queries):
    response = choose(mine, clinic(), mine.person)
    address = mine.get(response.url).url

    stranger = Client()
    stranger.force_login(account_with("李四"), backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(response.url).status_code == 404
    assert stranger.post(f"{address}credit/").status_code == 404
    mine.get(address)
    with django_assert_max_num_queries(16):
        mine.get(address)


def test_all_that_is_to_be_paid_stands_on_the_page_however_much_it_is(mine, house):
    rows = [
        Invoice(organization_id=house.organization_id, patient=mine.person, opened_at=NOW - timedelta(days=n), total=12,
                cash_paid=12, insurance="none")
        for n in range(60)
    ]  # fmt: skip
    ChargeItem.objects.bulk_create(
        ChargeItem(invoice=row, kind="service", code="X", name="检验", price=12, amount=12, added_at=NOW)
        for row in Invoice.objects.bulk_create(rows)
    )
    page = text_of(mine.get("/invoices/"))
    assert [row.pk for row in rows if f"/pay/{row.token}/" not in page] == []


def test_a_program_hears_where_its_person_pays(mine, house):
    """API: 409 must_pay with the page; the money confirms the hold."""
    response = choose(mine, clinic(), mine.person)
    row = Appointment.objects.get()
    _row, secret = ApiToken.issue(user=mine.user, channel="app", scopes=["book"], expires_at=LATER)
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k1"}
    refused = Client().post(f"/api/v1/appointments/{row.pk}/confirm/", headers=headers, content_type="application/json")
    assert refused.status_code == 409
    assert refused.json()["code"] == "must_pay"
    assert refused.json()["pay"].endswith(response.url)
