"""检查电话名单: displaced patients who did not answer in time or were not reached; the number on demand, notes, answers
for the patient (as for stopped clinics)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.models.rules import Channel
from exams.forms.devices import AnswerForm, CallForm
from exams.models import ContactNote, DowntimeCase
from exams.selectors import device_cases as selectors
from exams.selectors import others
from exams.services.devices import cases
from hospital import audit, clock
from hospital.errors import Refused
from hospital.permissions import role_required

from . import device_reach as reach
from .case_answers import given

PAGE = 50


@require_safe
@never_cache
@role_required(*reach.CALL_READERS)
def calls(request: HttpRequest) -> HttpResponse:
    """The exam nearest in time first."""
    now = clock.now()
    rows = selectors.to_call(reach.within(request, *reach.CALL_READERS), now=now)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    lines = selectors.case_lines(DowntimeCase.objects.filter(pk__in=[row.pk for row in page]), now=now)
    sittings = selectors.leading(page) if lines else {}
    for line in lines:
        line.exams = selectors.names_of(sittings.get(line.case.pk, [line.case]))
    context = {"page": page, "lines": lines, **reach.frame(request)}
    return render(request, "exams/devices/calls.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.CALL_READERS)
def call(request: HttpRequest, pk: int) -> HttpResponse:
    """One patient: what was asked, the notes so far, the answers. The phone only when it is asked for."""
    return _show(request, reach.case(request, pk))


def _show(request: HttpRequest, case: DowntimeCase, *, phone: str = "", refusal: Refused | None = None, form=None):
    now = clock.now()
    [line] = selectors.case_lines(DowntimeCase.objects.filter(pk=case.pk), now=now)
    sitting = selectors.answered_together(case)
    line.exams = selectors.names_of(sitting)
    acts = reach.may(request, *reach.CALLERS)
    places = []
    if line.open and acts:
        places = others.best_other_times(sitting[0].booking, channel=cases.CHANNEL, now=now)
    context = {
        "line": line,
        "case": case,
        "offered": sitting[0].offer,
        "phone": phone,
        "refusal": refusal,
        "form": form or CallForm(),
        "notes": ContactNote.objects.filter(request=case.booking.request_id)
        .select_related("by")
        .order_by("-at", "-pk"),
        "days": others.by_day(places),
        "may_act": acts,
        "may_open": reach.may(request, *reach.READERS),
        **reach.frame(request),
    }
    status = refusal.status if refusal else 422 if form and form.errors else 200
    return render(request, "exams/devices/call.html", context, status=status)


@require_POST
@never_cache
@role_required(*reach.CALLERS)
def phone(request: HttpRequest, pk: int) -> HttpResponse:
    """The number, for this one answer; who looked at whose leaves a trace."""
    case = reach.case(request, pk, *reach.CALLERS)
    _trace(request, "exam_case.phone_shown", case)
    return _show(request, case, phone=case.patient.phone or _("没有留电话"))


@require_POST
@never_cache
@role_required(*reach.CALLERS)
@transaction.atomic
def note(request: HttpRequest, pk: int) -> HttpResponse:
    case, form = reach.case(request, pk, *reach.CALLERS), CallForm(request.POST)
    if not form.is_valid():
        return _show(request, case, form=form)
    written = ContactNote.objects.create(
        patient=case.patient, request=case.booking.request, by=request.user, at=clock.now(), **form.cleaned_data
    )
    _trace(request, "exam_case.called", case, after=written.outcome)
    messages.success(request, _("已记下。"))
    return redirect("exams:case_call", case.pk)


@require_POST
@never_cache
@role_required(*reach.CALLERS)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """On the patient's behalf, as they said on the phone."""
    case, form = reach.case(request, pk, *reach.CALLERS), AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请先选一个时间，再点“改到选好的时间”。"))
        return redirect("exams:case_call", case.pk)
    try:
        with transaction.atomic():
            given(case, form, by=request.user, channel=Channel.PHONE)
            _trace(request, "exam_case.answered_for", case, before=case.answer, after=form.cleaned_data["answer"])
    except Refused as refusal:
        return _show(request, reach.case(request, pk, *reach.CALLERS), refusal=refusal)
    messages.success(request, _("已按患者的意思办好，患者会收到消息。"))
    return redirect("exams:case_call", case.pk)


def _trace(request: HttpRequest, action: str, case: DowntimeCase, **detail) -> None:
    audit.record(
        action=action, actor=request.user, patient=case.patient, subject=f"downtimecase:{case.pk}",
        detail=detail, now=clock.now(), request=request,
    )  # fmt: skip
