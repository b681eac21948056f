"""我的转诊 /my-referrals/: what was sent where, what it means, the plan and the next visit; and the card at home."""

from datetime import datetime, time

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.views.patient import neighbours
from hospital import audit, clock, masking
from hospital.files import intake
from hospital.models import User
from hospital.permissions import patient_required
from hospital.views.own import own_of
from referrals.models import OVER, CarePlan, Referral
from referrals.selectors import mine as selectors
from referrals.selectors.down import WITHOUT_NUMBER

PAGE = 20


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest) -> HttpResponse:
    """All people of the account, or one; the latest first."""
    own, rows = own_of(request), selectors.referrals_of(request.user)
    rows = rows.filter(patient=own.person) if own.person else rows
    page = Paginator(rows.order_by("-sent_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = own.shown(page=page, cards=selectors.cards_of(list(page)))
    return intake.quiet(render(request, "referrals/patient/list.html", context))


@require_safe
@never_cache
@patient_required
def one(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(selectors.referrals_of(request.user), pk=pk)
    now = clock.now()
    audit.saw_patient(patient=row.patient, actor=request.user, where="my_referrals", now=now, request=request)
    [card] = selectors.cards_of([row])
    sent_back = row.sent_back.exclude(status=Referral.Status.WITHDRAWN).first()
    return intake.quiet(render(request, "referrals/patient/one.html", {"card": card, "sent_back": sent_back}))


@neighbours.join
def next_plan(account: User, now: datetime) -> neighbours.Coming | None:
    """The nearest 复诊日 of a plan that has no number: a booked one is the next visit already."""
    mine = selectors.referrals_of(account).filter(direction=Referral.Direction.DOWN).exclude(status__in=OVER)
    plans = CarePlan.objects.filter(
        WITHOUT_NUMBER, referral__in=mine.values("pk"), follow_up_on__gte=clock.today(now)
    ).select_related("referral__patient", "follow_up_at")
    plan = plans.order_by("follow_up_on", "pk").first()
    if plan is None:
        return None
    said = {"plan": plan, "masked": masking.name(plan.referral.patient.name)}
    return neighbours.Coming(clock.at(plan.follow_up_on, time.min), "referrals/patient/_next.html", said)
