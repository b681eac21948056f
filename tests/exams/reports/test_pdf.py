"""E7: what may be kept as a report's file, told by its bytes."""

import pytest

from hospital.files import pdf as policy

from . import scenes

WHOLE = scenes.pdf()
BOMB = scenes.packed(b"0" * 100_000_000)
ENCRYPTED = scenes.packed(b"3 0 <<>>").replace(b"x\x9c", b"yy").replace(b"/Root", b"/Encrypt 9 0 R /Root")
HIDDEN = scenes.built(
    [
        (1, b"<< /Type /Catalog /Pages 2 0 R /Note (>>stream\n) >>"),
        (3, b"<< /S /JavaScript /JS (app.alert(1)) >>"),
        (4, b"(endstream)"),
        (10, b"<< /Type /Page >>"),
    ]
)

RUNS = b"/OpenAction << /S /JavaScript /JS (x) >>"
ACTION = b"3 0 << /S /JavaScript /JS (x) >>"
UNTYPED = scenes.packed(ACTION).replace(b"/Type /ObjStm", b"/Type 9 0 R  ")

REFUSED = [
    ("nothing", b"", "空"),
    ("a program with another name", b"MZ\x90\x00" + WHOLE, "程序"),
    ("a program of Linux", b"\x7fELF" + WHOLE, "程序"),
    ("a script", b"#!/bin/sh\n", "程序"),
    ("a picture (PNG)", b"\x89PNG\r\n\x1a\n" + b"0" * 100, "PNG"),
    ("a picture (JPEG)", b"\xff\xd8\xff\xe0" + b"0" * 100, "JPEG"),
    ("a page of the web", b"\n<!DOCTYPE html><script>alert(1)</script>", "网页"),
    ("a drawing with script", b"<svg xmlns='x'><script/></svg>", "网页"),
    ("an archive", b"PK\x03\x04" + b"0" * 100, "Office"),
    ("an old document", b"\xd0\xcf\x11\xe0" + b"0" * 100, "Office"),
    ("text", "您好".encode(), "不是 PDF"),
    ("something before the head", b"GIF89a" + WHOLE, "GIF"),
    ("cut off", WHOLE[: len(WHOLE) // 2], "不完整"),
    ("cut off by a byte of its end", WHOLE[:-3], "不完整"),
    ("followed by something else", WHOLE + b"x" * 3000, "不完整"),
    ("a table that is not there", WHOLE.replace(b"startxref\n", b"startxref\n9"), "损坏"),
    ("no page", scenes.built([(1, b"<< /Type /Catalog >>")]), "一页也没有"),
    ("too many pages", scenes.pdf(pages=201), "页数太多"),
    ("encrypted", scenes.pdf(trailer=b"/Encrypt 9 0 R"), "密码"),
    ("encrypted, its objects packed", ENCRYPTED, "密码"),
    ("a script", scenes.pdf(more=b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), "脚本"),
    ("a script by an escaped name", scenes.pdf(more=b"/OpenAction << /S /J#61vaScript /J#53 (x) >>"), "脚本"),
    ("a program to launch", scenes.pdf(more=b"/OpenAction << /S /Launch /F (cmd.exe) >>"), "脚本"),
    ("an attachment", scenes.pdf(more=b"/Names << /EmbeddedFiles 7 0 R >>"), "脚本"),
    ("a form that sends", scenes.pdf(more=b"/AcroForm << /XFA 7 0 R >>"), "脚本"),
    ("a script in an object stream", scenes.packed(b"3 0 << /S /JavaScript /JS (x) >>"), "脚本"),
    ("an object stream packed oddly", scenes.packed(b"3 0 <<>>", b"/DecodeParms << /Predictor 12 >>"), "结构异常"),
    ("a broken object stream", scenes.packed(b"3 0 <<>>").replace(b"x\x9c", b"yy"), "结构异常"),
    ("a bomb", BOMB, "结构异常"),
    ("a script that a false stream hides", HIDDEN, "结构异常"),
    ("a script behind a comment that says stream", scenes.pdf(more=b"%stream\n" + RUNS + b" %endstream\n"), "结构异常"),
    (
        "a script between two strings that say so",
        scenes.pdf(more=b"/A (>>stream\n) " + RUNS + b"/B (endstream)"),
        "结构异常",
    ),
    ("an object stream that ends in a string", scenes.packed(ACTION, b"/X (9 0 obj) "), "结构异常"),
    ("an object stream that says so elsewhere", UNTYPED, "脚本"),
]


@pytest.mark.parametrize(("content", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_no_quiet_pdf_is_refused_with_its_reason(content, why):
    """E7"""
    refusal = policy.refusal_of(content)

    assert why in refusal.sentence
    assert refusal.next.endswith("。")


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        scenes.pdf(pages=200),
        scenes.packed(b"3 0 << /Type /Annot /A << /S /URI /URI (https://h.example/) >> >>"),
        scenes.pdf(more=b"/OpenAction [10 0 R /FitH 842] /JSONlike true /AAA 1"),
        scenes.built([(1, b"<< /Type /Page >>"), (2, scenes.stream(b"\x00/JS /Encrypt (not a name here)"))]),
        WHOLE + b"\n\n",
    ],
    ids=["plain", "200 pages", "links in an object stream", "opens at a page", "bytes of a picture", "blank lines"],
)
def test_a_report_as_programs_write_it_is_kept(content):
    assert policy.refusal_of(content) is None


def test_a_file_made_to_keep_the_reader_busy_is_read_once():
    """Thousands of beginnings without an end; a search that starts anew at each would take minutes."""
    content = b"%PDF-1.4\n" + b"stream\n" * 1_000_000 + b"1 " * 500_000 + b"startxref\n0\n%%EOF\n"

    assert policy.refusal_of(content) is not None
