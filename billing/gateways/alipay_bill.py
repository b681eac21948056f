"""业务明细账单 of Alipay: a ZIP with CSV files in GBK, whose remarks begin with #; the sums stand in the remarks at the
end. A ZIP is read from its end, so it is put down first; of the CSV only a line at a time is held."""

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from hospital import clock

from .ports import Away, BillLine

READY = time(10)
"""Of the next day: from then on it is there, or there was nothing."""
IN_MEMORY = 2**22
FIRST, KIND, DONE_AT = "支付宝交易号", "业务类型", "完成时间"
AMOUNT, RECEIVED, FEE, REFUND = "订单金额（元）", "商家实收（元）", "服务费（元）", "退款批次号/请求号"
SUMS = re.compile(r"#(交易|退款)合计：(\d+)笔.*?共(-?[\d.]+)元")
KINDS = {"交易": "payment", "退款": "refund"}


def is_due(day: date, *, now: datetime) -> bool:
    return now >= clock.at(day + timedelta(days=1), READY)


def read(pieces: Iterable[bytes]) -> Iterator[BillLine]:
    """Raises Away, also at the end: nothing before it counts."""
    try:
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            for piece in pieces:
                file.write(piece)
            with zipfile.ZipFile(file, metadata_encoding="gbk") as archive:
                [name] = [each for each in archive.namelist() if each.endswith("业务明细.csv")]
                with archive.open(name) as packed:
                    yield from _rows(io.TextIOWrapper(packed, encoding="gb18030"))
    except (zipfile.BadZipFile, ValueError, KeyError, InvalidOperation, csv.Error, UnicodeError):
        raise Away from None


def _rows(text: Iterable[str]) -> Iterator[BillLine]:
    """Every row, then whether they are what the sums say: how many, and what the house received of them."""
    counted = {kind: (0, Decimal(0)) for kind in KINDS.values()}
    sums = dict(counted)
    columns: list[str] = []
    for line in text:
        if line.startswith("#"):
            if found := SUMS.match(line):
                sums[KINDS[found[1]]] = int(found[2]), Decimal(found[3])
            continue
        [row] = csv.reader([line])
        values = [cell.strip() for cell in row]
        if values[:1] == [FIRST]:
            columns = values
        elif any(values):
            said = dict(zip(columns, values, strict=False))
            one = _line(said)
            many, received = counted[one.kind]
            counted[one.kind] = many + 1, received + Decimal(said[RECEIVED])
            yield one
    if sums != counted or not columns:
        raise Away


def _line(values: dict[str, str]) -> BillLine:
    """A refund's amount and the fee given back are written below nought."""
    kind = KINDS[values[KIND]]
    return BillLine(
        kind=kind,
        order=values[REFUND] if kind == "refund" else values["商户订单号"],
        reference=values[FIRST],
        amount=abs(Decimal(values[AMOUNT])),
        fee=-Decimal(values[FEE]),
        at=datetime.strptime(values[DONE_AT], "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.ZONE),
    )
