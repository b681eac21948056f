"""Stretches of time as the devices' pages say them."""

from django import template
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.policies.devices import said

register = template.Library()


@register.filter
def span(during: DateTimeTZRange) -> str:
    """11-25 14:00–16:00."""
    return said(during)
