"""检查报到: one desk for the whole exam area. Find the patient, ask again, check in; who comes unbooked or too late."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.errors import CannotBeExamined
from exams.forms.visit import CheckInForm, WalkInForm
from exams.models import ExamBooking
from exams.policies import visit as policy
from exams.policies.requesting import questions_of
from exams.selectors import rooms, worklist
from exams.selectors.rules import exam_rule
from exams.selectors.screening import questions_for
from exams.services import visit, walkin
from hospital import audit, clock, masking
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required

from . import finding
from .centre_page import render_page
from .centre_reach import (
    ROOMS,
    booking_within_reach,
    device_within_reach,
    devices_within_reach,
    houses,
    request_within_reach,
)
from .centre_reach import patient as found_patient

Status = ExamBooking.Status


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ROOMS)
def find(request: HttpRequest):
    return finding.find(
        request,
        houses=houses(request, *ROOMS),
        where="exam_rooms",
        template="exams/centre/arrivals.html",
        target="exams:exam_arrival",
    )


@require_safe
@never_cache
@role_required(*ROOMS)
def arrival(request: HttpRequest, pk: int):
    """One patient: today's exams with the questions of each, and what could be done without a booked time."""
    return _show(request, found_patient(pk))


def _show(request: HttpRequest, person: Patient, *, form=None, about=None, refusal: Refused | None = None):
    """`form`: what was typed for the booking `about`, with what is wrong; `refusal`: what the service said."""
    now = clock.now()
    audit.saw_patient(patient=person, actor=request.user, where="exam_rooms", now=now, request=request)
    rows = rooms.todays([person.pk], organizations=houses(request, *ROOMS), now=now, today=clock.today(now)).get(
        person.pk, []
    )
    said = {code: answer for row in rows if row.checked_in_at for code, answer in row.answers.items()}
    asked = questions_for([row.variant for row in rows], patient=person, day=clock.today(now), at_check_in=True)
    lines = [_line(row, said, asked, now=now, form=form if row.pk == about else None) for row in rows]
    _add_devices(request, lines, now=now)
    context = {
        "patient": person,
        "phone": masking.phone(person.phone),
        "documents": list(person.identifiers.order_by("pk")),
        "lines": lines,
        "unbooked": _unbooked(request, person, now=now),
        "later": _later(request, person, now=now),
        "about": about,
        "next": next((line["row"].pk for line in lines if line["form"]), None),
        "refusal": refusal,
    }
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    return render_page(request, "exams/centre/arrival.html", context, status=status)


def _line(row: ExamBooking, said: dict, asked: list, *, now, form=None) -> dict:
    """One exam of the day and what may be done with it, asked of the same policies as the services."""
    rule = exam_rule(row.request.organization_id, day=row.day)
    refusal = policy.refusal_to_check_in(row, rule=rule, now=now)
    return {
        "row": row,
        "refusal": refusal if row.status == Status.BOOKED else None,
        "form": form or (_form_of(row, asked, said) if refusal is None else None),
        "may_undo": policy.refusal_to_undo(row) is None,
        "may_end": policy.refusal_to_end_without(row) is None and row.holds,
        "ahead": rooms.ahead_of(row) if row.status in ExamBooking.WAITING else None,
        "too_late": row.status == Status.BOOKED and row.holds and now >= policy.closes_at(row, rule),
    }


def _later(request: HttpRequest, person: Patient, *, now) -> list[ExamBooking]:
    """Who came on the wrong day is told the right one."""
    tomorrow = clock.today(now) + timedelta(days=1)
    return worklist.bookings_of(person, organizations=houses(request, *ROOMS), today=tomorrow)


def _add_devices(request: HttpRequest, lines: list[dict], *, now) -> None:
    """Where else each exam could be done: devices in use that can do it."""
    moves = [line for line in lines if line["row"].holds and line["row"].status in (Status.BOOKED, Status.ARRIVED)]
    able = worklist.devices_for([line["row"].variant_id for line in moves], devices_within_reach(request), now=now)
    for line in moves:
        found = able.get(line["row"].variant_id, [])
        line["able"] = found
        line["others"] = [device for device in found if device.pk != line["row"].device_id and not line["too_late"]]


def _form_of(row: ExamBooking, asked: list, said: dict | None = None, data=None) -> CheckInForm:
    """Said minutes ago for another exam of today is filled in; said weeks ago is asked again."""
    questions = questions_of(row.variant, questions=asked, patient=row.patient, day=row.day)
    return CheckInForm(
        data, questions=questions, said=said, organization_id=row.request.organization_id, prefix=f"e{row.pk}"
    )


def _unbooked(request: HttpRequest, person: Patient, *, now) -> list[dict]:
    """Open requests: done now where a device is free."""
    rows = worklist.open_requests(person, organizations=houses(request, *ROOMS))
    if not rows:
        return []
    able = worklist.devices_for([row.variant_id for row in rows], devices_within_reach(request), now=now)
    return [{"request": row, "devices": able.get(row.variant_id, [])} for row in rows]


@require_POST
@never_cache
@role_required(*ROOMS)
def check_in(request: HttpRequest, pk: int):
    """报到 of one exam, with the answers of this moment."""
    row = booking_within_reach(request, pk, *ROOMS)
    asked = questions_for([row.variant], patient=row.patient, day=row.day, at_check_in=True)
    form = _form_of(row, asked, data=request.POST)
    if not form.is_valid():
        return _show(request, row.patient, form=form, about=row.pk)
    said = form.cleaned_data
    try:
        visit.check_in(
            booking=row,
            answers=form.answers,
            by=request.user,
            priority=said["priority"],
            override=said["override"],
            override_by=said["override_by"],
            now=clock.now(),
        )
    except CannotBeExamined as refusal:
        return _show(request, row.patient, form=form, about=row.pk, refusal=refusal)
    messages.success(request, _("已报到：%(exam)s，%(room)s。") % {"exam": row.variant, "room": row.device.room})
    return redirect("exams:exam_arrival", row.patient_id)


@require_POST
@never_cache
@role_required(*ROOMS)
def transfer(request: HttpRequest, pk: int):
    """换设备: the other machine is free sooner, or this one is slow today."""
    row = booking_within_reach(request, pk, *ROOMS)
    form = WalkInForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请先选一台设备，再点“换设备”。"))
        return redirect("exams:exam_arrival", row.patient_id)
    device = device_within_reach(request, form.cleaned_data["device"])
    moved = walkin.transfer(booking=row, device=device, by=request.user, now=clock.deciding())
    said = {"device": moved.device, "start": f"{moved.start.astimezone(clock.ZONE):%H:%M}"}
    messages.success(request, _("已换到%(device)s，%(start)s。") % said)
    return redirect("exams:exam_arrival", row.patient_id)


@require_POST
@never_cache
@role_required(*ROOMS)
def walk_in(request: HttpRequest, pk: int):
    """现场检查: on a device that is free now; the questions are asked at the check-in that follows."""
    row = request_within_reach(request, pk, *ROOMS)
    form = WalkInForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请先选一台设备，再点“现场检查”。"))
        return redirect("exams:exam_arrival", row.patient_id)
    device = device_within_reach(request, form.cleaned_data["device"])
    booked = walkin.walk_in(request=row, device=device, by=request.user, now=clock.deciding())
    said = {"device": booked.device, "start": f"{booked.start.astimezone(clock.ZONE):%H:%M}"}
    messages.success(request, _("已安排现场检查：%(device)s，%(start)s。请问清准备问题后报到。") % said)
    return redirect("exams:exam_arrival", row.patient_id)
