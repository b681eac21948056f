"""Days as hospitals write them: 12-21 周一 for staff, 12月21日 周一 for patients; in English 21 Dec and Mon 21 Dec."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hospital.models.time import Weekday

register = template.Library()


def _day(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def _short(value: date | datetime) -> str:
    """12-21; in English, where 12-11 has two readings, 21 Dec."""
    return date_format(_day(value), "m-d" if (get_language() or "").startswith("zh") else "j M")


@register.filter
def weekday(value: date | datetime | None) -> str:
    """周一."""
    return str(Weekday(_day(value).isoweekday()).label) if value else ""


@register.filter
def short_day(value: date | datetime | None) -> str:
    """12-21."""
    return _short(value) if value else ""


@register.filter
def short_moment(value: datetime | None) -> str:
    """12-21 08:30."""
    return f"{_short(value)} {timezone.localtime(value):%H:%M}" if value else ""


@register.filter
def staff_day(value: date | datetime | None) -> str:
    """12-21 周一, in English Mon 21 Dec: a list of weeks needs no year."""
    if not value:
        return ""
    chinese = (get_language() or "").startswith("zh")
    return f"{_short(value)} {weekday(value)}" if chinese else f"{weekday(value)} {_short(value)}"


@register.filter
def long_day(value: date | datetime | None) -> str:
    """12月21日 周一; in English Mon 21 Dec."""
    if not value:
        return ""
    # Translators: a date format of Django, e.g. {weekday} j M; the weekday is filled in as we abbreviate it
    pattern = _("n月j日 {weekday}")
    letters = "".join(f"\\{letter}" for letter in weekday(value))  # a date format reads them as they are
    return date_format(_day(value), pattern.format(weekday=letters))
