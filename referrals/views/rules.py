"""转诊规则 /referral-office/rules/: until when the house answers, and what else of referrals it sets itself; dated."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.errors import RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead
from appointments.forms.rules import WhyForm
from appointments.selectors import rulebook
from appointments.services import ruling
from hospital import clock, permissions
from hospital.errors import Refused
from hospital.models import Organization, Role
from hospital.permissions import role_required
from referrals.forms.rules import ReferralRuleForm
from referrals.models import ReferralRule
from referrals.policies.rules import RANGES

READERS = (Role.REFERRAL, Role.OFFICE, Role.AUDITOR)
WRITERS = (Role.REFERRAL, Role.OFFICE)
OF_THE_DAY = (RuleDayTaken, RuleDecidedToday, RuleInThePast, RuleTooFarAhead)


def _houses(request: HttpRequest, *roles: str) -> list[Organization]:
    """Hospitals where the role is held for the whole house."""
    held = {
        row.organization_id
        for row in permissions.assignments(request.user)
        if row.role in roles and row.department_id is None
    }
    kind = Organization.Kind.HOSPITAL
    return list(Organization.objects.filter(pk__in=held, kind=kind, active=True).order_by("code"))


def _house(request: HttpRequest) -> Organization:
    """?house=, else the first. Raises Http404 where there is none."""
    houses = _houses(request, *READERS)
    wanted = request.GET.get("house", "")
    house = next((one for one in houses if str(one.pk) == wanted), houses[0] if houses else None)
    if house is None:
        raise Http404
    return house


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*READERS)
def rules(request: HttpRequest) -> HttpResponse:
    """What holds today, what will, and new numbers from a day on."""
    house, today = _house(request), clock.today(clock.now())
    rows = list(ReferralRule.objects.filter(organization=house).order_by("-effective_from", "-pk"))
    states = {row.pk: rulebook.state_of(row, today=today) for row in rows}
    held = next((row for row in rows if states[row.pk] == "now"), None)
    base = held or ReferralRule(organization=house, effective_from=today)
    may_write = house in _houses(request, *WRITERS)
    initial = {name: getattr(base, name) for name in RANGES}
    initial |= {"effective_from": today + timedelta(days=1), "seen": ruling.latest(base)}
    form = ReferralRuleForm(
        request.POST if request.method == "POST" else None, organization=house, base=held, today=today, initial=initial
    )
    if request.method == "POST":
        if not may_write:
            raise Http404
        if form.is_valid() and (written := _write(request, form)):
            messages.success(request, _("规则已保存，从 %(day)s 起生效。") % {"day": f"{written.effective_from:%m-%d}"})
            return redirect(f"{reverse('referrals:referral_rules')}?house={house.pk}")
    context = {
        "house": house,
        "houses": _houses(request, *READERS),
        "rule": base,
        "words": rulebook.words_of(base),
        "coming": [row for row in reversed(rows) if states[row.pk] == "coming"],
        "past": [row for row in rows if states[row.pk] == "past"][: rulebook.MOST_PAST],
        "form": form if may_write else None,
        "in_office": permissions.has_role(request.user, Role.REFERRAL),
    }
    status = 422 if form.errors else 200
    return render(request, "referrals/office/rules.html", context, status=status)


def _write(request: HttpRequest, form: ReferralRuleForm) -> ReferralRule | None:
    said = form.cleaned_data
    try:
        return ruling.write(rule=form.draft(), by=request.user, now=clock.now(), seen=said["seen"], why=said["why"])
    except Refused as refusal:
        form.add_error("effective_from" if isinstance(refusal, OF_THE_DAY) else None, refusal.in_full)
        return None


@require_POST
@never_cache
@role_required(*WRITERS)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take numbers back before they begin."""
    row = get_object_or_404(ReferralRule, pk=pk, organization__in=_houses(request, *WRITERS))
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("没有撤销：请写明原因。"))
    else:
        try:
            ruling.withdraw(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            messages.error(request, refusal.in_full)
        else:
            messages.success(request, _("已撤销，原来的规则继续有效。"))
    return redirect(f"{reverse('referrals:referral_rules')}?house={row.organization_id}")
