"""What the menu of the money's pages offers by role."""

from django import template
from django.urls import NoReverseMatch, reverse

from hospital.models import Role
from hospital.permissions import has_role

register = template.Library()

WAYS = {
    "cashier": ("billing:cashier", (Role.CASHIER,)),
    "shifts": ("billing:cashier_shifts", (Role.CASHIER, Role.FINANCE)),
    "refunds": ("billing:refunds", (Role.CASHIER, Role.FINANCE, Role.AUDITOR)),
    "credit": ("billing:window_credit", (Role.CASHIER, Role.COUNTER)),
    "figures": ("billing:money_figures", (Role.FINANCE, Role.OFFICE, Role.AUDITOR)),
    "finance": ("billing:finance", (Role.FINANCE, Role.AUDITOR)),
}


@register.simple_tag(takes_context=True)
def money_ways(context) -> dict[str, str]:
    """Name → address, of those pages that the user's roles open."""
    user = context["request"].user
    return {name: _address(view) for name, (view, roles) in WAYS.items() if has_role(user, *roles)}


def _address(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""
