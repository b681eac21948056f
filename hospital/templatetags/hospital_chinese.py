"""What is stored in Chinese, on a page in another language: titles have their English, the rest says what it is.

A screen reader then reads 心血管内科 with a Chinese voice (WCAG 3.1.2) instead of spelling it out.
"""

import re

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language, gettext, gettext_noop

register = template.Library()

HAN = re.compile(r"[\u3400-\u9fff]")

TITLES = (
    gettext_noop("主任医师"), gettext_noop("副主任医师"), gettext_noop("主治医师"), gettext_noop("住院医师"),
    gettext_noop("主任药师"), gettext_noop("副主任药师"), gettext_noop("主管药师"),
    gettext_noop("主任护师"), gettext_noop("副主任护师"), gettext_noop("主管护师"),
    gettext_noop("主任技师"), gettext_noop("副主任技师"), gettext_noop("主管技师"),
)  # fmt: skip
"""职称 as the workbook takes them."""


@register.filter
def chinese(value) -> str:
    """A name, place or text as the hospital wrote it."""
    text = str(value or "")
    if (get_language() or "").startswith("zh") or not HAN.search(text):
        return text
    return format_html('<span lang="zh-CN">{}</span>', text)


@register.filter
def doctor_title(value: str) -> str:
    """主任医师, in English Chief physician."""
    return gettext(value) if value in TITLES else chinese(value)
