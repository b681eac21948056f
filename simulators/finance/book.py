"""What the platform remembers: every request with the answer it got, and every number it ever gave."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal, InvalidOperation

TABLES = """
CREATE TABLE IF NOT EXISTS answer (deed TEXT NOT NULL, bus_no TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (deed, bus_no));
CREATE TABLE IF NOT EXISTS bill (code TEXT NOT NULL, number INTEGER NOT NULL, total TEXT NOT NULL,
    scarlet TEXT NOT NULL DEFAULT '', PRIMARY KEY (code, number));
"""
CODES = {"einvoice": "11060126", "receipt": "11010126"}
"""票据代码: what kind of paper, of which district and year."""


class No(Exception):
    """`code` as the platform has it."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


class Book:
    """One SQLite file, so that a restart forgets nothing; used by one request at a time."""

    def __init__(self, path: str = ":memory:"):
        self.rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.rows.row_factory = sqlite3.Row
        with closing(self.rows.cursor()) as cursor:
            cursor.executescript(TABLES)

    def do(self, deed: str, given: dict) -> dict:
        """Said once is done once: the same busNo is answered as the first time. Raises No."""
        deeds = {"invoiceEBillOutpatient": self._issue, "writeOffEBill": self._write_off}
        if deed not in deeds:
            raise No("E0404")
        try:
            bus_no = str(given["busNo"])
            if there := self._one("SELECT body FROM answer WHERE deed = ? AND bus_no = ?", deed, bus_no):
                return json.loads(there["body"])
            self.rows.execute("BEGIN IMMEDIATE")
            try:
                answer = deeds[deed](given)
                self.rows.execute("INSERT INTO answer VALUES (?, ?, ?)", (deed, bus_no, json.dumps(answer)))
            except BaseException:
                self.rows.execute("ROLLBACK")
                raise
            self.rows.execute("COMMIT")
        except (KeyError, TypeError, ValueError, InvalidOperation):
            raise No("E0002") from None
        return answer

    def _issue(self, given: dict) -> dict:
        total = Decimal(given["totalAmt"])
        borne = [Decimal(given[name]) for name in ("fundPay", "accountPay", "ownPay")]
        lines = [Decimal(line["amt"]) for line in given["chargeDetail"]]
        if total <= 0 or sum(borne) != total or sum(lines) != total or not given["payer"]:
            raise No("E1001")  # 金额不平
        code = CODES[given["billType"]]
        last = self._one("SELECT max(number) AS last FROM bill WHERE code = ?", code)["last"] or 0
        self.rows.execute("INSERT INTO bill (code, number, total) VALUES (?, ?, ?)", (code, last + 1, str(total)))
        return {"billBatchCode": code, "billNo": f"{last + 1:010}", "random": f"{(last + 1) * 7919 % 1000000:06}"}

    def _write_off(self, given: dict) -> dict:
        code, number = given["billBatchCode"], int(given["billNo"])
        row = self._one("SELECT * FROM bill WHERE code = ? AND number = ?", code, number)
        if row is None or not given["reason"]:
            raise No("E1004")
        if row["scarlet"]:
            raise No("E1005")  # 已冲红
        scarlet = f"9{number:09}"
        self.rows.execute("UPDATE bill SET scarlet = ? WHERE code = ? AND number = ?", (scarlet, code, number))
        return {"eScarletBillBatchCode": code, "eScarletBillNo": scarlet}

    def _one(self, sql: str, *values) -> sqlite3.Row | None:
        return self.rows.execute(sql, values).fetchone()
