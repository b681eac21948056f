"""M1: the consult room's basket is confirmed when it is paid: scanned from the screen, or on the patient's phone."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from appointments.models import Appointment, Slot
from appointments.services import booking, supply
from billing.models import Invoice, Payment
from billing.services import invoicing, paying
from hospital import clock
from hospital.models import Message, Patient
from tests.billing.giving.scenes import owed
from tests.billing.insurance.conftest import _server, insurance  # noqa: F401
from tests.bookings.scenes import text_of
from tests.consult.rooms import bring_in, confirm, doctor_with_a_room, held, open_page, press_next, take, with_a_strip
from tests.factories import NOW, PatientFactory
from tests.factories.billing import credit_for, pays_first

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(client):
    pays_first()
    room = doctor_with_a_room()
    bring_in(room)
    room.strip = with_a_strip(room)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


def hold_number(client, room, number=1):
    response = take(client, room, room.strip[0], number)
    assert response.status_code == 200, text_of(response)


def press(client, room, deed="", **said):
    said = {"encounter": room.waiting[0].pk, "request_key": str(uuid4()), **said}
    return client.post(f"/consult/pay/{deed}", said, headers={"HX-Request": "true"})


def test_the_basket_is_paid_by_a_code_on_the_screen_and_confirmed_by_itself(client, room, wechat):
    hold_number(client, room)
    page = text_of(open_page(client))
    assert "微信支付扫码付" in page
    assert "确认并发到患者手机" not in page
    refused = confirm(client, room)
    assert "先付费" in text_of(refused)

    page = text_of(press(client, room, means="wechat"))
    payment = Payment.objects.get()
    assert (payment.way, payment.by) == ("consult", room.user)
    assert "请患者用微信支付扫码付 ¥20.00" in page
    press(client, room, "look/", payment=payment.pk)
    stamp = re.search(r"stamp=(\w+)", text_of(open_page(client)))[1]
    news = f"{reverse('appointments:consult_fresh')}?encounter={room.waiting[0].pk}&stamp={stamp}"
    assert client.get(news).status_code == 204
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=clock.now())
    page = text_of(client.get(news))
    assert "已收 <b>¥20.00</b>，预约已确认" in page
    assert [row.status for row in Appointment.objects.filter(patient=room.first, channel="consult")] == ["booked"]


def test_a_line_more_makes_a_new_code_and_the_first_is_closed(client, room, wechat):
    hold_number(client, room)
    press(client, room, means="wechat")
    client.post(reverse("appointments:consult_drop"), {"drop": held()[0].pk, "encounter": room.waiting[0].pk})
    hold_number(client, room, 2)
    first = Payment.objects.get()
    assert "微信支付扫码付" in text_of(open_page(client))
    press(client, room, means="wechat")
    first.refresh_from_db()
    assert Invoice.objects.get().lines.exclude(status="withdrawn").count() == 1
    assert Payment.objects.filter(status="pending").count() == 1


def test_the_link_goes_to_the_patients_phone_and_the_next_may_come_in(client, room, wechat):
    hold_number(client, room)
    before = held()[0].slot.hold_until
    assert press_next(client, room.waiting[0].pk).status_code == 409
    page = text_of(press(client, room, "send/"))
    assert "付费链接已发到患者手机" in page
    assert "之前已经发过" in text_of(press(client, room, "send/"))
    sms = Message.objects.get(template="invoice.to_pay", channel="sms")
    assert f"/pay/{Invoice.objects.get().token}/" in sms.link
    assert held()[0].slot.hold_until > before
    assert press_next(client, room.waiting[0].pk).status_code == 302


def test_who_signed_pays_after_the_visit_and_a_free_line_needs_no_code(client, room, wechat):
    credit_for(room.first)
    hold_number(client, room)
    assert "已约好1项，先诊疗后付费" in text_of(press(client, room, "credit/"))
    assert "先诊疗后付费 <b>¥20.00</b>" in text_of(open_page(client))


def test_who_is_overdue_pays_first_and_the_doctor_reads_why(client, room, wechat):
    Invoice.objects.filter(pk=owed(room.first, days=40).pk).update(due_at=NOW - timedelta(days=1))
    hold_number(client, room)
    why = "有超过期限没有付清的账单，暂时不能先诊疗后付费。"
    assert why in text_of(press(client, room, "credit/"))
    assert (why in text_of(open_page(client)), held()[0].status) == (True, "pending")


def test_a_gateway_that_is_away_is_said_beside_the_basket(client, room, wechat):
    hold_number(client, room)
    wechat.away = ["before"]
    response = press(client, room, means="wechat")
    assert "支付渠道暂时没有响应" in text_of(response)
    assert "再试一次" in text_of(open_page(client))


def test_a_line_that_runs_out_under_a_code_is_still_in_its_sum(client, room, wechat):
    """The code can be paid: the sum beside it is the code's, and the page says what becomes of the line."""
    hold_number(client, room)
    hold_number(client, room, 2)
    press(client, room, means="wechat")
    assert "请患者用微信支付扫码付 ¥40.00" in text_of(open_page(client))
    first = held()[0].slot
    first.hold_until = clock.now() - timedelta(seconds=1)
    first.save(update_fields=["hold_until"])
    supply.lapse_holds(now=clock.now())

    page = text_of(open_page(client))
    summed = re.search(r'till__sum">.*?¥([\d.]+)', page, re.DOTALL)[1]
    assert (summed, "扫码付 ¥40.00" in page, "仍在这个付款码里" in page) == ("40.00", True, True)


def test_a_code_stays_on_the_screen_while_all_it_is_for_ran_out(client, room, wechat):
    """The patient may have scanned it already: who looks at the screen sees it, asks for it, or closes it."""
    hold_number(client, room)
    press(client, room, means="wechat")
    slot = held()[0].slot
    slot.hold_until = clock.now() - timedelta(seconds=1)
    slot.save(update_fields=["hold_until"])
    supply.lapse_holds(now=clock.now())

    page = text_of(open_page(client))
    assert "扫码付 ¥20.00" in page
    assert "仍在这个付款码里" in page
    payment = Payment.objects.get()
    page = text_of(press(client, room, "leave/", payment=payment.pk))
    payment.refresh_from_db()
    assert ("扫码付 ¥20.00" in page, payment.status) == (False, "closed")


def test_money_that_went_back_is_said_though_nothing_of_it_stands(client, room, wechat):
    """The number was taken by another while the code stood: the doctor does not tell the patient to pay again."""
    hold_number(client, room)
    press(client, room, means="wechat")
    held_row, payment = held()[0], Payment.objects.get()
    Slot.objects.filter(pk=held_row.slot_id).update(hold_until=clock.now() - timedelta(seconds=1))
    supply.lapse_holds(now=clock.now())
    booking.book(schedule=held_row.schedule, patient=PatientFactory(), number=held_row.slot.number, channel="consult",
                 by=room.user, request_key=None, now=clock.now())  # fmt: skip
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=clock.now())

    said = "患者付过款，没有约上，钱自动退回原来的账户。"
    page = text_of(open_page(client))
    assert (said in page, "退 ¥20.00（号源已不可用）" in page) == (True, True)
    hold_number(client, room, 2)
    page = text_of(open_page(client))
    assert (said in page, "微信支付扫码付" in page) == (True, True)


def test_another_doctors_patient_is_not_charged(client, room, wechat):
    hold_number(client, room)
    response = client.post(
        "/consult/pay/", {"encounter": room.waiting[1].pk, "means": "wechat", "request_key": str(uuid4())}
    )
    assert response.status_code == 409
    assert Invoice.objects.count() == 0
    assert invoicing.open_for_basket(basket=held()[0].basket, by=None, now=clock.now())[0].patient == room.first


def test_of_an_insured_person_the_insurance_is_asked_before_the_code_is_shown(client, room, wechat, insurance):  # noqa: F811
    """M5: who bears what is known first; the means are open once it was agreed to, or declined."""
    Patient.objects.filter(pk=room.first.pk).update(insurance="employee")
    hold_number(client, room)
    page = text_of(open_page(client))
    assert "收费（先算医保）" in page
    assert "扫码付" not in page
    page = text_of(press(client, room, "open/"))
    assert "付款前先选：用医保结算，还是全额自费" in page
    assert "扫码付" not in page
    assert "发到患者手机" in page
    press(client, room, means="wechat")  # by an old page
    assert not Payment.objects.exists()
    invoice = Invoice.objects.get()
    assert client.post(f"/pay/{invoice.token}/insurance/", {"act": "decline", "next": "/consult/"}).url == "/consult/"
    assert "微信支付扫码付" in text_of(open_page(client))
