"""放号日历: what opens when; a day is held back, or more is released, through a preview."""

from datetime import date, timedelta

from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.releases import HELD_KINDS, ExtraForm, HoldForm, MomentForm, MonthForm
from appointments.models import BulkAct, Pool, Schedule
from appointments.selectors import releases as selectors
from appointments.services import bulk
from hospital import clock
from hospital.models import Department, Organization
from hospital.permissions import role_required

from . import reach


@require_safe
@never_cache
@role_required(*reach.READERS)
def releases(request: HttpRequest):
    now = clock.now()
    first, day = MonthForm(request.GET).looked(clock.today(now))
    return _page(request, first, day, now=now)


@require_POST
@never_cache
@role_required(*reach.ACTORS)
def hold(request: HttpRequest):
    """暂缓放号: the preview, or the same page with what is wrong."""
    now = clock.now()
    form = _hold_form(request, HELD_KINDS, now=now, data=request.POST)
    if form.is_valid():
        said = form.cleaned_data
        chosen = selectors.schedules_opening(
            said["day"], kinds=said["kinds"], departments=_departments(request, form), now=now
        )
        if act := _preview(request, form, BulkAct.Kind.HOLD_RELEASE, chosen, now=now):
            return redirect("appointments:office_act", act.pk)
    day = form.cleaned_data.get("day") or clock.today(now)
    return _page(request, day.replace(day=1), day, now=now, form=form, status=422)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.ACTORS)
def extra(request: HttpRequest):
    """追加放号: the rest of some pools becomes everybody's earlier than planned."""
    now = clock.now()
    form = ExtraForm(request.POST or None, departments=_own(request), now=now, initial=_tomorrow(now))
    if form.is_valid():
        said = form.cleaned_data
        chosen = selectors.schedules_on(
            said["first_day"], said["last_day"], departments=_departments(request, form), now=now
        )
        if act := _preview(request, form, BulkAct.Kind.EXTRA_RELEASE, chosen, now=now):
            return redirect("appointments:office_act", act.pk)
    context = {"form": form, "organizations": _houses(request)}
    return render(request, "office/release_extra.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, first: date, day: date | None, *, now, form: HoldForm | None = None, status=200):
    within = reach.reach_of(request)
    looked = selectors.looked_at(organizations=within.organizations, departments=within.departments)
    listed = selectors.day_list(day, looked=looked, now=now) if day else None
    if form is None and listed and listed.kinds and reach.may_act(request):
        form = _hold_form(request, listed.kinds, now=now, initial=_a_day_later(day, listed))
    elif form:
        form.offer(listed.kinds)
    context = {
        "first": first,
        "before": first - timedelta(days=1),
        "after": (first + timedelta(days=31)).replace(day=1),
        "today": clock.today(now),
        "weeks": selectors.month(first, looked=looked, now=now),
        "day": day,
        "listed": listed,
        "form": form,
        "acts": selectors.latest_acts(organizations=within.organizations, departments=within.departments),
        "may_act": reach.may_act(request),
        "organizations": _houses(request),
    }
    return render(request, "office/releases.html", context, status=status)


def _hold_form(request: HttpRequest, kinds, *, now, **more) -> HoldForm:
    return HoldForm(more.pop("data", None), kinds=kinds, departments=_own(request), now=now, **more)


def _a_day_later(day: date, listed) -> dict:
    """As the office would mostly have it: the public numbers of that day, at their hour of the next."""
    moment = listed.columns[-1][0].astimezone(clock.ZONE)
    kinds = [Pool.Kind.PUBLIC] if Pool.Kind.PUBLIC in listed.kinds else listed.kinds
    return {"day": day, "kinds": kinds, "to_day": day + timedelta(days=1), "to_time": moment.time()}


def _tomorrow(now) -> dict:
    day = clock.today(now) + timedelta(days=1)
    return {"first_day": day, "last_day": day}


def _own(request: HttpRequest):
    """Departments that the acting office may choose."""
    within = reach.reach_of(request, *reach.ACTORS)
    rows = Department.objects.filter(organization__in=within.organizations, active=True)
    return (rows if within.departments is None else rows.filter(pk__in=within.departments)).order_by(
        "organization", "order", "code"
    )


def _departments(request: HttpRequest, form: MomentForm) -> list[int]:
    """None chosen: all of them."""
    return form.chosen_departments or [one.pk for one in _own(request)]


def _preview(request: HttpRequest, form: MomentForm, kind: str, chosen: list[int], *, now) -> BulkAct | None:
    """The act to be confirmed; None when there is nothing to do, and then the form says why."""
    houses = set(Schedule.objects.filter(pk__in=chosen).values_list("organization", flat=True).distinct())
    if not houses:
        form.add_error(None, _("所选的日子、科室和号池里，没有还能调整的号。请换一个范围。"))
        return None
    if len(houses) > 1:
        form.add_error("departments", _("一次只能办理一家机构，请只选同一家机构的科室。"))
        return None
    act = bulk.preview(
        kind=kind,
        organization=Organization.objects.get(pk__in=houses),
        schedules=chosen,
        params=form.params(),
        reason=form.cleaned_data["reason"],
        by=request.user,
        now=now,
    )
    if act.effect["schedules"]:
        return act
    why = {line["refusal"]["text"]: None for line in act.effect["lines"] if "refusal" in line}
    for text in list(why)[:3]:
        form.add_error("to_time", text)
    act.delete()
    return None


def _houses(request: HttpRequest):
    return Organization.objects.filter(pk__in=reach.reach_of(request).organizations)
