"""导诊台: find a patient, check in, undo, print the slip (B20)."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.desk import CheckInForm, PriorityField, SearchForm
from appointments.models import Appointment, PatientSuspension
from appointments.policies import booking as booking_policy
from appointments.policies import visit as policy
from appointments.selectors import desk as selectors
from appointments.selectors import rules, slips
from appointments.services import visit
from hospital import audit, clock, masking, patients, permissions
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required

from .desk_reach import ROLES, appointment_within_reach, houses

SURE = frozenset({"document", "phone", "number"})
"""Searches that name one person: a single result is opened at once."""


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ROLES)
def home(request: HttpRequest):
    """找患者. The text goes by POST: documents and phones have no place in addresses and their logs."""
    now = clock.now()
    form = SearchForm(request.POST or None, label_suffix="")
    context = {"form": form, "counts": selectors.day_counts(organizations=houses(request), day=clock.today(now))}
    if form.is_valid():
        if scanned := slips.patient_of(form.cleaned_data["q"]):
            return redirect("appointments:desk_patient", scanned.pk)
        results = patients.search(form.cleaned_data["q"])
        shown = [found.pk for found in results.people]
        audit.searched_patients(actor=request.user, how=results.by, found=shown, where="desk", now=now, request=request)
        if results.by in SURE and len(shown) == 1:
            return redirect("appointments:desk_patient", shown[0])
        context |= {"results": results, "lines": _lines(request, results.people, now=now)}
    return render(request, "desk/home.html", context)


def _lines(request: HttpRequest, people, *, now) -> list[dict]:
    """Search results with what each has today."""
    visits = selectors.todays_visits(
        [found.patient for found in people], day=clock.today(now), organizations=houses(request)
    )
    return [{"found": found, "visits": visits[found.pk]} for found in people]


@require_safe
@never_cache
@role_required(*ROLES)
def patient(request: HttpRequest, pk: int):
    """One patient at the desk: today's visits to check in, what is booked, and a new number."""
    person = get_object_or_404(Patient, pk=pk, active=True)
    now = clock.now()
    audit.saw_patient(patient=person, actor=request.user, where="desk", now=now, request=request)
    context = {
        "patient": person,
        "phone": masking.phone(person.phone),
        "documents": list(person.identifiers.order_by("pk")),
        "visits": [_visit(row, now=now) for row in _today(request, person, now=now)],
        "coming": [_booked(row, now=now) for row in _coming(request, person, now=now)],
        "suspension": _suspension(person, now=now),
        "priorities": PriorityField.CHOICES,
        "may_serve": permissions.may_serve_accounts(request.user),
    }
    return render(request, "desk/patient.html", context)


def _today(request, person: Patient, *, now):
    return selectors.visits_of(person, day=clock.today(now), organizations=houses(request))


def _coming(request, person: Patient, *, now):
    return selectors.coming(person, after=clock.today(now), organizations=houses(request))


def _suspension(person: Patient, *, now):
    rows = PatientSuspension.objects.filter(patient=person, lifted_at=None, starts_at__lte=now, ends_at__gt=now)
    return rows.order_by("-ends_at").first()


def _visit(row: Appointment, *, now) -> dict:
    """One of today's visits and what may be done with it, asked of the same policies as the services."""
    encounter = getattr(row, "encounter", None)
    return {
        "appointment": row,
        "encounter": encounter,
        "refusal": policy.refusal_to_check_in(row, today=clock.today(now)),
        "may_undo": encounter is not None and policy.refusal_to_undo_check_in(encounter) is None,
        **_booked(row, now=now),
    }


def _booked(row: Appointment, *, now) -> dict:
    rule = rules.booking_rule_for(row.schedule, day=clock.today(now))
    refusal: Refused | None = booking_policy.refusal_to_cancel(row, channel="counter", rule=rule, now=now)
    return {"appointment": row, "may_change": refusal is None, "request_key": uuid4()}


@require_POST
@role_required(*ROLES)
def check_in(request: HttpRequest, pk: int):
    row = appointment_within_reach(request, pk)
    form = CheckInForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {"document_seen": False, "priority": 0}
    visit.check_in(appointment=row, by=request.user, now=clock.now(), **said)
    return redirect("appointments:desk_slip", row.pk)


@require_POST
@role_required(*ROLES)
def undo_check_in(request: HttpRequest, pk: int):
    row = appointment_within_reach(request, pk)
    visit.undo_check_in(appointment=row, by=request.user, now=clock.now())
    messages.success(request, _("已撤销报到。"))
    return redirect("appointments:desk_patient", row.patient_id)


@require_safe
@never_cache
@role_required(*ROLES)
def slip(request: HttpRequest, pk: int):
    """候诊条 to print: masked, for the patient's hand."""
    appointment_within_reach(request, pk)
    rows = Appointment.objects.select_related("patient", "schedule__organization", *selectors.RELATED)
    row = rows.get(pk=pk)
    context = {
        "appointment": row,
        "encounter": getattr(row, "encounter", None),
        "patient_name": masking.name(row.patient.name),
        "last4": row.patient.medical_number[-4:],
        "ahead": selectors.ahead_of(row),
        "printed_at": clock.now(),
    }
    return render(request, "desk/slip.html", context)
