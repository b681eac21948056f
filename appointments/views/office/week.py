"""号源管理: the week with its selection, one schedule's drawer, its patients. What is selected goes to acts.py."""

from datetime import date, timedelta

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments import stats
from appointments.forms.office import WeekForm
from appointments.models import NUMBER_KINDS, Schedule
from appointments.selectors import drawer, waitlist
from appointments.selectors import office as selectors
from hospital import audit, clock, masking
from hospital.models import HealthcareService, Organization
from hospital.permissions import role_required

from ..figures import Figure, figures_of, stops_figure
from .reach import READERS, may_act, reach_of

RELATED = (*selectors.ACTOR, "room", "organization")


@require_safe
@never_cache
@role_required(*READERS)
def week(request: HttpRequest):
    """号源周表. With `schedule` in the address its drawer is open: the page is whole without script."""
    now = clock.now()
    today = clock.today(now)
    reach = reach_of(request)
    form = WeekForm(request.GET)
    shown = _schedule(request, form.asked_schedule())
    near = shown.day if shown else today
    looked = form.looked(organizations=reach.organizations, today=near, within=reach.schedules)
    if request.htmx and request.htmx.target == "drawer":
        return _beside(request, shown, looked, now=now)
    blocks = selectors.week(looked, now=now)
    ticks = "1" if may_act(request) and request.GET.get("ticks") else ""
    context = {
        "looked": looked,
        "today": today,
        "columns": [_column(day, today) for day in looked.days],
        "blocks": blocks,
        "figures": _figures(looked, blocks),
        "release": selectors.next_release(organizations=looked.organizations, now=now),
        "choices": selectors.choices(looked.organizations, departments=reach.departments),
        "levels": HealthcareService.Level.choices,
        "pools": NUMBER_KINDS,
        "organizations": Organization.objects.filter(pk__in=looked.organizations),
        "same_month": looked.days[0].month == looked.days[-1].month,
        "kept": _kept(looked),
        "cells_kept": _kept(looked, week=None, ticks=ticks),
        "ticks": ticks,
        "steps": _steps(looked, today),
        "may_act": may_act(request),
        **(_drawer(shown, now=now) if shown else {}),
    }
    return render(request, "office/week.html", context)


def _figures(looked: selectors.Looked, blocks: list[selectors.Block]) -> list[Figure]:
    """The week's own numbers are in the blocks already, unless those are of one pool."""
    counted = None
    if not looked.pool:
        numbers = sum(block.total + block.extras for block in blocks)
        counted = stats.Rate(sum(block.taken for block in blocks), numbers)
    this, before = stats.week_figures(schedules=looked.schedules, first=looked.monday, numbers=counted)
    cases = {name: sum(getattr(block, name) for block in blocks) for name in ("asked", "answered", "gone")}
    return [*figures_of(this, before), stops_figure(**cases)]


def _column(day: date, today: date) -> dict:
    return {"day": day, "today": day == today}


def _kept(looked: selectors.Looked, **changes) -> str:
    """The filters as an address, without the schedule that is open."""
    said = {"week": looked.monday, "campus": looked.campus, "group": looked.group, "department": looked.department}
    said |= {"level": looked.level, "pool": looked.pool, "who": looked.who} | changes
    return urlencode({name: value for name, value in said.items() if value})


def _steps(looked: selectors.Looked, today: date) -> dict:
    week = timedelta(days=7)
    return {
        "before": _kept(looked, week=looked.monday - week),
        "this": _kept(looked, week=selectors.monday_of(today)),
        "after": _kept(looked, week=looked.monday + week),
    }


def _within_reach(request: HttpRequest):
    return Schedule.objects.select_related(*RELATED).filter(reach_of(request).schedules)


def _schedule(request: HttpRequest, pk: int | None) -> Schedule | None:
    return _within_reach(request).filter(pk=pk).first() if pk else None


def _drawer(schedule: Schedule, *, now) -> dict:
    fills = drawer.pools_of(schedule, now=now)
    line = waitlist.for_schedule(schedule, now=now)
    return {
        "schedule": schedule,
        "fills": fills,
        "taken": sum(fill.taken for fill in fills),
        "total": sum(fill.total for fill in fills),
        "substitute": drawer.substitute_of(schedule),
        "coming": drawer.coming_of(schedule, fills=fills, line=line, now=now),
        "line": line,
        "trail": drawer.trail_of(schedule),
        "today": clock.today(now),
    }


def _beside(request: HttpRequest, row: Schedule | None, looked: selectors.Looked, *, now):
    """The drawer alone, and in their places the cell it belongs to and the one that was open before."""
    if row is None:
        raise Http404
    before = request.GET.get("shown", "")
    known = {row.pk, int(before)} if before.isdecimal() and len(before) < 19 else {row.pk}
    cells = [(cell, cell.pk == row.pk) for cell in selectors.cells(looked, sorted(known), now=now)]
    kept = _kept(looked, week=None)
    context = {**_drawer(row, now=now), "cells": cells, "kept": kept, "may_act": may_act(request)}
    return render(request, "office/drawer.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def schedule(request: HttpRequest, pk: int):
    """The week with this session's drawer open."""
    row = get_object_or_404(_within_reach(request), pk=pk)
    return redirect(f"{reverse('appointments:office_week')}?week={row.day}&schedule={row.pk}")


@require_safe
@never_cache
@role_required(*READERS)
def patients(request: HttpRequest, pk: int):
    """就诊名单 of one schedule, masked. Leaves a trace."""
    now = clock.now()
    row = get_object_or_404(_within_reach(request), pk=pk)
    lines = [
        {
            "appointment": one,
            "name": masking.name(one.patient.name),
            "phone": masking.phone(one.patient.phone),
            "encounter": getattr(one, "encounter", None),
        }
        for one in drawer.patients_of(row)
    ]
    audit.record(
        action="schedule.patients_listed",
        actor=request.user,
        subject=f"schedule:{row.pk}",
        detail={"patients": len(lines)},
        now=now,
        request=request,
    )
    context = {"schedule": row, "lines": lines, "organizations": [row.organization]}
    return render(request, "office/patients.html", context)
