"""住院与日间手术 (B23): the admission office's list, a request, and what is done with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital import audit, clock, masking, permissions
from hospital.errors import Refused
from hospital.models import Organization, Practitioner, Role
from hospital.permissions import role_required
from referrals.forms.admission import AskForm, ListForm, NeedForm, ReasonForm, ScheduleForm
from referrals.models import AdmissionNeed, AdmissionRequest, Referral
from referrals.policies import admission as policy
from referrals.policies.admission import Act
from referrals.selectors import admissions as selectors
from referrals.selectors import scope
from referrals.services import admission as service

PAGE = 50
ASKING = (Role.REFERRAL, Role.WARD, Role.DOCTOR)


@require_safe
@never_cache
@role_required(*selectors.READING)
def worklist(request: HttpRequest) -> HttpResponse:
    """待办: urgent ones first, then those whose day went by."""
    now = clock.now()
    houses = permissions.organizations_of(request.user, *selectors.READING)
    form = ListForm(request.GET, houses=houses)
    wanted, mine = form.wanted, selectors.requests_of(request.user)
    page = Paginator(selectors.listed(mine, wanted, today=clock.today(now)), PAGE).get_page(request.GET.get("page"))
    if wanted.text:
        shown = sorted({row.patient_id for row in page})
        audit.searched_patients(
            actor=request.user, how="word", found=shown, where="admissions", now=now, request=request
        )
    counts = selectors.counts(mine)
    counts["open"] = sum(counts.values())
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "lines": [_line(row, today=clock.today(now)) for row in page],
        "tabs": [(tab, label, counts.get(tab, 0)) for tab, label in ListForm.TABS],
        "organizations": Organization.objects.filter(pk__in=houses).order_by("code"),
    }
    return render(request, "referrals/admission/list.html", context)


def _line(row: AdmissionRequest, *, today) -> dict:
    """One request as the list shows it: masked."""
    return {
        "row": row,
        "name": masking.name(row.patient.name),
        "late": policy.late(row, today=today),
        "days": (today - clock.today(row.asked_at)).days,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*ASKING)
def new(request: HttpRequest) -> HttpResponse:
    """申请 from a referral that this hospital has received. From a consultation it is asked in the consult room."""
    referral = _referral(request)
    now, refusal = clock.now(), None
    house, today = referral.receiver_id, clock.today(now)
    said = {"diagnosis": referral.diagnosis, "diagnosis_code": referral.diagnosis_code}
    form = AskForm(request.POST or None, house=house, today=today, department=referral.department, said=said)
    if request.method == "POST" and form.is_valid():
        try:
            row = service.ask(
                patient=referral.patient, referral=referral, doctor=_doctor(request, house), by=request.user, now=now,
                **form.says,
            )  # fmt: skip
            messages.success(request, _("已申请，等住院办审核。"))
            return redirect("referrals:admission", row.pk)
        except Refused as refused:
            refusal = refused
    status = refusal.status if refusal else 422 if form.errors else 200
    audit.saw_patient(patient=referral.patient, actor=request.user, where="admission", now=now, request=request)
    context = {"form": form, "referral": referral, "patient": referral.patient, "refusal": refusal}
    return render(request, "referrals/admission/new.html", context, status=status)


def _referral(request: HttpRequest) -> Referral:
    asked = request.GET.get("referral", "")
    houses = permissions.organizations_of(request.user, *ASKING)
    rows = scope.referrals_of(request.user, *ASKING).filter(receiver__in=houses, direction=Referral.Direction.UP)
    rows = rows.select_related("patient", "department", "origin", "receiver")
    return get_object_or_404(rows, pk=int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0)


def _doctor(request: HttpRequest, house: int) -> Practitioner | None:
    return Practitioner.objects.filter(user=request.user, organization=house, active=True).first()


@require_safe
@never_cache
@role_required(*selectors.READING)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


def _found(request: HttpRequest, pk: int) -> AdmissionRequest:
    return get_object_or_404(selectors.in_full(selectors.requests_of(request.user)), pk=pk)


def _page(request, row: AdmissionRequest, *, refusal: Refused | None = None, wrong: tuple = ()) -> HttpResponse:
    """`wrong`: the act and its form, to be filled in once more."""
    now = clock.now()
    today, office = clock.today(now), selectors.of_the_office(request.user, row)
    offered = policy.allowed(status=row.status, office=office)
    begun = {"day": row.scheduled_on or max(row.wished_from, today), "place": row.place}
    forms_ = {
        "schedule_form": ScheduleForm(initial=begun, label_suffix=""),
        "need_form": NeedForm(label_suffix=""),
        "reason_form": ReasonForm(label_suffix=""),
    }
    if wrong:
        forms_[f"{_FORM_OF.get(wrong[0], 'reason')}_form"] = wrong[1]
    audit.saw_patient(patient=row.patient, actor=request.user, where="admission", now=now, request=request)
    context = {
        "row": row,
        "needs": list(row.needs.all()),
        "missing": [need.text for need in row.needs.all() if need.done_at is None],
        "late": policy.late(row, today=today),
        "today": today,
        "may": {act.value for act in offered},
        "may_go_down": permissions.may_act_in(request.user, row.organization_id, *ASKING),
        "opened": wrong[0] if wrong else "",
        "steps": selectors.steps_of(row),
        "refusal": refusal,
        "in_exam_centre": permissions.may_work_the_exam_centre(request.user),
        **forms_,
    }
    status = refusal.status if refusal else 422 if wrong else 200
    return render(request, "referrals/admission/one.html", context, status=status)


@dataclass(frozen=True)
class Deed:
    """How an act is done: its form if it asks something, and what is said afterwards."""

    run: Callable[..., object]
    said: str
    form: type[forms.Form] | None = None


_FORM_OF = {"schedule": "schedule", "prepare": "need"}


def _deeds(office: bool) -> dict[str, Deed]:
    """`office`: the one who acts runs the list; else the asking doctor."""
    cancel, prepare = partial(service.cancel, office=office), partial(service.add_need, office=office)
    return {
        Act.APPROVE: Deed(service.approve, _("已审核。")),
        Act.REFUSE: Deed(service.refuse, _("已退回，患者会收到通知。"), ReasonForm),
        Act.CANCEL: Deed(cancel, _("已取消，患者会收到通知。"), ReasonForm),
        Act.SCHEDULE: Deed(service.schedule, _("已安排，患者会收到通知。"), ScheduleForm),
        Act.PUT_OFF: Deed(service.put_off, _("已暂缓，患者会收到通知。"), ReasonForm),
        Act.ADMIT: Deed(service.admit, _("已登记入院。")),
        Act.PREPARE: Deed(prepare, _("已加到准备清单。"), NeedForm),
    }


@require_POST
@role_required(*selectors.READING)
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    row = _found(request, pk)
    office = selectors.of_the_office(request.user, row)
    if refused := policy.refusal(Act(act), status=row.status, office=office):
        if not _just_done(row, act):
            return _page(request, row, refusal=refused)
        return redirect("referrals:admission", pk)
    deed = _deeds(office)[act]
    form = deed.form(request.POST, label_suffix="") if deed.form else None
    if form is not None and not form.is_valid():
        return _page(request, row, wrong=(act, form))
    return _do(request, row, act, deed, form, now=clock.now())


def _just_done(row: AdmissionRequest, act: str) -> bool:
    """A second click on what has been done: nothing to complain of."""
    after = {Act.REFUSE: "refused", Act.CANCEL: "cancelled", Act.ADMIT: "admitted"}
    return row.status == after.get(act) or (act == Act.APPROVE and row.status in ("preparing", "ready"))


def _do(request, row: AdmissionRequest, act: str, deed: Deed, form, *, now: datetime) -> HttpResponse:
    try:
        deed.run(request=row, by=request.user, now=now, **(form.cleaned_data if form else {}))
    except Refused as refusal:
        return _page(request, _found(request, row.pk), refusal=refusal, wrong=(act, form) if form else ())
    messages.success(request, deed.said)
    return redirect("referrals:admission", row.pk)


@require_POST
@role_required(*selectors.READING)
def need(request: HttpRequest, pk: int, need: int) -> HttpResponse:
    """完成, 免做, or open again."""
    row = _found(request, pk)
    wanted = get_object_or_404(AdmissionNeed.objects.select_related("request"), pk=need, request=row)
    how = {"done": (True, False), "waive": (True, True), "open": (False, False)}.get(request.POST.get("how", ""))
    if how is None:
        return redirect("referrals:admission", pk)
    try:
        service.tick(
            need=wanted, done=how[0], waived=how[1], by=request.user, now=clock.now(),
            office=selectors.of_the_office(request.user, row),
        )  # fmt: skip
    except Refused as refusal:
        return _page(request, _found(request, pk), refusal=refusal)
    return redirect("referrals:admission", pk)
