"""协作协议: which lower institution books and refers here, from when to when."""

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.errors import AgreementRefused
from appointments.forms.agreements import AgreementForm, EndAgreementForm
from appointments.services import agreements as services
from hospital import clock
from hospital.errors import NotAllowed
from hospital.models import Agreement, Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, may_act, reach_of
from .rules import house_of


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*READERS)
def agreements(request: HttpRequest):
    """Those of one hospital, the ended ones last; POST makes one."""
    now = clock.now()
    today, reach = clock.today(now), reach_of(request)
    house = house_of(request, reach)
    acting = reach_of(request, *ACTORS)
    acts = may_act(request) and house.pk in acting.organizations and acting.departments is None
    form = AgreementForm(request.POST or None, house=house, today=today, initial={"effective_from": today})
    if request.method == "POST":
        if not acts:
            raise NotAllowed
        if form.is_valid() and _made(request, form, now):
            return redirect(_address(house))
    rows = Agreement.objects.filter(hospital=house).select_related("member")
    rows = rows.order_by(F("effective_to").desc(nulls_first=True), "member__code", "-effective_from")
    context = {
        "form": form,
        "house": house,
        "houses": Organization.objects.filter(pk__in=reach.organizations).order_by("pk"),
        "lines": [_line(row, today) for row in rows],
        "may_act": acts,
        "organizations": [house],
    }
    return render(request, "office/agreements.html", context, status=422 if form.errors else 200)


def _line(row: Agreement, today) -> dict:
    over = row.effective_to is not None and row.effective_to < today
    return {"row": row, "over": over, "coming": row.effective_from > today}


def _made(request: HttpRequest, form: AgreementForm, now) -> bool:
    try:
        row = services.agree(agreement=form.wanted, by=request.user, now=now)
    except AgreementRefused as refusal:
        form.add_error("effective_from", refusal.sentence)
        return False
    messages.success(request, _("已登记与%(member)s的协作协议。") % {"member": row.member})
    return True


@require_POST
@role_required(*ACTORS)
def end(request: HttpRequest, pk: int):
    now, acting = clock.now(), reach_of(request, *ACTORS)
    if acting.departments is not None:
        raise NotAllowed  # an agreement is the whole house's
    rows = Agreement.objects.filter(hospital__in=acting.organizations).select_related("hospital", "member")
    row = get_object_or_404(rows, pk=pk)
    form = EndAgreementForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors["last_day"][0])
        return redirect(_address(row.hospital))
    try:
        services.end(agreement=row, last_day=form.cleaned_data["last_day"], by=request.user, now=now)
    except AgreementRefused as refusal:
        messages.error(request, refusal.sentence)
    else:
        told = {"member": row.member, "day": form.cleaned_data["last_day"]}
        messages.success(request, _("与%(member)s的协议到 %(day)s 为止；已约好的照常就诊。") % told)
    return redirect(_address(row.hospital))


def _address(house: Organization) -> str:
    return f"{reverse('appointments:office_agreements')}?house={house.pk}"
