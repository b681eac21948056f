"""QR codes that we draw ourselves, and the addresses in them."""

import segno
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import mark_safe


def qr(text: str) -> str:
    """As SVG; "" for no text."""
    if not text:
        return ""
    drawn = segno.make(text, error="m", micro=False)
    return mark_safe(drawn.svg_inline(omitsize=True, svgclass=None, lineclass=None))  # noqa: S308 - drawn by us


def pay_address(request: HttpRequest, invoice) -> str:
    """Of the page of paying, as a phone can open it from anywhere."""
    where = reverse("billing:pay", args=[invoice.token])
    return settings.PUBLIC_URL + where if settings.PUBLIC_URL else request.build_absolute_uri(where)
