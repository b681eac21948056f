"""R1: what a family doctor may attach, told by its bytes; and what is kept of it."""

import pytest

from hospital.files import names
from hospital.files.errors import UnfitFile
from hospital.files.told import told
from tests.exams.reports.scenes import pdf

from .pictures import EXIF, chunk, jpeg, png, segment

SCRIPT = b"<script>alert(1)</script>"


@pytest.mark.parametrize("content", [jpeg(), png()], ids=["jpeg", "png"])
def test_a_plain_picture_is_kept_bit_by_bit(content):
    assert told(content).content == content


def test_what_hangs_on_a_photo_stays_behind_but_for_which_way_up_it_is():
    """R1: the patient's front door is in the Exif of a phone's photo."""
    more = segment(0xE1, EXIF) + segment(0xFE, SCRIPT) + segment(0xED, b"Photoshop") + segment(0xE1, b"http://ns.adobe")

    kept = told(jpeg(more=more, after=b"PK\x03\x04" + SCRIPT)).content

    assert b"GPS" not in kept
    assert b"script" not in kept
    assert b"PK" not in kept
    assert kept.count(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06") == 1
    assert told(kept).content == kept


def test_text_and_what_is_appended_to_a_png_stay_behind():
    more = chunk(b"tEXt", b"Comment\0" + SCRIPT) + chunk(b"eXIf", b"GPS") + chunk(b"gAMA", b"\0\0\xb1\x8f")

    kept = told(png(more=more, after=SCRIPT)).content

    assert kept == png(more=chunk(b"gAMA", b"\0\0\xb1\x8f"))


@pytest.mark.parametrize("after", [b"PK\x03\x04 a whole archive", SCRIPT])
def test_what_hides_behind_a_pdf_stays_behind(after):
    assert told(pdf() + after).content.strip() == pdf().strip()


BROKEN = [
    ("nothing", b"", "空"),
    ("a program", b"MZ\x90", "程序"),
    ("a page of the web", b"\n<!DOCTYPE html>" + SCRIPT, "网页"),
    ("a drawing with script", b"<svg xmlns='x'><script/></svg>", "网页"),
    ("an archive", b"PK\x03\x04", "Office"),
    ("a photo of an iPhone", b"\0\0\0\x18ftypheic", "HEIC"),
    ("a moving picture", b"GIF89a", "GIF"),
    ("a study", b"\0" * 128 + b"DICM", "DICOM"),
    ("text", "您好".encode(), "只收"),
    ("a jpeg by its head only", b"\xff\xd8\xff\xe0" + SCRIPT, "不完整"),
    ("a jpeg cut off in its scan", jpeg(end=b""), "不完整"),
    ("a jpeg cut off in a table", jpeg()[:40], "不完整"),
    ("a jpeg without a picture", b"\xff\xd8" + segment(0xFE, SCRIPT) + b"\xff\xd9", "损坏"),
    ("a jpeg with a mark of its own", jpeg(more=segment(0xF5, SCRIPT)), "损坏"),
    ("a bomb of a jpeg", jpeg(height=60000, width=60000), "尺寸"),
    ("a png with a wrong sum", png()[:-30] + b"\0" + png()[-29:], "损坏"),
    ("a png cut off", png()[:-6], "不完整"),
    ("a png with a chunk of its own", png(more=chunk(b"EVIL", SCRIPT)), "损坏"),
    ("a bomb of a png", png(size=(100_000, 100_000)), "尺寸"),
    ("a pdf cut off", b"%PDF-1.7\n" + SCRIPT, "不完整"),
]


@pytest.mark.parametrize(("content", "why"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_is_no_paper_and_no_picture_is_refused_with_what_it_is(content, why):
    """R1: each refusal says what the file is and what helps."""
    with pytest.raises(UnfitFile) as refused:
        told(content)

    assert why in refused.value.sentence
    assert refused.value.next


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("化验单.PDF", "化验单.pdf"),
        ("..\\..\\etc/化验单.pdf", "化验单.pdf"),
        ("化验\u202e单fdp.exe", "化验单fdp.pdf"),
        ("a.pdf.exe.js", "a.pdf"),
        ('x"; filename="y.html', "x filename= y.pdf"),
        ("\r\nSet-Cookie: a=b.pdf", "Set-Cookie a=b.pdf"),
        ("", "附件.pdf"),
        (" .. ", "附件.pdf"),
        ("长" * 300, "长" * 80 + ".pdf"),
    ],
)
def test_a_name_loses_its_tricks(name, kept):
    assert names.cleaned(name, suffix=".pdf") == kept
