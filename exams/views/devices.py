"""设备周表 (E1, E10): the week per device, one day's drawer, and what is done to a day by hand."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from appointments.selectors.office import monday_of
from exams.forms.devices import ExtraForm, WeekForm
from exams.models import Device, DeviceSession, SessionWindow
from exams.selectors import device_cases, device_day
from exams.selectors import devices as selectors
from exams.services.devices import days
from hospital import audit, clock
from hospital.errors import Refused
from hospital.permissions import role_required

from . import device_reach as reach


@require_safe
@never_cache
@role_required(*reach.READERS)
def week(request: HttpRequest) -> HttpResponse:
    """With `device` and `day` in the address that day's drawer is open: the page is whole without script."""
    now = clock.now()
    form, houses = WeekForm(request.GET), reach.houses(request)
    looked = form.looked(organizations=houses, today=clock.today(now), within=reach.within(request))
    shown, day = _shown(request, form), form.said("day")
    if request.htmx and request.htmx.target == "drawer":
        return _beside(request, shown, day, looked, now=now)
    blocks = selectors.week(looked, now=now)
    context = {
        "looked": looked,
        "columns": [{"day": each, "today": each == clock.today(now)} for each in looked.days],
        "blocks": blocks,
        "sums": _sums(blocks),
        "over": looked.days[-1] < clock.today(now),
        "to_call": len(device_cases.to_call(reach.within(request), now=now)),
        "choices": selectors.choices(houses),
        "kept": kept(looked),
        "cells_kept": kept(looked, week=None),
        "steps": _steps(looked, clock.today(now)),
        "may_act": reach.may(request, *reach.ACTORS),
        "may_keep": reach.may(request, *reach.KEEPERS),
        **reach.frame(request),
        **(_drawer(request, shown, day, now=now) if shown and day else {}),
    }
    return render(request, "exams/devices/week.html", context)


def _shown(request: HttpRequest, form: WeekForm) -> Device | None:
    pk = form.said("device")
    rows = Device.objects.filter(reach.within(request)).select_related("room", "zone__campus", "organization")
    return rows.filter(pk=pk).first() if pk else None


def _sums(blocks: list[selectors.Block]) -> dict:
    names = ("open", "down", "booked", "held", "free", "unused", "asked", "answered", "exams")
    sums = {name: sum(block.sum(name) for block in blocks) for name in names}
    usable = sums["open"] - sums["down"]
    share = {"percent": round(100 * sums["booked"] / usable) if usable else None, "usable": usable}
    hours = {f"{name}_hours": round(sums[name] / 60) for name in ("booked", "held", "free", "unused", "down")}
    return sums | share | hours


def kept(looked: selectors.Looked, **changes) -> str:
    """The filters as an address, without the day that is open."""
    said = {"week": looked.monday, "modality": looked.modality, "campus": looked.campus, "zone": looked.zone}
    said |= {"who": looked.who} | changes
    return urlencode({name: value for name, value in said.items() if value})


def _steps(looked: selectors.Looked, today: date) -> dict:
    week = timedelta(days=7)
    return {
        "before": kept(looked, week=looked.monday - week),
        "this": kept(looked, week=monday_of(today)),
        "after": kept(looked, week=looked.monday + week),
    }


def _drawer(request: HttpRequest, device: Device, day: date, *, now, form: ExtraForm | None = None) -> dict:
    """Whose names are shown leaves a trace."""
    shown = device_day.day_of(device, day, now=now)
    if shown.bookings:
        audit.record(
            action="device.patients_listed", actor=request.user, now=now, request=request,
            subject=f"device:{device.pk}", detail={"day": day.isoformat(), "patients": len(shown.bookings)},
        )  # fmt: skip
    cells = selectors.count([device], days=[day], now=now)
    return {
        "one": shown,
        "cell": cells[device.pk, day],
        "past": day < clock.today(now) and form is None,  # what was typed wrong stays in sight
        "extra": form or ExtraForm(initial={"day": day}),
        "may_act": reach.may(request, *reach.ACTORS),
        "may_keep": reach.may(request, *reach.KEEPERS),
    }


def _beside(request: HttpRequest, device: Device | None, day: date | None, looked, *, now) -> HttpResponse:
    """The drawer alone, and in their places the cell it belongs to and the one that was open before."""
    if device is None or day is None:
        raise Http404
    context = _drawer(request, device, day, now=now)
    before = _before(request, looked, now=now)
    context |= {"cells": [(context["cell"], True), *before], "cells_kept": kept(looked, week=None)}
    return render(request, "exams/devices/drawer.html", context)


def _before(request: HttpRequest, looked, *, now) -> list[tuple[selectors.Cell, bool]]:
    pk, _dash, day = request.GET.get("shown", "").partition("-")
    form = WeekForm({"device": pk, "day": f"{day[:4]}-{day[4:6]}-{day[6:8]}"})
    device, day = _shown(request, form), form.said("day")
    same = WeekForm(request.GET)
    if device is None or day not in looked.days or (device.pk, day) == (same.said("device"), same.said("day")):
        return []
    return [(selectors.count([device], days=[day], now=now)[device.pk, day], False)]


# ---- a day by hand ----


def _back(device: Device | int, day: date) -> str:
    pk = getattr(device, "pk", device)
    return f"{reverse('exams:device_week')}?week={day}&device={pk}&day={day}"


def _session(request: HttpRequest, pk: int) -> DeviceSession:
    return get_object_or_404(
        DeviceSession.objects.filter(reach.of("device", reach.within(request, *reach.ACTORS))), pk=pk
    )


def _done(request: HttpRequest, device: int, day: date, act, said: str) -> HttpResponse:
    """Do it; a refusal is shown on the week, where the day is open."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, refusal.in_full)
    else:
        messages.success(request, said)
    return redirect(_back(device, day))


@require_POST
@role_required(*reach.ACTORS)
def close(request: HttpRequest, pk: int) -> HttpResponse:
    row = _session(request, pk)

    def act():
        days.close(session=row.pk, by=request.user, now=clock.now())

    return _done(request, row.device_id, row.day, act, _("这段时间已关闭，不再接受预约。"))


@require_POST
@role_required(*reach.ACTORS)
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    row = _session(request, pk)

    def act():
        days.reopen(session=row.pk, by=request.user, now=clock.now())

    return _done(request, row.device_id, row.day, act, _("这段时间重新开放。"))


@require_POST
@role_required(*reach.ACTORS)
def release(request: HttpRequest, pk: int) -> HttpResponse:
    rows = SessionWindow.objects.filter(reach.of("session__device", reach.within(request, *reach.ACTORS)))
    row = get_object_or_404(rows.select_related("session"), pk=pk)

    def act():
        days.release(window=row.pk, by=request.user, now=clock.now())

    return _done(request, row.session.device_id, row.session.day, act, _("这段预留已放开，所有渠道都能预约。"))


@require_POST
@never_cache
@role_required(*reach.ACTORS)
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """加开. What was typed stays where it is wrong."""
    device, form, now = reach.device(request, pk, *reach.ACTORS), ExtraForm(request.POST), clock.now()
    if form.is_valid():
        try:
            row = days.add(device=device, during=form.cleaned_data["during"], by=request.user, now=now)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已加开，马上可以预约。"))
            return redirect(_back(device, row.day))
    day = form.cleaned_data.get("day") or clock.today(now)
    context = {**_drawer(request, device, day, now=now, form=form), **reach.frame(request)}
    return render(request, "exams/devices/day.html", context, status=422)
