"""按模板排 (P2): make a draft, look at what it would add, change and drop, tick, publish."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.errors import DraftStale
from appointments.forms.templates import DraftForm, next_monday
from appointments.models import LayoutDraft
from appointments.selectors import drafts as selectors
from appointments.selectors import templates
from appointments.services import drafts as services
from hospital import clock
from hospital.errors import NotAllowed, Refused
from hospital.models import Department, Organization
from hospital.permissions import role_required

from . import reach as reaching

LINES = 200  # on one page; a whole house for a quarter has thousands
IN_REQUEST = 2.0  # seconds of publishing that the page waits for; a department's week is done by then


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.READERS)
def drafts(request):
    """The latest drafts, and the form that makes one."""
    today = clock.today(clock.now())
    may_act = reaching.may_act(request)
    initial = {"first_day": next_monday(today), "weeks": 1, "scope": request.GET.get("scope", "")}
    form = DraftForm(request.POST or None, scopes=_scopes(request) if may_act else [], today=today, initial=initial)
    if request.method == "POST":
        if not may_act:
            raise NotAllowed
        if form.is_valid() and (draft := _made(request, form)):
            return redirect("appointments:office_draft", draft.pk)
    mine = reaching.reach_of(request)
    rows = selectors.history(organizations=mine.organizations, departments=mine.departments)
    houses = Organization.objects.filter(pk__in=mine.organizations)
    context = {"form": form, "rows": rows, "may_act": may_act, "organizations": houses, "today": today}
    return render(request, "office/drafts.html", context)


def _scopes(request) -> list:
    """The whole house for whoever holds the role there; else departments."""
    mine = reaching.reach_of(request, *reaching.ACTORS)
    groups = []
    for house, rows in templates.by_house(templates.departments(mine.organizations, mine.departments)).items():
        choices = [(f"department-{row.pk}", row.name) for row in rows]
        if mine.departments is None:
            choices.insert(0, (f"house-{rows[0].organization_id}", _("%(house)s 全院") % {"house": house}))
        groups.append((house, choices))
    return groups


def _made(request, form: DraftForm) -> LayoutDraft | None:
    kind, _dash, key = form.cleaned_data["scope"].partition("-")
    department = Department.objects.select_related("organization").get(pk=key) if kind == "department" else None
    house = department.organization if department else Organization.objects.get(pk=key)
    try:
        return services.make(
            organization=house,
            department=department,
            first_day=form.cleaned_data["first_day"],
            last_day=form.last_day,
            by=request.user,
            now=clock.now(),
        )
    except Refused as refusal:
        form.add_error("first_day", refusal.in_full)
        return None


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.READERS)
def draft(request, pk):
    """One draft. `show` filters by what happens; a page of lines is ticked at a time and kept with its own button.
    While it is being published htmx asks for how far it is."""
    row = _draft(request, pk)
    if request.method == "POST":
        _must_act(request, row)
        try:
            return _ticked(request, row)
        except DraftStale as refusal:
            services.look_again(draft=row, now=clock.now())
            messages.warning(request, refusal.in_full)
            return redirect(redirect("appointments:office_draft", row.pk).url + "?show=since")
    if request.htmx and not request.htmx.boosted:
        return _progress(request, row)
    show = request.GET.get("show", "")
    lines = row.lines.order_by("day", "name", "pk").filter(**selectors.SHOWN.get(show, {}))
    page = Paginator(lines, LINES).get_page(request.GET.get("page"))
    open_draft = row.status == LayoutDraft.Status.DRAFT
    context = {
        "draft": row,
        "organizations": [row.organization],
        "page": page,
        "lines": [selectors.say(line) for line in page.object_list],
        "counts": selectors.counts(row),
        "show": show,
        "open": open_draft,
        "running": row.status == LayoutDraft.Status.PUBLISHING,
        "may_act": reaching.may_act(request) and open_draft,
        "ticked": row.lines.filter(take=True).count(),
    }
    return render(request, "office/draft.html", context)


def _progress(request, row: LayoutDraft):
    """The bar alone; with the last day done the page is asked for as a whole."""
    running = row.status == LayoutDraft.Status.PUBLISHING
    context = {"draft": row, "counts": selectors.counts(row), "running": running}
    answer = render(request, "office/_draft_progress.html", context)
    if not running:
        answer["HX-Refresh"] = "true"
    return answer


def _ticked(request, row: LayoutDraft):
    """Ticks of the lines that were shown are kept first; then, if asked, everything ticked is published."""
    services.tick(draft=row, shown=_lines(request, "shown"), take=_lines(request, "take"))
    if request.POST.get("act") != "publish":
        messages.success(request, _("勾选已保存，还没有发布。"))
        return redirect(request.get_full_path())
    done = services.publish(draft=row, by=request.user, now=clock.now(), seconds=IN_REQUEST)
    address = redirect("appointments:office_draft", row.pk)
    return redirect(address.url + "?show=refused") if done.result.get("refused") else address


def _lines(request, name: str) -> set[int]:
    return {int(pk) for pk in request.POST.getlist(name) if pk.isdecimal() and len(pk) < 19}


@require_POST
@role_required(*reaching.ACTORS)
def discard(request, pk):
    row = _draft(request, pk)
    _must_act(request, row)
    services.discard(draft=row, by=request.user, now=clock.now())
    messages.success(request, _("草稿已放弃，排班没有变化。"))
    return redirect("appointments:office_drafts")


def _draft(request, pk: int) -> LayoutDraft:
    mine = reaching.reach_of(request)
    rows = LayoutDraft.objects.filter(organization__in=mine.organizations)
    if mine.departments is not None:
        rows = rows.filter(department__in=mine.departments)
    return get_object_or_404(rows.select_related("organization", "department", "by", "decided_by"), pk=pk)


def _must_act(request, row: LayoutDraft) -> None:
    if not reaching.reach_of(request, *reaching.ACTORS).covers(row):
        raise NotAllowed
