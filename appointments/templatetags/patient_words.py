"""Words and small pieces of the patients' pages."""

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from appointments.policies.scarcity import State
from hospital import clock, masking

register = template.Library()

TONES = {State.OPEN: "tag--ok", State.FEW: "tag--warn", State.STOPPED: "tag--bad"}


def _word(state: State) -> str:
    return {
        State.OPEN: _("有号"),
        State.FEW: _("号少"),
        State.UNRELEASED: _("未放号"),
        State.FULL: _("满号"),
        State.STOPPED: pgettext("短", "停诊"),
        State.GATED: _("需转诊"),
        State.OFFLINE: _("网上无号"),
        State.NONE: _("无出诊"),
    }[State(state)]


@register.filter
def state_word(state: State) -> str:
    return _word(state)


@register.filter
def day_word(day) -> str:
    """有号, 余2, 满号 …: few numbers are counted, so that nobody has to guess."""
    return _("余%(left)s") % {"left": day.left} if day.state is State.FEW else _word(day.state)


@register.simple_tag
def state_tag(state: State) -> str:
    return format_html('<span class="tag {}">{}</span>', TONES.get(State(state), ""), _word(state))


@register.filter
def masked(name: str) -> str:
    """周*明."""
    return masking.name(name)


@register.filter
def way_to(department, room) -> str:
    """门诊楼 4 层 01诊室."""
    return department.way_to(room)


@register.filter
def release_time(moment) -> str:
    """11月29日 07:00, as the hospital's clock shows it."""
    # Translators: a date format of Django, e.g. M j H:i
    return date_format(moment.astimezone(clock.ZONE), _("n月j日 H:i"))
