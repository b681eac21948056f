"""我的出诊: a doctor's sessions of the coming weeks; asking for a stop, and what became of it (O9)."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.forms.stops import OwnDaysForm, WhyForm
from appointments.models import Schedule, Suspension
from appointments.selectors.stops import mine
from appointments.services import stops as service
from appointments.services.stops.orders import Wish
from hospital import clock
from hospital.errors import Refused
from hospital.models import Practitioner, Role
from hospital.permissions import role_required

WEEKS = 4
MOST = 60


def _doctor(request: HttpRequest) -> Practitioner:
    doctor = getattr(request.user, "practitioner", None)
    if doctor is None:
        raise Http404
    return doctor


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(Role.DOCTOR)
def schedule(request: HttpRequest):
    """Ticked sessions, or days from–to: one form, sent with Enter."""
    doctor, now = _doctor(request), clock.now()
    today = clock.today(now)
    if request.method == "GET":
        return _show(request, doctor, now=now)
    ticked = _ticked(request, doctor, now=now)
    days = None if ticked else OwnDaysForm(request.POST, today=today)
    why = WhyForm(request.POST)
    if not why.is_valid() or (days is not None and not days.is_valid()):
        return _show(request, doctor, ticked=ticked, days=days, why=why, now=now, status=422)
    wishes = _wishes(doctor, ticked, days.cleaned_data if days else {}, **why.cleaned_data)
    try:
        service.ask_each(wishes=wishes, by=request.user, now=now)
    except Refused as refusal:
        return _show(
            request, doctor, ticked=ticked, days=days, why=why, refusal=refusal, now=now, status=refusal.status
        )
    messages.success(request, _("申请已交，等门诊办公室审批；批准前号照常可约。"))
    return redirect("appointments:my_schedule")


def _ticked(request: HttpRequest, doctor: Practitioner, *, now) -> list[Schedule]:
    """Own sessions and the doctor's teams' only, whatever was sent."""
    ids = [int(text) for text in request.POST.getlist("schedule")[:MOST] if text.isdecimal() and len(text) < 18]
    own = Schedule.objects.filter(mine.askable(doctor), pk__in=ids, ends_at__gt=now)
    return list(own.order_by("starts_at"))


def _wishes(doctor: Practitioner, ticked: list[Schedule], said: dict, *, cause: str, reason: str) -> list[Wish]:
    """One for each house: its office decides on its own sessions only."""
    why = {"practitioner": doctor.pk, "cause": cause, "reason": reason}
    if not ticked:
        days = {"first_day": said["first"], "last_day": said["last"], "half": said["half"]}
        houses = mine.houses_of(doctor, first=said["first"], last=said["last"])
        return [Wish(organization=house, **days, **why) for house in houses]
    by_house: dict[int, list[Schedule]] = {}
    for each in ticked:
        by_house.setdefault(each.organization_id, []).append(each)
    return [
        Wish(
            organization=house,
            first_day=min(each.day for each in rows),
            last_day=max(each.day for each in rows),
            schedules=tuple(each.pk for each in rows),
            **why,
        )
        for house, rows in by_house.items()
    ]


def _show(request, doctor, *, now, ticked=(), days=None, why=None, refusal=None, status=200):
    today = clock.today(now)
    context = {
        "doctor": doctor,
        "today": today,
        "weeks": mine.weeks_of(doctor, first=today, last=today + timedelta(days=7 * WEEKS), now=now),
        "requests": mine.requests_of(doctor, now=now),
        "ticked": {each.pk for each in ticked},
        "days": days or OwnDaysForm(today=today),
        "why": why or WhyForm(),
        "refusal": refusal,
    }
    return render(request, "my/schedule.html", context, status=status)


@require_POST
@role_required(Role.DOCTOR)
def withdraw(request: HttpRequest, pk: int):
    doctor = _doctor(request)
    row = Suspension.objects.filter(pk=pk, practitioner=doctor).first()
    if row is None:
        raise Http404
    try:
        service.withdraw(order=row, by=request.user, now=clock.now())
        messages.success(request, _("申请已撤回。"))
    except Refused as refusal:
        messages.error(request, refusal.in_full)
    return redirect("appointments:my_schedule")
