"""Words of the exams' pages and messages."""

from datetime import datetime

from django import template
from django.utils.translation import get_language

from exams.policies.preparing import Step
from exams.selectors.mine import place_of
from hospital import messages

register = template.Library()


@register.filter
def at_the_house(iso: str) -> str:
    """11月25日 星期三 08:30, of a message's parameter, in the language that is being spoken."""
    return messages.moment(iso, get_language() or "")


@register.filter
def begun(step: Step, now: datetime) -> bool:
    """The hour from which something must be done has passed already."""
    return step.at <= now


@register.filter
def place(device) -> str:
    """本部院区 门诊楼 2层 3检查室."""
    return place_of(device)
