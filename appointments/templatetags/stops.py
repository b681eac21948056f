"""停诊 in the office's menu."""

from django import template

from appointments.selectors.stops import board
from appointments.views.office.reach import READERS, reach_of
from hospital.permissions import has_role

register = template.Library()


@register.simple_tag(takes_context=True)
def stops_asked(context) -> int:
    """Requests that wait for this person's decision. One query; 0 for who can't decide."""
    request = context.get("request")
    if request is None or not has_role(request.user, *READERS):
        return 0
    reach = reach_of(request)
    return board.requests_waiting(reach.organizations, reach.departments)
