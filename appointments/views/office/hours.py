"""作息时间 (O8): the half-days of each campus by season; a new period with what it does to what is laid out."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import HoursAsBefore, HoursGap, HoursOverlap, PreviewStale
from appointments.forms.hours import PeriodForm
from appointments.models import BulkAct
from appointments.services import retiming
from appointments.services.importing.uploads import refuse_part_of_a_house
from hospital import audit, clock, masking
from hospital.errors import NotAllowed
from hospital.models import Campus, HalfDay, Organization, Role
from hospital.permissions import role_required

from . import reach

LATEST = 20
"""Acts that the page lists; all of them are among the bulk acts."""

BLOCKED = {
    "too_many_numbers": _("时间缩短后放不下这么多号。请先减少号数。"),
    "doctor_elsewhere": _("医生那个时间在另一处出诊。请先调整那一处。"),
    "room_taken": _("诊室那个时间有另一场出诊。请先换诊室。"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.READERS)
def hours(request: HttpRequest) -> HttpResponse:
    mine, now = reach.reach_of(request), clock.now()
    form = None
    if reach.may_act(request) and mine.departments is None:
        houses = reach.reach_of(request, Role.OFFICE).organizations
        form = PeriodForm(request.POST or None, organizations=houses, today=clock.today(now))
        if request.method == "POST" and form.is_valid():
            try:
                act = retiming.look(wanted=form.wanted(), by=request.user, now=now)
                return redirect("appointments:office_retime", act.pk)
            except (HoursAsBefore, HoursGap, HoursOverlap) as refusal:
                form.add_error(None, refusal.in_full)
    elif request.method == "POST":
        refuse_part_of_a_house(mine.departments)
        raise NotAllowed
    campuses = Campus.objects.filter(organization__in=mine.organizations, active=True)
    acts = BulkAct.objects.filter(kind=BulkAct.Kind.RETIME, organization__in=mine.organizations).select_related("by")
    context = {
        "form": form,
        "pairs": [(form[f"{half}_starts"], form[f"{half}_ends"]) for half in HalfDay.values] if form else [],
        "campuses": [_campus(one, clock.today(now)) for one in campuses.order_by("organization", "code")],
        "acts": acts.exclude(status=BulkAct.Status.PREVIEWED).order_by("-created_at")[:LATEST],
        "organizations": Organization.objects.filter(pk__in=mine.organizations),
    }
    return render(request, "office/hours.html", context, status=422 if form and form.errors else 200)


def _campus(campus: Campus, today) -> dict:
    """What holds now and what is to come: what is over is history."""
    found = retiming.hours_now(campus)
    lines = [
        {"half": HalfDay(half).label, "period": one, "now": one.first <= today}
        for half in HalfDay.values
        for one in found[half]
        if one.end >= today
    ]
    return {"campus": campus, "lines": lines}


def _act(request: HttpRequest, pk: int, *roles: str) -> BulkAct:
    rows = BulkAct.objects.select_related("organization", "by", "undone_by")
    mine = reach.reach_of(request, *roles)
    refuse_part_of_a_house(mine.departments)
    return get_object_or_404(rows, pk=pk, kind=BulkAct.Kind.RETIME, organization__in=mine.organizations)


@require_safe
@never_cache
@role_required(*reach.READERS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """The preview; while it runs how far it is; then what came of it, and who is to be called."""
    act, now = _act(request, pk), clock.now()
    outcome = retiming.outcome_of(act)
    running = act.params.get("running", False)
    if outcome.left and not running:
        shown = [row.patient_id for row in outcome.left]
        audit.record(
            action="retime.patients_listed", actor=request.user, now=now, subject=f"bulkact:{act.pk}",
            detail={"patients": len(shown)}, request=request,
        )  # fmt: skip
    context = {
        "act": act,
        "outcome": outcome,
        "blocked": [(row, BLOCKED[code]) for row, code in outcome.blocked],
        "left": [(row, masking.name(row.patient.name), masking.phone(row.patient.phone)) for row in outcome.left],
        "campus": Campus.objects.get(pk=act.params["campus"]),
        "halves": [(HalfDay(half).label, *span) for half, span in act.params["halves"].items()],
        "running": running,
        "may_act": reach.may_act(request),
        "may_start": reach.may_act(request) and act.by_id == request.user.pk,
        "may_undo": act.status == BulkAct.Status.DONE and bool(act.undo_until) and act.undo_until >= now,
        "organizations": [act.organization],
    }
    template = "office/_retime.html" if request.htmx and not request.htmx.boosted else "office/retime.html"
    return render(request, template, context)


@require_POST
@role_required(*reach.ACTORS)
def start(request: HttpRequest, pk: int) -> HttpResponse:
    act, now = _act(request, pk, Role.OFFICE), clock.now()
    if act.by_id != request.user.pk:  # nobody confirms what a colleague looked at
        raise Http404
    try:
        retiming.start(act=act, by=request.user, now=now)
    except PreviewStale:
        retiming.look_again(act=act, now=now)
        return redirect(redirect("appointments:office_retime", pk).url + "?stale=1")
    return redirect("appointments:office_retime", pk)


@require_POST
@role_required(*reach.ACTORS)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    back = retiming.undo(act=_act(request, pk, Role.OFFICE), by=request.user, now=clock.now())
    return redirect("appointments:office_retime", back.pk)
