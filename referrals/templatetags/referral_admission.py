"""Words of an admission's page."""

from django import template
from django.utils.translation import gettext as _

from hospital import permissions
from hospital.models import AuditEvent
from referrals.models import AdmissionNeed, AdmissionRequest, Referral
from referrals.policies.admission import refusal_of_referral
from referrals.selectors import admissions as selectors
from referrals.selectors.trail_words import ACTIONS

register = template.Library()


@register.simple_tag
def has_the_referral_office(user) -> bool:
    return permissions.may_work_the_referral_office(user)


@register.inclusion_tag("referrals/admission/_of_referral.html", takes_context=True)
def admissions(context, referral: Referral) -> dict:
    """住院申请 that rest on a referral, for both sides: the hospital opens them and asks, the sender reads how they
    stand. Draws nothing where there is nothing to see or to ask."""
    user = context["request"].user
    there = permissions.may_act_in(user, referral.receiver_id, *selectors.READING)
    return {
        "referral": referral,
        "rows": list(selectors.on_referral(referral)),
        "opens": there,
        "may_ask": there and refusal_of_referral(referral, organization_id=referral.receiver_id) is None,
    }


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
def admission_step(step: AuditEvent, needs: list[AdmissionNeed]) -> str:
    """What was done, the day that was told, and which of the needs it was."""
    said = str(ACTIONS.get(step.action, step.action))
    if step.detail.get("day"):
        return f"{said} {step.detail['day'][5:]}"
    which = next((need.text for need in needs if need.pk == step.detail.get("need")), "")
    return _("%(what)s：%(which)s") % {"what": said, "which": which} if which else said
