"""出诊模板 (P2): a department's weekly plan; create, change from a day on, end, copy to other half-days."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.errors import TemplateRefused
from appointments.forms.templates import CopyForm, EndForm, TemplateForm, next_monday
from appointments.models import ScheduleTemplate
from appointments.selectors import templates as selectors
from appointments.services import patterns
from hospital import clock
from hospital.errors import NotAllowed
from hospital.models import Department, HalfDay
from hospital.models.time import Weekday
from hospital.permissions import role_required

from . import reach as reaching

RELATED = ("organization", "department__organization", "service", "role__practitioner", "team", "room__campus")


@require_safe
@never_cache
@role_required(*reaching.READERS)
def grid(request):
    """The week of one department; the first of those in reach, if none is named."""
    mine, today = reaching.reach_of(request), clock.today(clock.now())
    departments = selectors.departments(mine.organizations, mine.departments)
    asked = request.GET.get("department", "")
    chosen = next((row for row in departments if str(row.pk) == asked), None) or next(iter(departments), None)
    name = request.GET.get("q", "")[:40]
    context = {
        "groups": selectors.by_house(departments),
        "chosen": chosen,
        "rows": selectors.grid(chosen, today=today, name=name) if chosen else [],
        "q": name,
        "weekdays": Weekday.choices,
        "waiting": selectors.waiting(chosen) if chosen else 0,
        "may_act": reaching.may_act(request),
        "organizations": [chosen.organization] if chosen else [],
        "today": today,
    }
    return render(request, "office/templates.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.ACTORS)
def new(request):
    today = clock.today(clock.now())
    department = _department(request, request.POST.get("department") or request.GET.get("department"))
    initial = {"effective_from": next_monday(today), "parity": "every"}
    initial |= {name: request.GET[name] for name in ("actor", "weekday", "half") if name in request.GET}
    form = TemplateForm(request.POST or None, department=department, today=today, initial=initial)
    if form.is_valid():
        try:
            kept = patterns.create(template=form.wanted, by=request.user, now=clock.now())
        except TemplateRefused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, _("已保存%(what)s。它要等排班草稿发布后才会放号。") % {"what": kept})
            return redirect(_back_to(kept))
    context = {"form": form, "department": department, "organizations": [department.organization], "today": today}
    return render(request, "office/template.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.READERS)
def template(request, pk):
    """One pattern: to read, and for the office to change from a day on."""
    today = clock.today(clock.now())
    row = _template(request, pk)
    initial = TemplateForm.initial_of(row, today=today)
    form = TemplateForm(request.POST or None, department=row.department, today=today, template=row, initial=initial)
    if request.method == "POST":
        _must_act(request, row)
        if form.is_valid():
            try:
                kept = patterns.change(template=row, wanted=form.wanted, by=request.user, now=clock.now())
            except TemplateRefused as refusal:
                form.add_error(None, refusal.sentence)
            else:
                said = {"what": kept, "day": kept.effective_from}
                messages.success(request, _("%(what)s已改，从 %(day)s 起；等排班草稿发布后生效。") % said)
                return redirect(_back_to(kept))
    return render(request, "office/template.html", _context(request, row, form, today))


def _context(request, row: ScheduleTemplate, form: TemplateForm, today, **forms) -> dict:
    return {
        "form": form,
        "department": row.department,
        "template": row,
        "organizations": [row.organization],
        "others": selectors.others_of(row),
        "may_act": reaching.may_act(request),
        "today": today,
        "end_form": EndForm(today=today, initial={"last_day": today}),
        "copy_form": CopyForm(today=today, initial={"first_day": next_monday(today)}),
        "weekdays": Weekday.choices,
        "halves": HalfDay.choices,
        **forms,
    }


@require_http_methods(["POST"])
@role_required(*reaching.ACTORS)
def end(request, pk):
    today = clock.today(clock.now())
    row = _template(request, pk, reaching.ACTORS)
    form = EndForm(request.POST, today=today)
    if form.is_valid():
        day = form.cleaned_data["last_day"]
        try:
            kept = patterns.end(template=row, last_day=day, by=request.user, now=clock.now())
        except TemplateRefused as refusal:
            form.add_error("last_day", refusal.sentence)
        else:
            said = {"what": kept, "day": day}
            messages.success(request, _("%(what)s到 %(day)s 为止。之后已排的班请生成排班草稿处理。") % said)
            return redirect(_back_to(kept))
    return _again(request, row, today, end_form=form)


@require_http_methods(["POST"])
@role_required(*reaching.ACTORS)
def copy(request, pk):
    today = clock.today(clock.now())
    row = _template(request, pk, reaching.ACTORS)
    form = CopyForm(request.POST, today=today)
    if form.is_valid():
        said = {"places": form.wanted(), "first_day": form.cleaned_data["first_day"]}
        try:
            made = patterns.copy(template=row, by=request.user, now=clock.now(), **said)
        except TemplateRefused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, _("已复制到%(count)s个半天。") % {"count": len(made)})
            return redirect(_back_to(row))
    return _again(request, row, today, copy_form=form)


def _again(request, row: ScheduleTemplate, today, **forms):
    form = TemplateForm(
        department=row.department, today=today, template=row, initial=TemplateForm.initial_of(row, today=today)
    )
    return render(request, "office/template.html", _context(request, row, form, today, **forms))


def _back_to(row: ScheduleTemplate) -> str:
    return f"{reverse('appointments:office_templates')}?department={row.department_id}"


def _template(request, pk: int, roles=()) -> ScheduleTemplate:
    mine = reaching.reach_of(request, *roles)
    return get_object_or_404(ScheduleTemplate.objects.filter(mine.schedules).select_related(*RELATED), pk=pk)


def _must_act(request, row: ScheduleTemplate) -> None:
    """A page that readers open, too."""
    if not reaching.reach_of(request, *reaching.ACTORS).covers(row):
        raise NotAllowed


def _department(request, asked: str | None) -> Department:
    mine = reaching.reach_of(request, *reaching.ACTORS)
    rows = Department.objects.filter(organization__in=mine.organizations, active=True)
    if mine.departments is not None:
        rows = rows.filter(pk__in=mine.departments)
    return get_object_or_404(
        rows.select_related("organization", "campus"), pk=asked if (asked or "").isdecimal() else 0
    )
