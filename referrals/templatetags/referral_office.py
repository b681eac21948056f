"""The bar of the green channel on every page of the referral office."""

from django import template

from hospital import clock, permissions
from hospital.models import Role
from referrals.selectors import ringing as selectors

register = template.Library()


@register.inclusion_tag("referrals/office/_ringing.html", takes_context=True)
def ringing(context) -> dict:
    request = context["request"]
    calls = context.get("calls")  # the worklist has them for its title
    if calls is None:
        calls = selectors.ringing_at(permissions.organizations_of(request.user, Role.REFERRAL))
    return {
        **selectors.bar_of(calls, now=clock.now()),
        "request": request,
        "csrf_token": context["csrf_token"],
    }
