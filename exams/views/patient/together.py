"""Several simple exams of one person planned together (E3): questions, a plan, then the same confirm page."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.models.rules import Channel
from exams.forms.patient import PlanForm, WishForm
from exams.selectors import mine as selectors
from exams.selectors import my_plans, rules
from exams.services import planning, together
from hospital import clock, family
from hospital.errors import Refused
from hospital.permissions import patient_required

from .booking import answered, ask
from .reach import Way, way_of


def _requests(request: HttpRequest, patient: int) -> selectors.ToBook | None:
    """What may be planned together for this person of the account; None: it is not several simple ones (any more)."""
    if not family.is_mine(request.user, patient):
        raise Http404
    found = selectors.by_person(selectors.to_plan(request.user, person=patient, now=clock.now()))
    return found[0] if found and found[0].together else None


def _not_together(request: HttpRequest):
    messages.warning(request, _("现在没有可以一起安排的检查，请看下面每一项。"))
    return redirect("exams:mine")


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def questions(request: HttpRequest, patient: int):
    group = _requests(request, patient)
    if group is None:
        return _not_together(request)
    way = way_of(group.requests, account=request.user, now=clock.now())
    plans = redirect("exams:my_exams_plans", patient)
    if request.method == "GET":
        return plans if way.open and not way.questions else ask(request, way)
    return answered(request, way, then=plans)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def plans(request: HttpRequest, patient: int):
    """The best plan and the next best, each as one radio; the button holds all of it or nothing."""
    group = _requests(request, patient)
    if group is None:
        return _not_together(request)
    way = way_of(group.requests, account=request.user, now=clock.now())
    if not way.open:
        return redirect("exams:my_exams_together", patient)
    if request.method == "GET":
        return _show(request, way)
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _show(request, way, said=form.errors["token"], status=422)
    try:
        plan = together.hold(
            requests=way.requests, token=form.cleaned_data["token"], by=request.user, now=clock.deciding()
        )
    except Refused as refusal:
        return _show(request, way, refusal=refusal)
    first = plan.bookings.filter(holds=True).order_by("during", "pk").first()
    if first is None:  # chosen anew at the same moment on another page
        return redirect("exams:mine")
    return redirect("exams:my_exam_confirm", first.pk)


def _show(request: HttpRequest, way: Way, *, refusal: Refused | None = None, said=(), status: int = 200):
    now = clock.now()
    wish = WishForm(request.GET)
    organization = way.first.organization
    rule = rules.exam_rule(organization.pk, day=clock.today(now))
    first = max(wish.said("day") or clock.today(now), clock.today(now))
    last = first + timedelta(days=rule.plan_days - 1)
    half = wish.said("half")
    proposal = planning.propose(
        requests=way.requests,
        wishes=planning.Wishes(first_day=first, last_day=last, halves=(half,) if half else ()),
        channel=Channel.WEB,
        now=now,
    )
    context = {
        "way": way,
        "requests": way.requests,
        "organization": organization,
        "masked": selectors.ToBook(way.first.patient, way.requests).masked,
        "choices": my_plans.shown(proposal, account=request.user),
        "proposal": proposal,
        "half": half or "",
        "halves": WishForm.HALVES,
        "first": first,
        "today": clock.today(now),
        "refusal": refusal,
        "said": said,
        "sentences": way.verdict.sentences,
    }
    return render(request, "exams/patient/plans.html", context, status=refusal.status if refusal else status)
