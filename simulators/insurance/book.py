"""What the simulated insurance remembers: persons, visits, details, settlements, and every answer it gave, by msgid.

One SQLite file, so that a restart forgets nothing that a hospital still has to reverse; ":memory:" in tests.
"""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal

TABLES = """
CREATE TABLE IF NOT EXISTS answer (msgid TEXT PRIMARY KEY, infno TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (psn_no TEXT PRIMARY KEY, certno TEXT UNIQUE NOT NULL, balc TEXT NOT NULL,
    insured TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS visit (mdtrt_id TEXT PRIMARY KEY, psn_no TEXT NOT NULL, insutype TEXT NOT NULL,
    ipt_otp_no TEXT NOT NULL, described INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS detail (mdtrt_id TEXT NOT NULL, feedetl_sn TEXT NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (mdtrt_id, feedetl_sn));
CREATE TABLE IF NOT EXISTS settlement (setl_id TEXT PRIMARY KEY, mdtrt_id TEXT NOT NULL, psn_no TEXT NOT NULL,
    insutype TEXT NOT NULL, year INTEGER NOT NULL, setlinfo TEXT NOT NULL, refd INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Book:
    """Used by one request at a time: the server holds a lock around each."""

    def __init__(self, path: str = ":memory:"):
        self.rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.rows.row_factory = sqlite3.Row
        with closing(self.rows.cursor()) as cursor:
            cursor.executescript(TABLES)

    def begin(self) -> None:
        self.rows.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.rows.execute("COMMIT")

    def undo(self) -> None:
        self.rows.execute("ROLLBACK")

    def one(self, sql: str, *values) -> sqlite3.Row | None:
        return self.rows.execute(sql, values).fetchone()

    def all(self, sql: str, *values) -> list[sqlite3.Row]:
        return self.rows.execute(sql, values).fetchall()

    def write(self, sql: str, *values) -> int:
        return self.rows.execute(sql, values).rowcount

    def answered(self, msgid: str) -> sqlite3.Row | None:
        return self.one("SELECT infno, body FROM answer WHERE msgid = ?", msgid)

    def keep_answer(self, msgid: str, infno: str, body: dict) -> None:
        said = json.dumps(body, ensure_ascii=False)
        self.write("INSERT OR IGNORE INTO answer (msgid, infno, body) VALUES (?, ?, ?)", msgid, infno, said)

    def next(self, name: str) -> int:
        self.write("INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", name)
        return self.one("SELECT value FROM counter WHERE name = ?", name)["value"]

    def details(self, mdtrt_id: str) -> list[dict]:
        rows = self.all("SELECT line FROM detail WHERE mdtrt_id = ? ORDER BY feedetl_sn", mdtrt_id)
        return [json.loads(row["line"]) for row in rows]

    def standing(self, mdtrt_id: str) -> sqlite3.Row | None:
        return self.one("SELECT * FROM settlement WHERE mdtrt_id = ? AND refd = 0", mdtrt_id)

    def paid_in(self, year: int, psn_no: str, insutype: str) -> tuple[Decimal, Decimal]:
        """By the fund, and of the deductible, in settlements that stand."""
        rows = self.all(
            "SELECT setlinfo FROM settlement WHERE psn_no = ? AND insutype = ? AND year = ? AND refd = 0",
            psn_no, insutype, year,
        )  # fmt: skip
        said = [json.loads(row["setlinfo"]) for row in rows]
        fund = sum((Decimal(each["fund_pay_sumamt"]) for each in said), Decimal(0))
        return fund, sum((Decimal(each["act_pay_dedc"]) for each in said), Decimal(0))
