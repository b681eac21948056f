"""执业合约 (P12): doctors of the core hospital at a branch, and of a branch at the core."""

from django.contrib import messages
from django.db.models import F, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.errors import ContractRefused
from appointments.forms.contracts import ContractForm, EndContractForm
from appointments.forms.templates import next_monday
from appointments.services import contracts as services
from hospital import clock
from hospital.errors import NotAllowed
from hospital.models import Contract, Organization
from hospital.permissions import role_required

from . import reach as reaching

NAMED = 20  # uncovered clinics that are shown by name


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.READERS)
def contracts(request):
    """All contracts with the houses in reach, those that have run out last; POST grants one in the chosen house."""
    now = clock.now()
    today = clock.today(now)
    houses = _houses(request)
    acting = _houses(request, *reaching.ACTORS)
    chosen = next((row for row in houses if str(row.pk) == request.GET.get("house", "")), None) or _first(houses)
    may_act = reaching.may_act(request) and _is_whole(request) and chosen in acting
    initial = {"effective_from": next_monday(today)}
    form = ContractForm(request.POST or None, house=chosen, houses=houses, today=today, initial=initial)
    if request.method == "POST":
        if not may_act:
            raise NotAllowed
        if form.is_valid() and _granted(request, form, now):
            return redirect(_address(chosen))
    rows = Contract.objects.filter(Q(organization__in=houses) | Q(practitioner__organization__in=houses))
    rows = list(
        rows.select_related("practitioner__organization", "organization").order_by(
            "-effective_to", "practitioner__pinyin"
        )
    )
    uncovered = services.outside(rows, now=now)
    context = {
        "form": form,
        "house": chosen,
        "houses": houses,
        "lines": [_line(row, uncovered[row.pk], today) | {"may_end": row.organization in acting} for row in rows],
        "may_act": may_act,
        "organizations": [chosen],
        "today": today,
    }
    return render(request, "office/contracts.html", context)


def _line(row: Contract, outside, today) -> dict:
    over = row.effective_to is not None and row.effective_to < today
    return {"row": row, "over": over, "outside": outside[:NAMED], "more": len(outside) - NAMED}


def _granted(request, form: ContractForm, now) -> bool:
    said = form.cleaned_data
    place = {"department": said["department"], "service": said["service"]}
    try:
        row = services.grant(contract=form.wanted, by=request.user, now=now, **place)
    except ContractRefused as refusal:
        form.add_error("effective_from", refusal.sentence)
        return False
    told = {"doctor": row.practitioner, "house": row.organization, "department": said["department"]}
    messages.success(request, _("已登记：%(doctor)s可在%(house)s%(department)s出诊。接着请到出诊模板里排班。") % told)
    return True


@require_POST
@role_required(*reaching.ACTORS)
def end(request, pk):
    now = clock.now()
    houses = _houses(request, *reaching.ACTORS)
    row = get_object_or_404(
        Contract.objects.select_related("practitioner", "organization"), pk=pk, organization__in=houses
    )
    if not _is_whole(request):
        raise NotAllowed
    form = EndContractForm(request.POST, today=clock.today(now))
    if not form.is_valid():
        messages.error(request, form.errors["last_day"][0])
        return redirect(_address(row.organization))
    try:
        left = services.end(contract=row, last_day=form.cleaned_data["last_day"], by=request.user, now=now)
    except ContractRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect(_address(row.organization))
    told = {"doctor": row.practitioner, "day": form.cleaned_data["last_day"]}
    messages.success(request, _("%(doctor)s的合约到 %(day)s 为止。") % told)
    if left:
        messages.warning(
            request, _("之后还有 %(count)s 个半天已排，没有动，请在下表里逐个处理。") % {"count": len(left)}
        )
    return redirect(_address(row.organization))


def _houses(request, *roles: str) -> list[Organization]:
    """Those in reach of these roles, and their branches: the core hospital looks after its community's contracts."""
    mine = reaching.reach_of(request, *roles).organizations
    rows = Organization.objects.filter(Q(pk__in=mine) | Q(parent__in=mine), active=True)
    return list(rows.order_by(F("parent").asc(nulls_last=True), "pk"))


def _first(houses: list[Organization]) -> Organization:
    if not houses:
        raise NotAllowed
    return houses[0]


def _is_whole(request) -> bool:
    """The office of one department does not sign for the house."""
    return reaching.reach_of(request, *reaching.ACTORS).departments is None


def _address(house: Organization) -> str:
    return f"{reverse('appointments:office_contracts')}?house={house.pk}"
