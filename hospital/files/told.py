"""What is this file? Told by its own first bytes, never by its name or by what the browser says of it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from . import pdf, pictures
from .errors import UnfitFile

AS_PDF = _("请另存为 PDF，或拍照、截图成 JPEG、PNG 图片，再上传。")
AS_PICTURE = _("请在手机或电脑里另存为 JPEG 图片，再上传。")

PROGRAM, WEB_PAGE = _("这是一个程序。"), _("这是一个网页。")
OTHERS = (
    (b"MZ", PROGRAM, AS_PDF),
    (b"\x7fELF", PROGRAM, AS_PDF),
    (b"#!", PROGRAM, AS_PDF),
    (b"GIF8", _("这是一张 GIF 图片。"), AS_PICTURE),
    (b"BM", _("这是一张 BMP 图片。"), AS_PICTURE),
    (b"II*\0", _("这是一张 TIFF 图片。"), AS_PICTURE),
    (b"MM\0*", _("这是一张 TIFF 图片。"), AS_PICTURE),
    (b"RIFF", _("这是 WebP 图片或音视频文件。"), AS_PICTURE),
    (b"PK\x03\x04", _("这是压缩包或 Office 文件。"), AS_PDF),
    (b"\xd0\xcf\x11\xe0", _("这是旧版 Office 文件。"), AS_PDF),
    (b"Rar!", _("这是压缩包。"), AS_PDF),
    (b"7z\xbc\xaf", _("这是压缩包。"), AS_PDF),
)
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<svg", b"<script")
DICOM_AT = 128
"""Where a DICOM file says what it is."""


@dataclass(frozen=True)
class Told:
    """`content`: what is to be kept: a picture or a PDF without what hangs on it."""

    kind: str
    suffix: str
    content: bytes


def told(content: bytes) -> Told:
    """A PDF that does nothing, a JPEG or a PNG. Raises UnfitFile with what it is instead."""
    if content.startswith(pdf.MAGIC):
        if refusal := pdf.refusal_of(content):
            raise refusal
        return Told("application/pdf", ".pdf", pdf.plain(content))
    if content.startswith(pictures.JPEG):
        return Told("image/jpeg", ".jpg", pictures.plain_jpeg(content))
    if content.startswith(pictures.PNG):
        return Told("image/png", ".png", pictures.plain_png(content))
    raise _other(content)


def _other(content: bytes) -> UnfitFile:
    if not content:
        return UnfitFile(what=_("文件是空的。"), do=_("请重新选择文件。"))
    for start, what, do in OTHERS:
        if content.startswith(start):
            return UnfitFile(what=what, do=do)
    if content[4:8] == b"ftyp":
        return UnfitFile(what=_("这是 HEIC 图片或视频。"), do=AS_PICTURE)
    if content[DICOM_AT : DICOM_AT + 4] == b"DICM":
        return UnfitFile(what=_("这是 DICOM 影像。"), do=_("影像请留在影像系统里，这里上传报告或关键图片。"))
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(MARKUP):
        return UnfitFile(what=WEB_PAGE, do=AS_PDF)
    return UnfitFile(what=_("只收 PDF、JPEG 和 PNG。"), do=AS_PDF)
