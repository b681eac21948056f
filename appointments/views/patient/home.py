"""首页 of patients. Whole without script, useful before anybody has signed in."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.selectors import again, bookings
from appointments.selectors.patient import coming, places
from hospital import clock, permissions
from hospital.models import User

from . import neighbours


@require_safe
@never_cache
def home(request):
    now = clock.now()
    campuses = places.campuses()
    houses = {each.organization for each in campuses if each.organization.parent_id is None}
    context = {
        "campuses": campuses,
        "branches": [each for each in campuses if each.organization.parent_id],
        "house": houses.pop() if len(houses) == 1 else None,
    }
    if permissions.is_patient_account(request.user):
        context |= _own(request.user, now=now)
    return render(request, "patient/home.html", context)


def _own(account: User, *, now) -> dict:
    """What only this account sees."""
    visit = coming.next_visit(account, now=now)
    nearest = (
        [neighbours.Coming(visit.start, "patient/_next_visit.html", bookings.card_of(visit, now=now))] if visit else []
    )
    nearest += neighbours.coming(account, now=now)
    return {
        "signed_in": True,
        "nearest": sorted(nearest, key=lambda each: each.at),
        "again": again.again_for(account, now=now),
    }
