"""我的住院申请, for a patient's account; and the card on its home page."""

from datetime import datetime, time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.views.patient import neighbours
from hospital import audit, clock, family, masking
from hospital.files import intake
from hospital.models import User
from hospital.permissions import patient_required
from referrals.models import AdmissionRequest
from referrals.models.admission import ADMISSION_OVER
from referrals.policies import admission as policy
from referrals.selectors import admissions as selectors

MOST = 30
SHOWN_AHEAD = (AdmissionRequest.Status.SCHEDULED,)


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest) -> HttpResponse:
    """Those under way first; what is over below, the latest first."""
    now = clock.now()
    rows = list(selectors.mine(request.user).order_by("-pk")[:MOST])
    for person in {row.patient_id: row.patient for row in rows}.values():
        audit.saw_patient(patient=person, actor=request.user, where="my_admissions", now=now, request=request)
    cards = [_card(row, now=now) for row in rows]
    people = family.people_of(request.user)
    context = {
        "going_on": [card for card in cards if not card["over"]],
        "over": [card for card in cards if card["over"]],
        "unproved": any(row.proof == family.UNPROVED for row in people),
    }
    return intake.quiet(render(request, "referrals/admission/mine.html", context))


def _card(row: AdmissionRequest, *, now: datetime) -> dict:
    needs = list(row.needs.all())
    return {
        "row": row,
        "masked": masking.name(row.patient.name),
        "needs": needs,
        "missing": sum(1 for need in needs if need.done_at is None),
        "late": row.status == AdmissionRequest.Status.SCHEDULED and policy.late(row, today=clock.today(now)),
        "over": row.status in ADMISSION_OVER,
    }


@neighbours.join
def next_admission(account: User, now: datetime) -> neighbours.Coming | None:
    """The nearest day that was told. What has no day yet has no place in a list by days."""
    rows = selectors.mine(account).filter(status__in=SHOWN_AHEAD, scheduled_on__gte=clock.today(now))
    row = rows.order_by("scheduled_on", "pk").first()
    if row is None:
        return None
    return neighbours.Coming(
        clock.at(row.scheduled_on, time.min), "referrals/admission/_next.html", _card(row, now=now)
    )
