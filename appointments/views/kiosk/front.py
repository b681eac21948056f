"""自助机, before anybody is known: type or scan, prove a medical number, leave."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from appointments.forms.kiosk import CodeForm, LastFourForm
from appointments.selectors import slips
from hospital import audit, clock, identity, patients
from hospital.models import Patient

from .visit import Visit, ask, asked, begin, house_of, kiosk_page, leave, miss, rests, visiting

MEDICAL_NUMBER = re.compile(r"M\d{8,}")


@require_http_methods(["GET", "POST"])
@kiosk_page
def start(request: HttpRequest):
    """开始页. Whoever was here before is gone as soon as it is shown."""
    leave(request)
    if request.method == "GET":
        return _start(request)
    now = clock.now()
    if rests(request, now=now):
        return _start(request, problem="rests", status=429)
    form = CodeForm(request.POST)
    return _found(request, form.cleaned_data["code"], now=now) if form.is_valid() else _start(request, "empty", 422)


def _start(request: HttpRequest, problem: str = "", status: int = 200):
    return render(request, "kiosk/start.html", {"house": house_of(request), "problem": problem}, status=status)


def _found(request: HttpRequest, text: str, *, now):
    """The code of a slip and a whole document number are enough; a medical number is only a name."""
    person, how = slips.patient_of(text), "slip"
    if person is None and MEDICAL_NUMBER.fullmatch(identity.one_form(text)):
        person, how = patients.with_medical_number(text), "number"
    if person is None and how == "slip":
        holders, how = patients.with_document(text), "document"
        person = holders[0] if len(holders) == 1 else None
    shown = [person.pk] if person else []
    audit.searched_patients(actor=request.user, how=how, found=shown, where="kiosk", now=now, request=request)
    if person is None:
        miss(request, now=now)
        return _start(request, "unknown", 422)
    if how == "number":
        ask(request, person, now=now)
        return redirect("appointments:kiosk_last_four")
    return _begin(request, person, now=now)


def _begin(request: HttpRequest, person: Patient, *, now):
    begin(request, person, now=now)
    audit.saw_patient(patient=person, actor=request.user, where="kiosk", now=now, request=request)
    return redirect("appointments:kiosk_me")


@require_http_methods(["GET", "POST"])
@kiosk_page
def last_four(request: HttpRequest):
    """门诊号 is counted up: the last four characters of any document of theirs say that it is them."""
    now = clock.now()
    person = asked(request, now=now)
    if person is None or rests(request, now=now):
        return redirect("appointments:kiosk")
    context = {"house": house_of(request), "problem": ""}
    if request.method == "POST":
        form = LastFourForm(request.POST)
        said = form.cleaned_data["last4"].upper() if form.is_valid() else ""
        if said and person.identifiers.filter(last4=said).exists():
            return _begin(request, person, now=now)
        miss(request, now=now)
        context["problem"] = "last_four"
    return render(request, "kiosk/last_four.html", context, status=422 if context["problem"] else 200)


@require_http_methods(["GET", "POST"])
@kiosk_page
def go(request: HttpRequest):
    """离开: the person is forgotten, and so is the language they read."""
    leave(request)
    response = redirect("appointments:kiosk")
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


@require_POST
@visiting
def stay(_request: HttpRequest, _visit: Visit):
    """再用一会儿: the touch itself is all that is wanted."""
    return HttpResponse(status=204)
