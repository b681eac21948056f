"""号源与预约规则: what holds today, what will and what did; writing, ending and withdrawing a rule."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import (
    RuleDayTaken,
    RuleDecidedToday,
    RuleInThePast,
    RuleTooFarAhead,
    TooManySchedules,
)
from appointments.forms.rules import FORMS, EndForm, ReshareForm, ShareRows, WhyForm, initial_of
from appointments.models import BulkAct, SupplyRule
from appointments.models.rules import Channel, Dated, Scoped
from appointments.policies import rules as policy
from appointments.selectors import rulebook
from appointments.services import bulk, ruling
from hospital import clock
from hospital.errors import NotAllowed, Refused
from hospital.models import Department, Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, Reach, may_act, reach_of

OF_THE_DAY = (RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead)
"""Refusals that the first day is to blame for."""


def house_of(request: HttpRequest, reach: Reach) -> Organization:
    """The house that is looked at: ?house=, else the first of one's reach."""
    houses = Organization.objects.filter(pk__in=reach.organizations).order_by("pk")
    said = request.GET.get("house", "")
    chosen = houses.filter(pk=said).first() if said.isdecimal() else None
    found = chosen or houses.first()
    if found is None:
        raise NotAllowed
    return found


def may_write(reach: Reach, rule: Dated) -> bool:
    """An office of one department writes rules of that department and of its doctors; the house's are the house's."""
    if rule.organization_id not in reach.organizations:
        return False
    if reach.departments is None:
        return True
    if not isinstance(rule, Scoped):
        return False
    if rule.department_id is not None:
        return rule.department_id in reach.departments
    return rule.role_id is not None and rule.role.department_id in reach.departments


@require_safe
@never_cache
@role_required(*READERS)
def rules(request: HttpRequest):
    """The lists, one kind at a time."""
    reach = reach_of(request)
    house, kind = house_of(request, reach), request.GET.get("kind", "supply")
    if kind not in rulebook.KINDS:
        kind = "supply"
    said = request.GET.get("department", "")
    department = int(said) if said.isdecimal() and len(said) < 19 else None
    if reach.departments is not None and department not in reach.departments:
        department = next(iter(sorted(reach.departments)), None)
    today = clock.today(clock.now())
    board = rulebook.board(kind, organization_id=house.pk, department=department, today=today)
    departments = Department.objects.filter(organization=house, active=True)
    if reach.departments is not None:
        departments = departments.filter(pk__in=reach.departments)
    context = {
        "kind": kind,
        "kinds": rulebook.KIND_NAMES,
        "house": house,
        "houses": _houses(reach),
        "board": board,
        "department": department,
        "departments": departments,
        "scoped": issubclass(rulebook.KINDS[kind], Scoped),
        "missing": _channels_without(board) if kind == "channel" else [],
        "may_act": may_act(request),
        "writable": {entry.rule.pk for entry in [*board.now, *board.coming] if may_write(reach, entry.rule)},
        "organizations": [house],
        "today": today,
    }
    return render(request, "office/rules.html", context)


def _houses(reach: Reach):
    return Organization.objects.filter(pk__in=reach.organizations).order_by("pk")


def _channels_without(board: rulebook.Board) -> list[tuple[str, str]]:
    held = {entry.rule.channel for entry in board.now}
    return [(value, label) for value, label in Channel.choices if value not in held]


def _rule(request: HttpRequest, kind: str, pk: int, *roles: str) -> tuple[Dated, Reach]:
    if kind not in rulebook.KINDS:
        raise Http404
    reach = reach_of(request, *roles)
    rows = rulebook.rows_of(rulebook.KINDS[kind]).filter(organization__in=reach.organizations)
    return get_object_or_404(rows, pk=pk), reach


@require_safe
@never_cache
@role_required(*READERS)
def rule(request: HttpRequest, kind: str, pk: int):
    """One rule: what it says, since when, who wrote it and why."""
    row, reach = _rule(request, kind, pk)
    return render(request, "office/rule.html", _shown(request, row, reach))


def _shown(request: HttpRequest, row: Dated, reach: Reach, **more) -> dict:
    now = clock.now()
    today = clock.today(now)
    before, after = rulebook.before_and_after(row)
    state = rulebook.state_of(row, today=today)
    acts = may_act(request) and may_write(reach_of(request, *ACTORS), row)
    supply = isinstance(row, SupplyRule)
    return {
        "rule": row,
        "kind": rulebook.kind_of(row),
        "kind_name": rulebook.KIND_NAMES[rulebook.kind_of(row)],
        "scope": rulebook.scope_name(row),
        "state": state,
        "words": rulebook.words_of(row),
        "shares": list(row.shares.all()) if supply else [],
        "on_line": policy.ever_on_line(row.shares.all()) if supply else None,
        "before": before,
        "after": after,
        "changed": rulebook.differences(rulebook.words_of(before), rulebook.words_of(row)) if before else [],
        "trail": rulebook.trail_of(row),
        "laid_out": rulebook.laid_out(row, now=now).count() if supply and state != "past" else 0,
        "may_change": acts and state != "past",
        "may_end": acts and state == "now" and getattr(row, "specificity", 0) > 0,
        "may_withdraw": acts and state == "coming",
        "reshare_form": ReshareForm(prefix="reshare", initial=_first_week(row, today)),
        "end_form": EndForm(initial={"last_day": today}),
        "withdraw_form": WhyForm(prefix="withdraw"),
        "organizations": [row.organization],
        "today": today,
        **more,
    }


MOST_AT_ONCE = 2_000
"""Schedules of one preview: about a week of a house of 200 doctors, some seconds. More lines nobody reads."""


def _first_week(row: Dated, today) -> dict:
    """The first week of the rule's days."""
    first = max(row.effective_from, today)
    last = first + timedelta(days=6)
    return {"first": first, "last": min(last, row.effective_to) if row.effective_to else last}


@require_POST
@role_required(*ACTORS)
def rule_reshare(request: HttpRequest, pk: int):
    """Preview what the free numbers of laid-out schedules would become by this rule; the act's page confirms it."""
    row, reach = _rule(request, "supply", pk, *ACTORS)
    if not may_write(reach, row):
        raise NotAllowed
    now = clock.now()
    form = ReshareForm(request.POST, prefix="reshare")
    if form.is_valid():
        said = form.cleaned_data
        days = (said["first"], said["last"])
        schedules = list(rulebook.laid_out(row, now=now).filter(day__range=days).values_list("pk", flat=True))
        try:
            if len(schedules) > MOST_AT_ONCE:
                raise TooManySchedules(count=len(schedules), most=MOST_AT_ONCE)
            act = bulk.preview(
                kind=BulkAct.Kind.RESHARE, organization=row.organization, schedules=schedules,
                params={"rule": row.pk}, reason=said["why"], by=request.user, now=now,
            )  # fmt: skip
        except Refused as refusal:
            form.add_error("last", refusal.in_full)
        else:
            return redirect("appointments:office_act", act.pk)
    return render(request, "office/rule.html", _shown(request, row, reach, reshare_form=form), status=422)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def rule_new(request: HttpRequest, kind: str):
    """A new rule, or the change of one (?base=): the same form, what was typed is kept whatever is wrong with it."""
    if kind not in rulebook.KINDS:
        raise Http404
    reach = reach_of(request, *ACTORS)
    base = _base(request, kind, reach)
    house = base.organization if base else house_of(request, reach)
    if reach.departments is not None and not issubclass(rulebook.KINDS[kind], Scoped):
        raise NotAllowed
    form = _form(request, kind, base=base, house=house, reach=reach)
    more = "more" in request.POST
    if request.method == "POST" and not more and form.is_valid():
        try:
            draft = form.draft()
            written = ruling.write(
                rule=draft, shares=form.shares(), by=request.user, now=clock.now(),
                seen=form.cleaned_data["seen"], why=form.cleaned_data["why"],
            )  # fmt: skip
        except Refused as refusal:
            form.add_error("effective_from" if isinstance(refusal, OF_THE_DAY) else None, refusal.in_full)
        else:
            messages.success(request, _("规则已保存，从 %(day)s 起生效。") % {"day": f"{written.effective_from:%m-%d}"})
            return redirect("appointments:office_rule", kind, written.pk)
    context = {
        "form": form,
        "kind": kind,
        "kind_name": rulebook.KIND_NAMES[kind],
        "base": base,
        "scope": rulebook.scope_name(base) if base else "",
        "house": house,
        "organizations": [house],
    }
    refused = request.method == "POST" and not more
    return render(request, "office/rule_form.html", context, status=422 if refused else 200)


def _base(request: HttpRequest, kind: str, reach: Reach) -> Dated | None:
    said = request.GET.get("base", "")
    if not said.isdecimal():
        return None
    row, _reach = _rule(request, kind, int(said), *ACTORS)
    if not may_write(reach, row):
        raise NotAllowed
    return row


def _form(request: HttpRequest, kind: str, *, base: Dated | None, house: Organization, reach: Reach):
    today = clock.today(clock.now())
    data = request.POST if request.method == "POST" else None
    terms = {"organization": house, "base": base, "today": today, "departments": reach.departments}
    if kind == "supply":
        terms["rows"] = _share_rows(data, base, house)
    return FORMS[kind](data, initial=_initial(request, kind, base, today), **terms)


def _initial(request: HttpRequest, kind: str, base: Dated | None, today) -> dict:
    initial = {"effective_from": today + timedelta(days=1)}
    if base is None:
        model = rulebook.KINDS[kind]
        plain = {each.name: each.default for each in model._meta.fields if each.has_default()}
        return initial | plain | {"channel": request.GET.get("channel", "")}
    columns = {each.name: getattr(base, each.attname) for each in base._meta.fields}
    columns.pop("effective_to")
    return columns | initial | {"seen": ruling.latest(base)}


def _share_rows(data, base: SupplyRule | None, house: Organization):
    """Bound rows keep what was typed; `more` only asks for two rows more."""
    if data is not None:
        if "more" in data:
            data = data.copy()
            total = data.get("share-TOTAL_FORMS", "")
            data["share-TOTAL_FORMS"] = str(int(total) + 2 if total.isdecimal() and len(total) < 4 else 2)
        return ShareRows(data, prefix="share", form_kwargs={"organization": house})
    initial = [initial_of(share) for share in base.shares.all()] if base else []
    return ShareRows(prefix="share", initial=initial, form_kwargs={"organization": house})


@require_POST
@role_required(*ACTORS)
def rule_end(request: HttpRequest, kind: str, pk: int):
    """The last day of a department's, service's or doctor's rule."""
    row, reach = _rule(request, kind, pk, *ACTORS)
    if not may_write(reach, row):
        raise NotAllowed
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            ruling.end(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error("last_day", refusal.in_full)
        else:
            messages.success(request, _("已记下最后一天，之后按上一级的规则。"))
            return redirect("appointments:office_rule", kind, pk)
    return render(request, "office/rule.html", _shown(request, row, reach, end_form=form), status=422)


@require_POST
@role_required(*ACTORS)
def rule_withdraw(request: HttpRequest, kind: str, pk: int):
    """Take a rule back before it begins."""
    row, reach = _rule(request, kind, pk, *ACTORS)
    if not may_write(reach, row):
        raise NotAllowed
    form = WhyForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            before = ruling.withdraw(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已撤销，原来的规则继续有效。"))
            if before:
                return redirect("appointments:office_rule", kind, before.pk)
            return redirect(f"{reverse('appointments:office_rules')}?kind={kind}&house={row.organization_id}")
    return render(request, "office/rule.html", _shown(request, row, reach, withdraw_form=form), status=422)
