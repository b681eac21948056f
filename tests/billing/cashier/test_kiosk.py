"""M1, M2: paying at the machine in the hall, and nobody pays or sees another's bill there."""

import re

import pytest
import time_machine
from django.urls import reverse

from billing.models import Payment
from tests.factories import NOW, IdentifierFactory, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db
KEY = r'name="request_key" value="([^"]+)"'


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def kiosk(client, window):
    """Somebody stands before it."""
    client.force_login(StaffFactory(roles="kiosk"))
    client.post("/kiosk/", {"code": "11010519491231002X"})
    return client


def text(page) -> str:
    return page.content.decode()


def press(kiosk, what, invoice, **said):
    key = re.search(r'name="visit" value="([^"]+)"', text(kiosk.get("/kiosk/me/")))[1]
    return kiosk.post(reverse(f"billing:{what}", args=[invoice.token]), {"visit": key, **said}, follow=True)


def test_a_bill_is_paid_by_a_code_and_the_slip_is_there(kiosk, window, wechat):
    row = window.hold()
    assert "缴费" in text(kiosk.get("/kiosk/me/"))
    page = kiosk.get("/kiosk/pay/", follow=True)
    invoice = page.context["invoice"]
    assert ("应付 ¥20.00" in text(page), window.patient.name in text(page)) == (True, False)
    key = str(page.context["request_key"])
    waits = press(kiosk, "kiosk_start", invoice, means="wechat", request_key=key)
    press(kiosk, "kiosk_start", invoice, means="wechat", request_key=key)
    payment = Payment.objects.get()
    assert (payment.way, payment.amount, 'data-idle="180"' in text(waits)) == ("kiosk", 20, True)
    assert kiosk.get(reverse("billing:kiosk_waiting", args=[invoice.token])).status_code == 204

    wechat.pay(payment.order)
    done = press(kiosk, "kiosk_look", invoice)
    row.refresh_from_db()
    assert (row.status, "缴费凭条" in text(done)) == ("booked", True)
    assert "您没有要付的费用。" in text(kiosk.get("/kiosk/pay/"))


def test_another_way_closes_the_code_first(kiosk, window, wechat):
    invoice = window.invoice()
    press(kiosk, "kiosk_start", invoice, means="wechat", request_key="0e1c7b2e-6a3f-4a88-9a68-0f7a4b7b0e11")
    page = press(kiosk, "kiosk_change", invoice)
    assert (Payment.objects.get().status, "怎么付" in text(page)) == ("closed", True)


def test_a_gateway_that_is_away_is_said_and_asked_again(kiosk, window, wechat):
    """The code comes as soon as the gateway is back; nobody is asked to scan what is not there."""
    invoice = window.invoice()
    wechat.away = ["before"]
    key = "0e1c7b2e-6a3f-4a88-9a68-0f7a4b7b0e11"
    page = text(press(kiosk, "kiosk_start", invoice, means="wechat", request_key=key))
    said = [words in page for words in ("微信支付暂时没有响应", "再试一次", "扫这个码", "我付好了")]
    assert (said, Payment.objects.get().status) == ([True, True, False, False], "pending")

    page = text(press(kiosk, "kiosk_start", invoice, means="wechat", request_key=re.search(KEY, page)[1]))
    said = [words in page for words in ("再试一次", "扫这个码", "<svg", "我付好了")]
    assert (said, Payment.objects.count()) == ([False, True, True, True], 1)


def test_without_a_gateway_the_machine_says_where_to_pay(kiosk, window):
    invoice = window.invoice()
    page = kiosk.get(reverse("billing:kiosk_pay", args=[invoice.token]))
    assert "请用手机付款，或到收费窗口。" in text(page)


def test_another_persons_bill_is_not_there(kiosk, window, wechat):
    IdentifierFactory(patient=(other := PatientFactory()), number_hash="other")
    theirs = window.invoice(other)
    for what in ("kiosk_pay", "kiosk_paid", "kiosk_waiting"):
        assert kiosk.get(reverse(f"billing:{what}", args=[theirs.token])).status_code == 404
    assert press(kiosk, "kiosk_start", theirs, means="wechat").status_code == 404
    kiosk.post("/kiosk/leave/")
    assert kiosk.get(reverse("billing:kiosk_pay", args=[theirs.token])).url == "/kiosk/"
