"""The gateway's side of WeChat Pay v3: verifies the merchant's signature, signs its answers, seals its notices."""

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

from billing.gateways import signing

from .keys import APPID, MCHID, Keys
from .till import ZONE, Refused, Till, fee_of

SKEW = 300  # seconds between the merchant's clock and ours
DESCRIBED = {"SUCCESS": "支付成功", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}
SIGNED = re.compile(r'(\w+)="([^"]*)"')
STATUS = {
    "SIGN_ERROR": 401, "NOAUTH": 403, "NOT_ENOUGH": 403, "ORDER_NOT_EXIST": 404, "RESOURCE_NOT_EXISTS": 404,
    "OUT_TRADE_NO_USED": 403, "RATELIMIT_EXCEEDED": 429, "SYSTEM_ERROR": 500,
}  # fmt: skip
COLUMNS = """
交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,
代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,
申请退款金额,费率备注
""".replace("\n", "").split(",")
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str  # with the query
    headers: object
    body: bytes
    address: str  # ours, as the merchant and the payer reach it


@dataclass(frozen=True)
class Said:
    status: int
    headers: dict
    body: bytes


class WechatSide:
    def __init__(self, keys: Keys, till: Till):
        self.keys, self.till = keys, till
        self.routes = [
            ("POST", r"/v3/pay/transactions/(native|h5)", self.create),
            ("GET", r"/v3/pay/transactions/out-trade-no/(\w+)", self.query),
            ("POST", r"/v3/pay/transactions/out-trade-no/(\w+)/close", self.close),
            ("POST", r"/v3/refund/domestic/refunds", self.refund),
            ("GET", r"/v3/refund/domestic/refunds/(\w+)", self.query_refund),
            ("GET", r"/v3/bill/tradebill", self.bill),
            ("GET", r"/v3/billdownload/file", self.download),
            ("GET", r"/v3/certificates", self.certificates),
        ]

    def answer(self, asked: Asked) -> Said:
        if not self._is_the_merchants(asked):
            return self._said(401, {"code": "SIGN_ERROR", "message": "签名错误"})
        path = urlsplit(asked.path).path
        for method, route, deed in self.routes:
            if asked.method == method and (found := re.fullmatch(route, path)):
                try:
                    said = deed(asked, *found.groups())
                except Refused as refused:
                    status = STATUS.get(refused.code, 400)
                    return self._said(status, {"code": refused.code, "message": refused.code})
                return said if isinstance(said, Said) else self._said(200 if said else 204, said)
        return self._said(404, {"code": "RESOURCE_NOT_EXISTS", "message": path})

    def _is_the_merchants(self, asked: Asked) -> bool:
        kind, _space, rest = asked.headers.get("Authorization", "").partition(" ")
        said = dict(SIGNED.findall(rest))
        try:
            fits = kind == "WECHATPAY2-SHA256-RSA2048" and (said["mchid"], said["serial_no"]) == (
                MCHID,
                self.keys.serial,
            )
            text = f"{asked.method}\n{asked.path}\n{said['timestamp']}\n{said['nonce_str']}\n".encode()
            text += asked.body + b"\n"
            young = abs(self.till.now() - int(said["timestamp"])) <= SKEW
            return fits and young and signing.is_signed(self.keys.wechat_merchant, text, said["signature"])
        except (KeyError, ValueError):
            return False

    def _said(self, status: int, said: dict | None) -> Said:
        body = json.dumps(said, ensure_ascii=False).encode() if said else b""
        return Said(status, {"Content-Type": "application/json; charset=utf-8", **self.signed(body)}, body)

    def signed(self, body: bytes) -> dict[str, str]:
        at, nonce = str(int(self.till.now())), token_hex(16)
        text = f"{at}\n{nonce}\n{body.decode()}\n"
        return {
            "Wechatpay-Timestamp": at,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.keys.platform_serial,
            "Wechatpay-Signature": signing.sign(self.keys.wechat, text),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }

    # ---- what may be asked ----

    def create(self, asked: Asked, kind: str) -> dict:
        said = _json(asked)
        if (said.get("mchid"), said.get("appid")) != (MCHID, APPID) or said["amount"].get("currency") != "CNY":
            raise Refused("PARAM_ERROR")
        if kind == "h5" and not said.get("scene_info", {}).get("payer_client_ip"):
            raise Refused("PARAM_ERROR")
        try:
            row = self.till.create(
                "wechat",
                said["out_trade_no"],
                amount=said["amount"]["total"],
                subject=said["description"],
                notify=said["notify_url"],
                expires=datetime.fromisoformat(said["time_expire"]).timestamp(),
            )
        except (KeyError, ValueError, TypeError):
            raise Refused("PARAM_ERROR") from None
        page = f"{asked.address}/pay/{row['page']}/"
        return {"code_url": page} if kind == "native" else {"h5_url": f"{page}?kind=h5"}

    def query(self, asked: Asked, number: str) -> dict:
        row = self.till.order("wechat", number)
        if row is None:
            raise Refused("ORDER_NOT_EXIST")
        return self._transaction(row)

    def _transaction(self, row) -> dict:
        state = row["state"]
        if state == "SUCCESS" and self.till.refunded("wechat", row["number"]):
            state = "REFUND"
        said = {
            "appid": APPID, "mchid": MCHID, "out_trade_no": row["number"], "trade_state": state,
            "trade_state_desc": DESCRIBED.get(state, "转入退款"),
            "amount": {"total": row["amount"], "payer_total": row["amount"], "currency": "CNY",
                       "payer_currency": "CNY"},
        }  # fmt: skip
        if row["paid"]:
            said |= {
                "transaction_id": row["reference"], "trade_type": "NATIVE", "bank_type": "OTHERS", "attach": "",
                "success_time": moment(row["paid"]), "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            }  # fmt: skip
        return said

    def close(self, asked: Asked, number: str) -> None:
        self.till.close("wechat", number)

    def refund(self, asked: Asked) -> dict:
        said = _json(asked)
        try:
            amount, of = said["amount"], said["out_trade_no"]
            order = self.till.order("wechat", of)
            if order and (amount["total"] != order["amount"] or amount["currency"] != "CNY"):
                raise Refused("PARAM_ERROR")
            row, _new = self.till.refund(
                "wechat", said["out_refund_no"], of=of, amount=amount["refund"], notify=said.get("notify_url", "")
            )
        except (KeyError, TypeError):
            raise Refused("PARAM_ERROR") from None
        except Refused as refused:
            known = {"ORDER_NOT_EXIST": "RESOURCE_NOT_EXISTS", "REFUND_TOO_MUCH": "INVALID_REQUEST"}
            raise Refused(known.get(refused.code, refused.code)) from None
        return self._refunded(row)

    def query_refund(self, asked: Asked, number: str) -> dict:
        row = self.till.find_refund("wechat", number)
        if row is None:
            raise Refused("RESOURCE_NOT_EXISTS")
        return self._refunded(row)

    def _refunded(self, row) -> dict:
        order = self.till.order("wechat", row["of"])
        said = {
            "refund_id": row["reference"], "out_refund_no": row["number"], "transaction_id": order["reference"],
            "out_trade_no": row["of"], "channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403",
            "create_time": moment(row["asked"]), "status": row["state"],
            "amount": {"total": order["amount"], "refund": row["amount"], "payer_total": order["amount"],
                       "payer_refund": row["amount"], "currency": "CNY"},
        }  # fmt: skip
        return said | ({"success_time": moment(row["done"])} if row["done"] else {})

    def certificates(self, asked: Asked) -> dict:
        pem = (self.keys.folder / "hospital/wechat-platform.pem").read_bytes()
        nonce, now = token_hex(6), self.till.now()
        sealed = {"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate"}
        sealed["ciphertext"] = signing.seal(self.keys.apiv3_key, pem, nonce=nonce, about="certificate")
        one = {"serial_no": self.keys.platform_serial, "effective_time": moment(now), "encrypt_certificate": sealed}
        return {"data": [one | {"expire_time": moment(now + 86400 * 365)}]}

    # ---- its bill ----

    def bill(self, asked: Asked) -> dict:
        day = date.fromisoformat(parse_qs(urlsplit(asked.path).query)["bill_date"][0])
        if day >= datetime.fromtimestamp(self.till.now(), UTC).astimezone(ZONE).date():
            raise Refused("STATEMENT_CREATING")
        text = self._csv(day)
        if not text:
            raise Refused("NO_STATEMENT_EXIST")
        path = f"/v3/billdownload/file?bill_date={day}"
        digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        return {"hash_type": "SHA1", "hash_value": digest, "download_url": asked.address + path}

    def download(self, asked: Asked) -> Said:
        """Not signed, as the real one."""
        day = date.fromisoformat(parse_qs(urlsplit(asked.path).query)["bill_date"][0])
        return Said(200, {"Content-Type": "text/plain"}, self._csv(day))

    def _csv(self, day: date) -> bytes:
        file, sums, many = io.StringIO(), [0, 0, 0, 0], 0
        file.write("\ufeff" + ",".join(COLUMNS) + "\r\n")
        for many, row in enumerate(self.till.of_day("wechat", day), 1):  # noqa: B007  how many there were
            back = row["kind"] == "refund"
            fee = fee_of(row["amount"]) * (-1 if back else 1)
            values = dict.fromkeys(COLUMNS, "") | {
                "交易时间": f"{datetime.fromtimestamp(row['at'], UTC).astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
                "公众账号ID": APPID, "商户号": MCHID, "微信订单号": row["order_reference"], "商户订单号": row["of"],
                "交易类型": "NATIVE", "交易状态": "REFUND" if back else "SUCCESS", "货币种类": "CNY",
                "应结订单金额": yuan(0 if back else row["amount"]), "代金券金额": "0.00", "商品名称": "江州市中心医院",
                "微信退款单号": row["reference"] if back else "0", "商户退款单号": row["number"] if back else "0",
                "退款金额": yuan(row["amount"] if back else 0), "充值券退款金额": "0.00",
                "手续费": f"{fee / 100:.5f}", "费率": "0.20%", "订单金额": yuan(0 if back else row["amount"]),
                "申请退款金额": yuan(row["amount"] if back else 0),
            }  # fmt: skip
            csv.writer(file).writerow(f"`{values[name]}" for name in COLUMNS)
            sums[0 if not back else 1] += row["amount"]
            sums[2] += fee
        if not many:
            return b""
        paid, back, fee, _rest = sums
        last = [many, yuan(paid), yuan(back), "0.00", f"{fee / 100:.5f}", yuan(paid), yuan(back)]
        file.write(SUMS + "\r\n" + ",".join(f"`{each}" for each in last))
        return file.getvalue().encode()

    # ---- notices ----

    def notice(self, row, **change) -> tuple[dict[str, str], bytes]:
        """Headers and body of one, signed now; `change`: what it says otherwise."""
        if row["refund"]:
            refund = self.till.find_refund("wechat", row["refund"])
            event, kind = f"REFUND.{refund['state']}", "refund"
            said = self._refunded(refund) | {"mchid": MCHID}
            said["refund_status"] = said.pop("status")
        else:
            event, kind = "TRANSACTION.SUCCESS", "transaction"
            said = self._transaction(self.till.order("wechat", row["number"])) | {"trade_state": "SUCCESS"}
        return self.sealed(row["id"], event, kind, said | change, made=row["made"])

    def sealed(self, message: str, event: str, kind: str, said: dict, *, made: float) -> tuple[dict[str, str], bytes]:
        nonce = token_hex(6)
        text = json.dumps(said, ensure_ascii=False).encode()
        body = json.dumps({
            "id": message, "create_time": moment(made), "resource_type": "encrypt-resource", "event_type": event,
            "summary": "支付成功" if kind == "transaction" else "退款结果",
            "resource": {
                "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "associated_data": kind, "nonce": nonce,
                "ciphertext": signing.seal(self.keys.apiv3_key, text, nonce=nonce, about=kind),
            },
        }).encode()  # fmt: skip
        return {"Content-Type": "application/json", **self.signed(body)}, body


def _json(asked: Asked) -> dict:
    try:
        return dict(json.loads(asked.body))
    except (ValueError, TypeError):
        raise Refused("PARAM_ERROR") from None


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).isoformat(timespec="seconds")


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
