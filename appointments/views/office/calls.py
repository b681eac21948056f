"""电话通知: who did not answer in time or was not reached; the number on demand, notes, answers for the patient."""

from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.stops import AnswerForm, CallForm
from appointments.models import CallNote, StopCase
from appointments.models.rules import Channel
from appointments.selectors.stops import board, elsewhere
from appointments.services import stops as service
from hospital import audit, clock
from hospital.errors import Refused
from hospital.models import Organization
from hospital.permissions import has_role, role_required

from .reach import READERS, reach_of
from .stop_reach import CALL_READERS, CALLERS, case_within_reach

PAGE = 50


@require_safe
@never_cache
@role_required(*CALL_READERS)
def calls(request: HttpRequest):
    """The list, the nearest visit first."""
    now, reach = clock.now(), reach_of(request, *CALL_READERS)
    page = Paginator(board.to_call(reach.organizations, reach.departments, now=now), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "lines": board.case_lines(
            StopCase.objects.filter(pk__in=[row.pk for row in page]).order_by("appointment__start"), now=now
        ),
        "organizations": Organization.objects.filter(pk__in=reach.organizations),
        "may_act": has_role(request.user, *CALLERS),
        "frame": _frame(request),
    }
    return render(request, "office/calls.html", context)


def _frame(request: HttpRequest) -> str:
    """Phone operators have no menu of the office."""
    return "office/page.html" if has_role(request.user, *READERS) else "office/alone.html"


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CALL_READERS)
def call(request: HttpRequest, pk: int):
    """One patient: what was asked, the notes so far, the answers. The phone only when it is asked for."""
    return _show(request, case_within_reach(request, pk))


def _show(request: HttpRequest, case: StopCase, *, phone: str = "", refusal: Refused | None = None, form=None):
    now = clock.now()
    [line] = board.case_lines(StopCase.objects.filter(pk=case.pk), now=now)
    acts = has_role(request.user, *CALLERS)
    context = {
        "line": line,
        "case": case,
        "phone": phone,
        "refusal": refusal,
        "form": form or CallForm(),
        "notes": case.calls.select_related("by").order_by("-at", "-pk"),
        "places": elsewhere.places_for(case, now=now) if line.open and acts else [],
        "request_key": uuid4(),
        "may_act": acts,
        "may_open_stop": has_role(request.user, *READERS),
        "frame": _frame(request),
        "organizations": [case.substitution.schedule.organization],
    }
    status = refusal.status if refusal else 422 if form and form.errors else 200
    return render(request, "office/call.html", context, status=status)


@require_POST
@never_cache
@role_required(*CALLERS)
def phone(request: HttpRequest, pk: int):
    """The number, for this one answer; who looked at whose leaves a trace."""
    case = case_within_reach(request, pk, roles=CALLERS)
    audit.record(
        action="stop.phone_shown",
        actor=request.user,
        patient=case.patient,
        subject=f"stopcase:{case.pk}",
        now=clock.now(),
        request=request,
    )
    return _show(request, case, phone=case.patient.phone or _("没有留电话"))


@require_POST
@never_cache
@role_required(*CALLERS)
@transaction.atomic
def note(request: HttpRequest, pk: int):
    case, form, now = case_within_reach(request, pk, roles=CALLERS), CallForm(request.POST), clock.now()
    if not form.is_valid():
        return _show(request, case, form=form)
    written = CallNote.objects.create(case=case, by=request.user, at=now, **form.cleaned_data)
    audit.record(
        action="stop.called",
        actor=request.user,
        patient=case.patient,
        subject=f"stopcase:{case.pk}",
        detail={"after": written.outcome},
        now=now,
        request=request,
    )
    messages.success(request, _("已记下。"))
    return redirect("appointments:office_call", case.pk)


@require_POST
@never_cache
@role_required(*CALLERS)
@transaction.atomic
def answer(request: HttpRequest, pk: int):
    """On the patient's behalf, as they said on the phone."""
    case, form = case_within_reach(request, pk, roles=CALLERS), AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请先选一个时间，再点“改约”。"))
        return redirect("appointments:office_call", case.pk)
    try:
        _answer(request, case, form)
    except Refused as refusal:
        return _show(request, case_within_reach(request, pk, roles=CALLERS), refusal=refusal)
    messages.success(request, _("已按患者的意思办好，患者会收到消息。"))
    return redirect("appointments:office_call", case.pk)


def _answer(request: HttpRequest, case: StopCase, form: AnswerForm) -> None:
    said = form.cleaned_data
    key = f"stop:{case.pk}:{said['request_key']}" if said["request_key"] else None
    by, now = request.user, clock.deciding()
    if said["answer"] == "accept":
        service.accept(case=case, by=by, now=now)
    elif said["answer"] == "cancel":
        service.cancel(case=case, by=by, channel=Channel.PHONE, request_key=key, now=now)
    else:
        schedule, number = form.place
        service.move(
            case=case, schedule=schedule, number=number, by=by, channel=Channel.PHONE, request_key=key, now=now
        )
    audit.record(
        action="stop.answered_for",
        actor=by,
        patient=case.patient,
        subject=f"stopcase:{case.pk}",
        detail={"before": case.answer, "after": said["answer"]},
        now=clock.now(),
        request=request,
    )
