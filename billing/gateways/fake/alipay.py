"""The gateway's side of Alipay: one address that takes a signed form, answers that are signed as text, notices."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from billing.gateways import signing

from .keys import APP_ID, SELLER_ID, Keys
from .till import ZONE, Refused, Till, fee_of
from .wechat import Asked, Said, yuan

SKEW = 300
CODES = {
    "ORDER_NOT_EXIST": "ACQ.TRADE_NOT_EXIST", "ORDERPAID": "ACQ.TRADE_HAS_SUCCESS",
    "ORDER_CLOSED": "ACQ.TRADE_HAS_CLOSE", "OUT_TRADE_NO_USED": "ACQ.CONTEXT_INCONSISTENT",
    "PARAM_ERROR": "ACQ.INVALID_PARAMETER", "REFUND_TOO_MUCH": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "NOT_ENOUGH": "ACQ.SELLER_BALANCE_NOT_ENOUGH",
}  # fmt: skip
BILL = """
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,
支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,
退款批次号/请求号,服务费（元）,分润（元）,备注
""".replace("\n", "").split(",")


class AlipaySide:
    def __init__(self, keys: Keys, till: Till):
        self.keys, self.till = keys, till
        self.deeds = {
            "alipay.trade.precreate": self.precreate,
            "alipay.trade.query": self.query,
            "alipay.trade.close": self.close,
            "alipay.trade.refund": self.refund,
            "alipay.trade.fastpay.refund.query": self.query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self.bill,
        }

    def answer(self, asked: Asked) -> Said:
        """A form, or (the page on the phone) the same as a query."""
        text = urlsplit(asked.path).query if asked.method == "GET" else asked.body.decode(errors="replace")
        said = dict(parse_qsl(urlsplit(asked.path).query)) | dict(parse_qsl(text))
        method = said.get("method", "")
        if not self._is_the_merchants(said):
            refusal = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
            return Said(200, {"Content-Type": "text/html"}, json.dumps({"error_response": refusal}).encode())
        try:
            if method == "alipay.trade.wap.pay":
                return self.page(asked, said)
            found = {"code": "10000", "msg": "Success"} | self.deeds[method](asked, said)
        except Refused as refused:
            code = CODES.get(refused.code, refused.code)
            found = {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": code}
        except KeyError:
            found = {"code": "40001", "msg": "Missing Required Arguments", "sub_code": "isv.missing-method"}
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        signature = signing.sign(self.keys.alipay, text)
        name = method.replace(".", "_") + "_response"
        body = f'{{"{name}":{text},"sign":"{signature}"}}'
        return Said(200, {"Content-Type": "text/html;charset=utf-8"}, body.encode())

    def _is_the_merchants(self, said: dict[str, str]) -> bool:
        try:
            unsigned = {name: value for name, value in said.items() if name != "sign" and value}
            text = "&".join(f"{name}={unsigned[name]}" for name in sorted(unsigned))
            at = datetime.strptime(said["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()
            fits = said["app_id"] == APP_ID and said["sign_type"] == "RSA2" and abs(self.till.now() - at) <= SKEW
            return fits and signing.is_signed(self.keys.alipay_merchant, text.encode(), said["sign"])
        except (KeyError, ValueError):
            return False

    # ---- what may be asked ----

    def _create(self, said: dict[str, str]):
        wanted = json.loads(said["biz_content"])
        expires = datetime.strptime(wanted["time_expire"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()
        return self.till.create(
            "alipay",
            wanted["out_trade_no"],
            amount=fen(wanted["total_amount"]),
            subject=wanted["subject"],
            notify=said["notify_url"],
            back=said.get("return_url", ""),
            expires=expires,
        )

    def precreate(self, asked: Asked, said: dict) -> dict:
        row = self._create(said)
        return {"out_trade_no": row["number"], "qr_code": f"{asked.address}/pay/{row['page']}/"}

    def page(self, asked: Asked, said: dict) -> Said:
        row = self._create(said)
        return Said(302, {"Location": f"{asked.address}/pay/{row['page']}/"}, b"")

    def query(self, asked: Asked, said: dict) -> dict:
        row = self.till.order("alipay", json.loads(said["biz_content"])["out_trade_no"])
        if row is None:
            raise Refused("ORDER_NOT_EXIST")
        return self._trade(row)

    def _trade(self, row) -> dict:
        state = {"NOTPAY": "WAIT_BUYER_PAY", "CLOSED": "TRADE_CLOSED", "SUCCESS": "TRADE_SUCCESS"}[row["state"]]
        if row["paid"] and self.till.refunded("alipay", row["number"]) == row["amount"]:
            state = "TRADE_CLOSED"  # all of it went back
        found = {
            "out_trade_no": row["number"], "trade_no": row["reference"] or f"2026{row['page'][:12]}",
            "trade_status": state, "total_amount": yuan(row["amount"]), "buyer_logon_id": "159****5620",
            "buyer_user_id": "2088101117955611",
        }  # fmt: skip
        return found | ({"send_pay_date": moment(row["paid"])} if row["paid"] else {})

    def close(self, asked: Asked, said: dict) -> dict:
        number = json.loads(said["biz_content"])["out_trade_no"]
        try:
            self.till.close("alipay", number)
        except Refused as refused:
            raise Refused("ACQ.TRADE_STATUS_ERROR" if refused.code == "ORDERPAID" else refused.code) from None
        return {"out_trade_no": number, "trade_no": ""}

    def refund(self, asked: Asked, said: dict) -> dict:
        """Tells the merchant by the notice address of the payment."""
        wanted = json.loads(said["biz_content"])
        order = self.till.order("alipay", wanted["out_trade_no"])
        row, new = self.till.refund(
            "alipay",
            wanted["out_request_no"],
            of=wanted["out_trade_no"],
            amount=fen(wanted["refund_amount"]),
            notify=order["notify"] if order else "",
        )
        done = new and row["state"] == "SUCCESS"
        total = self.till.refunded("alipay", row["of"])
        return {"out_trade_no": row["of"], "trade_no": order["reference"], "fund_change": "Y" if done else "N",
                "refund_fee": yuan(total), "buyer_user_id": "2088101117955611"}  # fmt: skip

    def query_refund(self, asked: Asked, said: dict) -> dict:
        wanted = json.loads(said["biz_content"])
        order, row = (
            self.till.order("alipay", wanted["out_trade_no"]),
            self.till.find_refund("alipay", wanted["out_request_no"]),
        )
        if order is None:
            raise Refused("ORDER_NOT_EXIST")
        if row is None or row["state"] != "SUCCESS":
            return {}
        return {"out_trade_no": row["of"], "out_request_no": row["number"], "trade_no": order["reference"],
                "refund_amount": yuan(row["amount"]), "refund_status": "REFUND_SUCCESS",
                "total_amount": yuan(order["amount"])}  # fmt: skip

    # ---- its bill ----

    def bill(self, asked: Asked, said: dict) -> dict:
        day = date.fromisoformat(json.loads(said["biz_content"])["bill_date"])
        today = datetime.fromtimestamp(self.till.now(), UTC).astimezone(ZONE).date()
        if day >= today or next(self.till.of_day("alipay", day), None) is None:
            raise Refused("isv.bill_not_exist")
        return {"bill_download_url": f"{asked.address}/alipay-bill/{day}/{self.keys.control[:12]}.csv.zip"}

    def download(self, day: date) -> Said:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                f"{SELLER_ID}_{day:%Y%m%d}_业务明细(汇总).csv", "#支付宝业务汇总查询\r\n".encode("gb18030")
            )
            archive.writestr(f"{SELLER_ID}_{day:%Y%m%d}_业务明细.csv", self._csv(day).encode("gb18030"))
        return Said(200, {"Content-Type": "application/zip"}, file.getvalue())

    def _csv(self, day: date) -> str:
        file, counted = io.StringIO(), {"payment": [0, 0], "refund": [0, 0]}
        file.write(f"#支付宝业务明细查询\r\n#账号：[{SELLER_ID}0156]\r\n#起始日期：[{day:%Y年%m月%d日} 00:00:00]\r\n")
        file.write("#-----------------------------------------业务明细列表----------------------------------------\r\n")
        file.write(",".join(BILL) + "\r\n")
        for row in self.till.of_day("alipay", day):
            sign = "-" if row["kind"] == "refund" else ""
            fee, amount = fee_of(row["amount"]), sign + yuan(row["amount"])
            values = dict.fromkeys(BILL, "") | {
                "支付宝交易号": row["order_reference"], "商户订单号": row["of"], "业务类型": "退款" if sign else "交易",
                "商品名称": "江州市中心医院", "创建时间": moment(row["at"]), "完成时间": moment(row["at"]),
                "对方账户": "*芳(159****5620)", "订单金额（元）": amount, "商家实收（元）": amount,
                "退款批次号/请求号": row["number"] if sign else "", "服务费（元）": ("" if sign else "-") + yuan(fee),
            }  # fmt: skip
            csv.writer(file).writerow(f"{values[name]}\t" for name in BILL)
            counted[row["kind"]][0] += 1
            counted[row["kind"]][1] += row["amount"]
        file.write("#-----------------------------------------业务明细列表结束------------------------------------\r\n")
        (paid, received), (back, given) = counted.values()
        file.write(f"#交易合计：{paid}笔，商家实收共{yuan(received)}元，商家优惠共0.00元\r\n")
        file.write(f"#退款合计：{back}笔，商家实收退款共-{yuan(given)}元，商家优惠退款共0.00元\r\n")
        return file.getvalue()

    # ---- notices ----

    def notice(self, row, **change) -> tuple[dict[str, str], bytes]:
        order = self.till.order("alipay", row["number"])
        trade = self._trade(order)
        said = {
            "notify_id": row["id"], "notify_type": "trade_status_sync", "notify_time": moment(row["made"]),
            "app_id": APP_ID, "auth_app_id": APP_ID, "seller_id": SELLER_ID, "charset": "utf-8", "version": "1.0",
            "subject": order["subject"], "gmt_create": moment(order["made"]), "gmt_payment": moment(order["paid"]),
            "receipt_amount": trade["total_amount"], "buyer_pay_amount": trade["total_amount"],
            **{name: trade[name] for name in ("out_trade_no", "trade_no", "total_amount", "buyer_logon_id")},
            "trade_status": trade["trade_status"] if row["refund"] else "TRADE_SUCCESS",
        }  # fmt: skip
        if row["refund"]:
            refund = self.till.find_refund("alipay", row["refund"])
            total = yuan(self.till.refunded("alipay", row["number"]))
            said |= {
                "gmt_refund": moment(refund["done"]) + ".000",
                "out_biz_no": refund["number"],
                "refund_fee": total,
            }
        return self.signed(said | change)

    def signed(self, said: dict[str, str]) -> tuple[dict[str, str], bytes]:
        text = "&".join(f"{name}={said[name]}" for name in sorted(said))
        body = urlencode({**said, "sign_type": "RSA2", "sign": signing.sign(self.keys.alipay, text)})
        return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body.encode()


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def fen(text: str) -> int:
    whole, _point, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2] or 0)
