"""代约, before a patient is open: choose the seat, find the patient, register a new one."""

from datetime import datetime

from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.forms.desk import SearchForm
from appointments.forms.kiosk import LastFourForm
from appointments.forms.phone import CallerForm, HereForm
from appointments.models.rules import Channel
from appointments.selectors import slips
from appointments.services import proving
from hospital import audit, clock, patients
from hospital.models import Patient
from hospital.permissions import BOOKING_ROLES, role_required

from .call import open_call
from .seat import KEPT, Seat, seat_required, seats_of

SURE = frozenset({"document", "phone"})
"""Searches that name one person. A lower institution has no others: it does not leaf through the hospital's index. A
medical number is counted up: there it comes with the last four of a document."""


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*BOOKING_ROLES)
def seat(request: HttpRequest):
    """选岗位: once, for accounts with several; kept in the session."""
    seats = seats_of(request.user)
    chosen = next((each for each in seats if each.key == request.POST.get("seat")), None)
    if chosen:
        request.session[KEPT] = chosen.key
        return redirect("appointments:booking_desk")
    return render(request, "phone/seat.html", {"seats": seats})


@require_http_methods(["GET", "POST"])
@never_cache
@seat_required
def home(request: HttpRequest, seat: Seat):
    """找患者, live while it is typed. The text goes by POST: documents and phones have no place in addresses."""
    form = SearchForm(request.POST or None, label_suffix="")
    context = {"form": form, "seat": seat}
    live = bool(request.htmx) and request.htmx.target == "results"
    wrong = False
    if form.is_valid():
        results = _search(request, seat, form.cleaned_data["q"])
        wrong = bool(results["problem"])
        if not live and len(results["lines"]) == 1:
            return redirect("appointments:operator_call", results["lines"][0]["call"])
        context |= results
    if live:
        return render(request, "phone/_results.html", context)
    return render(request, "phone/home.html", context, status=422 if wrong else 200)


def _search(request: HttpRequest, seat: Seat, text: str) -> dict:
    now = clock.now()
    if scanned := slips.patient_of(text):
        found, sure = patients.Results(people=patients.masked([scanned]), more=False, by="number"), True
    else:
        found = patients.search(text)
        sure = seat.channel != Channel.PARTNER or found.by in SURE
    asks, proof = not sure and found.by == "number", None
    if asks:
        proof = _proved(request, found.people, now=now)
        sure = proof == proving.Proof.SHOWN
    withheld = not sure
    people = [] if withheld else found.people
    audit.searched_patients(
        actor=request.user,
        how=found.by,
        found=[each.pk for each in people],
        where=seat.channel,
        now=now,
        request=request,
    )
    lines = [{"found": each, "call": open_call(request, seat, each.pk, now=now)} for each in people]
    return {
        "results": found,
        "withheld": withheld and found.by != "nothing",
        "asks": asks and withheld,
        "problem": proof if proof in (proving.Proof.WRONG, proving.Proof.REFUSED) else "",
        "lines": lines,
        "more": found.more and not withheld,
    }


def _proved(request: HttpRequest, people: list[patients.Found], *, now: datetime) -> proving.Proof:
    """The last four characters of a document of theirs say that it is them."""
    form = LastFourForm(request.POST)
    typed = form.cleaned_data["last4"].upper() if form.is_valid() else ""
    said = typed if "last4" in request.POST else None
    return proving.last_four(people=people, said=said, by=request.user, now=now)


@require_http_methods(["GET", "POST"])
@never_cache
@seat_required
def register(request: HttpRequest, seat: Seat):
    """建档 on the same screen. Arriving from a search that found nobody, what was typed is in its field already."""
    kind = CallerForm if seat.channel == Channel.PHONE else HereForm
    from_search = "q" in request.POST
    initial = kind.initial_from(request.POST["q"]) if from_search else {}
    form = kind(None if from_search else request.POST or None, initial=initial)
    now = clock.now()
    if form.is_valid():
        person = _register(request, form.cleaned_data, now=now)
        return redirect("appointments:operator_call", open_call(request, seat, person.pk, now=now, identified=True))
    existing = form.existing and open_call(request, seat, form.existing.pk, now=now)
    context = {"form": form, "seat": seat, "existing_call": existing}
    response = render(request, "phone/register.html", context, status=422 if form.errors else 200)
    if form.errors and request.htmx:
        response["HX-Retarget"] = "body"
    return response


def _register(request: HttpRequest, said: dict, *, now) -> Patient:
    return patients.register_patient(
        name=said["name"],
        documents=[(said["kind"], said["number"])],
        by=request.user,
        now=now,
        sex=said["sex"] or Patient.Sex.UNKNOWN,
        birth_date=said["birth_date"],
        phone=said["phone"],
        insurance=said["insurance"] or Patient.Insurance.NONE,
        seen=bool(said.get("seen")),
        request=request,
    )
