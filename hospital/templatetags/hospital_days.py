"""Days and half-days as hospitals write them: 12-21 周一 for staff, 12月21日 周一 for patients."""

from datetime import date, datetime

from django import template
from django.utils import timezone

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
