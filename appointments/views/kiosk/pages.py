"""自助机, for the person before it: today's check-in, booking, their numbers, the slip."""

from datetime import date
from uuid import uuid4

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from appointments.forms.kiosk import KioskBookForm
from appointments.forms.phone import LookForm
from appointments.models import Appointment
from appointments.models.rules import Channel
from appointments.policies import visit as visit_policy
from appointments.selectors import desk, rules
from appointments.selectors import operator as selectors
from appointments.selectors.bookings import slice_of
from appointments.services import booking, walkin
from appointments.services import visit as visits
from hospital import clock, prepaid
from hospital.errors import Refused

from .visit import Visit, visiting

HERE = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED, Appointment.Status.NOSHOW)


def _page(request: HttpRequest, visit: Visit, template: str, context: dict, *, status: int = 200):
    context = {"visit": visit, "house": visit.house, "today": clock.today(visit.now), **context}
    return render(request, f"kiosk/{template}.html", context, status=status)


def _rows(visit: Visit):
    return visit.scope().bookings().filter(status__in=HERE)


def _line(visit: Visit, row: Appointment) -> dict:
    rule = rules.booking_rule_for(row.schedule, day=clock.today(visit.now))
    refusal = visit_policy.refusal_to_check_in(row, today=clock.today(visit.now))
    return {"row": row, "slice": slice_of(row, minutes=rule.segment_minutes), "may_check_in": refusal is None}


@require_safe
@visiting
def me(request: HttpRequest, visit: Visit):
    """What to do; today's numbers stand here already, with the button to check in."""
    today = _rows(visit).filter(day=clock.today(visit.now)).order_by("start", "pk")
    later = _rows(visit).filter(day__gt=clock.today(visit.now), status=Appointment.Status.BOOKED).count()
    return _page(request, visit, "me", {"lines": [_line(visit, row) for row in today], "later": later})


@require_safe
@visiting
def mine(request: HttpRequest, visit: Visit):
    lines = [_line(visit, row) for row in selectors.coming(visit.scope())]
    return _page(request, visit, "mine", {"lines": lines})


@require_POST
@visiting
def check_in(request: HttpRequest, visit: Visit, pk: int):
    """报到. Nobody looked at the document: the desk or the doctor still does."""
    row = get_object_or_404(_rows(visit), pk=pk, day=clock.today(visit.now))
    try:
        visits.check_in(appointment=row, by=request.user, now=visit.now)
    except Refused as refusal:
        return _page(request, visit, "refused", {"refusal": refusal}, status=refusal.status)
    return redirect("appointments:kiosk_slip", row.pk)


@require_safe
@visiting
def slip(request: HttpRequest, visit: Visit, pk: int):
    """候诊条 or 预约单, to print and take along."""
    row = get_object_or_404(_rows(visit).select_related("encounter", "slot", "schedule__organization"), pk=pk)
    arrived = row.status == Appointment.Status.ARRIVED
    context = {
        "line": _line(visit, row),
        "arrived": arrived,
        "ahead": desk.ahead_of(row) if arrived else 0,
        "last4": visit.patient.medical_number[-4:],
    }
    return _page(request, visit, "slip", context)


@require_safe
@visiting
def departments(request: HttpRequest, visit: Visit):
    """选科室: every department with a sitting as far ahead as the kiosk has numbers."""
    return _page(request, visit, "departments", {"groups": selectors.departments_with_numbers(visit.scope())})


@require_safe
@visiting
def times(request: HttpRequest, visit: Visit, pk: int):
    """选日期和时间; with a slice in the address the last question before it is booked."""
    form = LookForm(request.GET)
    context = _times(visit, pk, day=form.said("day"))
    chosen = form.slice and _chosen(context["sittings"], form.slice)
    if chosen:
        return _page(request, visit, "confirm", context | {"chosen": chosen, "request_key": uuid4()})
    return _page(request, visit, "times", context | {"gone": bool(form.slice)})


def _times(visit: Visit, pk: int, *, day: date | None) -> dict:
    scope = visit.scope()
    place = selectors.place_at(scope, "department", pk)
    if place is None:
        raise Http404
    strip = selectors.strip(scope, place, since=scope.today, day=day, target=scope.today)
    found = selectors.sittings(scope, place, day=strip.chosen) if strip.chosen else []
    return {"place": place, "strip": strip, "sittings": [each for each in found if each.slices]}


def _chosen(sittings: list[selectors.Sitting], wanted) -> dict | None:
    for sitting in sittings:
        for each in sitting.slices:
            if (each.schedule, each.start) == (wanted.schedule, wanted.start):
                return {"slice": each, "sitting": sitting}
    return None


@require_POST
@visiting
def book(request: HttpRequest, visit: Visit):
    """约号, confirmed at once; pressed twice it is one."""
    form = KioskBookForm(request.POST)
    if not form.is_valid():
        return redirect("appointments:kiosk_departments")
    said, scope = form.cleaned_data, visit.scope()
    schedule = selectors.sitting_at(scope, said["slot"].schedule)
    if schedule is None:
        raise Http404
    try:
        row = booking.book(
            schedule=schedule,
            patient=visit.patient,
            channel=Channel.KIOSK,
            by=request.user,
            request_key=str(said["request_key"]),
            start=said["slot"].start,
            visit_type=walkin.visit_type(visit.patient, schedule),
            confirmed=True,
            now=clock.deciding(),
        )
    except Refused as refusal:
        context = {"refusal": refusal, "department": schedule.department_id}
        return _page(request, visit, "refused", context, status=refusal.status)
    return redirect(_paid_at(row) or reverse("appointments:kiosk_slip", args=[row.pk]))


def _paid_at(row: Appointment) -> str | None:
    """Held until it is paid, here at the machine."""
    if row.status != Appointment.Status.PENDING:
        return None
    return prepaid.page(kind="appointment", booking=row.pk, where="kiosk")
