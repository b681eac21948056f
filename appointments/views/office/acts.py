"""批量操作: from the selection to a preview, the confirmation, ten minutes to take it back, and the record of all."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import ActSettled, PreviewStale
from appointments.forms.bulk import FORMS, ActsForm
from appointments.models import BulkAct, Schedule, SupplyRule
from appointments.selectors import acts as selectors
from appointments.services import bulk
from hospital import clock
from hospital.models import Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, may_act, reach_of

MOST = 300
"""Sessions in one act by selection: what can still be read before it is confirmed."""

MOST_STOPPED = 200
"""Their ids go on in the address, which a server takes up to 4,094 characters of."""

PAGE = 30
RELEASES = (BulkAct.Kind.HOLD_RELEASE, BulkAct.Kind.EXTRA_RELEASE)
STOPS = ("stop", "substitute")
"""Done on the pages of stops, which ask for the cause and tell the patients."""


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def new(request: HttpRequest):
    """What was selected and what is to be done with it; sent again with the figures, its preview."""
    chosen = _chosen(request)
    kind = request.POST.get("kind", "")
    if request.method == "GET" or not chosen:
        return _back(request, _("没有选中出诊单元。请先在周表里选中，再选一种操作。"))
    most = MOST_STOPPED if kind in STOPS else MOST
    if len(chosen) > most:
        return _back(request, _("一次最多选 %(most)s 个出诊单元，请分几次做。") % {"most": most})
    if len({one.organization_id for one in chosen}) > 1:
        return _back(request, _("选中的出诊单元属于几家机构，请一家一家做。"))
    if kind in STOPS:
        wanted = [("act", kind), *(("schedule", one.pk) for one in chosen)]
        return redirect(f"{reverse('appointments:office_stop_new')}?{urlencode(wanted)}")
    if kind not in FORMS:
        raise Http404
    organization = chosen[0].organization
    form = FORMS[kind](request.POST if "sent" in request.POST else None, organization=organization)
    if form.is_valid():
        act = bulk.preview(
            kind=kind,
            organization=organization,
            schedules=chosen,
            params=form.params(),
            reason=form.cleaned_data["reason"],
            by=request.user,
            now=clock.now(),
        )
        return redirect("appointments:office_act", act.pk)
    context = {"form": form, "kind": kind, "title": BulkAct.Kind(kind).label, "chosen": chosen, "back": _week(chosen)}
    context |= {"organizations": [organization], "kept": request.POST.get("kept", "")}
    return render(request, "office/act_new.html", context, status=422 if form.errors else 200)


def _chosen(request: HttpRequest) -> list[Schedule]:
    """Within reach, all of them: a guessed id is answered as if it were not there."""
    pks = {int(pk) for pk in request.POST.getlist("schedule") if pk.isdecimal() and len(pk) < 19}
    rows = Schedule.objects.filter(reach_of(request, *ACTORS).schedules, pk__in=pks)
    related = ("organization", "role__practitioner", "team", "service", "department")
    found = list(rows.select_related(*related).order_by("department__order", "day", "starts_at", "pk"))
    if len(found) != len(pks):
        raise Http404
    return found


def _back(request: HttpRequest, why: str):
    """To the week as it was looked at. `kept` is its filters only: never another address."""
    messages.warning(request, why)
    kept = request.POST.get("kept", "")
    return redirect(f"{reverse('appointments:office_week')}?{kept}")


def _week(schedules: list[Schedule]) -> str:
    day = schedules[0].day if schedules else None
    return reverse("appointments:office_week") + (f"?week={day}&schedule={schedules[0].pk}" if day else "")


def _begun_at(act: BulkAct, schedules: list[Schedule]) -> dict:
    """Where the act was begun, and what the link to it says: the release calendar, the rule, or the week."""
    if act.kind in RELEASES:
        day = act.params.get("day") or clock.today(datetime.fromisoformat(act.params["moment"]))
        return {"back": reverse("appointments:office_releases") + f"?day={day}", "back_says": _("回放号日历")}
    if act.kind != BulkAct.Kind.RESHARE:
        return {"back": _week(schedules), "back_says": _("回周表")}
    rule = act.params["rule"]
    if SupplyRule.objects.filter(pk=rule).exists():
        return {"back": reverse("appointments:office_rule", args=["supply", rule]), "back_says": _("回这条规则")}
    rules = f"?kind=supply&house={act.organization_id}"
    return {"back": reverse("appointments:office_rules") + rules, "back_says": _("回规则表")}


def _act(request: HttpRequest, pk: int, *roles: str) -> BulkAct:
    reach = reach_of(request, *roles)
    rows = selectors.acts_within(organizations=reach.organizations, departments=reach.departments)
    return get_object_or_404(rows, pk=pk)


def _may_act_on(request: HttpRequest, act: BulkAct) -> bool:
    """Every session of it must be within reach; nobody confirms a colleague's preview."""
    if not may_act(request) or (act.status == BulkAct.Status.PREVIEWED and act.by_id != request.user.pk):
        return False
    rows = Schedule.objects.filter(pk__in=act.schedules)
    reached = rows.filter(reach_of(request, *ACTORS).schedules)
    return rows.count() == reached.count()


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*READERS)
def one(request: HttpRequest, pk: int):
    """The preview, and once confirmed what was done."""
    act = _act(request, pk)
    if act.kind == BulkAct.Kind.RETIME:  # its own page: it is done session by session, and takes a while
        return redirect("appointments:office_retime", pk)
    if request.method == "GET":
        return _show(request, act)
    if not _may_act_on(request, act):
        raise Http404
    now = clock.now()
    try:
        done = bulk.apply(act=act, by=request.user, now=now)
    except PreviewStale as stale:
        return _show(request, bulk.look_again(act=act, now=now), stale=stale, status=409)
    except ActSettled:
        return redirect("appointments:office_act", pk)  # confirmed twice: the page says what was done
    count = done.effect["schedules"]
    said = ngettext("已执行：%(count)s 个出诊单元。", "已执行：%(count)s 个出诊单元。", count) % {"count": count}
    messages.success(request, said)
    return redirect("appointments:office_act", pk)


def _show(request: HttpRequest, act: BulkAct, *, stale: PreviewStale | None = None, status: int = 200):
    now, reach = clock.now(), reach_of(request)
    lines = [line for line in selectors.lines_of(act) if line.schedule is None or reach.covers(line.schedule)]
    allowed = _may_act_on(request, act)
    context = {
        "act": act,
        "done": [line for line in lines if not line.refusal],
        "refused": [line for line in lines if line.refusal],
        "kept": selectors.kept_of(act),
        "stale": stale,
        "may_confirm": allowed and act.status == BulkAct.Status.PREVIEWED and act.effect["schedules"],
        "not_mine": act.status == BulkAct.Status.PREVIEWED and act.by_id != request.user.pk,
        "may_undo": allowed and selectors.may_still_be_undone(act, now=now),
        "now": now,
        **_begun_at(act, [line.schedule for line in lines if line.schedule]),
        "organizations": [act.organization],
    }
    return render(request, "office/act.html", context, status=status)


@require_POST
@never_cache
@role_required(*ACTORS)
def undo(request: HttpRequest, pk: int):
    act = _act(request, pk, *ACTORS)
    if act.kind == BulkAct.Kind.RETIME:
        return redirect("appointments:office_retime", pk)
    if not _may_act_on(request, act):
        raise Http404
    kept = bulk.undo(act=act, by=request.user, now=clock.now())
    if kept:
        messages.warning(request, _("已撤销，有 %(count)s 处没能还原，见下表。") % {"count": len(kept)})
    else:
        messages.success(request, _("已撤销，全部还原。"))
    return redirect("appointments:office_act", pk)


@require_safe
@never_cache
@role_required(*READERS)
def acts(request: HttpRequest):
    """批量操作记录, newest first."""
    now = clock.now()
    reach = reach_of(request)
    form = ActsForm(request.GET)
    rows = selectors.acts_within(organizations=reach.organizations, departments=reach.departments)
    page = Paginator(selectors.narrowed(rows, **form.said()), PAGE).get_page(request.GET.get("page"))
    running = {act.pk for act in page if selectors.may_still_be_undone(act, now=now)}
    context = {
        "form": form,
        "page": page,
        "undoable": {act.pk for act in page if act.pk in running and _may_act_on(request, act)},
        "now": now,
        "organizations": Organization.objects.filter(pk__in=reach.organizations),
    }
    return render(request, "office/acts.html", context)
