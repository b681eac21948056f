"""How the money's figures are written."""

from django import template
from django.utils.translation import gettext as _

from appointments.stats import Rate

register = template.Library()


@register.filter
def share(some: int, of: int) -> str:
    percent = Rate(some, of).percent
    return "–" if percent is None else f"{percent}%"


@register.filter
def unlocal(value) -> str:
    """A number in an attribute, whatever the language."""
    return f"{value}"


@register.filter
def hours(value: float | None) -> str:
    """3 分钟, 2.5 小时, 3 天."""
    if value is None:
        return "–"
    value = float(value)
    if value < 1:
        return _("%(n)s 分钟") % {"n": max(round(value * 60), 1)}
    return _("%(n)s 小时") % {"n": round(value, 1)} if value < 48 else _("%(n)s 天") % {"n": round(value / 24, 1)}
