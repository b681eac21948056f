"""电子票据 as PDF: drawn with ReportLab, an optional extra (requirements-pdf.txt). Imported only when a PDF is asked
for and the extra is there.

The Chinese face is one that PDF readers have (STSong-Light, Adobe's Asian fonts), so no font is shipped.
"""

from io import BytesIO

import segno
from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from billing.selectors.papers import Paper
from hospital.clock import ZONE

FACE = "STSong-Light"
WIDTH, HEIGHT = landscape(A5)
MARGIN = 12 * mm
LINES_A_PAGE = 12
COLUMNS = ((MARGIN, "项目"), (WIDTH - 92 * mm, "单价"), (WIDTH - 66 * mm, "数量"), (WIDTH - MARGIN, "金额（元）"))
NAME = WIDTH - 114 * mm - MARGIN
"""How wide a line's name may be: to where the longest price begins."""
HALF = 60 * mm
SMALLEST = 7
DOTS = str.maketrans("·•‧", "・・・")
"""Of 阿卜杜·热合曼: the face has this dot alone, and draws a box for the others."""


def drawn(paper: Paper, *, address: str) -> bytes:
    """`address`: of the page behind its code."""
    pdfmetrics.registerFont(UnicodeCIDFont(FACE))
    kept = BytesIO()
    canvas = Canvas(kept, pagesize=(WIDTH, HEIGHT))
    canvas.setTitle(f"{paper.row.get_kind_display()} {paper.row.number}")
    canvas.setAuthor(paper.row.organization.name)
    lines = paper.row.lines
    pages = [lines[n : n + LINES_A_PAGE] for n in range(0, len(lines), LINES_A_PAGE)] or [[]]
    for number, part in enumerate(pages, 1):
        _head(canvas, paper, address=address, of=(number, len(pages)))
        y = _lines(canvas, part)
        if number == len(pages):
            _sums(canvas, paper, y)
        _foot(canvas, paper)
        canvas.showPage()
    canvas.save()
    return kept.getvalue()


def fitted(text: str, *, within: float, size: int = 10) -> tuple[str, int]:
    """Smaller letters where it is too wide; at the smallest the end is left out, and that is seen."""
    while size > SMALLEST and pdfmetrics.stringWidth(text, FACE, size) > within:
        size -= 1
    if pdfmetrics.stringWidth(text, FACE, size) <= within:
        return text, size
    while text and pdfmetrics.stringWidth(f"{text}…", FACE, size) > within:
        text = text[:-1]
    return f"{text}…", size


def _text(canvas: Canvas, x: float, y: float, text: str, *, size: int = 10, to: str = "left") -> None:
    canvas.setFont(FACE, size)
    text = text.translate(DOTS)
    {"left": canvas.drawString, "right": canvas.drawRightString, "middle": canvas.drawCentredString}[to](x, y, text)


def _head(canvas: Canvas, paper: Paper, *, address: str, of: tuple[int, int]) -> None:
    row, top = paper.row, HEIGHT - MARGIN
    _text(canvas, WIDTH / 2, top - 6 * mm, row.get_kind_display(), size=16, to="middle")
    _text(canvas, MARGIN, top - 14 * mm, f"票据代码：{row.code}")
    _text(canvas, MARGIN + 62 * mm, top - 14 * mm, f"票据号码：{row.number}")
    payer, size = fitted(f"交款人：{paper.payer}", within=HALF)
    _text(canvas, MARGIN, top - 20 * mm, payer, size=size)
    _text(canvas, MARGIN + 62 * mm, top - 20 * mm, f"校验码：{row.check_code}")
    _text(canvas, MARGIN, top - 26 * mm, f"开票日期：{row.issued_at.astimezone(ZONE):%Y-%m-%d}")
    if of[1] > 1:
        _text(canvas, MARGIN + 62 * mm, top - 26 * mm, f"第 {of[0]} 页 共 {of[1]} 页")
    _code(canvas, address, x=WIDTH - MARGIN - 26 * mm, y=top - 27 * mm, side=26 * mm)
    if not paper.counts:
        canvas.saveState()
        canvas.setFillColorRGB(0.7, 0.15, 0.12)
        _text(canvas, WIDTH / 2, top - 10.2 * mm, f"已冲红作废，红票号码 {row.red_number}", to="middle")
        canvas.restoreState()


def _code(canvas: Canvas, address: str, *, x: float, y: float, side: float) -> None:
    """Modules as squares: sharp at any size, and no picture in the file."""
    matrix = segno.make(address, error="m", micro=False).matrix
    step = side / len(matrix)
    for down, modules in enumerate(matrix):
        for right, dark in enumerate(modules):
            if dark:
                canvas.rect(x + right * step, y + side - (down + 1) * step, step, step, stroke=0, fill=1)


def _lines(canvas: Canvas, lines: list[dict]) -> float:
    y = HEIGHT - MARGIN - 34 * mm
    canvas.line(MARGIN, y + 5 * mm, WIDTH - MARGIN, y + 5 * mm)
    for x, name in COLUMNS:
        _text(canvas, x, y, name, to="left" if x == MARGIN else "right")
    canvas.line(MARGIN, y - 2 * mm, WIDTH - MARGIN, y - 2 * mm)
    y -= 1.5 * mm
    for each in lines:
        y -= 5.4 * mm
        name, size = fitted(each["name"], within=NAME)
        _text(canvas, MARGIN, y, name, size=size)
        for (x, _name), text in zip(COLUMNS[1:], (each["price"], str(each["quantity"]), each["amount"]), strict=True):
            _text(canvas, x, y, text, to="right")
    canvas.line(MARGIN, y - 2 * mm, WIDTH - MARGIN, y - 2 * mm)
    return y - 8 * mm


def _sums(canvas: Canvas, paper: Paper, y: float) -> None:
    row = paper.row
    _text(canvas, MARGIN, y, f"金额合计（大写）：{paper.in_capitals}", size=11)
    _text(canvas, WIDTH - MARGIN, y, f"（小写）¥{row.total}", size=11, to="right")
    if paper.insured:
        parts = f"医保统筹支付 ¥{row.fund_paid}   个人账户支付 ¥{row.account_paid}   个人自付 ¥{row.cash_paid}"
        _text(canvas, MARGIN, y - 6 * mm, parts)


def _foot(canvas: Canvas, paper: Paper) -> None:
    _text(canvas, MARGIN, MARGIN, f"收款单位：{paper.row.organization.name}")
    _text(canvas, WIDTH - MARGIN, MARGIN, "扫二维码查验真伪", to="right", size=9)
