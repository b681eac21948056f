"""Lengths of time as people say them."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def span(minutes: float | None) -> str:
    """45 分钟, 5.2 小时, 2.1 天; nothing counted yet: a dash."""
    if minutes is None:
        return "–"
    if minutes < 90:
        return _("%(count)d 分钟") % {"count": round(minutes)}
    if minutes < 48 * 60:
        return _("%(count)s 小时") % {"count": round(minutes / 60, 1)}
    return _("%(count)s 天") % {"count": round(minutes / 1440, 1)}
