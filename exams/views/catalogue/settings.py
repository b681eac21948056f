"""检查预约规则: the house's own numbers, dated (E1, E5)."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead
from appointments.forms.rules import WhyForm
from appointments.selectors import rulebook
from appointments.services import ruling
from appointments.views.office.reach import ACTORS, READERS, reach_of
from exams.forms.settings import FIELDS, ExamRuleForm
from exams.models import ExamRule
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import role_required

from .frame import framed, read_house, write_house

OF_THE_DAY = (RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead)


@require_safe
@never_cache
@role_required(*READERS)
def numbers(request: HttpRequest):
    """What holds today, what will and what did."""
    house = read_house(request)
    today = clock.today(clock.now())
    rows = list(ExamRule.objects.filter(organization=house).order_by("-effective_from", "-pk"))
    states = {row.pk: rulebook.state_of(row, today=today) for row in rows}
    now = next((row for row in rows if states[row.pk] == "now"), None) or ExamRule(organization=house)
    context = framed(
        request, house, "settings", rule=now, words=rulebook.words_of(now),
        coming=[row for row in reversed(rows) if states[row.pk] == "coming"],
        past=[row for row in rows if states[row.pk] == "past"][: rulebook.MOST_PAST],
        trail=rulebook.trail_of(now) if now.pk else [],
    )  # fmt: skip
    return render(request, "exams/catalogue/settings.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def numbers_one(request: HttpRequest, pk: int):
    return render(request, "exams/catalogue/settings_one.html", _shown(request, _rule(request, pk)))


def _rule(request: HttpRequest, pk: int, *roles: str) -> ExamRule:
    return get_object_or_404(ExamRule, pk=pk, organization__in=reach_of(request, *roles).organizations)


def _shown(request: HttpRequest, row: ExamRule, **more) -> dict:
    before, after = rulebook.before_and_after(row)
    state = rulebook.state_of(row, today=clock.today(clock.now()))
    context = framed(request, row.organization, "settings")
    return context | {
        "rule": row,
        "state": state,
        "words": rulebook.words_of(row),
        "before": before,
        "after": after,
        "changed": rulebook.differences(rulebook.words_of(before), rulebook.words_of(row)) if before else [],
        "trail": rulebook.trail_of(row),
        "may_withdraw": context["may_write"] and state == "coming",
        "withdraw_form": WhyForm(prefix="withdraw"),
        **more,
    }


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def numbers_edit(request: HttpRequest):
    """New numbers from a day on: the row that holds then, changed."""
    house = write_house(request)
    today = clock.today(clock.now())
    held = (
        ExamRule.objects.filter(organization=house, effective_from__lte=today).order_by("effective_from", "pk").last()
    )
    base = held or ExamRule(organization=house, effective_from=today)
    initial = {name: getattr(base, name) for name in FIELDS}
    initial |= {"effective_from": today + timedelta(days=1), "seen": ruling.latest(base)}
    data = request.POST if request.method == "POST" else None
    form = ExamRuleForm(data, organization=house, base=held, today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            written = ruling.write(
                rule=form.draft(), by=request.user, now=clock.now(), seen=said["seen"], why=said["why"]
            )
        except Refused as refusal:
            form.add_error("effective_from" if isinstance(refusal, OF_THE_DAY) else None, refusal.in_full)
        else:
            messages.success(request, _("规则已保存，从 %(day)s 起生效。") % {"day": f"{written.effective_from:%m-%d}"})
            return redirect("exams:office_numbers_one", written.pk)
    context = framed(request, house, "settings", form=form)
    return render(
        request, "exams/catalogue/settings_form.html", context, status=422 if request.method == "POST" else 200
    )


@require_POST
@role_required(*ACTORS)
def numbers_withdraw(request: HttpRequest, pk: int):
    """Take numbers back before they begin."""
    row = _rule(request, pk, *ACTORS)
    write_house(request, row.organization)
    form = WhyForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            ruling.withdraw(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已撤销，原来的规则继续有效。"))
            return redirect("exams:office_numbers")
    return render(request, "exams/catalogue/settings_one.html", _shown(request, row, withdraw_form=form), status=422)
