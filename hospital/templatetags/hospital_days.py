"""Days and half-days as hospitals write them: 12-21 周一 for staff, 12月21日 周一 for patients."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hospital.models.time import Weekday

register = template.Library()


def _day(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


@register.filter
def weekday(value: date | datetime | None) -> str:
    """周一."""
    return str(Weekday(_day(value).isoweekday()).label) if value else ""


@register.filter
def staff_day(value: date | datetime | None) -> str:
    """12-21 周一; with the year when it is another one than could be meant in a list of weeks."""
    return f"{_day(value):%m-%d} {weekday(value)}" if value else ""


@register.filter
def long_day(value: date | datetime | None) -> str:
    """12月21日 周一."""
    if not value:
        return ""
    day = _day(value)
    # Translators: a date format of Django, e.g. M j
    return f"{date_format(day, _('n月j日'))} {weekday(day)}"
