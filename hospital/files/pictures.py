"""JPEG and PNG, walked through piece by piece: what does not add up is refused, and only the picture itself is kept.

What hangs on a picture goes: comments, the place where the phone took it, previews, films, whatever was appended.
Pixels stay as they are, bit by bit; so do colour profiles, and which way up it is.
Sources: ITU T.81 annex B (JPEG), Exif 2.3 (orientation), PNG 3rd edition.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from .errors import UnfitFile

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 120_000_000
"""A phone's largest. What is more would only be a bomb for whoever opens it."""

AGAIN = _("请重新拍照或导出一份完整的图片，再上传。")
BROKEN, CUT = _("图片已损坏。"), _("图片不完整，可能没有传完。")


def plain_jpeg(content: bytes) -> bytes:
    """The picture alone. Raises UnfitFile."""
    kept, frame, scan = [b"\xff\xd8"], False, False
    for marker, body in _segments(content):
        if marker in FRAMES:
            _check_size(*struct.unpack(">HH", body[1:5].ljust(4, b"\0")))
            frame = True
        scan = scan or marker == SCAN
        if body := _worth_keeping(marker, body):
            kept.append(body)
    if not (frame and scan):
        raise UnfitFile(what=BROKEN, do=AGAIN)
    return b"".join([*kept, b"\xff\xd9"])


SCAN, END = 0xDA, 0xD9
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
TABLES = FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, SCAN}
APPLICATION = range(0xE0, 0xF0)
COMMENT = 0xFE
AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""Inside of a scan FF stands only before 00 or a restart mark."""


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each; a scan's body holds what was scanned after its head, too. Stops at the end mark."""
    at = 2
    while True:
        start = at
        while content[at : at + 1] == b"\xff":
            at += 1
        if at == start or at >= len(content):
            raise UnfitFile(what=CUT if at >= len(content) else BROKEN, do=AGAIN)
        marker = content[at]
        at += 1
        if marker == END:
            return
        length = int.from_bytes(content[at : at + 2], "big")
        if length < 2 or not (marker in TABLES or marker in APPLICATION or marker == COMMENT):
            raise UnfitFile(what=BROKEN, do=AGAIN)
        head, at = at, at + length
        if at > len(content):
            raise UnfitFile(what=CUT, do=AGAIN)
        if marker == SCAN:
            if length != _scan_head(content[head + 2]):
                raise UnfitFile(what=BROKEN, do=AGAIN)
            after = AFTER_SCAN.search(content, at)
            if after is None:
                raise UnfitFile(what=CUT, do=AGAIN)
            at = after.start()
        yield marker, content[head + 2 : at]


def _worth_keeping(marker: int, body: bytes) -> bytes:
    """The segment as it is written anew; nothing for what only hangs on the picture."""
    if marker == SCAN:
        return b"\xff\xda" + _scan_head(body[0]).to_bytes(2, "big") + body
    if marker == 0xE1:
        turned = _orientation(body)
        body = _exif_of(turned) if turned else b""
        return _segment(marker, body) if body else b""
    icc = marker == 0xE2 and body.startswith(b"ICC_PROFILE\0")
    colours = marker == 0xEE and body.startswith(b"Adobe")
    plain = marker == 0xE0 and body.startswith(b"JFIF\0")
    return _segment(marker, body) if marker in TABLES or icc or colours or plain else b""


def _scan_head(components: int) -> int:
    """Bytes: each component and its tables, the spectrum, the count and the length itself."""
    return 2 * components + 6


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


ORIENTATION = 0x0112


def _orientation(body: bytes) -> int | None:
    """Which way up (1 to 8), from the first directory of an Exif segment."""
    if not body.startswith(b"Exif\0\0"):
        return None
    tiff = body[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    at = struct.unpack(order + "I", tiff[4:8])[0]
    if at + 2 > len(tiff):
        return None
    for number in range(struct.unpack(order + "H", tiff[at : at + 2])[0]):
        entry = tiff[at + 2 + 12 * number : at + 14 + 12 * number]
        if len(entry) < 12:
            return None
        tag, kind, count, value = struct.unpack(order + "HHIH", entry[:10])
        if tag == ORIENTATION:
            return value if (kind, count) == (3, 1) and 1 <= value <= 8 else None
    return None


def _exif_of(turned: int) -> bytes:
    return b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, turned, 0, 0)


KEPT_CHUNKS = frozenset(
    [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs"]
)
CRITICAL = frozenset([b"IHDR", b"PLTE", b"IDAT", b"IEND"])


def plain_png(content: bytes) -> bytes:
    """The picture alone; of a moving one the first picture. Raises UnfitFile."""
    kept, names = [PNG], []
    for name, chunk in _chunks(content):
        if not names and (name != b"IHDR" or len(chunk) != 25):
            raise UnfitFile(what=BROKEN, do=AGAIN)
        if name == b"IHDR" and not names:
            _check_size(*struct.unpack(">II", chunk[8:16]))
        if name[:1].isupper() and name not in CRITICAL:
            raise UnfitFile(what=BROKEN, do=AGAIN)
        names.append(name)
        if name in KEPT_CHUNKS:
            kept.append(chunk)
    if b"IDAT" not in names:
        raise UnfitFile(what=BROKEN, do=AGAIN)
    return b"".join(kept)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole chunk of each up to the end, its check sum right."""
    at, name = len(PNG), b""
    while name != b"IEND":
        if at + 12 > len(content):
            raise UnfitFile(what=CUT, do=AGAIN)
        length, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(content):
            raise UnfitFile(what=CUT, do=AGAIN)
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            raise UnfitFile(what=BROKEN, do=AGAIN)
        yield name, content[at:end]
        at = end


def _check_size(height: int, width: int) -> None:
    if not height or not width:
        raise UnfitFile(what=BROKEN, do=AGAIN)
    if height * width > MOST_PIXELS:
        raise UnfitFile(what=_("图片的尺寸太大。"), do=_("请缩小后再上传；影像请留在影像系统里。"))
