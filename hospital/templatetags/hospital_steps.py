"""Which step of how many: a fraction for the eye, words for who listens."""

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_block_tag
def step(content: str) -> str:
    """3/4 beside a heading, read as 第 3 步，共 4 步; nothing of nothing."""
    now, _slash, all_of_them = content.strip().partition("/")
    if not all_of_them:
        return ""
    words = _("，第 %(now)s 步，共 %(all)s 步") % {"now": now, "all": all_of_them}
    return format_html(
        '<small class="topbar__step" aria-hidden="true">{}/{}</small><span class="visually-hidden">{}</span>',
        now,
        all_of_them,
        words,
    )
