"""The transactions: what each takes and gives, in the interface's words. A refusal is infcode -1 and a bracketed code.

Said once is done once: the same msgid is answered as the first time (see server).
"""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .book import Book
from .rules import KINDS, NOTHING, Borne, borne, first_balance, person_number


class No(Exception):
    """`code` and a sentence, as err_msg has them."""

    def __init__(self, code: str, text: str):
        self.code, self.text = code, text
        super().__init__(code)


def do(book: Book, infno: str, given: dict, *, now: datetime) -> dict:
    """The transaction's output. Raises No."""
    deed = DEEDS.get(infno)
    if deed is None:
        raise No("E0001", f"没有交易 {infno}")
    try:
        return deed(book, given, now)
    except (KeyError, TypeError, AttributeError, InvalidOperation) as wrong:
        raise No("E0002", f"输入不完整或格式不对：{type(wrong).__name__}") from None


def check_person(book: Book, given: dict, now: datetime) -> dict:
    """1101. Whoever has a document of six signs or more is insured both ways, unless the control says otherwise."""
    data = given["data"]
    document = data["mdtrt_cert_no"] if data["mdtrt_cert_type"] == "03" else data["certno"]
    if len(document) < 6:
        raise No("P1001", "没有这个参保人")
    row = book.one("SELECT * FROM person WHERE certno = ?", document)
    if row is None:
        number = person_number(document)
        kinds = json.dumps(dict.fromkeys(KINDS, "1"))
        book.write("INSERT INTO person VALUES (?, ?, ?, ?)", number, document, str(first_balance(document)), kinds)
        row = book.one("SELECT * FROM person WHERE certno = ?", document)
    kinds = json.loads(row["insured"])
    if not kinds:
        raise No("P1001", "没有这个参保人")
    return {
        "baseinfo": {"psn_no": row["psn_no"], "certno": document, "psn_cert_type": data.get("psn_cert_type", "01")},
        "insuinfo": [
            {
                "insutype": insutype,
                "psn_insu_stas": state,  # 1 正常参保, 2 暂停, 4 终止
                "balc": row["balc"] if KINDS[insutype].account else "0.00",
            }
            for insutype, state in sorted(kinds.items())
        ],
    }


def register(book: Book, given: dict, now: datetime) -> dict:
    """2201. The same visit of ours again is the same registration."""
    data = given["data"]
    _person(book, data["psn_no"])
    insutype, visit = data["insutype"], data["ipt_otp_no"]
    if insutype not in KINDS:
        raise No("P1002", "险种不对")
    there = book.one("SELECT * FROM visit WHERE psn_no = ? AND ipt_otp_no = ? AND gone = 0", data["psn_no"], visit)
    mdtrt_id = there["mdtrt_id"] if there else f"S{now:%y%m%d}{book.next('mdtrt_id'):09}"
    if there is None:
        book.write(
            "INSERT INTO visit (mdtrt_id, psn_no, insutype, ipt_otp_no) VALUES (?, ?, ?, ?)",
            mdtrt_id, data["psn_no"], insutype, visit,
        )  # fmt: skip
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": data["psn_no"], "ipt_otp_no": visit}}


def unregister(book: Book, given: dict, now: datetime) -> dict:
    """2202."""
    data = given["data"]
    row = _visit(book, data)
    if book.details(row["mdtrt_id"]):
        raise No("V2003", "费用明细还没有撤销")
    book.write("UPDATE visit SET gone = 1 WHERE mdtrt_id = ?", row["mdtrt_id"])
    return {}


def describe(book: Book, given: dict, now: datetime) -> dict:
    """2203."""
    row = _visit(book, given["mdtrtinfo"])
    book.write("UPDATE visit SET described = 1 WHERE mdtrt_id = ?", row["mdtrt_id"])
    return {}


def upload(book: Book, given: dict, now: datetime) -> dict:
    """2204. What is on whose list the real one knows; here the hospital says it (exp_content), 03 where it does not."""
    lines = given["feedetail"]
    result = []
    for line in lines:
        row = _visit(book, line)
        if book.standing(row["mdtrt_id"]):
            raise No("S3001", "已结算，不能再传明细")
        amount, said = Decimal(str(line["det_item_fee_sumamt"])), line.get("exp_content") or {}
        if amount != (Decimal(str(line["pric"])) * Decimal(str(line["cnt"]))).quantize(Decimal("0.01")):
            raise No("D2201", "金额不等于单价乘数量")
        kept = {
            "feedetl_sn": line["feedetl_sn"],
            "det_item_fee_sumamt": str(amount),
            "chrgitm_lv": said.get("chrgitm_lv", "03") if line["med_list_codg"] else "03",
            "selfpay_prop": str(said.get("selfpay_prop", "0")),
        }
        book.write(
            "INSERT OR REPLACE INTO detail VALUES (?, ?, ?)",
            row["mdtrt_id"], kept["feedetl_sn"], json.dumps(kept),
        )  # fmt: skip
        result.append(kept)
    return {"result": result}


def take_back(book: Book, given: dict, now: datetime) -> dict:
    """2205, of all batches ("0000")."""
    row = _visit(book, given["data"])
    if book.standing(row["mdtrt_id"]):
        raise No("S3002", "已结算，请先撤销结算")
    book.write("DELETE FROM detail WHERE mdtrt_id = ?", row["mdtrt_id"])
    return {}


def presettle(book: Book, given: dict, now: datetime) -> dict:
    """2206: as it would be, nothing is kept."""
    row = _visit(book, given["data"])
    if book.standing(row["mdtrt_id"]):
        raise No("S3001", "已结算")
    return {"setlinfo": _setlinfo(row, _borne(book, row, given["data"], now)), "setldetail": []}


def settle(book: Book, given: dict, now: datetime) -> dict:
    """2207."""
    data = given["data"]
    row = _visit(book, data)
    if book.standing(row["mdtrt_id"]):
        raise No("S3001", "已结算")
    sums = _borne(book, row, data, now)
    number = f"A{now:%y%m%d}{book.next('setl_id'):09}"
    info = _setlinfo(row, sums) | {"setl_id": number, "setl_time": f"{now:%Y-%m-%d %H:%M:%S}"}
    book.write(
        "INSERT INTO settlement VALUES (?, ?, ?, ?, ?, ?, 0)",
        number, row["mdtrt_id"], row["psn_no"], row["insutype"], now.year, json.dumps(info),
    )  # fmt: skip
    _move_balance(book, row["psn_no"], -sums.account)
    return {"setlinfo": info, "setldetail": [{"fund_pay_type": "390100", "fund_payamt": info["fund_pay_sumamt"]}]}


def unsettle(book: Book, given: dict, now: datetime) -> dict:
    """2208. What went from the personal account is on it again."""
    data = given["data"]
    row = book.one("SELECT * FROM settlement WHERE setl_id = ? AND psn_no = ?", data["setl_id"], data["psn_no"])
    if row is None:
        raise No("S3003", "没有这笔结算")
    if row["refd"]:
        raise No("S3004", "这笔结算已经撤销")
    info = json.loads(row["setlinfo"])
    book.write("UPDATE settlement SET refd = 1 WHERE setl_id = ?", row["setl_id"])
    _move_balance(book, row["psn_no"], Decimal(info["acct_pay"]))
    return {"setlinfo": {"setl_id": row["setl_id"], "mdtrt_id": row["mdtrt_id"], "clr_optins": "000000"}}


def find(book: Book, given: dict, now: datetime) -> dict:
    """5203: settlements of a visit, those that were reversed marked so."""
    data = given["data"]
    rows = book.all(
        "SELECT setlinfo, refd FROM settlement WHERE psn_no = ? AND mdtrt_id = ? ORDER BY setl_id",
        data["psn_no"], data["mdtrt_id"],
    )  # fmt: skip
    return {"setlinfo": [json.loads(row["setlinfo"]) | {"refd_setl_flag": str(row["refd"])} for row in rows]}


DEEDS = {
    "1101": check_person, "2201": register, "2202": unregister, "2203": describe, "2204": upload, "2205": take_back,
    "2206": presettle, "2207": settle, "2208": unsettle, "5203": find,
}  # fmt: skip


def _person(book: Book, psn_no: str):
    row = book.one("SELECT * FROM person WHERE psn_no = ?", psn_no)
    if row is None:
        raise No("P1001", "没有这个参保人")
    return row


def _visit(book: Book, said: dict):
    row = book.one(
        "SELECT * FROM visit WHERE mdtrt_id = ? AND psn_no = ? AND gone = 0", said["mdtrt_id"], said["psn_no"]
    )
    if row is None:
        raise No("V2001", "没有这次就诊登记")
    return row


def _borne(book: Book, visit, data: dict, now: datetime) -> Borne:
    lines = book.details(visit["mdtrt_id"])
    if not lines or not visit["described"]:
        raise No("V2002", "没有就诊信息或费用明细")
    person, kind = _person(book, visit["psn_no"]), KINDS[visit["insutype"]]
    fund, deductible = book.paid_in(now.year, visit["psn_no"], visit["insutype"])
    balance = Decimal(person["balc"]) if data.get("acct_used_flag", "1") == "1" else NOTHING
    sums = borne(lines, kind=kind, paid_this_year=fund, dedc_this_year=deductible, balance=balance)
    if sums.total != Decimal(str(data["medfee_sumamt"])):
        raise No("S3005", "医疗费总额与明细不符")
    return sums


def _setlinfo(visit, sums: Borne) -> dict:
    return {
        "mdtrt_id": visit["mdtrt_id"],
        "psn_no": visit["psn_no"],
        "insutype": visit["insutype"],
        "medfee_sumamt": str(sums.total),
        "fulamt_ownpay_amt": str(sums.own),
        "preselfpay_amt": str(sums.own_first),
        "inscp_scp_amt": str(sums.covered),
        "act_pay_dedc": str(sums.deductible),
        "fund_pay_sumamt": str(sums.fund),
        "psn_part_amt": str(sums.total - sums.fund),
        "acct_pay": str(sums.account),
        "psn_cash_pay": str(sums.cash),
        "hosp_part_amt": "0.00",
    }


def _move_balance(book: Book, psn_no: str, by: Decimal) -> None:
    row = _person(book, psn_no)
    book.write("UPDATE person SET balc = ? WHERE psn_no = ?", str(Decimal(row["balc"]) + by), psn_no)
