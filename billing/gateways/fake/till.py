"""What the gateway knows: orders, refunds and notices to send, in a file that survives it. Amounts are fen."""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from threading import Condition, RLock

from .script import Script

ZONE = timezone(timedelta(hours=8))
PER_MILLE = 2
"""Its fee, of each payment; given back with a refund."""

TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    gateway TEXT, number TEXT, amount INTEGER, subject TEXT, notify TEXT, back TEXT, page TEXT UNIQUE,
    state TEXT, reference TEXT, made REAL, expires REAL, paid REAL, PRIMARY KEY (gateway, number));
CREATE TABLE IF NOT EXISTS refunds (
    gateway TEXT, number TEXT, of TEXT, amount INTEGER, state TEXT, reference TEXT, notify TEXT, asked REAL, done REAL,
    PRIMARY KEY (gateway, number));
CREATE TABLE IF NOT EXISTS notices (
    id TEXT PRIMARY KEY, gateway TEXT, number TEXT, refund TEXT, url TEXT, made REAL, due REAL, tries INTEGER,
    copies INTEGER, state TEXT);
CREATE INDEX IF NOT EXISTS paid ON orders (gateway, paid);
CREATE INDEX IF NOT EXISTS back ON refunds (gateway, done);
"""


class Refused(Exception):
    """The gateway says no. `code` is one of its own protocol, by what both call the same thing."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


class Till:
    def __init__(self, file: Path | str, script: Script):
        self.script = script
        self.lock = RLock()
        self.news = Condition(self.lock)  # a notice is there to be sent
        self.db = sqlite3.connect(file, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self.lock, self.db:
            yield self.db

    def now(self) -> float:
        return self.script.clock or time.time() + self.script.skew

    def clear(self) -> None:
        with self.writing() as db:
            for table in ("orders", "refunds", "notices"):
                db.execute(f"DELETE FROM {table}")

    # ---- orders ----

    def order(self, gateway: str, number: str) -> sqlite3.Row | None:
        """One that nobody paid in time is closed."""
        with self.writing() as db:
            db.execute(
                "UPDATE orders SET state = 'CLOSED' WHERE state = 'NOTPAY' AND expires <= ? AND gateway = ?"
                " AND number = ?",
                (self.now(), gateway, number),
            )
            return db.execute("SELECT * FROM orders WHERE gateway = ? AND number = ?", (gateway, number)).fetchone()

    def create(
        self, gateway: str, number: str, *, amount: int, subject: str, notify: str, back: str = "", expires: float
    ) -> sqlite3.Row:
        """Twice with one number is once. Raises Refused."""
        with self.writing() as db:
            if expires <= self.now() or amount <= 0:
                raise Refused("PARAM_ERROR")
            there = self.order(gateway, number)
            if there is None:
                page, made = secrets.token_urlsafe(16), self.now()
                row = (gateway, number, amount, subject, notify, back, page, "NOTPAY", "", made, expires, None)
                db.execute(f"INSERT INTO orders VALUES ({', '.join('?' * len(row))})", row)
                return self.order(gateway, number)
            if there["state"] != "NOTPAY":
                raise Refused("ORDERPAID" if there["state"] == "SUCCESS" else "ORDER_CLOSED")
            if there["amount"] != amount:
                raise Refused("OUT_TRADE_NO_USED")
            return there

    def pay(self, gateway: str, number: str) -> sqlite3.Row:
        """The payer said yes. Raises Refused."""
        with self.writing() as db:
            there = self.order(gateway, number)
            if there is None or there["state"] != "NOTPAY":
                raise Refused("ORDERPAID" if there and there["state"] == "SUCCESS" else "ORDER_CLOSED")
            day = datetime.fromtimestamp(self.now(), UTC).astimezone(ZONE)
            reference = f"{'42' if gateway == 'wechat' else '20'}{day:%Y%m%d}{secrets.randbelow(10**18):018d}"
            db.execute(
                "UPDATE orders SET state = 'SUCCESS', reference = ?, paid = ? WHERE gateway = ? AND number = ?",
                (reference, self.now(), gateway, number),
            )
            self.tell(gateway, number, url=there["notify"])
            return self.order(gateway, number)

    def close(self, gateway: str, number: str) -> None:
        with self.writing() as db:
            there = self.order(gateway, number)
            if there is None:
                raise Refused("ORDER_NOT_EXIST")
            if there["state"] == "SUCCESS":
                raise Refused("ORDERPAID")
            db.execute("UPDATE orders SET state = 'CLOSED' WHERE gateway = ? AND number = ?", (gateway, number))

    def of_page(self, page: str) -> sqlite3.Row | None:
        found = self.db.execute("SELECT gateway, number FROM orders WHERE page = ?", (page,)).fetchone()
        return self.order(found["gateway"], found["number"]) if found else None

    def latest(self, many: int = 30) -> list[sqlite3.Row]:
        with self.lock:
            return self.db.execute("SELECT * FROM orders ORDER BY made DESC LIMIT ?", (many,)).fetchall()

    # ---- refunds ----

    def refunded(self, gateway: str, number: str) -> int:
        """Of an order, also what is under way."""
        asked = "SELECT coalesce(sum(amount), 0) FROM refunds WHERE gateway = ? AND of = ? AND state <> 'ABNORMAL'"
        with self.lock:
            return self.db.execute(asked, (gateway, number)).fetchone()[0]

    def find_refund(self, gateway: str, number: str) -> sqlite3.Row | None:
        with self.lock:
            asked = "SELECT * FROM refunds WHERE gateway = ? AND number = ?"
            return self.db.execute(asked, (gateway, number)).fetchone()

    def refund(self, gateway: str, number: str, *, of: str, amount: int, notify: str) -> tuple[sqlite3.Row, bool]:
        """Twice with one number is once; the second of the pair says whether it is new. Raises Refused."""
        with self.writing() as db:
            order = self.order(gateway, of)
            if there := self.find_refund(gateway, number):
                if (there["of"], there["amount"]) != (of, amount):
                    raise Refused("PARAM_ERROR")
                return there, False
            if order is None:
                raise Refused("ORDER_NOT_EXIST")
            if order["state"] != "SUCCESS" or amount <= 0 or self.refunded(gateway, of) + amount > order["amount"]:
                raise Refused("REFUND_TOO_MUCH")
            later = self.script.refunds == "later"
            reference, now = f"50{secrets.randbelow(10**26):026d}", self.now()
            row = (gateway, number, of, amount, "PROCESSING", reference, notify, now, None)
            db.execute(f"INSERT INTO refunds VALUES ({', '.join('?' * len(row))})", row)
            if not later:
                self.finish(gateway, number)
            return self.find_refund(gateway, number), True

    def finish(self, gateway: str, number: str, *, state: str = "SUCCESS") -> None:
        """What was under way reached the payer, or could not (ABNORMAL)."""
        with self.writing() as db:
            row = self.find_refund(gateway, number)
            db.execute(
                "UPDATE refunds SET state = ?, done = ? WHERE gateway = ? AND number = ?",
                (state, self.now(), gateway, number),
            )
            if row["notify"]:
                self.tell(gateway, row["of"], refund=number, url=row["notify"])

    # ---- notices ----

    def tell(self, gateway: str, number: str, *, url: str, refund: str = "") -> None:
        """A notice as the script wants it: at once, late, twice, or (never, held) not by itself."""
        script = self.script
        if script.callbacks == "never" or not url:
            return
        state = "held" if script.callbacks in ("held", "first") else "waiting"
        copies = 2 if script.callbacks == "twice" else 1
        made = self.now()
        row = (secrets.token_hex(16), gateway, number, refund, url, made, time.time() + script.late, 0, copies, state)
        with self.writing() as db:
            db.execute(f"INSERT INTO notices VALUES ({', '.join('?' * len(row))})", row)
            self.news.notify_all()

    def release(self, *, backwards: bool = False) -> None:
        """What was held is sent, the youngest first if `backwards`; each waits for the answer of the one before."""
        with self.writing() as db:
            order = "DESC" if backwards else "ASC"
            rows = db.execute(f"SELECT id FROM notices WHERE state = 'held' ORDER BY made {order}").fetchall()
            for place, row in enumerate(rows):
                due = time.time() + 0.15 * place
                db.execute("UPDATE notices SET state = 'waiting', due = ? WHERE id = ?", (due, row["id"]))
            self.news.notify_all()

    # ---- a day ----

    def of_day(self, gateway: str, day: date) -> Iterator[sqlite3.Row]:
        """(kind, order, number, amount, fee, reference, order's reference, at): paid and given back on that day."""
        first = datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()
        asked = """
            SELECT 'payment' AS kind, number AS of, number, amount, reference, reference AS order_reference, paid AS at
              FROM orders WHERE gateway = :gateway AND paid >= :first AND paid < :last
            UNION ALL
            SELECT 'refund', r.of, r.number, r.amount, r.reference, o.reference, r.done
              FROM refunds r JOIN orders o ON o.gateway = r.gateway AND o.number = r.of
             WHERE r.gateway = :gateway AND r.state = 'SUCCESS' AND r.done >= :first AND r.done < :last
             ORDER BY at
        """
        with self.lock:
            yield from self.db.execute(asked, {"gateway": gateway, "first": first, "last": first + 86400})


def fee_of(amount: int) -> int:
    """Fen, half up."""
    return (amount * PER_MILLE + 500) // 1000
