"""WeChat Pay, API v3 of a direct merchant: what we ask it, what its answers and callbacks mean.

Requests are signed with the merchant's key, answers and callbacks with the platform's, whose serial says which of its
keys; what a callback says is sealed with the merchant's APIv3 key. Its clock may be five minutes off.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from urllib.parse import quote

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from billing.policies.paying import CURRENCY
from hospital import clock

from . import lines, signing, wechat_bill
from .fen import to_fen, to_yuan
from .ports import Away, BillLine, Created, Forged, News, Notice, Order, Refuses, Reply, State

log = structlog.get_logger(__name__)

SKEW = timedelta(minutes=5)
"""How old, or how far ahead of our clock, a callback may be: within it a replay is known by its id."""

STATES = {
    "SUCCESS": State.DONE,
    "REFUND": State.DONE,  # it was paid, and something of it went back
    "NOTPAY": State.WAITING,
    "USERPAYING": State.WAITING,
    "ACCEPT": State.WAITING,
    "CLOSED": State.CLOSED,
    "REVOKED": State.CLOSED,
    "PAYERROR": State.CLOSED,
}
REFUND_STATES = {
    "SUCCESS": State.DONE,
    "PROCESSING": State.WAITING,
    "CLOSED": State.CLOSED,
    "ABNORMAL": State.CLOSED,  # the payer's account takes nothing any more: the office finds another way
}
NEVER_HEARD = {"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"}
PAID_ALREADY = {"ORDERPAID", "ORDER_PAID", "OUT_TRADE_NO_USED"}
CLOSED_ALREADY = {"ORDER_CLOSED", "ORDERCLOSED"}


@dataclass(frozen=True)
class Merchant:
    """`platform`: the platform's keys by serial (or id of the public key)."""

    address: str
    mchid: str
    appid: str
    serial: str
    private_key: RSAPrivateKey
    apiv3_key: bytes
    platform: Mapping[str, RSAPublicKey]


class No(Exception):
    """An answer of 4xx, with the gateway's code."""

    def __init__(self, status: int, code: str):
        self.status, self.code = status, code
        super().__init__(code)


class WechatPay:
    code = "wechat"

    def __init__(self, merchant: Merchant, *, callback: str, back: str):
        """`callback`: where notices go; `back`: where the payer's browser returns to, with the order's number."""
        self.merchant, self.callback, self.back = merchant, callback, back
        self.account = merchant.mchid

    # ---- asking ----

    def create(self, order: Order) -> Created:
        """On the patient's own phone a page, anywhere else a code to scan."""
        merchant = self.merchant
        said = {
            "appid": merchant.appid,
            "mchid": merchant.mchid,
            "description": order.subject[:127],
            "out_trade_no": order.order,
            "time_expire": order.expires_at.astimezone(clock.ZONE).isoformat(timespec="seconds"),
            "notify_url": self.callback,
            "amount": {"total": to_fen(order.amount), "currency": CURRENCY},
        }
        by_page = order.way == "phone"
        if by_page:
            said["scene_info"] = {"payer_client_ip": order.payer_ip or "127.0.0.1", "h5_info": {"type": "Wap"}}
        try:
            found = self._ask("POST", f"/v3/pay/transactions/{'h5' if by_page else 'native'}", said)
        except No as no:
            if no.code in PAID_ALREADY:  # by an answer that was lost: it is asked about
                raise Away from None
            raise Refuses(no.code) from None
        if by_page:
            return Created(url=f"{found['h5_url']}&redirect_url={quote(self.back + order.order + '/', safe='')}")
        return Created(qr=found["code_url"])

    def query(self, order: str) -> News:
        path = f"/v3/pay/transactions/out-trade-no/{order}?mchid={self.merchant.mchid}"
        try:
            return self._news(self._ask("GET", path))
        except No as no:
            if no.code in NEVER_HEARD:
                return News(order, State.UNKNOWN)
            raise Away from None

    def close(self, order: str) -> None:
        try:
            path = f"/v3/pay/transactions/out-trade-no/{order}/close"
            self._ask("POST", path, {"mchid": self.merchant.mchid})
        except No as no:
            if no.code in CLOSED_ALREADY:
                return
            if no.status in (401, 429):
                raise Away from None
            raise Refuses(no.code) from None

    def refund(self, order: str, *, refund: str, amount: Decimal, total: Decimal) -> News:
        said = {
            "out_trade_no": order,
            "out_refund_no": refund,
            "notify_url": self.callback,
            "amount": {"refund": to_fen(amount), "total": to_fen(total), "currency": CURRENCY},
        }
        try:
            return self._refund_news(self._ask("POST", "/v3/refund/domestic/refunds", said))
        except No as no:
            if no.status in (401, 429):  # our key or our pace, not this refund
                raise Away from None
            raise Refuses(no.code) from None

    def query_refund(self, order: str, *, refund: str) -> News:
        try:
            return self._refund_news(self._ask("GET", f"/v3/refund/domestic/refunds/{refund}"))
        except No as no:
            if no.code in NEVER_HEARD:
                return News(refund, State.UNKNOWN)
            raise Away from None

    def bill(self, day: date) -> Iterator[BillLine]:
        """Its bill of a day is there from ten o'clock of the next."""
        try:
            found = self._ask("GET", f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL")
        except No as no:
            if no.code == "NO_STATEMENT_EXIST" and wechat_bill.is_due(day, now=clock.now()):
                return iter(())
            raise Away from None
        url = str(found["download_url"])
        path = url.removeprefix(self.merchant.address)
        if path == url and "://" in url:
            path = "/" + url.split("://", 1)[1].partition("/")[2]
        pieces = lines.stream(self.merchant.address + path, headers=self._headers("GET", path, ""))
        return wechat_bill.read(pieces, digest=str(found["hash_value"]))

    def _ask(self, method: str, path: str, said: dict | None = None) -> dict:
        """Raises Away, No."""
        status, body = self._exchange(method, path, said)
        if status >= 500:
            raise Away
        try:
            found = json.loads(body) if body else {}
            if status >= 400:
                raise No(status, str(found.get("code", status))[:40])
            return found
        except (ValueError, AttributeError):
            raise Away from None

    def _exchange(self, method: str, path: str, said: dict | None) -> tuple[int, bytes]:
        """A good answer without the platform's signature is somebody else's. Raises Away."""
        body = "" if said is None else json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        answer = lines.ask(
            method,
            self.merchant.address + path,
            headers=self._headers(method, path, body),
            body=body.encode() if body else None,
        )
        if 200 <= answer.status < 300 and not self._is_genuine(answer.headers, answer.body):
            log.warning("gateway_answer_not_genuine", gateway=self.code)
            raise Away
        return answer.status, answer.body

    def _headers(self, method: str, path: str, body: str) -> dict[str, str]:
        merchant, at, nonce = self.merchant, int(clock.now().timestamp()), token_hex(16)
        signature = signing.sign(merchant.private_key, f"{method}\n{path}\n{at}\n{nonce}\n{body}\n")
        said = (
            f'mchid="{merchant.mchid}",nonce_str="{nonce}",signature="{signature}",timestamp="{at}",'
            f'serial_no="{merchant.serial}"'
        )
        return {
            "Authorization": f"WECHATPAY2-SHA256-RSA2048 {said}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "hospital-billing/1",
        }

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        key = self.merchant.platform.get(headers.get("Wechatpay-Serial", ""))
        if key is None:
            log.warning("gateway_serial_unknown", gateway=self.code)
            return False
        at, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
        text = f"{at}\n{nonce}\n".encode() + body + b"\n"
        return signing.is_signed(key, text, headers.get("Wechatpay-Signature", ""))

    # ---- what it says ----

    def _news(self, said: dict) -> News:
        """Raises Away for what makes no sense."""
        try:
            amount = said.get("amount") or {}
            return News(
                order=str(said["out_trade_no"]),
                state=STATES[said["trade_state"]],
                amount=to_yuan(int(amount["total"])) if "total" in amount else None,
                reference=str(said.get("transaction_id", "")),
                at=_moment(said.get("success_time")),
                currency=str(amount.get("currency", CURRENCY)),
                code=str(said["trade_state"]),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            raise Away from None

    def _refund_news(self, said: dict) -> News:
        """Raises Away. A callback calls `status` refund_status."""
        try:
            status = said.get("refund_status") or said["status"]
            amount = said.get("amount") or {}
            return News(
                order=str(said["out_refund_no"]),
                state=REFUND_STATES[status],
                amount=to_yuan(int(amount["refund"])) if "refund" in amount else None,
                reference=str(said.get("refund_id", "")),
                at=_moment(said.get("success_time")),
                code=str(status),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            raise Away from None

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Raises Forged."""
        try:
            at = datetime.fromtimestamp(int(headers.get("Wechatpay-Timestamp", "")), clock.ZONE)
        except (ValueError, OverflowError, OSError):
            raise Forged from None
        if abs(clock.now() - at) > SKEW:
            raise Forged
        try:
            notice = self._opened(headers, body)
            said = notice["resource"]
            if said["mchid"] != self.merchant.mchid:
                raise Forged
            return self._notice(str(notice["id"]), str(notice["event_type"]), said)
        except (KeyError, ValueError, TypeError, AttributeError, Away):
            raise Forged from None

    def _opened(self, headers: Mapping[str, str], body: bytes) -> dict:
        """A notice, verified, and its resource unsealed. Raises Forged, KeyError, ValueError, TypeError."""
        if not self._is_genuine(headers, body):
            raise Forged
        notice = json.loads(body)
        sealed, key = notice["resource"], self.merchant.apiv3_key
        about = sealed.get("associated_data") or ""
        text = signing.unseal(key, sealed["ciphertext"], nonce=sealed["nonce"], about=about)
        return {**notice, "resource": json.loads(text or b"null")}

    def _notice(self, message: str, event: str, said: dict) -> Notice:
        """Kept without the payer (`payer`, `user_received_account`)."""
        body = {"event": event, "state": said.get("trade_state") or said.get("refund_status", "")}
        body |= {name: said[name] for name in ("transaction_id", "out_trade_no", "trade_type") if name in said}
        if event.startswith("REFUND."):
            return Notice(message, "refund", self._refund_news(said), body)
        return Notice(message, "payment", self._news(said), body)

    def reply(self, *, received: bool) -> Reply:
        if received:
            return Reply(200, "application/json", '{"code":"SUCCESS","message":"成功"}')
        return Reply(401, "application/json", '{"code":"FAIL","message":"签名错误"}')


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
