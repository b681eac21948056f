"""The booking centre books (E2): questions for the patient, one exam to any free time, another, cancel, withdraw."""

from collections import defaultdict
from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.models.rules import Channel
from appointments.views.to_pay import at_the_desk
from exams.forms.centre import CancelForm, ChosenForm, LookForm, WhyForm
from exams.forms.patient import TimeForm
from exams.forms.visit import QuestionsForm
from exams.models import ExamBooking, ExamRequest
from exams.policies import screening as screening_policy
from exams.selectors import free, worklist
from exams.selectors.company import company_of
from exams.selectors.rules import exam_rule
from exams.selectors.screening import questions_for
from exams.services import booking as core
from exams.services import centre, requesting
from hospital import audit, clock, masking, prepaid
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required
from hospital.prepaid import PayFirst

from .centre import show_patient
from .centre_page import render_page
from .centre_reach import CENTRE, booking_within_reach, devices_within_reach, houses, request_within_reach
from .centre_reach import patient as found_patient

LOOK_AHEAD = 14
"""Days of free times that one page shows."""


def chosen(request: HttpRequest, person: Patient) -> list[ExamRequest]:
    """The open requests of this patient that are ticked in the address; all of them if none is. Of one house: each
    plans by its own rules."""
    rows = worklist.open_requests(person, organizations=houses(request))
    form = ChosenForm(request.GET)
    ids = form.cleaned_data["r"] if form.is_valid() else []
    ticked = [row for row in rows if row.pk in ids] if ids else rows
    return [row for row in ticked if row.organization_id == ticked[0].organization_id]


def address(name: str, person: Patient, rows: list[ExamRequest]) -> str:
    ticked = urlencode({"r": [row.pk for row in rows]}, doseq=True)
    return f"{reverse(name, args=[person.pk])}?{ticked}"


def unanswered(rows: list[ExamRequest], person: Patient, *, now) -> bool:
    asked = questions_for([row.variant for row in rows], patient=person, day=clock.today(now))
    said = {code: answer for row in rows for code, answer in row.answers.items()}
    return bool(screening_policy.judge(asked, said).unanswered)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def answers(request: HttpRequest, pk: int):
    """准备问题 of the chosen exams, asked on the phone: each question once, written to every exam it concerns."""
    person, now = found_patient(pk), clock.now()
    rows = chosen(request, person)
    if not rows:
        messages.info(request, _("这位患者没有待预约的检查。"))
        return redirect("exams:exam_centre_patient", pk)
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=now, request=request)
    asked = questions_for([row.variant for row in rows], patient=person, day=clock.today(now))
    said = {code: answer for row in rows for code, answer in row.answers.items()}
    form = QuestionsForm(request.POST if request.method == "POST" else None, questions=asked, said=said)
    if form.is_valid():
        for row in rows:
            centre.answer(request=row, answers=form.answers, by=request.user, now=now)
        return redirect(address("exams:exam_centre_plan", person, rows) if len(rows) > 1 else _times_of(rows[0]))
    context = {"patient": person, "rows": rows, "form": form}
    return render_page(request, "exams/centre/answers.html", context, status=422 if form.errors else 200)


def _times_of(row: ExamRequest) -> str:
    return reverse("exams:exam_centre_times", args=[row.pk])


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def times(request: HttpRequest, pk: int):
    """One exam: every free half-hour of every device, for booking or (`?move=`) for another time."""
    row, now = request_within_reach(request, pk), clock.now()
    look = LookForm(request.GET)
    moving = _moving(request, row, look.said("move"))
    if request.method == "GET":
        if moving is None and unanswered([row], row.patient, now=now):
            return redirect(address("exams:exam_centre_answers", row.patient, [row]))
        return _show_times(request, row, moving, look)
    form = TimeForm(request.POST)
    if not form.is_valid():
        return _show_times(request, row, moving, look, said=form.errors["slot"])
    try:
        _book(request, row, moving, *form.cleaned_data["slot"])
    except _Held as held:
        return at_the_desk(request, kind="exam", booking=held.pk, back=_back(row))
    except Refused as refusal:
        return _show_times(request, row, moving, look, refusal=refusal)
    return redirect("exams:exam_centre_patient", row.patient_id)


def _moving(request: HttpRequest, row: ExamRequest, pk: int | None) -> ExamBooking | None:
    return get_object_or_404(row.bookings.select_related("device"), pk=pk) if pk else None


def _book(request: HttpRequest, row: ExamRequest, moving: ExamBooking | None, device_id: int, start) -> None:
    device = get_object_or_404(devices_within_reach(request), pk=device_id)
    by, now = request.user, clock.deciding()
    if moving:
        lost = not moving.holds  # the house's own fault: its device went down
        core.move(booking=moving, device=device, start=start, channel=Channel.COUNTER, by=by, hospital=lost, now=now)
        messages.success(request, _("已改时间，患者会收到消息。"))
        return
    held = core.hold_one(request=row, device=device, start=start, channel=Channel.COUNTER, by=by, basket=None, now=now)
    try:
        core.confirm(booking=held, by=by, now=now)
    except PayFirst as refusal:
        if prepaid.page(kind="exam", booking=held.pk, where="desk") is None:
            raise
        raise _Held(held.pk) from refusal
    messages.success(request, _("已预约，患者会收到消息。"))


class _Held(Exception):
    """It is confirmed when it is paid."""

    def __init__(self, pk: int):
        self.pk = pk


def _back(row: ExamRequest) -> str:
    return reverse("exams:exam_centre_patient", args=[row.patient_id])


def _show_times(request: HttpRequest, row, moving, look: LookForm, *, refusal: Refused | None = None, said=()):
    now = clock.now()
    person, today = row.patient, clock.today(now)
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=now, request=request)
    horizon = today + timedelta(days=exam_rule(row.organization_id, day=today).horizon_days)
    first = min(max(look.said("day") or today, today), horizon)
    found = free.segments(
        request=row,
        channel=Channel.COUNTER,
        first_day=first,
        days=LOOK_AHEAD,
        now=now,
        moving=moving,
        per_device=True,
    )
    context = {
        "patient": person,
        "masked": masking.name(person.name),
        "row": row,
        "moving": moving,
        "first": first,
        "today": today,
        "earlier": max(today, first - timedelta(days=LOOK_AHEAD)) if first > today else None,
        "later": first + timedelta(days=LOOK_AHEAD) if first + timedelta(days=LOOK_AHEAD) <= horizon else None,
        "days": (days := _by_day(found)),
        **_apart(moving, [day for day, _devices in days], now=now),
        "refusal": refusal,
        "said": said,
    }
    status = refusal.status if refusal else 422 if said else 200
    return render_page(request, "exams/centre/times.html", context, status=status)


def _apart(moving: ExamBooking | None, days: list[date], *, now) -> dict:
    """On which of these days the patient would come once more, and for what else they come on the day as it is."""
    if moving is None:
        return {}
    company = company_of(moving, account=None, now=now)
    return {"company": company, "dear": [day for day in days if company.costs_a_trip(day)]}


def _by_day(segments) -> list[tuple[date, list]]:
    """Day → device → its segments, in their order."""
    days: dict[date, dict[int, tuple]] = defaultdict(dict)
    for each in segments:
        days[each.day].setdefault(each.device.pk, (each.device, []))[1].append(each)
    return [(day, list(devices.values())) for day, devices in days.items()]


@require_POST
@never_cache
@role_required(*CENTRE)
def cancel(request: HttpRequest, pk: int):
    """取消预约 for the patient; with the tick, the exam is not wanted any more."""
    row, form = booking_within_reach(request, pk, *CENTRE), CancelForm(request.POST, label_suffix="")
    if not form.is_valid():
        return show_patient(request, row.patient, form=form, about=f"booking-{row.pk}")
    said = form.cleaned_data
    try:
        core.cancel(
            booking=row,
            by=request.user,
            channel=Channel.COUNTER,
            note=said["reason"],
            hospital=not row.holds,
            withdraw=said["withdraw"],
            now=clock.deciding(),
        )
    except Refused as refusal:
        return show_patient(request, row.patient, refusal=refusal)
    messages.success(
        request, _("已取消预约，申请也已撤销。") if said["withdraw"] else _("已取消预约，申请回到待预约。")
    )
    return redirect("exams:exam_centre_patient", row.patient_id)


@require_POST
@never_cache
@role_required(*CENTRE)
def withdraw(request: HttpRequest, pk: int):
    """撤销申请 that nobody has booked."""
    row, form = request_within_reach(request, pk), WhyForm(request.POST, label_suffix="")
    if not form.is_valid():
        return show_patient(request, row.patient, form=form, about=f"request-{row.pk}")
    try:
        requesting.withdraw(request=row, by=request.user, reason=form.cleaned_data["reason"], now=clock.now())
    except Refused as refusal:
        return show_patient(request, row.patient, refusal=refusal)
    messages.success(request, _("已撤销申请。"))
    return redirect("exams:exam_centre_patient", row.patient_id)
