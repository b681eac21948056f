"""Alipay's open platform (RSA2): what we ask it, what its answers and notices mean.

Everything is one address and a form; the signed text is what stands between the names of the answer and its sign, as it
came. An order is not known there before somebody has scanned it or opened its page, so it can't be closed before: its
own expiry ends it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl, urlencode

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from hospital import clock

from . import alipay_bill, lines, signing
from .ports import Away, BillLine, Created, Forged, News, Notice, Order, Refuses, Reply, State

log = structlog.get_logger(__name__)

SKEW = timedelta(minutes=5)
"""How far ahead of our clock a notice may be."""
OLDEST = timedelta(hours=25)
"""A notice that is sent again keeps its time, and is sent for a day. Replays are known by their id, for ever."""

STATES = {
    "WAIT_BUYER_PAY": State.WAITING,
    "TRADE_SUCCESS": State.DONE,
    "TRADE_FINISHED": State.DONE,
    "TRADE_CLOSED": State.CLOSED,
}
FINE, BUSINESS = "10000", "40004"
NEVER_HEARD = "ACQ.TRADE_NOT_EXIST"
UNSURE = {"ACQ.SYSTEM_ERROR", "AOP.ACQ.SYSTEM_ERROR", "SYSTEM_ERROR"}
NO_BILL = {"ISV.BILL_NOT_EXIST", "ISP.BILL_NOT_EXIST", "BILL_NOT_EXIST"}


@dataclass(frozen=True)
class Merchant:
    """`platform`: Alipay's own key for this app."""

    address: str
    app_id: str
    seller_id: str
    private_key: RSAPrivateKey
    platform: RSAPublicKey


class No(Exception):
    """An answer that is not fine, with its sub-code."""

    def __init__(self, code: str):
        self.code = code[:40]
        super().__init__(code)


class Alipay:
    code = "alipay"

    def __init__(self, merchant: Merchant, *, callback: str, back: str):
        self.merchant, self.callback, self.back = merchant, callback, back
        self.account = merchant.app_id

    # ---- asking ----

    def create(self, order: Order) -> Created:
        """On the patient's own phone a page, anywhere else a code to scan."""
        said = {
            "out_trade_no": order.order,
            "total_amount": f"{order.amount:.2f}",
            "subject": order.subject[:256],
            "time_expire": beijing(order.expires_at),
        }
        if order.way == "phone":
            more = {"notify_url": self.callback, "return_url": f"{self.back}{order.order}/"}
            query = self._query("alipay.trade.wap.pay", {**said, "product_code": "QUICK_WAP_WAY"}, **more)
            return Created(url=f"{self.merchant.address}?{query}")
        try:
            return Created(qr=self._ask("alipay.trade.precreate", said, notify_url=self.callback)["qr_code"])
        except KeyError:
            raise Away from None
        except No as no:
            if no.code == "ACQ.TRADE_HAS_SUCCESS":  # by an answer that was lost: it is asked about
                raise Away from None
            raise Refuses(no.code) from None

    def query(self, order: str) -> News:
        try:
            return self._news(self._ask("alipay.trade.query", {"out_trade_no": order}))
        except No as no:
            if no.code == NEVER_HEARD:
                return News(order, State.UNKNOWN)
            raise Away from None

    def close(self, order: str) -> None:
        try:
            self._ask("alipay.trade.close", {"out_trade_no": order})
        except No as no:
            if no.code != NEVER_HEARD:
                raise Refuses(no.code) from None

    def refund(self, order: str, *, refund: str, amount: Decimal, total: Decimal) -> News:
        """Done at once, or (asked again by the same number) as the query says."""
        said = {"out_trade_no": order, "refund_amount": f"{amount:.2f}", "out_request_no": refund}
        try:
            found = self._ask("alipay.trade.refund", said)
        except No as no:
            raise Refuses(no.code) from None
        if found.get("fund_change") == "Y":
            return News(refund, State.DONE, amount, str(found.get("trade_no", "")))
        news = self.query_refund(order, refund=refund)
        return News(refund, State.WAITING) if news.state == State.UNKNOWN else news

    def query_refund(self, order: str, *, refund: str) -> News:
        said = {"out_trade_no": order, "out_request_no": refund, "query_options": ["gmt_refund_pay"]}
        try:
            found = self._ask("alipay.trade.fastpay.refund.query", said)
        except No as no:
            if no.code == NEVER_HEARD:
                return News(refund, State.UNKNOWN)
            raise Away from None
        try:
            if found.get("refund_status") == "REFUND_SUCCESS":
                return News(refund, State.DONE, Decimal(found["refund_amount"]), str(found.get("trade_no", "")))
        except (KeyError, InvalidOperation):
            raise Away from None
        return News(refund, State.UNKNOWN)  # asking again with its number is the same refund

    def bill(self, day: date) -> Iterator[BillLine]:
        """Its bill of a day is there from the next morning on."""
        try:
            said = {"bill_type": "trade", "bill_date": f"{day}"}
            found = self._ask("alipay.data.dataservice.bill.downloadurl.query", said)
        except No as no:
            if no.code.upper() in NO_BILL and alipay_bill.is_due(day, now=clock.now()):
                return iter(())
            raise Away from None
        return alipay_bill.read(lines.stream(str(found["bill_download_url"]), headers={}))

    def _ask(self, method: str, said: dict, **more: str) -> dict:
        """Raises Away, No."""
        found = self._exchange(method, said, **more)
        if found.get("code") == FINE:
            return found
        code = str(found.get("sub_code") or found.get("code"))
        if found.get("code") == BUSINESS and code.upper() not in UNSURE:
            raise No(code)
        log.warning("gateway_answer_unclear", gateway=self.code, code=code[:40])
        raise Away

    def _exchange(self, method: str, said: dict, **more: str) -> dict:
        """What Alipay answered and signed. Raises Away."""
        answer = lines.ask(
            "POST",
            self.merchant.address,
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            body=self._query(method, said, **more).encode(),
        )
        if answer.status != 200:
            raise Away
        return self._genuine(answer.body, name=method.replace(".", "_") + "_response")

    def _query(self, method: str, said: dict, **more: str) -> str:
        """Signed, as a form's body or an address's query."""
        asked = {
            "app_id": self.merchant.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(clock.now()),
            "version": "1.0",
            "biz_content": json.dumps(said, ensure_ascii=False, separators=(",", ":")),
            **more,
        }
        text = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
        return urlencode({**asked, "sign": signing.sign(self.merchant.private_key, text)})

    def _genuine(self, body: bytes, *, name: str) -> dict:
        """The answer, if Alipay signed it. Raises Away."""
        try:
            text = body.decode()
            start = text.index(f'"{name}"') + len(name) + 2
            start = text.index("{", start)
            found, end = json.JSONDecoder().raw_decode(text, start)
            signature = json.loads(text)["sign"]
        except (ValueError, KeyError, TypeError):
            raise Away from None
        if not signing.is_signed(self.merchant.platform, text[start:end].encode(), str(signature)):
            log.warning("gateway_answer_not_genuine", gateway=self.code)
            raise Away
        return found

    # ---- what it says ----

    def _news(self, said: Mapping[str, str]) -> News:
        """Of an answer or a notice. Raises Away for what makes no sense."""
        try:
            return News(
                order=str(said["out_trade_no"]),
                state=STATES[said["trade_status"]],
                amount=Decimal(said["total_amount"]),
                reference=str(said.get("trade_no", "")),
                at=_moment(said.get("gmt_payment") or said.get("send_pay_date")),
                code=str(said["trade_status"]),
            )
        except (KeyError, InvalidOperation, ValueError):
            raise Away from None

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Raises Forged."""
        try:
            said = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
            signature = said.pop("sign")
            if said.pop("sign_type", "") != "RSA2" or not self._is_genuine(said, signature):
                raise Forged
            age = clock.now() - _moment(said["notify_time"])
            ours = said["app_id"] == self.merchant.app_id and said.get("seller_id") == self.merchant.seller_id
            if not ours or not -SKEW <= age <= OLDEST:
                raise Forged
            return self._notice(said)
        except (KeyError, ValueError, TypeError, Away):
            raise Forged from None

    def _is_genuine(self, said: dict[str, str], signature: str) -> bool:
        text = "&".join(f"{name}={said[name]}" for name in sorted(said))
        return signing.is_signed(self.merchant.platform, text.encode(), signature)

    def _notice(self, said: dict[str, str]) -> Notice:
        """Kept without the buyer. One with gmt_refund tells of a refund; its refund_fee is the sum of all, so it does
        not say how much this one was."""
        names = ("trade_no", "out_trade_no", "trade_status", "notify_type", "out_biz_no", "gmt_refund")
        body = {name: said[name] for name in names if name in said}
        if "gmt_refund" in said:
            news = News(said["out_biz_no"], State.DONE, reference=said.get("trade_no", ""), code=said["trade_status"])
            return Notice(said["notify_id"], "refund", news, body)
        return Notice(said["notify_id"], "payment", self._news(said), body)

    def reply(self, *, received: bool) -> Reply:
        """Anything but "success" is sent again for a day."""
        return Reply(200, "text/plain", "success" if received else "failure")


def beijing(at: datetime) -> str:
    return at.astimezone(clock.ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _moment(text: str | None) -> datetime | None:
    """What it writes is Beijing time. Raises ValueError."""
    return datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.ZONE) if text else None
