"""What staff take for a person in a prepaid channel leads to how it is paid; nobody of another house sees it."""

import re

import pytest

from appointments.models import Appointment
from billing.models import Invoice
from billing.services import crediting, invoicing, paying
from hospital import clock
from hospital.messages import wording_of
from hospital.models import Message
from tests.bookings.scenes import text_of
from tests.consult.rooms import half_day, key, today
from tests.factories import PatientFactory, RoleFactory, StaffFactory, UserFactory
from tests.factories.billing import credit_for, pays_first

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock():
    """Not here: the booking function asks the database's clock, so these days are real."""


def signed_in(client, roles):
    user = StaffFactory(roles=roles)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def given(client, patient):
    from datetime import timedelta

    schedule = half_day(role=RoleFactory(), day=today() + timedelta(days=1))
    said = {"schedule": schedule.pk, "request_key": key(), "document_seen": "on", "priority": "0"}
    return client.post(f"/desk/patients/{patient.pk}/give/", said)


def test_a_number_at_the_window_is_held_and_leads_to_paying_and_shows_when_it_is_paid(client, wechat):
    pays_first()
    signed_in(client, "counter")
    patient = PatientFactory(phone="13800138000")
    response = given(client, patient)
    assert response.status_code == 302, text_of(response)
    assert re.fullmatch(r"/desk/pay/appointment/\d+/", response.url)
    address = client.get(response.url).url
    page = text_of(client.get(address))
    for words in ("待付费", "¥20.00", "已保留到", "<svg", "发付费链接到患者手机"):
        assert words in page, words
    assert "到收费页收款" not in page
    assert client.post(f"{address}send/").url == address
    assert "付费链接已发到患者手机" in text_of(client.get(address))

    seen = re.search(r"state/\?seen=([^\"]+)", page)[1]
    invoice = Invoice.objects.get()
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=clock.now())
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=clock.now())
    assert client.get(f"{address}state/?seen={seen}").headers["HX-Refresh"] == "true"
    assert "已付清，预约已确认" in text_of(client.get(address))
    assert Appointment.objects.get().status == "booked"


def test_the_link_says_till_when_and_what_it_is_for(client, wechat):
    """Held: till when. Confirmed and owed: nothing is given back, and by which day it is to be paid."""
    pays_first()
    signed_in(client, "counter")
    patient = PatientFactory(phone="13800138000")
    credit_for(patient)
    given(client, patient)
    invoice = invoicing.open_for_booking(booking=Appointment.objects.get(), by=None, now=clock.now())
    address = f"/desk/pay/{invoice.token}/"
    client.post(f"{address}send/")
    until = f"{Appointment.objects.get().slot.hold_until.astimezone(clock.ZONE):%H:%M}"
    [body] = sent()
    assert ("需付费 ¥20.00 后确认" in body, f"{until}，到时没有付款，号会自动放回" in body) == (True, True), body

    crediting.put_on_credit(invoice=invoice, by=None, now=clock.now())
    Message.objects.all().delete()
    client.post(f"{address}send/")
    [body] = sent()
    assert ("还有 ¥20.00 需要支付" in body, "23:59前付清" in body, "放回" in body) == (True, True, False), body


def sent() -> list[str]:
    rows = Message.objects.filter(template="invoice.to_pay", channel="sms")
    return [wording_of(row, language="zh-hans").body for row in rows]


def test_staff_of_another_house_and_strangers_see_nothing_of_it(client, wechat):
    pays_first()
    signed_in(client, "counter")
    response = given(client, PatientFactory())
    address = client.get(response.url).url
    other = UserFactory()
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 403
    assert client.get(response.url).status_code == 403
    client.logout()
    assert client.get(address).status_code == 302


def test_a_person_without_a_phone_is_told_where_to_pay(client, wechat):
    pays_first()
    signed_in(client, "counter")
    address = client.get(given(client, PatientFactory(phone="")).url).url
    response = client.post(f"{address}send/")
    assert response.status_code == 409
    assert "没有登记手机号" in text_of(response)
