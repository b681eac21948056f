"""窗口: make a person's record, give a number on the same inventory (B26), cancel and move bookings."""

from datetime import timedelta
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.desk import CancelForm, GiveForm, MoveForm, NumbersForm, RegistrationForm
from appointments.models import Appointment
from appointments.models.rules import Channel
from appointments.selectors import desk as selectors
from appointments.services import booking, changes, walkin
from hospital import audit, clock, patients
from hospital.models import Department, Patient
from hospital.permissions import role_required

from .desk_reach import ROLES, appointment_within_reach, houses, schedule_within_reach
from .to_pay import after_a_move, at_the_desk


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ROLES)
def register(request: HttpRequest):
    """建档. Arriving from a search that found nobody, what was typed is in its field already."""
    from_search = "q" in request.POST
    initial = RegistrationForm.initial_from(request.POST["q"]) if from_search else {}
    form = RegistrationForm(None if from_search else request.POST or None, initial=initial)
    if form.is_valid():
        said = form.cleaned_data
        person = patients.register_patient(
            name=said["name"],
            documents=[(said["kind"], said["number"])],
            by=request.user,
            now=clock.now(),
            sex=said["sex"] or Patient.Sex.UNKNOWN,
            birth_date=said["birth_date"],
            phone=said["phone"],
            insurance=said["insurance"] or Patient.Insurance.NONE,
            seen=said["seen"],
            request=request,
        )
        return redirect("appointments:desk_numbers", person.pk)
    response = render(request, "desk/register.html", {"form": form}, status=422 if form.errors else 200)
    if form.errors and request.htmx:
        response["HX-Retarget"] = "body"  # the whole form with its errors, not a notice above it
    return response


@require_safe
@never_cache
@role_required(*ROLES)
def numbers(request: HttpRequest, pk: int):
    """选科室、选号: department by pinyin, then the day's schedules with what the window may give."""
    person = get_object_or_404(Patient, pk=pk, active=True)
    now = clock.now()
    audit.saw_patient(patient=person, actor=request.user, where="desk", now=now, request=request)
    form = NumbersForm(request.GET)
    today = clock.today(now)
    day = form.day_from(today)
    moving = _moving(request, person, form.said("move"))
    departments = selectors.departments_at_the_window(
        organizations=houses(request), day=day, now=now, text=form.said("q") or ""
    )
    department = _department(request, form.said("department") or (moving and moving.department_id))
    context = {
        "patient": person,
        "form": form,
        "q": (form.said("q") or "").strip(),
        "day": day,
        "today": today,
        "days": [today + timedelta(days=n) for n in range(7)],
        "moving": moving,
        "departments": departments,
        "department": department,
        "offers": selectors.offers_of(department, day=day, now=now) if department else [],
        "request_key": uuid4(),
    }
    return render(request, "desk/_departments.html" if _only_list(request) else "desk/numbers.html", context)


def _only_list(request: HttpRequest) -> bool:
    return bool(request.htmx) and request.htmx.target == "departments"


def _department(request: HttpRequest, pk: int | None) -> Department | None:
    rows = Department.objects.filter(organization__in=houses(request), active=True)
    return rows.filter(pk=pk).first() if pk else None


def _moving(request: HttpRequest, person: Patient, pk: int | None) -> Appointment | None:
    rows = Appointment.objects.filter(patient=person, schedule__organization__in=houses(request))
    rows = rows.select_related("slot", "schedule__service", "department", "schedule__role__practitioner")
    return rows.filter(pk=pk, status=Appointment.Status.BOOKED).first() if pk else None


@require_POST
@role_required(*ROLES)
def give(request: HttpRequest, pk: int):
    """挂号: number, confirmation and, for today, check-in in one act; a double click is one."""
    person = get_object_or_404(Patient, pk=pk, active=True)
    form = GiveForm(request.POST)
    if not form.is_valid():
        return redirect("appointments:desk_numbers", person.pk)
    said = form.cleaned_data
    row = walkin.register_walk_in(
        schedule=schedule_within_reach(request, said["schedule"]),
        patient=person,
        by=request.user,
        request_key=str(said["request_key"]),
        document_seen=said["document_seen"],
        priority=said["priority"],
        now=clock.deciding(),
    )
    if row.status == Appointment.Status.ARRIVED:
        return redirect("appointments:desk_slip", row.pk)
    if row.status == Appointment.Status.PENDING and (to_pay := at_the_desk(request, booking=row.pk)):
        return to_pay
    messages.success(request, _("已挂号，就诊当天请先报到。"))
    return redirect("appointments:desk_patient", person.pk)


@require_POST
@role_required(*ROLES)
def cancel(request: HttpRequest, pk: int):
    row = appointment_within_reach(request, pk)
    form = CancelForm(request.POST)
    if form.is_valid():
        changes.cancel(
            appointment=row,
            by=request.user,
            channel=Channel.COUNTER,
            reason=form.cleaned_data["reason"],
            request_key=str(form.cleaned_data["request_key"]),
            now=clock.deciding(),
        )
        messages.success(request, _("已退号，号已放回。"))
    return redirect("appointments:desk_patient", row.patient_id)


@require_POST
@role_required(*ROLES)
def move(request: HttpRequest, pk: int):
    """改约 at the window: the same booking gets another number; if that fails the old one is kept."""
    row = appointment_within_reach(request, pk)
    form = MoveForm(request.POST)
    fee = row.fee
    if form.is_valid():
        moved = booking.reschedule(
            appointment=row,
            schedule=schedule_within_reach(request, form.cleaned_data["schedule"]),
            by=request.user,
            channel=Channel.COUNTER,
            request_key=str(form.cleaned_data["request_key"]),
            now=clock.deciding(),
        )
        messages.success(request, _("已改约。") + after_a_move(moved, fee=fee))
    return redirect("appointments:desk_patient", row.patient_id)
