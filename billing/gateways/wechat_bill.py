"""交易账单 of WeChat Pay: a CSV whose values begin with a backtick, with one line of sums at its end; read as it comes.

Columns by their names, because merchants with coupons have more of them.
"""

import codecs
import csv
import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from hospital import clock

from .ports import Away, BillLine

READY = time(10)
"""Of the next day: from then on it is there, or there was nothing."""
AT, STATE = "交易时间", "交易状态"
PAYMENT = ("商户订单号", "微信订单号", "订单金额")
REFUND = ("商户退款单号", "微信退款单号", "申请退款金额")
FEE = "手续费"
SUMS, SUM_COUNT, SUM_PAID, SUM_BACK = "总交易单数", "总交易单数", "订单总金额", "申请退款总金额"


def is_due(day: date, *, now: datetime) -> bool:
    return now >= clock.at(day + timedelta(days=1), READY)


def read(pieces: Iterable[bytes], *, digest: str) -> Iterator[BillLine]:
    """`digest`: SHA-1 of the whole, as the gateway named it. Raises Away, also at the end: nothing before it counts."""
    hashed = hashlib.sha1(usedforsecurity=False)
    count, paid, back, sums = 0, Decimal(0), Decimal(0), None
    columns: list[str] = []
    try:
        for row in csv.reader(_lines(pieces, hashed)):
            if row and row[0] in (AT, SUMS):
                columns = row
                continue
            values = dict(zip(columns, (cell.strip().removeprefix("`") for cell in row), strict=False))
            if columns and columns[0] == SUMS:
                sums = int(values[SUM_COUNT]), Decimal(values[SUM_PAID]), Decimal(values[SUM_BACK])
                continue
            line = _line(values)
            count, paid, back = count + 1, paid + _part(line, "payment"), back + _part(line, "refund")
            yield line
    except (KeyError, ValueError, InvalidOperation, csv.Error):
        raise Away from None
    if sums != (count, paid, back) or hashed.hexdigest() != digest.lower():
        raise Away


def _line(values: dict[str, str]) -> BillLine:
    kind = "refund" if values[STATE] == "REFUND" else "payment"
    order, reference, amount = (values[name] for name in (REFUND if kind == "refund" else PAYMENT))
    return BillLine(
        kind=kind,
        order=order,
        reference=reference,
        amount=Decimal(amount).quantize(Decimal("0.01")),
        fee=Decimal(values[FEE]).quantize(Decimal("0.01")),
        at=datetime.strptime(values[AT], "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.ZONE),
    )


def _part(line: BillLine, kind: str) -> Decimal:
    return line.amount if line.kind == kind else Decimal(0)


def _lines(pieces: Iterable[bytes], hashed) -> Iterator[str]:
    """Text lines; a BOM at the front and a last line without an end are both usual."""
    decode, rest = codecs.getincrementaldecoder("utf-8-sig")(), ""
    for piece in pieces:
        hashed.update(piece)
        *whole, rest = (rest + decode.decode(piece)).split("\n")
        yield from (line.rstrip("\r") for line in whole if line.strip())
    rest += decode.decode(b"", final=True)
    if rest.strip():
        yield rest.rstrip("\r")
