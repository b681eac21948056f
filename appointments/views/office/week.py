"""号源管理: the week, one schedule's drawer, its patients. Read only."""

from datetime import date, timedelta

from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments import stats
from appointments.forms.office import WeekForm
from appointments.models import Pool, Schedule
from appointments.selectors import drawer
from appointments.selectors import office as selectors
from hospital import audit, clock, masking
from hospital.models import HealthcareService, Organization, Role
from hospital.permissions import organizations_of, role_required, roles_of

from ..figures import figures_of

ROLES = (Role.OFFICE, Role.AUDITOR, Role.SYSADMIN)
RELATED = (*selectors.ACTOR, "room", "organization")


def houses(request: HttpRequest) -> frozenset[int]:
    """The administrator of the whole house may have no role row: then every house."""
    held = organizations_of(request.user, *ROLES)
    if not held and Role.SYSADMIN in roles_of(request.user):
        return frozenset(Organization.objects.values_list("pk", flat=True))
    return held


@require_safe
@never_cache
@role_required(*ROLES)
def week(request: HttpRequest):
    """号源周表. With `schedule` in the address its drawer is open: the page is whole without script."""
    now = clock.now()
    today = clock.today(now)
    form = WeekForm(request.GET)
    looked = form.looked(organizations=houses(request), today=today)
    shown = _schedule(request, form.cleaned_data.get("schedule"))
    context = {
        "looked": looked,
        "today": today,
        "columns": [_column(day, today) for day in looked.days],
        "blocks": selectors.week(looked, now=now),
        "figures": figures_of(*stats.week_figures(schedules=looked.schedules, first=looked.monday)),
        "release": selectors.next_release(organizations=looked.organizations, now=now),
        "choices": selectors.choices(looked.organizations),
        "levels": HealthcareService.Level.choices,
        "pools": Pool.Kind.choices,
        "organizations": Organization.objects.filter(pk__in=looked.organizations),
        "same_month": looked.days[0].month == looked.days[-1].month,
        "kept": _kept(looked),
        "steps": _steps(looked, today),
        **(_drawer(shown, now=now) if shown else {}),
    }
    return render(request, "office/week.html", context)


def _column(day: date, today: date) -> dict:
    return {"day": day, "today": day == today}


def _kept(looked: selectors.Looked, **changes) -> str:
    """The filters as an address, without the schedule that is open."""
    said = {"week": looked.monday, "campus": looked.campus, "group": looked.group, "level": looked.level}
    said |= {"pool": looked.pool} | changes
    return urlencode({name: value for name, value in said.items() if value})


def _steps(looked: selectors.Looked, today: date) -> dict:
    week = timedelta(days=7)
    return {
        "before": _kept(looked, week=looked.monday - week),
        "this": _kept(looked, week=selectors.monday_of(today)),
        "after": _kept(looked, week=looked.monday + week),
    }


def _schedule(request: HttpRequest, pk: int | None) -> Schedule | None:
    rows = Schedule.objects.select_related(*RELATED).filter(organization__in=houses(request))
    return rows.filter(pk=pk).first() if pk else None


def _drawer(schedule: Schedule, *, now) -> dict:
    fills = drawer.pools_of(schedule, now=now)
    return {
        "schedule": schedule,
        "fills": fills,
        "taken": sum(fill.taken for fill in fills),
        "total": sum(fill.total for fill in fills),
        "coming": drawer.coming_of(schedule, fills=fills, now=now),
        "trail": drawer.trail_of(schedule),
        "today": clock.today(now),
    }


@require_safe
@never_cache
@role_required(*ROLES)
def schedule(request: HttpRequest, pk: int):
    """The drawer alone, and in their places the cell it belongs to and the one that was open before."""
    now = clock.now()
    row = get_object_or_404(Schedule.objects.select_related(*RELATED), pk=pk, organization__in=houses(request))
    if not request.htmx:
        return redirect(f"{reverse('appointments:office_week')}?week={row.day}&schedule={row.pk}")
    before = request.GET.get("shown", "")
    known = {pk, int(before)} if before.isdecimal() else {pk}
    form = WeekForm(request.GET)
    looked = form.looked(organizations=houses(request), today=clock.today(now))
    cells = [(cell, cell.pk == pk) for cell in selectors.cells(looked, sorted(known), now=now)]
    context = {**_drawer(row, now=now), "cells": cells, "kept": _kept(looked)}
    return render(request, "office/drawer.html", context)


@require_safe
@never_cache
@role_required(*ROLES)
def patients(request: HttpRequest, pk: int):
    """就诊名单 of one schedule, masked. Leaves a trace."""
    now = clock.now()
    row = get_object_or_404(Schedule.objects.select_related(*RELATED), pk=pk, organization__in=houses(request))
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
