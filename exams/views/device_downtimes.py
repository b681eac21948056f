"""停机 (E1, E10): the list, a new one with what it touches, its board, and bringing the device up sooner."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.forms.devices import DowntimeForm, WeekForm
from exams.models import Device, Downtime, ExamBooking
from exams.selectors import device_cases as selectors
from exams.selectors.holding import holding
from exams.services import devices as service
from hospital import audit, clock
from hospital.errors import Refused
from hospital.permissions import role_required

from . import device_reach as reach

PAGE = 30


@require_safe
@never_cache
@role_required(*reach.READERS)
def downtimes(request: HttpRequest) -> HttpResponse:
    now, within = clock.now(), reach.within(request)
    rows = Downtime.objects.filter(reach.of("device", within)).select_related("device__room", "by", "ended_by")
    page = Paginator(rows.order_by("-created_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": selectors.lines_of(list(page), now=now),
        "to_call": len(selectors.to_call(within, now=now)),
        "may_act": reach.may(request, *reach.ACTORS),
        "now": now,
        **reach.frame(request),
    }
    return render(request, "exams/devices/downtimes.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.ACTORS)
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """First looked at, then done: how many patients are touched is said before anybody is told."""
    device, now = reach.device(request, pk, *reach.ACTORS), clock.now()
    day = WeekForm(request.GET).said("day") or clock.today(now)
    initial = DowntimeForm.initial_for(day=max(day, clock.today(now)), now=now)
    form = DowntimeForm(request.POST if request.method == "POST" else None, initial=initial)
    looked = None
    if request.method == "POST" and form.is_valid():
        if "sure" not in request.POST:
            looked = _touched(device, form, now=now)
        elif down := _taken_down(request, device, form):
            return redirect("exams:downtime", down.pk)
    context = {"device": device, "form": form, "looked": looked, "day": day, **reach.frame(request)}
    return render(request, "exams/devices/downtime_new.html", context, status=422 if form.errors else 200)


def _touched(device: Device, form: DowntimeForm, *, now) -> dict | None:
    """Who would be asked. What cannot be is said at once."""
    during = form.cleaned_data["during"]
    rows = ExamBooking.objects.filter(holding(now), device=device, during__overlap=during)
    found = list(rows.values_list("status", "patient"))
    states = [state for state, _patient in found]
    asked = len({patient for state, patient in found if state in ("booked", "arrived", "called")})
    return {"asked": asked, "pending": states.count("pending"), "running": states.count("running"), "during": during}


def _taken_down(request: HttpRequest, device: Device, form: DowntimeForm) -> Downtime | None:
    said, now = form.cleaned_data, clock.now()
    try:
        down = service.take_down(
            device=device, during=said["during"], cause=said["cause"], reason=said["reason"], by=request.user, now=now
        )
    except Refused as refusal:
        if same := _same(request, device, form):
            return same
        form.add_error(None, refusal.in_full)
        return None
    count = down.cases.values("patient").distinct().count()
    messages.success(
        request,
        ngettext(
            "已登记停机，正在为 %(n)s 位患者保留新时间并通知。",
            "已登记停机，正在为 %(n)s 位患者保留新时间并通知。",
            count,
        )
        % {"n": count},
    )
    return down


def _same(request: HttpRequest, device: Device, form: DowntimeForm) -> Downtime | None:
    """A double click: what the first one has just registered."""
    rows = Downtime.objects.filter(device=device, stands=True, ended_at=None, by=request.user)
    return rows.filter(during=form.cleaned_data["during"], cause=form.cleaned_data["cause"]).first()


@require_safe
@never_cache
@role_required(*reach.READERS)
def downtime(request: HttpRequest, pk: int) -> HttpResponse:
    """The board: everybody answered? Asks for itself every five seconds while somebody is still to answer."""
    row, now = reach.downtime(request, pk), clock.now()
    [line] = selectors.lines_of([row], now=now)
    lines = selectors.case_lines(row.cases.all(), now=now)
    fragment = request.htmx and not request.htmx.boosted
    if lines and not fragment:
        audit.record(
            action="downtime.patients_listed", actor=request.user, now=now, request=request,
            subject=f"downtime:{row.pk}", detail={"patients": len(lines)},
        )  # fmt: skip
    context = {
        "down": row,
        "line": line,
        "cases": lines,
        "may_lift": reach.may(request, *reach.ACTORS) and _may_lift(row, now=now),
        "now": now,
        **reach.frame(request),
    }
    template = "exams/devices/_downtime_board.html" if fragment else "exams/devices/downtime.html"
    return render(request, template, context)


def _may_lift(row: Downtime, *, now) -> bool:
    return row.stands and not row.ended_at and row.during.upper > now


@require_POST
@role_required(*reach.ACTORS)
def up(request: HttpRequest, pk: int) -> HttpResponse:
    row = reach.downtime(request, pk, *reach.ACTORS)
    try:
        lifted = service.bring_up(downtime=row, by=request.user, now=clock.now())
    except Refused as refusal:
        messages.error(request, refusal.in_full)
        return redirect("exams:downtime", pk)
    said = _("设备已恢复：%(back)s 位患者仍按原时间检查。") % {"back": len(lifted.back)}
    if lifted.left:
        said += _("%(left)s 位的原时间已过或已被占用，仍等答复。") % {"left": len(lifted.left)}
    messages.success(request, said)
    return redirect("exams:downtime", pk)
