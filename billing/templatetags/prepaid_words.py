"""When something is paid: for pages of bookings."""

from django import template

from appointments.models.rules import Channel
from billing.selectors import paid
from hospital import clock

register = template.Library()


@register.simple_tag
def fee_of(booking) -> paid.Fee:
    """Of an appointment or an exam: what stands beside its fee."""
    return paid.fee_of(booking, now=clock.now())


@register.simple_tag
def pays_first(organization_id: int, channel: str = Channel.WEB) -> bool:
    return paid.pays_first(organization_id, channel=channel, now=clock.now())
