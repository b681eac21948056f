"""A cutover file of any size, as another system would export it: valid documents, a booking each, some suspensions."""

from datetime import date, timedelta
from pathlib import Path

from stdnum.cn import ric

from hospital.workbook import writer
from hospital.workbook.cutover import SHEETS

BORN = date(1950, 1, 1)


def document(n: int) -> str:
    """The n-th valid identity card: a woman of 北京, born n days after BORN (two a day)."""
    body = f"110105{BORN + timedelta(days=n // 2):%Y%m%d}{(n % 2) * 20 + 2:03d}"
    return body + ric.calc_check_digit(body + "0")


def person(n: int, **more) -> dict:
    return {"code": f"OLD{n}", "name": "李秀英", "kind": "居民身份证", "document": document(n),
            "phone": f"138{n:08d}"} | more  # fmt: skip


def visit(n: int, *, doctor: str, day: date, **more) -> dict:
    return {"code": f"Y{n}", "patient": f"OLD{n}", "actor": doctor, "day": day, "channel": "网页"} | more


def content(people=(), bookings=(), suspensions=()) -> bytes:
    rows = {"patient": list(people), "booking": list(bookings), "suspension": list(suspensions)}
    return writer.packed(rows, sheets=SHEETS)


def write(path: Path, *, count: int, doctor: str, day: date) -> Path:
    """`count` people, each with number n of the doctor's day."""
    path.write_bytes(
        content(
            [person(n) for n in range(1, count + 1)],
            [visit(n, doctor=doctor, day=day, slot=n) for n in range(1, count + 1)],
        )
    )
    return path
