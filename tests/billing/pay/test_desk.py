"""What staff take for a person in a prepaid channel leads to how it is paid; nobody of another house sees it."""

import re

import pytest

from appointments.models import Appointment
from billing.models import Invoice
from billing.services import paying
from hospital import clock
from tests.bookings.scenes import text_of
from tests.consult.rooms import half_day, key, today
from tests.factories import PatientFactory, RoleFactory, StaffFactory, UserFactory
from tests.factories.billing import pays_first

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
