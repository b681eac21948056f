"""M2, M6, M8: both gateways as a process of their own, with real keys: asked, paid, told, given back, billed."""

import socket
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa

from billing.gateways import kept_alipay, kept_wechat, lines, merchants, ports
from billing.gateways.ports import Away, Forged, Refuses, State
from hospital import clock
from tests.factories import NOW, TODAY

OURS = [("wechat", None), ("alipay", None)]
KEPT = [("wechat", kept_wechat.KeptWechatPay), ("alipay", kept_alipay.KeptAlipay)]
BOTH = pytest.mark.parametrize(("code", "kept"), OURS, ids=["wechat", "alipay"])
ALL = pytest.mark.parametrize(("code", "kept"), OURS + KEPT, ids=["wechat", "alipay", "wechatpayv3", "alipay-sdk"])
"""Also by the kept client libraries: two that know nothing of each other find the gateway to be what it says."""
TWENTY = Decimal("20.00")


@pytest.fixture(autouse=True)
def _clock(payment_gateway):
    with time_machine.travel(NOW, tick=False):
        payment_gateway.at(NOW)
        yield


@pytest.fixture
def port(code, kept, payment_gateway):
    [entry] = [each for each in merchants.read(Path(payment_gateway.merchants)) if each["gateway"] == code]
    ours = merchants.made(entry, "H1")
    return kept(ours.merchant, callback=ours.callback, back=ours.back) if kept else ours


def order(**more):
    said = {"order": f"P{uuid4().hex[:24]}", "amount": TWENTY, "subject": "江州市中心医院", "way": "consult"}
    return ports.Order(**{**said, "expires_at": NOW + timedelta(minutes=15), "payer_ip": "10.1.2.3", **more})


@ALL
def test_an_order_is_made_once_asked_about_paid_and_given_back_in_parts(code, kept, port, payment_gateway):
    one = order()
    assert port.query(one.order).state == State.UNKNOWN
    assert port.query_refund(one.order, refund="R0").state == State.UNKNOWN
    first = port.create(one)
    assert first.qr == port.create(one).qr
    assert first.qr.startswith(payment_gateway.address)
    assert port.query(one.order).state == State.WAITING
    with pytest.raises(Refuses):
        port.refund(one.order, refund="R0", amount=TWENTY, total=TWENTY)

    paid = payment_gateway("pay", order=one.order)
    news = port.query(one.order)
    assert (news.state, news.amount, news.currency) == (State.DONE, TWENTY, "CNY")
    assert (news.reference, news.at) == (paid["reference"], NOW)
    with pytest.raises(Refuses):
        port.close(one.order)

    for _twice in range(2):
        news = port.refund(one.order, refund="R1", amount=Decimal("7.50"), total=TWENTY)
        assert (news.state, news.order, news.amount) == (State.DONE, "R1", Decimal("7.50"))
    assert port.query_refund(one.order, refund="R1").state == State.DONE
    with pytest.raises(Refuses):
        port.refund(one.order, refund="R2", amount=Decimal("12.51"), total=TWENTY)
    assert port.refund(one.order, refund="R3", amount=Decimal("12.50"), total=TWENTY).state == State.DONE
    assert [row["amount"] for row in payment_gateway.refunds()] == [750, 1250]


@ALL
def test_on_the_patients_phone_it_is_a_page_that_leads_back(code, kept, port, payment_gateway):
    one = order(way="phone")
    url = port.create(one).url
    answer = lines.ask("GET", url, headers={})
    if code == "alipay":  # the signed address is the order, and shows the page under another
        url = answer.headers["Location"]
        answer = lines.ask("GET", url, headers={})
    page = answer.body.decode()
    assert "¥20.00" in page
    assert f"/callbacks/back/{one.order}/" in page
    paid = lines.ask("POST", url, headers={"Content-Length": "0"}).body.decode()
    again = lines.ask("POST", url, headers={"Content-Length": "0"}).body.decode()
    assert "支付成功" in paid
    assert "没有再次扣款" in again
    assert port.query(one.order).state == State.DONE


@ALL
def test_what_is_closed_or_too_old_can_be_paid_no_more(code, kept, port, payment_gateway):
    one, other = order(), order(expires_at=NOW + timedelta(minutes=1))
    for each in (one, other):
        port.create(each)
    port.close(one.order)
    port.close(one.order)
    assert port.query(one.order).state == State.CLOSED
    payment_gateway.at(NOW + timedelta(minutes=2))
    assert port.query(other.order).state == State.CLOSED
    for each in (one, other):
        with pytest.raises(RuntimeError, match="ORDER_CLOSED"):
            payment_gateway("pay", order=each.order)


@ALL
def test_an_answer_that_does_not_come_is_not_known(code, kept, port, payment_gateway):
    """Before anything was done, after it, or as an error of theirs."""
    for down in ("cut", "after", "error"):
        one = order()
        payment_gateway.behave(down=down)
        with pytest.raises(Away):
            port.create(one)
        with pytest.raises(Away):
            port.query(one.order)
        payment_gateway.behave(down="")
        assert port.query(one.order).state == (State.WAITING if down == "after" else State.UNKNOWN), down


@ALL
def test_a_refusal_has_the_gateways_code_and_a_refund_may_be_under_way(code, kept, port, payment_gateway):
    one = order()
    port.create(one)
    payment_gateway("pay", order=one.order)
    payment_gateway.behave(refuses={"refund": "NOT_ENOUGH"})
    with pytest.raises(Refuses) as refused:
        port.refund(one.order, refund="R1", amount=TWENTY, total=TWENTY)
    assert refused.value.code == {"wechat": "NOT_ENOUGH", "alipay": "ACQ.SELLER_BALANCE_NOT_ENOUGH"}[code]

    payment_gateway.behave(refuses={}, refunds="later")
    assert port.refund(one.order, refund="R1", amount=TWENTY, total=TWENTY).state == State.WAITING
    payment_gateway("finish", refund="R1")
    assert port.query_refund(one.order, refund="R1").state == State.DONE


@BOTH
def test_an_answer_that_the_platform_did_not_sign_is_worth_nothing(code, kept, port, monkeypatch):
    real = lines.ask

    def in_the_middle(*asked, **more):
        answer = real(*asked, **more)
        return lines.Answer(answer.status, answer.headers, answer.body.replace(b"NOTPAY", b"SUCCESS"))

    one = order()
    port.create(one)
    monkeypatch.setattr(lines, "ask", in_the_middle)
    with pytest.raises(Away):
        port.query(one.order) if code == "wechat" else port._genuine(b'{"x_response":{"a":1},"sign":"AAAA"}', name="x")


@BOTH
def test_another_merchants_key_is_refused_by_the_gateway(code, kept, port, payment_gateway):
    """What the gateway does not know to be ours it does not do."""
    object.__setattr__(port.merchant, "private_key", _any_key())
    with pytest.raises(Refuses if code == "wechat" else Away):
        port.create(order())
    assert payment_gateway.orders() == []


def _any_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@BOTH
def test_the_bill_of_a_day_has_every_payment_and_refund_of_that_day(code, kept, port, payment_gateway):
    one, other, unpaid = order(), order(amount=Decimal("123.45")), order()
    for each in (one, other, unpaid):
        port.create(each)
    for each in (one, other):
        payment_gateway("pay", order=each.order)
    port.refund(one.order, refund="R1", amount=Decimal("7.50"), total=TWENTY)
    with pytest.raises(Away):
        list(port.bill(TODAY))

    tomorrow = clock.at(TODAY + timedelta(days=1), time(10))
    payment_gateway.at(tomorrow)
    with time_machine.travel(tomorrow, tick=False):
        bill = list(port.bill(TODAY))
        assert list(port.bill(TODAY - timedelta(days=1))) == []
    assert [(row.kind, row.order, row.amount, row.fee) for row in bill] == [
        ("payment", one.order, TWENTY, Decimal("0.04")),
        ("payment", other.order, Decimal("123.45"), Decimal("0.25")),
        ("refund", "R1", Decimal("7.50"), Decimal("-0.02")),
    ]
    assert {row.at for row in bill} == {NOW}
    assert bill[0].reference == payment_gateway.orders()[0]["reference"]


@BOTH
def test_a_bill_that_is_cut_off_or_does_not_add_up_is_none(code, kept, port, payment_gateway, monkeypatch):
    one = order()
    port.create(one)
    payment_gateway("pay", order=one.order)
    tomorrow = NOW + timedelta(days=1)
    payment_gateway.at(tomorrow)
    real = lines.stream
    with time_machine.travel(tomorrow, tick=False):
        monkeypatch.setattr(lines, "stream", lambda *asked, **more: [b"".join(real(*asked, **more))[:-30]])
        with pytest.raises(Away):
            list(port.bill(TODAY))


@ALL
def test_a_callback_is_read_by_whoever_speaks_the_protocol(code, kept, port, payment_gateway):
    one = order()
    port.create(one)
    payment_gateway.behave(callbacks="held")
    payment_gateway("pay", order=one.order)
    said = payment_gateway("compose", order=one.order)
    notice = port.read(said["headers"], said["body"].encode())
    assert (notice.kind, notice.news.order, notice.news.state) == ("payment", one.order, State.DONE)
    assert (notice.news.amount, notice.message) == (TWENTY, payment_gateway.notices()[0]["id"])
    with pytest.raises(Forged):
        port.read(said["headers"], said["body"].replace("a", "b", 1).encode())


@ALL
def test_a_callback_that_nobody_signed_or_that_is_cut_is_forged(code, kept, port):
    for body in (b"", b"{}", b"a=b", b"\xff\xfe", b"sign=x&sign_type=RSA2", b"[1]" * 1000):
        with pytest.raises(Forged):
            port.read({}, body)
        headers = {
            "Wechatpay-Timestamp": str(int(NOW.timestamp())),
            "Wechatpay-Signature": "%%",
            "Wechatpay-Nonce": "n",
        }
        with pytest.raises(Forged):
            port.read(headers, body)


def test_who_keeps_us_waiting_for_nothing_is_left_alone_for_a_while(monkeypatch):
    """Nobody answers there, but the line is taken: the third person is told at once."""
    monkeypatch.setattr(lines, "SILENT", 0.05)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url, calls = f"http://127.0.0.1:{deaf.getsockname()[1]}/", []
        for _patient in range(3):
            began = perf_counter()
            with pytest.raises(Away):
                lines.ask("GET", url, headers={}, seconds=0.1)
            calls.append(perf_counter() - began > 0.09)
    assert calls == [True, True, False]
