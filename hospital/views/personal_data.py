"""查阅复制、更正、删除注销 (O4): the account's rights, each behind a fresh code where a lost phone would cost most."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hospital import clock, family, masking, personal_data
from hospital.errors import Refused
from hospital.family_forms import CorrectionForm, ErasureForm
from hospital.models import DataRequest
from hospital.permissions import freshly_signed_in, patient_required
from hospital.personal_data import retention

Kind = DataRequest.Kind


@require_http_methods(["GET", "POST"])
@never_cache
@freshly_signed_in
def export(request: HttpRequest):
    """A copy of everything, as a page or as a file. Asked by post: it leaves a trace."""
    if request.method == "GET":
        return render(request, "privacy/export.html", {"copy": None})
    copy = personal_data.carry_out_export(account=request.user, now=clock.now(), request=request)
    if request.POST.get("form") != "file":
        return render(request, "privacy/export.html", {"copy": copy})
    body = json.dumps(copy.as_data(), ensure_ascii=False, indent=2)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="personal-data-{copy.made_at:%Y%m%d}.json"'
    return response


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def correction(request: HttpRequest):
    rows = {str(row.patient_id): row.patient for row in family.people_of(request.user)}
    people = [(pk, masking.name(patient.name)) for pk, patient in rows.items()]
    form = CorrectionForm(request.POST or None, people=people, initial={"person": request.GET.get("person")})
    refusal = None
    if form.is_valid():
        patient, text = rows[form.cleaned_data["person"]], form.cleaned_data["text"]
        refusal = _ask(request, kind=Kind.CORRECTION, patient=patient, text=text)
        if refusal is None:
            messages.success(request, _("已收到更正申请，15 个工作日内答复，请留意消息。"))
            return redirect("privacy")
    status = refusal.status if refusal else 422 if form.errors else 200
    context = {"form": form, "refusal": refusal, "people": people}
    return render(request, "privacy/correction.html", context, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
@freshly_signed_in
def erasure(request: HttpRequest):
    """注销: what goes, what stays and until when, what is still booked. A person decides."""
    form, refusal = ErasureForm(request.POST or None), None
    if form.is_valid():
        refusal = _ask(request, kind=Kind.ERASURE, text=form.cleaned_data["text"])
        if refusal is None:
            messages.success(request, _("已收到注销申请，15 个工作日内办理，结果用短信告诉您。"))
            return redirect("erasure")
    people = [row.patient_id for row in family.people_of(request.user)]
    asked = DataRequest.objects.filter(account=request.user, kind=Kind.ERASURE, status=DataRequest.Status.ASKED)
    context = {
        "form": form,
        "refusal": refusal,
        "asked": asked.first(),
        "ahead": personal_data.ahead_of(people, now=clock.now(), account=request.user),
        "retention": retention.lines(),
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "privacy/erasure.html", context, status=status)


@require_POST
@patient_required
def drop(request: HttpRequest, pk: int):
    """撤回申请."""
    row = get_object_or_404(DataRequest.objects.filter(account=request.user), pk=pk)
    personal_data.drop(row=row, now=clock.now(), request=request)
    messages.success(request, _("已撤回申请。"))
    return redirect("privacy")


def _ask(request, **what) -> Refused | None:
    try:
        personal_data.ask(account=request.user, now=clock.now(), request=request, **what)
    except Refused as refusal:
        return refusal
