"""When something is paid: for pages of bookings."""

from django import template

from appointments.models.rules import Channel
from billing.selectors import gate, paid
from hospital import clock

register = template.Library()


@register.simple_tag
def fee_of(booking) -> paid.Fee:
    """Of an appointment or an exam: what stands beside its fee."""
    return paid.fee_of(booking, now=clock.now())


@register.simple_tag
def pays_first(organization_id: int, channel: str = Channel.WEB, patient: int | None = None) -> bool:
    """`patient`: where it is known who books by themselves."""
    return paid.pays_first(organization_id, channel=channel, patient=patient, now=clock.now())


@register.simple_tag
def late_among(people, organization_id: int) -> set[int]:
    """Patient ids of those who pay first because something on credit is overdue (selectors.gate.late_of)."""
    return gate.late_of([each.pk for each in people], organization=organization_id, now=clock.now())


@register.simple_tag
def is_late(patient: int, organization_id: int) -> bool:
    return bool(gate.late_of([patient], organization=organization_id, now=clock.now()))
