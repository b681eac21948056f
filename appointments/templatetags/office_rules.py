"""Rules as the office reads them: days with their year where it is another one, shares as a bar."""

from datetime import date

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from appointments.models import SupplyShare
from appointments.selectors import rulebook
from hospital import clock

register = template.Library()

WIDTH = 400
"""Units of the drawing: 4 a percent."""


@register.filter
def rule_day(day: date | None) -> str:
    """11-25, and 2020-01-01 where the year is not this one."""
    if day is None:
        return ""
    return f"{day:%m-%d}" if day.year == clock.today(clock.now()).year else f"{day:%F}"


@register.simple_tag
def share_bar(shares) -> str:
    """The shares side by side, with their words below: no number needs the colour to be read."""
    rows: list[SupplyShare] = list(shares)
    if not rows:
        return _("没有份额：按系统默认值分号")
    at, pieces = 0, []
    for place, share in enumerate(rows):
        pieces.append((place % 6, at, max(share.percent * WIDTH // 100 - 1, 1)))
        at += share.percent * WIDTH // 100
    words = [(place % 6, rulebook.pool_name(share), rulebook.share_words(share)) for place, share in enumerate(rows)]
    bar = format_html_join("", '<rect class="share share--{}" x="{}" y="0" width="{}" height="10" rx="2"/>', pieces)
    names = format_html_join(
        "",
        '<li><svg class="sharekey" viewBox="0 0 10 10" aria-hidden="true"><rect class="share share--{}" width="10" '
        'height="10" rx="2"/></svg><b>{}</b> {}</li>',
        words,
    )
    return format_html(
        '<svg class="sharebar" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
        '<ul class="sharelist">{}</ul>',
        WIDTH,
        bar,
        names,
    )


@register.simple_tag
def half_bar(mix) -> str:
    """Mornings and afternoons side by side; the figures stand beside it in words."""
    day = mix.morning + mix.afternoon
    if not day:
        return ""
    am = WIDTH * mix.morning // day
    return format_html(
        '<svg class="sharebar" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="share share--1" width="{}" height="10"/><rect class="share share--2" x="{}" width="{}" '
        'height="10"/></svg>',
        WIDTH,
        max(am - 1, 0),
        am,
        WIDTH - am,
    )


@register.simple_tag
def level_bar(mix) -> str:
    """Levels side by side, in their order; the percentages stand beside it in words."""
    at, pieces = 0, []
    for place, (_name, count, _percent) in enumerate(mix.level_mix):
        width = WIDTH * count // mix.total
        pieces.append((place, at, max(width - 1, 1)))
        at += width
    rects = format_html_join("", '<rect class="share share--{}" x="{}" width="{}" height="10"/>', pieces)
    return format_html(
        '<svg class="sharebar" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>', WIDTH, rects
    )


@register.simple_tag
def mix_meter(count: int, total: int, target: int) -> str:
    """A meter with the target as its low mark."""
    return format_html(
        '<meter class="mixmeter" min="0" max="{}" low="{}" optimum="{}" value="{}" aria-label="{}"></meter>',
        total or 1,
        total * target / 100,
        total or 1,
        count,
        _("网上开放"),
    )
