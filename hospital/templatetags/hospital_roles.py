"""What a menu offers by role."""

from django import template

from hospital import permissions

register = template.Library()


@register.simple_tag(takes_context=True)
def keeps_the_index(context) -> bool:
    """{% keeps_the_index as keeps %}: the way to 疑似重复档案."""
    return permissions.may_keep_the_index(context["request"].user)
