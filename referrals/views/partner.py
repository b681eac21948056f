"""下级机构工作台 (R1): the family doctor's first page, one patient's page, the institution's numbers and their use."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.selectors import operator
from appointments.views.phone.seat import KEPT
from hospital import audit, masking
from hospital.errors import Refused
from hospital.models import Patient, SignedResident
from referrals.forms.partner import EndForm, PeriodForm, ResidentsForm, SignForm
from referrals.policies import signing as policy
from referrals.selectors import partner as selectors
from referrals.selectors import pool_use, pools
from referrals.services import signing, writing

from .partner_reach import Place, partner_required

MOST = 100
"""Signed residents on one page; more are found by name."""


@require_safe
@never_cache
@partner_required
def home(request: HttpRequest, place: Place):
    """What waits for this institution, and what is left of its numbers, until when."""
    desk = selectors.desk_of(place.institution, place.referrals, today=place.today, now=place.now)
    context = {"place": place, "desk": desk, "houses": _numbers(place)}
    return render(request, "referrals/partner/home.html", context)


@require_safe
@never_cache
@partner_required
def numbers(request: HttpRequest, place: Place):
    """The numbers alone: asked again twice a minute, and as the moment of a recall has come."""
    template = "_numbers.html" if request.htmx else "numbers.html"
    return render(request, f"referrals/partner/{template}", {"place": place, "houses": _numbers(place)})


def _numbers(place: Place) -> list[pools.Numbers]:
    return [pools.numbers_of(place.institution, house, now=place.now) for house in place.houses]


@require_safe
@never_cache
@partner_required
def use(request: HttpRequest, place: Place):
    """号源使用: booked, lost to recall, missed, by department."""
    form = PeriodForm(request.GET)
    first, last = form.days(place.today)
    days = {"first": first, "last": last}
    found = [pool_use.use_of(place.institution, house, **days, now=place.now) for house in place.houses]
    return render(request, "referrals/partner/use.html", {"place": place, "first": first, "last": last, "uses": found})


@require_POST
@partner_required
def seat(request: HttpRequest, place: Place):
    """At which institution, and before which hospital's numbers: for accounts with several."""
    chosen = next((each for each in place.seats if each.key == request.POST.get("seat")), None)
    if chosen:
        request.session[KEPT] = chosen.key
    return redirect("referrals:partner")


# ---- one patient ----


@require_safe
@never_cache
@partner_required
def patient(request: HttpRequest, place: Place, text: str):
    """Letters, numbers and signing of one person; who it is was asked at the booking desk."""
    call, person = place.call(text)
    if not call.identified:
        return redirect("appointments:operator_call", text)
    audit.saw_patient(patient=person, actor=request.user, where="partner", now=place.now, request=request)
    return render(request, "referrals/partner/patient.html", _patient(place, text, person))


def _patient(place: Place, text: str, person: Patient, *, form: SignForm | None = None) -> dict:
    scope = place.seat.scope(patient_id=person.pk, now=place.now)
    signings = selectors.signings_of(person)
    mine = [row for row in signings if row.organization_id == place.institution.pk]
    now_signed = next((row for row in signings if row.effective_from <= place.today <= row.effective_to), None)
    ahead = next((row for row in mine if row.effective_to >= place.today), None)
    first = max(row.effective_to for row in signings) + policy.A_DAY if ahead else place.today
    fresh = {"first": first, "last": first + policy.USUAL, "doctor": place.doctor}
    return {
        "place": place,
        "call": text,
        "patient": person,
        "documents": list(person.identifiers.order_by("pk")),
        "phone": masking.phone(person.phone),
        "referrals": selectors.of_patient(place.referrals, person),
        "booked": operator.coming(scope),
        "over": scope.over,
        "signed": now_signed,
        "signed_here": ahead,
        "signings": mine,
        "form": form or SignForm(initial=fresh, institution=place.institution),
    }


@require_POST
@partner_required
def begin(request: HttpRequest, place: Place, text: str):
    """写转诊单: the draft that was begun for this patient, or a new one."""
    person = _identified(place, text)
    ours = {"origin": place.institution, "receiver": place.seat.house}
    row = selectors.draft_of(place.referrals, person, **ours)
    if row is None:
        row = writing.draft(patient=person, direction="up", by=request.user, doctor=place.doctor, now=place.now, **ours)
    return redirect("referrals:partner_draft", row.pk)


def _identified(place: Place, text: str) -> Patient:
    """The open patient, once name and document were asked. Raises Http404."""
    call, person = place.call(text)
    if not call.identified:
        raise Http404
    return person


@require_POST
@partner_required
def sign(request: HttpRequest, place: Place, text: str):
    """签约 or 续签."""
    person = _identified(place, text)
    form = SignForm(request.POST, institution=place.institution)
    if form.is_valid():
        try:
            signing.sign(
                patient=person,
                organization=place.institution,
                by=request.user,
                now=place.now,
                **form.cleaned_data,
            )
        except Refused as refusal:
            form.add_error("first", refusal.in_full)
        else:
            messages.success(request, _signed(form.cleaned_data["first"], today=place.today))
            return redirect("referrals:partner_patient", text)
    return render(request, "referrals/partner/patient.html", _patient(place, text, person, form=form), status=422)


def _signed(first: date, *, today: date) -> str:
    if first > today:
        return _("已签约，从 %(day)s 起生效。") % {"day": first}
    return _("已签约，约号时先用为签约居民留的号。")


# ---- signed residents ----


@require_safe
@never_cache
@partner_required
def residents(request: HttpRequest, place: Place):
    """签约居民 of this institution: now, ending soon, over."""
    form = ResidentsForm(request.GET)
    which, text = form.said("which") or "now", form.said("q")
    rows = selectors.residents_of(place.institution, today=place.today, which=which, text=text)
    shown = list(rows[: MOST + 1])
    lines = [
        {"row": row, "name": masking.name(row.patient.name), "phone": masking.phone(row.patient.phone)}
        | ({"call": place.call_to(row.patient_id)} if place.seat and row.patient.active else {})
        for row in shown[:MOST]
    ]
    context = {"place": place, "lines": lines, "more": len(shown) > MOST, "which": which, "q": text}
    context["tabs"] = form.fields["which"].choices
    return render(request, "referrals/partner/residents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@partner_required
def end(request: HttpRequest, place: Place, pk: int):
    """解约, with its last day and why."""
    rows = SignedResident.objects.filter(organization=place.institution).select_related("patient", "doctor")
    row = get_object_or_404(rows, pk=pk)
    form = EndForm(request.POST or None, initial={"last": min(place.today, row.effective_to)})
    if form.is_valid():
        try:
            signing.end(resident=row, by=request.user, now=place.now, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已解约，最后一天是 %(day)s。") % {"day": form.cleaned_data["last"]})
            return redirect("referrals:residents")
    context = {"place": place, "row": row, "form": form, "name": masking.name(row.patient.name)}
    return render(request, "referrals/partner/end.html", context, status=422 if form.errors else 200)
