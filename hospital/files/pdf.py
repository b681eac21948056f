"""Is this a PDF that may be kept? Told by its bytes, never by its name.

What is kept is paper: text, lines, pictures. What acts (scripts, launched programs, forms that send, attachments) or
hides (encryption) is refused with a sentence. Names are looked for outside of streams, where the objects stand, and
inside of object streams (PDF 1.5), unpacked up to a limit; other streams are fonts, pictures and page contents, which
can't act. Where a stream seems to hold objects of its own, or the word stands where no object's dictionary ends (in a
comment, in a string), the file is refused: what one reader skips another would run.
"""

import re
import zlib
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from .errors import NotAPdf

MAGIC = b"%PDF-"
MOST_PAGES = 200
MOST_UNPACKED = 40 * 1024 * 1024  # bytes of object streams together: no bomb
TAIL = 2048  # bytes at the end in which the end of the file must be said

AS_PDF = _("请在检查设备或办公软件里另存为 PDF，再上传。")
PLAIN_PDF = _("请用“打印到 PDF”另存一份，再上传。")
TOO_LONG = _("文件超过 %(limit)d MB。")
SMALLER = _("请压缩后再上传；影像请留在影像系统里。")
AGAIN = _("请重新导出一份完整的 PDF，再上传。")

OTHERS = (
    (b"MZ", _("这是一个程序，不是 PDF。")),
    (b"\x7fELF", _("这是一个程序，不是 PDF。")),
    (b"#!", _("这是一个程序，不是 PDF。")),
    (b"\x89PNG", _("这是一张 PNG 图片，不是 PDF。")),
    (b"\xff\xd8\xff", _("这是一张 JPEG 图片，不是 PDF。")),
    (b"GIF8", _("这是一张 GIF 图片，不是 PDF。")),
    (b"PK\x03\x04", _("这是压缩包或 Office 文件，不是 PDF。")),
    (b"\xd0\xcf\x11\xe0", _("这是旧版 Office 文件，不是 PDF。")),
    (b"Rar!", _("这是压缩包，不是 PDF。")),
)
ACTS = (b"JavaScript", b"JS", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"XFA", b"SubmitForm",
        b"ImportData", b"AA", b"GoToE", b"GoToR", b"Rendition", b"Movie", b"Sound", b"3D")  # fmt: skip
BEGINS, ENDS = re.compile(rb"(?<!end)stream\r?\n"), b"endstream"
OBJECT = re.compile(rb"\d[\s\0]{1,20}\d{1,10}[\s\0]{1,20}obj\b|\btrailer\b")
HEAD = re.compile(rb"\d[\s\0]{1,20}\d{1,10}[\s\0]{1,20}obj\b")
PARENTHESES = re.compile(rb"\\.|[()]", re.DOTALL)
SPACE = b" \t\r\n\f\0"
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
NAME_END = rb"(?![^\s\0()<>\[\]{}/%])"


def refusal_of(content: bytes) -> NotAPdf | None:
    """None: it may be kept. Looks at every byte once or twice; no part of it is run or drawn."""
    return _not_a_pdf(content) or _broken(content) or _acts_or_hides(content)


def plain(content: bytes) -> bytes:
    """Up to its own end: what was appended is another file, which only hides behind this one."""
    end = content.rfind(b"%%EOF") + len(b"%%EOF")
    return content[:end] + b"\n" if content[end:].strip(SPACE) else content


def _not_a_pdf(content: bytes) -> NotAPdf | None:
    if not content:
        return NotAPdf(what=_("文件是空的。"), do=AGAIN)
    if content.startswith(MAGIC):
        return None
    for start, what in OTHERS:
        if content.startswith(start):
            return NotAPdf(what=what, do=AS_PDF)
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        return NotAPdf(what=_("这是一个网页，不是 PDF。"), do=AS_PDF)
    return NotAPdf(what=_("文件内容不是 PDF。"), do=AS_PDF)


def _broken(content: bytes) -> NotAPdf | None:
    """The end must say where the table of objects is, and there it must be: else the upload or the export broke off."""
    end = content[-TAIL:]
    said = re.findall(rb"startxref\s+(\d{1,10})\s+%%EOF", end)
    if not said:
        return NotAPdf(what=_("文件不完整，可能没有传完或导出时中断。"), do=AGAIN)
    there = content[int(said[-1]) :][:40].lstrip()
    if not (there.startswith(b"xref") or re.match(rb"\d+\s+\d+\s+obj", there)):
        return NotAPdf(what=_("文件已损坏，找不到目录。"), do=AGAIN)
    return None


def _acts_or_hides(content: bytes) -> NotAPdf | None:
    parts = list(_places_of_names(content))
    names = [_unescaped(part) for part in parts if part is not None]
    if any(_named(part, b"Encrypt") for part in names):
        return NotAPdf(what=_("文件加了密码或限制。"), do=_("请去掉密码和限制后再上传，否则患者打不开。"))
    if len(names) < len(parts):
        return NotAPdf(what=_("文件结构异常，无法确认是否安全。"), do=PLAIN_PDF)
    if any(_named(part, *ACTS) for part in names):
        return NotAPdf(what=_("文件里有脚本、附件或会自动执行的内容。"), do=PLAIN_PDF)
    pages = sum(len(re.findall(rb"/Type\s*/Page" + NAME_END, part)) for part in names)
    if not pages:
        return NotAPdf(what=_("文件里一页也没有。"), do=AGAIN)
    if pages > MOST_PAGES:
        return NotAPdf(what=_("文件页数太多（上限 200 页）。"), do=_("请只上传报告本身，影像请留在影像系统里。"))
    return None


def _places_of_names(content: bytes) -> Iterator[bytes | None]:
    """What stands outside of streams, then each unpacked object stream; None for what can't be looked into."""
    outside, left = [], MOST_UNPACKED
    for before, body in _streams(content):
        outside.append(before)
        if body is None:
            continue
        dictionary = _dictionary(before)
        if dictionary is None or OBJECT.search(body):
            yield None
        elif _named(_unescaped(dictionary), b"ObjStm", b"First"):
            unpacked = _unpacked(dictionary, body, most=left)
            left -= len(unpacked or b"")
            yield unpacked
    yield b"\n".join(outside)


def _dictionary(before: bytes) -> bytes | None:
    """`<< … >>` of the object whose stream begins here; None where it isn't plainly one. No comment stands in it or
    before it on its line, no string is left open: else the dictionary that a reader sees is another one."""
    heads = list(HEAD.finditer(before))
    if not heads:
        return None
    last = heads[-1]
    line = re.split(rb"[\r\n]", before[: last.start()])[-1]
    found = before[last.end() :].strip(SPACE)
    if b"%" in line + found or not (found.startswith(b"<<") and found.endswith(b">>")):
        return None
    depth = 0
    for sign in PARENTHESES.findall(found):
        depth += {b"(": 1, b")": -1}.get(sign, 0)
        if depth < 0:
            return None
    return None if depth else found


def _streams(content: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Pairs of what stands before a stream, and its body; the last pair has no body. Each byte is passed once."""
    reached = 0
    while (begin := BEGINS.search(content, reached)) and (end := content.find(ENDS, begin.end())) >= 0:
        yield content[reached : begin.start()], content[begin.end() : end]
        reached = end + len(ENDS)
    yield content[reached:], None


def _unpacked(dictionary: bytes, body: bytes, *, most: int) -> bytes | None:
    """Only plain FlateDecode, as every program writes it. None: packed otherwise, broken, or a bomb."""
    if b"DecodeParms" in dictionary or not re.search(rb"/Filter\s*\[?\s*/FlateDecode\s*[\]/>\s]", dictionary):
        return None
    try:
        reader = zlib.decompressobj()
        unpacked = reader.decompress(body, max(most, 1))
    except zlib.error:
        return None
    return None if reader.unconsumed_tail or not reader.eof else unpacked


def _unescaped(part: bytes) -> bytes:
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part)


def _named(part: bytes, *names: bytes) -> bool:
    return re.search(rb"/(?:" + rb"|".join(names) + rb")" + NAME_END, part) is not None
