"""The kiosk's first page asks whether there is anything to pay here at all."""

from django import template

from billing.selectors import rules

register = template.Library()


@register.simple_tag
def takes_money(house) -> bool:
    """A free clinic's machine has no button for paying."""
    return house is not None and rules.money_since(house.pk) is not None
