"""排成一次 (E3): the patient's wishes, the best plan and the next two, and booking one of them as a whole."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.models.rules import Channel
from appointments.views.to_pay import at_the_desk
from exams.forms.centre import PlanForm, WishesForm
from exams.models import ExamBooking, ExamRequest
from exams.selectors import my_plans
from exams.selectors.rules import exam_rule
from exams.services import booking as core
from exams.services import planning
from hospital import audit, clock, prepaid
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required
from hospital.prepaid import PayFirst

from .centre_booking import address, chosen, unanswered
from .centre_page import render_page
from .centre_reach import CENTRE
from .centre_reach import patient as found_patient


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def plan(request: HttpRequest, pk: int):
    """GET proposes by the wishes in the address; POST books the chosen plan, all of it or nothing."""
    person, now = found_patient(pk), clock.now()
    rows = chosen(request, person)
    if not rows:
        messages.info(request, _("这位患者没有待预约的检查。"))
        return redirect("exams:exam_centre_patient", pk)
    if unanswered(rows, person, now=now):
        return redirect(address("exams:exam_centre_answers", person, rows))
    if request.method == "GET":
        return _show(request, person, rows)
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _show(request, person, rows, said=form.errors["token"])
    try:
        held = _book(request, person, form.cleaned_data["token"])
    except Refused as refusal:
        return _show(request, person, rows, refusal=refusal)
    if held is not None:
        back = reverse("exams:exam_centre_patient", args=[pk])
        return at_the_desk(request, kind="exam", booking=held, back=back)
    messages.success(request, _("已按方案预约%(count)s项检查，患者会收到消息。") % {"count": len(rows)})
    return redirect("exams:exam_centre_patient", pk)


def _book(request: HttpRequest, person: Patient, token: str) -> int | None:
    """An exam of what is held until it is paid; None: all of it is booked."""
    by, now, basket = request.user, clock.deciding(), uuid4()
    core.hold_plan(
        patient=person,
        lines=planning.lines_of(token, person),
        channel=Channel.COUNTER,
        by=by,
        basket=basket,
        figures=planning.figures_of(token, person),
        now=now,
    )
    try:
        core.confirm(basket=basket, by=by, now=now)
    except PayFirst:
        first = ExamBooking.objects.filter(basket=basket).order_by("pk").first()
        if prepaid.page(kind="exam", booking=first.pk, where="desk") is None:
            raise
        return first.pk
    return None


def _show(request: HttpRequest, person: Patient, rows: list[ExamRequest], *, refusal: Refused | None = None, said=()):
    now = clock.now()
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=now, request=request)
    rule = exam_rule(rows[0].organization_id, day=clock.today(now))
    form = WishesForm(request.GET, today=clock.today(now), plan_days=rule.plan_days)
    proposal = None
    try:
        proposal = _propose(rows, form, now=now) if form.is_valid() else None
    except Refused as too_much:
        refusal = refusal or too_much
    context = {
        "patient": person,
        "rows": rows,
        "form": form,
        "proposal": proposal,
        "choices": my_plans.shown(proposal, account=None) if proposal else [],
        "refusal": refusal,
        "said": said,
    }
    status = refusal.status if refusal else 422 if said or form.errors else 200
    return render_page(request, "exams/centre/plan.html", context, status=status)


def _propose(rows: list[ExamRequest], form: WishesForm, *, now):
    wished = form.cleaned_data
    wishes = planning.Wishes(
        first_day=wished["first_day"],
        last_day=wished["last_day"],
        halves=tuple(wished["halves"]),
        not_before=wished["not_before"],
        not_after=wished["not_after"],
        without_days=form.without_days,
        return_day=wished["return_day"],
    )
    return planning.propose(requests=rows, wishes=wishes, channel=Channel.COUNTER, now=now)
