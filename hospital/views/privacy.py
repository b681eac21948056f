"""告知与同意 (O4): the notices, agreeing, taking it back."""

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from hospital import clock, consents, masking
from hospital.consent_gate import AGREED_AT
from hospital.family_forms import AgreeForm
from hospital.models import Consent, DataRequest, Notice, Organization, RelatedPerson
from hospital.permissions import patient_required
from hospital.personal_data import retention
from hospital.views.code_pages import onward


@require_safe
def notice(request: HttpRequest, kind: str, version: int | None = None):
    """A notice as it stands, or as it stood. Public: nobody signs in to read what signing in means."""
    if kind not in Notice.Kind.values:
        raise Http404
    known = consents.versions(kind, now=clock.now())
    shown = next((row for row in known if version in {None, row.version}), None)
    if shown is None:
        raise Http404
    context = {"notice": shown, "versions": known, "in_force": shown == known[0], **_around()}
    return render(request, "privacy/notice.html", {**context, "words": consents.words_of(shown)})


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def ask(request: HttpRequest):
    """The privacy notice, before the first page of one's own."""
    now, after = clock.now(), onward(request) or reverse("appointments:patient_home")
    missing = consents.privacy_missing(request.user, now)
    if missing is None:
        return redirect(after)
    form = AgreeForm(request.POST or None, notices=[missing])
    if form.is_valid():
        consents.give(account=request.user, notice=missing, now=now, request=request)
        request.session[AGREED_AT] = now.timestamp()
        return redirect(after)
    again = Consent.objects.filter(account=request.user, notice__kind=consents.PRIVACY).exists()
    context = {"form": form, "asked": _asked(form), "after": after, "again": again, **_around()}
    return render(request, "privacy/ask.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def person(request: HttpRequest, pk: int):
    """单独同意 for one person: health data, and for a child the guardian's. Before the first booking."""
    rows = RelatedPerson.objects.filter(account=request.user, ended_at=None, patient__active=True)
    row = get_object_or_404(rows.select_related("patient"), pk=pk)
    now, after = clock.now(), onward(request)
    missing = consents.missing(request.user, row.patient, now)
    if not missing:
        return redirect(after or reverse("family_member", args=[row.pk]))
    form = AgreeForm(request.POST or None, notices=missing)
    if form.is_valid():
        for each in missing:
            consents.give(account=request.user, notice=each, patient=row.patient, now=now, request=request)
        messages.success(request, _("已记录您的同意。"))
        return redirect(after or reverse("family"))
    context = {"form": form, "asked": _asked(form), "after": after, "row": row, **_around()}
    context["name"] = masking.name(row.patient.name)
    return render(request, "privacy/person.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
@patient_required
def overview(request: HttpRequest):
    """隐私与个人信息: what was agreed to, and the rights."""
    given = consents.newest_of_each(consents.given_by(request.user))
    context = {
        "own": [row for row in given if row.patient_id is None],
        "of_people": [(masking.name(row.patient.name), row) for row in given if row.patient_id],
        "requests": DataRequest.objects.filter(account=request.user).order_by("-asked_at")[:20],
        "kinds": Notice.Kind.choices,
    }
    return render(request, "privacy/overview.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def withdraw(request: HttpRequest, pk: int):
    """撤回同意, after saying what follows from it."""
    rows = Consent.objects.filter(account=request.user, withdrawn_at=None).select_related("notice", "patient")
    consent = get_object_or_404(rows, pk=pk)
    if request.method == "POST":
        consents.withdraw(consent=consent, now=clock.now(), request=request)
        request.session.pop(AGREED_AT, None)
        messages.success(request, _("已撤回同意。"))
        return redirect("privacy")
    name = masking.name(consent.patient.name) if consent.patient_id else ""
    return render(request, "privacy/withdraw.html", {"consent": consent, "name": name})


def _asked(form: AgreeForm) -> list[dict]:
    """Each notice with its words and its tick."""
    return [{"notice": row, "words": consents.words_of(row), "field": field} for row, field in form.pairs()]


def _around() -> dict:
    """Who processes, whom to ask, how long: from the rows that hold it."""
    hospitals = Organization.objects.filter(kind=Organization.Kind.HOSPITAL, parent=None, active=True).order_by("pk")
    return {"hospitals": hospitals, "retention": retention.lines()}
