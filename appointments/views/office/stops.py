"""停诊替诊: requests to decide on, what is running, one board, and a new order with its preview (B13, O9)."""

from collections.abc import Collection
from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import NothingToStop, PreviewStale
from appointments.forms.stops import DecideForm, Picks, StopForm, UndoForm, WhyForm
from appointments.models import Schedule, Suspension
from appointments.selectors.stops import board, mine, preview, scope
from appointments.services import stops as service
from appointments.services.stops.orders import Wish
from hospital import clock
from hospital.errors import Refused
from hospital.models import Department, Organization, Practitioner, Room
from hospital.permissions import role_required

from .reach import ACTORS, READERS, Reach, may_act, reach_of
from .stop_reach import cases_within, covers, stop_seen, stop_to_act_on

PAGE = 30
AT_ONCE = 20
"""Sessions that are carried out while the office waits; the job does the rest of a large order within a minute."""

MOST = 400
"""Sessions of one order: each has two fields in the form, and a request holds at most a thousand."""

Status = Suspension.Status


def _frame(reach: Reach) -> dict:
    return {"organizations": Organization.objects.filter(pk__in=reach.organizations)}


@require_safe
@never_cache
@role_required(*READERS)
def stops(request: HttpRequest):
    """Requests first; then what runs or ran, the latest on top."""
    now, reach = clock.now(), reach_of(request)
    rows = board.within(reach.organizations, reach.departments)
    decided = rows.exclude(status__in=[Status.REQUESTED, Status.WITHDRAWN]).order_by("-decided_at", "-pk")
    page = Paginator(decided, PAGE).get_page(request.GET.get("page"))
    asked = list(rows.filter(status=Status.REQUESTED).order_by("first_day", "pk"))
    context = _frame(reach) | {
        "requests": [{"stop": row, "sessions": len(scope.waiting(row, now=now))} for row in asked],
        "page": page,
        "lines": board.lines_of(list(page), now=now),
        "to_call": board.to_call(reach.organizations, reach.departments, now=now).count(),
        "may_act": may_act(request),
    }
    return render(request, "office/stops.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def stop(request: HttpRequest, pk: int):
    """One order: a request with its preview, else sessions and patients as they are now."""
    row = stop_seen(request, pk)
    return _show(request, row)


def _show(request: HttpRequest, row: Suspension, *, refusal: Refused | None = None, picks: Picks | None = None):
    now, reach = clock.now(), reach_of(request)
    acts = may_act(request) and covers(reach_of(request, *ACTORS), row)
    [line] = board.lines_of([row], now=now)
    context = _frame(reach) | {"stop": row, "line": line, "may_act": acts, "refusal": refusal, "now": now}
    if row.status == Status.REQUESTED:
        context["preview"] = _preview(scope.ahead(row, now=now), row.practitioner_id, picks=picks, now=now)
        context["rooms"] = _rooms(context["preview"])
    else:
        cases = cases_within(reach, row).order_by("appointment__start", "pk")
        context["sessions"] = board.sessions_of(row)
        context["cases"] = board.case_lines(cases, now=now)
        context["problems"] = _problems(row)
    status = refusal.status if refusal else 200
    template = "office/_stop_board.html" if _only_board(request) else "office/stop.html"
    return render(request, template, context, status=status)


def _only_board(request: HttpRequest) -> bool:
    return bool(request.htmx) and request.htmx.target == "board"


def _problems(row: Suspension) -> list[dict]:
    """What could not be done, with whoever else is free."""
    known = {int(pk): sentence for pk, sentence in row.problems.items()}
    schedules = Schedule.objects.filter(pk__in=known).select_related(*scope.RELATED).order_by("starts_at")
    return [{"schedule": each, "why": known[each.pk]} for each in schedules]


def _preview(schedules, practitioner, *, picks: Picks | None, now, first_free=False) -> preview.Preview:
    shown = preview.of(schedules, practitioner=practitioner, now=now)
    for each in shown.sessions:
        each.chosen, each.room = (picks or {}).get(each.schedule.pk, (None, None))
        if first_free and picks is None and each.choice.free:
            each.chosen = each.choice.free[0].role.pk
    return shown


def _rooms(shown: preview.Preview) -> dict[int, list[Room]]:
    """Department → its rooms: where a substitute may sit instead."""
    departments = {each.schedule.department_id for each in shown.sessions}
    found: dict[int, list[Room]] = {}
    for room in Room.objects.filter(department__in=departments, active=True).order_by("code"):
        found.setdefault(room.department_id, []).append(room)
    for each in shown.sessions:
        each.rooms = [room for room in found.get(each.schedule.department_id, []) if room.pk != each.schedule.room_id]
    return found


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def new(request: HttpRequest):
    """Choose, look at who is touched and what they will be told, then do it. `schedule` in the address: these sessions
    (from the week); else a doctor or a department over days."""
    now, reach = clock.now(), reach_of(request, *ACTORS)
    data = request.POST if request.method == "POST" else request.GET
    named = _named(data, reach)
    form = None if named else _form(data, reach, today=clock.today(now))
    context = _frame(reach) | {"form": form, "why": WhyForm(request.POST or None), "named": named}
    if form is not None and not form.is_bound:
        return render(request, "office/stop_new.html", context)
    if form is not None and not form.is_valid():
        return render(request, "office/stop_new.html", context, status=422 if request.method == "POST" else 200)
    schedules = named or _in_scope(form.cleaned_data, reach)
    schedules = [each for each in schedules if each.ends_at > now]
    if form is not None and len(schedules) > MOST:
        form.add_error("last", _("一次最多选 %(most)s 个出诊单元，请分几次做。") % {"most": MOST})
        return render(request, "office/stop_new.html", context, status=422 if request.method == "POST" else 200)
    picks = Picks.of(request.POST, [each.pk for each in schedules]) if request.method == "POST" else None
    if request.method == "POST" and context["why"].is_valid():
        try:
            return _order(request, form, schedules, picks, reach, now=now)
        except Refused as refusal:
            context |= {"refusal": refusal, "status": refusal.status}
    practitioner = form.cleaned_data["practitioner"] if form else None
    shown = _preview(schedules, practitioner, picks=picks, now=now, first_free=data.get("act") == "substitute")
    context |= {"preview": shown, "rooms": _rooms(shown), "act": data.get("act", ""), "may_act": True}
    status = context.get("status") or (422 if request.method == "POST" else 200)
    return render(request, "office/stop_new.html", context, status=status)


def _named(data, reach: Reach) -> list[Schedule]:
    ids = [int(text) for text in data.getlist("schedule") if text.isdecimal() and len(text) < 18]
    rows = Schedule.objects.filter(reach.schedules, pk__in=ids[:300]).select_related(*scope.RELATED)
    return list(rows.order_by("starts_at", "pk")) if ids else []


def _form(data, reach: Reach, *, today) -> StopForm:
    departments = Department.objects.filter(organization__in=reach.organizations, active=True)
    doctors = Practitioner.objects.filter(organization__in=reach.organizations, active=True)
    if reach.departments is not None:
        departments = departments.filter(pk__in=reach.departments)
        doctors = doctors.filter(roles__department__in=reach.departments).distinct()
    return StopForm(
        data if any(name in data for name in ("first", "practitioner", "department")) else None,
        today=today,
        practitioners=[
            (row.pk, f"{row.name} · {row.title} {row.code}") for row in doctors.order_by("pinyin", "name", "pk")
        ],
        departments=[(row.pk, row.name) for row in departments.order_by("order", "code")],
        initial={"first": today + timedelta(days=1)},
    )


def _in_scope(said: dict, reach: Reach) -> list[Schedule]:
    found = []
    for organization in sorted(reach.organizations):
        rows = scope.in_scope(
            organization=organization,
            practitioner=said["practitioner"],
            department=said["department"],
            first=said["first"],
            last=said["last"],
            half=said["half"],
        )
        found += rows.filter(reach.schedules).select_related(*scope.RELATED).order_by("starts_at", "pk")
    return found


def _order(request: HttpRequest, form: StopForm | None, schedules, picks: Picks, reach: Reach, *, now):
    """Named sessions by id; days by their scope, so that what is laid out later is stopped, too."""
    why = WhyForm(request.POST)
    why.is_valid()
    wishes = _wishes(form, schedules, picks, reach, **why.cleaned_data)
    seen = request.POST.get("seen", "")
    orders = service.stop_each(wishes=wishes, by=request.user, now=now, seen=seen, most=AT_ONCE)
    _say_done(request, orders, now=now)
    if len(orders) > 1:
        return redirect("appointments:office_stops")
    return redirect("appointments:office_stop", orders[0].pk)


def _wishes(form: StopForm | None, schedules: list[Schedule], picks: Picks, reach: Reach, *, cause, reason):
    """One for each house: those with sessions, and with days those where more may be laid out later."""
    by_house: dict[int, list[Schedule]] = {}
    for each in schedules:
        by_house.setdefault(each.organization_id, []).append(each)
    if form is not None:
        for house in _houses(form, reach, found=by_house.keys()):
            by_house.setdefault(house, [])
    return [
        _wish(form, house, rows, picks, reach, cause=cause, reason=reason) for house, rows in sorted(by_house.items())
    ]


def _houses(form: StopForm, reach: Reach, *, found: Collection[int]) -> set[int]:
    """Of days: where the doctor or the department may have sessions that are not laid out yet."""
    said = form.cleaned_data
    if reach.departments is not None:
        return set() if found else {_only_department(reach).organization_id}
    if said["department"]:
        return {Department.objects.get(pk=said["department"]).organization_id}
    doctor = Practitioner.objects.get(pk=said["practitioner"])
    return reach.organizations & set(mine.houses_of(doctor, first=said["first"], last=said["last"]))


def _wish(
    form: StopForm | None, house: int, schedules: list[Schedule], picks: Picks, reach: Reach, *, cause, reason
) -> Wish:
    whole = reach.departments is None and form is not None
    days = [each.day for each in schedules]
    said = form.cleaned_data if form else {}
    doctors = {each.role.practitioner_id if each.role_id else None for each in schedules}
    departments = {each.department_id for each in schedules}
    one_doctor = doctors.pop() if len(doctors) == 1 else None
    one_department = departments.pop() if len(departments) == 1 and not one_doctor else None
    department = said.get("department") if form else one_department
    if not schedules and not whole:
        department = department or _only_department(reach).pk
    return Wish(
        organization=house,
        first_day=said.get("first") or min(days, default=None),
        last_day=said.get("last") or max(days, default=None),
        half=said.get("half", ""),
        cause=cause,
        reason=reason,
        practitioner=said.get("practitioner") if form else one_doctor,
        department=department,
        schedules=() if whole else tuple(each.pk for each in schedules),
        substitutes={each.pk: picks[each.pk] for each in schedules if each.pk in picks},
    )


def _only_department(reach: Reach) -> Department:
    """Nothing is laid out in reach: then an order by a doctor's days alone would be one over the whole house."""
    if len(reach.departments) != 1:
        raise NothingToStop()
    return Department.objects.get(pk__in=reach.departments)


def _say_done(request: HttpRequest, orders: list[Suspension], *, now) -> None:
    lines = board.lines_of(orders, now=now)
    cases, left, problems = (
        sum(line.cases for line in lines),
        sum(line.left for line in lines),
        sum(len(order.problems) for order in orders),
    )
    told = ngettext("已给 %(n)s 位患者发出选择。", "已给 %(n)s 位患者发出选择。", cases) % {"n": cases}
    messages.success(request, _("已办 %(done)s 个出诊单元。") % {"done": sum(line.sessions for line in lines)} + told)
    if problems:
        messages.warning(request, _("有 %(n)s 个出诊单元没有办成，原因在下面。") % {"n": problems})
    elif left:
        messages.info(request, _("还有 %(n)s 个出诊单元，一分钟内自动接着办。") % {"n": left})


@require_POST
@role_required(*ACTORS)
def decide(request: HttpRequest, pk: int):
    """批准 or 驳回 a doctor's request."""
    row, now, form = stop_to_act_on(request, pk), clock.now(), DecideForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    picks = Picks.of(request.POST, [each.pk for each in scope.ahead(row, now=now)])
    try:
        if request.POST.get("decision") == "reject":
            service.reject(order=row, by=request.user, reason=reason, now=now)
            messages.success(request, _("已驳回，申请人会在“我的出诊”看到原因。"))
            return redirect("appointments:office_stops")
        order = service.approve(
            order=row,
            by=request.user,
            decision=reason,
            seen=request.POST.get("seen", ""),
            substitutes=dict(picks),
            most=AT_ONCE,
            now=now,
        )
    except PreviewStale as refusal:
        return _show(request, row, refusal=refusal, picks=picks)
    except Refused as refusal:
        return _show(request, stop_seen(request, pk), refusal=refusal, picks=picks)
    _say_done(request, [order], now=now)
    return redirect("appointments:office_stop", order.pk)


@require_POST
@role_required(*ACTORS)
def undo(request: HttpRequest, pk: int):
    """恢复 the whole order, or one session of it."""
    row, now, form = stop_to_act_on(request, pk), clock.now(), UndoForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {"reason": "", "schedule": None}
    try:
        order = service.undo(order=row, by=request.user, why=said["reason"], only=said["schedule"], now=now)
    except Refused as refusal:
        return _show(request, row, refusal=refusal)
    stuck = order.sessions.filter(stands=True).exclude(problem="").count()
    if stuck:
        messages.warning(request, _("有 %(n)s 个出诊单元没能恢复，原因在下面。") % {"n": stuck})
    else:
        messages.success(request, _("已恢复；已经收到停诊通知的患者会收到“照常就诊”的消息。"))
    return redirect("appointments:office_stop", order.pk)


@require_POST
@role_required(*ACTORS)
def retry(request: HttpRequest, pk: int):
    """What could not be done: again, now as a plain stop."""
    row = stop_to_act_on(request, pk)
    try:
        order = service.retry(order=row, by=request.user, now=clock.now())
    except Refused as refusal:
        return _show(request, row, refusal=refusal)
    _say_done(request, [order], now=clock.now())
    return redirect("appointments:office_stop", order.pk)
