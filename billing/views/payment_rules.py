"""结算规则: which channels pay first, how long holds last, credit and dunning; dated (M2, M4, M6)."""

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
from billing.forms.payment_rules import FIELDS, PaymentRuleForm
from billing.models import PaymentRule
from billing.selectors import rules
from billing.selectors.rule_words import words_of
from hospital import clock
from hospital.errors import NotAllowed, Refused
from hospital.permissions import role_required

from .prices import framed, house_shown, may_write

OF_THE_DAY = (RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead)


@require_safe
@never_cache
@role_required(*READERS)
def payment_rules(request: HttpRequest):
    """What holds today, what will and what did."""
    house = house_shown(request)
    today = clock.today(clock.now())
    rows = list(PaymentRule.objects.filter(organization=house).order_by("-effective_from", "-pk"))
    states = {row.pk: rulebook.state_of(row, today=today) for row in rows}
    now = next((row for row in rows if states[row.pk] == "now"), None) or PaymentRule(organization=house)
    context = framed(
        request, house, rule=now, words=words_of(now),
        coming=[row for row in reversed(rows) if states[row.pk] == "coming"],
        past=[row for row in rows if states[row.pk] == "past"][: rulebook.MOST_PAST],
        trail=rulebook.trail_of(now) if now.pk else [],
    )  # fmt: skip
    return render(request, "billing/prices/rules.html", context)


def _rule(request: HttpRequest, pk: int, *roles: str) -> PaymentRule:
    return get_object_or_404(PaymentRule, pk=pk, organization__in=reach_of(request, *roles).organizations)


@require_safe
@never_cache
@role_required(*READERS)
def payment_rule(request: HttpRequest, pk: int):
    return render(request, "billing/prices/rule.html", _shown(request, _rule(request, pk)))


def _shown(request: HttpRequest, row: PaymentRule, **more) -> dict:
    before, after = rulebook.before_and_after(row)
    state = rulebook.state_of(row, today=clock.today(clock.now()))
    context = framed(request, row.organization)
    return context | {
        "rule": row,
        "state": state,
        "words": words_of(row),
        "before": before,
        "after": after,
        "changed": rulebook.differences(words_of(before), words_of(row)) if before else [],
        "trail": rulebook.trail_of(row),
        "may_withdraw": context["may_write"] and state == "coming",
        "withdraw_form": WhyForm(prefix="withdraw"),
        **more,
    }


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def payment_rule_new(request: HttpRequest):
    """New numbers from a day on: the row that holds then, changed."""
    house = house_shown(request, write=True)
    today = clock.today(clock.now())
    held = PaymentRule.objects.filter(organization=house, effective_from__lte=today).order_by("effective_from", "pk")
    held = held.last()
    base = held or PaymentRule(organization=house, effective_from=today)
    initial = {name: getattr(base, name) for name in FIELDS}
    initial |= {"effective_from": today + timedelta(days=1), "seen": ruling.latest(base)}
    form = PaymentRuleForm(request.POST or None, organization=house, base=held, today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            written = ruling.write(
                rule=form.draft(), by=request.user, now=clock.now(), seen=said["seen"], why=said["why"]
            )
        except Refused as refusal:
            form.add_error("effective_from" if isinstance(refusal, OF_THE_DAY) else None, refusal.in_full)
        else:
            rules.forget()
            messages.success(request, _("规则已保存，从 %(day)s 起生效。") % {"day": f"{written.effective_from:%m-%d}"})
            return redirect("billing:payment_rule", written.pk)
    context = framed(request, house, form=form)
    return render(request, "billing/prices/rule_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@role_required(*ACTORS)
def payment_rule_withdraw(request: HttpRequest, pk: int):
    """Take numbers back before they begin."""
    row = _rule(request, pk, *ACTORS)
    if not may_write(request, row.organization):
        raise NotAllowed
    form = WhyForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            ruling.withdraw(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            rules.forget()
            messages.success(request, _("已撤销，原来的规则继续有效。"))
            return redirect("billing:payment_rules")
    return render(request, "billing/prices/rule.html", _shown(request, row, withdraw_form=form), status=422)
