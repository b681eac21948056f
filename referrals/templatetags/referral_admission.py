"""Words of an admission's page."""

from django import template
from django.utils.translation import gettext as _

from hospital.models import AuditEvent
from referrals.models import AdmissionRequest
from referrals.selectors.trail_words import ACTIONS

register = template.Library()


@register.filter
def noes(row: AdmissionRequest, may: set[str]) -> list[tuple[str, str, str]]:
    """What says no, and so asks for a reason: the act, what opens it, what does it."""
    words = [
        ("put_off", _("暂缓安排…"), _("暂缓并通知患者")),
        ("refuse", _("不通过…"), _("不通过并通知患者")),
        ("cancel", _("取消申请…"), _("取消申请并通知患者")),
    ]
    return [line for line in words if line[0] in may]


@register.filter
def admission_step(step: AuditEvent) -> str:
    """What was done, and the day that was told."""
    said = str(ACTIONS.get(step.action, step.action))
    return f"{said} {step.detail['day'][5:]}" if step.detail.get("day") else said
