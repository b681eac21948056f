"""The national interface of the insurance (医保信息平台定点医药机构接口): its envelope and outpatient transactions.

What is the same everywhere is here; what differs by city (address, codes of areas, signature) is a Link. Texts and
persons stay inside: outside goes a code. Certificates: 02 identity card, 03 social-security card, 99 other documents.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from http import HTTPStatus
from secrets import token_hex

from hospital import clock

from . import lines
from .ports import Answer, Away, Detail, Insured, Refuses

VERSION = "V1.0"
INSUTYPES = {"employee": "310", "resident": "390"}
CERTIFICATES = {"id_card": "02", "social_card": "03"}
"""mdtrt_cert_type by the kind of document that the house knows."""
PAPERS = {"id_card": "01", "residence_permit": "13", "foreign_permanent": "15", "passport": "14"}
"""psn_cert_type."""
LEVELS = {"A": "01", "B": "02", "C": "03"}
IN_FORCE = "1"
OUTPATIENT = "11"  # med_type: 普通门诊
BY_ITEM = "01"  # psn_setlway: 按项目结算
ALL_BATCHES = "0000"
CODE = re.compile(r"^\s*\[([A-Za-z0-9_.-]{1,30})\]")


@dataclass(frozen=True)
class Link:
    """One house's place at its city's platform."""

    url: str  # up to the transaction's number, e.g. https://10.1.2.3:8080/fsi/api
    fixmedins_code: str  # 定点医药机构编号
    fixmedins_name: str = ""
    area: str = ""  # mdtrtarea_admvs
    paasid: str = ""
    token: str = ""
    seconds: float = 6.0  # of one call, connecting and answering


class NationalInterface:
    """billing.gateways.ports.InsurancePort."""

    code = "national"

    def __init__(self, link: Link):
        self.link = link

    def check_person(self, *, message: str, person: Insured) -> Answer:
        certificate = CERTIFICATES.get(person.document_kind, "99")
        data = {
            "mdtrt_cert_type": certificate,
            "mdtrt_cert_no": person.document,
            "card_sn": "",
            "psn_cert_type": PAPERS.get(person.document_kind, "99"),
            "certno": person.document if certificate != "03" else "",
            "psn_name": "",
        }
        said = self._ask("1101", message, {"data": data})
        held = [row for row in said.get("insuinfo") or () if row.get("insutype") == INSUTYPES[person.insurance]]
        if not any(str(row.get("psn_insu_stas")) == IN_FORCE for row in held):
            raise Refuses("NOT_INSURED")
        return Answer({"psn_no": _text(said, "baseinfo", "psn_no")})

    def register(self, *, message: str, person: Insured, visit: str, at: datetime) -> Answer:
        data = self._who(person) | {"ipt_otp_no": visit, "begntime": _moment(at)}
        return Answer({"mdtrt_id": _text(self._ask("2201", message, {"data": data}), "data", "mdtrt_id")})

    def unregister(self, *, message: str, person: Insured, visit: str) -> Answer:
        self._ask("2202", message, {"data": {"psn_no": person.number, "mdtrt_id": visit, "ipt_otp_no": ""}})
        return Answer()

    def describe(self, *, message: str, person: Insured, visit: str, at: datetime) -> Answer:
        info = {"mdtrt_id": visit, "psn_no": person.number, "med_type": OUTPATIENT, "begntime": _moment(at)}
        self._ask("2203", message, {"mdtrtinfo": info, "diseinfo": []})
        return Answer()

    def upload(self, *, message: str, person: Insured, visit: str, details: list[Detail], at: datetime) -> Answer:
        lines = [self._line(each, person, visit, at) for each in details]
        self._ask("2204", message, {"feedetail": lines})
        return Answer()

    @staticmethod
    def _line(each: Detail, person: Insured, visit: str, at: datetime) -> dict:
        return {
            "feedetl_sn": each.number,
            "mdtrt_id": visit,
            "psn_no": person.number,
            "chrg_bchno": visit,
            "fee_ocur_time": _moment(at),
            "med_list_codg": each.national_code,
            "medins_list_codg": each.code,
            "medins_list_name": each.name,
            "det_item_fee_sumamt": str(each.amount),
            "cnt": str(each.quantity),
            "pric": str(each.price),
            "exp_content": {"chrgitm_lv": LEVELS[each.klass], "selfpay_prop": str(each.own_percent / 100)},
        }

    def take_back(self, *, message: str, person: Insured, visit: str) -> Answer:
        data = {"psn_no": person.number, "mdtrt_id": visit, "chrg_bchno": ALL_BATCHES}
        self._ask("2205", message, {"data": data})
        return Answer()

    def presettle(self, *, message: str, person: Insured, visit: str, total: Decimal, use_account: bool) -> Answer:
        return self._settled(self._ask("2206", message, self._bill(person, visit, total, use_account)))

    def settle(self, *, message: str, person: Insured, visit: str, total: Decimal, use_account: bool) -> Answer:
        return self._settled(self._ask("2207", message, self._bill(person, visit, total, use_account)), number=True)

    def unsettle(self, *, message: str, person: Insured, visit: str, number: str) -> Answer:
        self._ask("2208", message, {"data": {"psn_no": person.number, "mdtrt_id": visit, "setl_id": number}})
        return Answer()

    def find(self, *, message: str, person: Insured, visit: str) -> Answer | None:
        data = {"psn_no": person.number, "mdtrt_id": visit, "setl_id": ""}
        found = self._ask("5203", message, {"data": data}).get("setlinfo") or []
        found = found if isinstance(found, list) else [found]
        standing = [row for row in found if str(row.get("refd_setl_flag", "0")) != "1"]
        return self._settled({"setlinfo": standing[-1]}, number=True) if standing else None

    # ---- what all have in common ----

    def _who(self, person: Insured) -> dict:
        return {
            "psn_no": person.number,
            "insutype": INSUTYPES[person.insurance],
            "mdtrt_cert_type": CERTIFICATES.get(person.document_kind, "99"),
            "mdtrt_cert_no": person.document,
        }

    def _bill(self, person: Insured, visit: str, total: Decimal, use_account: bool) -> dict:
        more = {
            "mdtrt_id": visit,
            "med_type": OUTPATIENT,
            "psn_setlway": BY_ITEM,
            "chrg_bchno": visit,
            "medfee_sumamt": str(total),
            "acct_used_flag": "1" if use_account else "0",
        }
        return {"data": self._who(person) | more}

    @staticmethod
    def _settled(said: dict, *, number: bool = False) -> Answer:
        info = said.get("setlinfo") or {}
        return Answer(
            {"setl_id": _text(said, "setlinfo", "setl_id")} if number else {},
            total=_yuan(info, "medfee_sumamt"),
            fund=_yuan(info, "fund_pay_sumamt"),
            account=_yuan(info, "acct_pay"),
            cash=_yuan(info, "psn_cash_pay"),
        )

    def _ask(self, infno: str, message: str, given: dict) -> dict:
        """The transaction's output. Raises Away, Refuses."""
        link, now = self.link, clock.now()
        envelope = {
            "infno": infno,
            "msgid": message,
            "mdtrtarea_admvs": link.area,
            "insuplc_admdvs": link.area,
            "recer_sys_code": "hospital",
            "infver": VERSION,
            "opter_type": "2",  # 自助终端与系统
            "opter": "system",
            "inf_time": _moment(now),
            "fixmedins_code": link.fixmedins_code,
            "fixmedins_name": link.fixmedins_name,
            "input": given,
        }
        said = _read(self._post(infno, json.dumps(envelope, ensure_ascii=False).encode(), now))
        if str(said.get("infcode")) != "0":
            found = CODE.match(str(said.get("err_msg", "")))
            raise Refuses(found.group(1) if found else str(said.get("infcode"))[:30])
        output = said.get("output")
        return output if isinstance(output, dict) else {}

    def _post(self, infno: str, body: bytes, now: datetime) -> bytes:
        link = self.link
        stamp, nonce = str(int(now.timestamp())), token_hex(8)
        signature = sha256(f"{stamp}{link.token}{nonce}{stamp}".encode()).hexdigest()
        headers = {
            "Content-Type": "application/json;charset=utf-8",
            "x-tif-paasid": link.paasid,
            "x-tif-timestamp": stamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": signature,
        }
        answer = lines.ask("POST", f"{link.url.rstrip('/')}/{infno}", headers=headers, body=body, seconds=link.seconds)
        if answer.status != HTTPStatus.OK:
            raise Away(str(answer.status))
        return answer.body


def _read(body: bytes) -> dict:
    """One answer. Two on one line, as a proxy that repeated the request sends them, count when they say the same."""
    try:
        text, reader = body.decode(), json.JSONDecoder(parse_float=Decimal)
        said, end = reader.raw_decode(text)
        while rest := text[end:].lstrip():
            again, more = reader.raw_decode(rest)
            end = len(text) - len(rest) + more
            if not isinstance(said, dict) or again.get("output") != said.get("output"):
                raise Away("two answers")
    except (ValueError, AttributeError):
        raise Away("no answer") from None
    if not isinstance(said, dict):
        raise Away("no answer")
    return said


def _text(said: dict, node: str, name: str) -> str:
    """A reference that must be there: without it nobody knows what was done."""
    found = str((said.get(node) or {}).get(name) or "")
    if not found:
        raise Away(f"no {name}")
    return found[:40]


def _yuan(info: dict, name: str) -> Decimal:
    try:
        return Decimal(str(info[name])).quantize(Decimal("0.01"))
    except (KeyError, InvalidOperation):
        raise Away(f"no {name}") from None


def _moment(at: datetime) -> str:
    return f"{at.astimezone(clock.ZONE):%Y-%m-%d %H:%M:%S}"
