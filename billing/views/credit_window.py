"""先诊疗后付费 at the window /cashier/credit/ (M4): signed on paper with the document seen, ended, and all that is owed
brought onto one invoice for the till.
"""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.errors import NothingOwed
from billing.forms.credit import FindForm, WindowSignForm
from billing.models import Invoice
from billing.selectors import credit as selectors
from billing.services import agreements, crediting, gathering
from hospital import audit, clock, patients, permissions
from hospital.errors import Refused
from hospital.models import Organization, Patient, Role
from hospital.permissions import role_required

ROLES = (Role.CASHIER, Role.COUNTER)
TILL = (Role.CASHIER,)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ROLES)
def find(request: HttpRequest):
    """Posted, so that no name or number stands in an address. Who is alone is opened at once."""
    form = FindForm(request.POST) if request.method == "POST" else FindForm()
    results = None
    if form.is_valid():
        results = patients.search(form.cleaned_data["q"])
        shown = [each.pk for each in results.people]
        audit.searched_patients(actor=request.user, how=results.by, found=shown, where="credit", now=clock.now())
        if len(results.people) == 1:
            return redirect("billing:window_credit_person", results.people[0].pk)
    context = {"form": form, "results": results}
    return render(request, "billing/credit/find.html", context, status=422 if form.errors else 200)


def _person(request: HttpRequest, pk: int) -> Patient:
    person = get_object_or_404(Patient, pk=pk, active=True)
    audit.saw_patient(patient=person, actor=request.user, where="credit", now=clock.now(), request=request)
    return person


def _house(request: HttpRequest) -> Organization:
    """Where the user sits: a second house is named in the address."""
    houses = list(Organization.objects.filter(pk__in=_reach(request)).order_by("pk"))
    if not houses:
        raise Http404
    asked = request.GET.get("house", "") or request.POST.get("house", "")
    return next((house for house in houses if str(house.pk) == asked), houses[0])


def _reach(request: HttpRequest, *roles: str) -> frozenset[int]:
    return permissions.organizations_of(request.user, *(roles or ROLES))


@require_safe
@never_cache
@role_required(*ROLES)
def person(request: HttpRequest, pk: int):
    return _show(request, _person(request, pk), _house(request))


def _show(request: HttpRequest, patient: Patient, house: Organization, *, form=None, refusal: Refused | None = None):
    now = clock.now()
    context = {
        "patient": patient,
        "documents": list(patient.identifiers.order_by("pk")),
        "house": house,
        "houses": Organization.objects.filter(pk__in=_reach(request)).order_by("pk"),
        "credit": selectors.standing(patient.pk, organization=house.pk, now=now),
        "form": form or WindowSignForm(),
        "may_take": house.pk in _reach(request, *TILL),
        "refusal": refusal,
        "today": clock.today(now),
    }
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    return render(request, "billing/credit/person.html", context, status=status)


@require_safe
@never_cache
@role_required(*ROLES)
def paper(request: HttpRequest, pk: int):
    """The agreement to be printed and signed."""
    patient, house, now = _person(request, pk), _house(request), clock.now()
    credit = selectors.standing(patient.pk, organization=house.pk, now=now)
    if credit.offer is None:
        raise Http404
    context = {"patient": patient, "house": house, "credit": credit, "today": clock.today(now)}
    context["documents"] = list(patient.identifiers.order_by("pk"))
    return render(request, "billing/credit/paper.html", context)


@require_POST
@role_required(*ROLES)
def sign(request: HttpRequest, pk: int):
    patient, house = _person(request, pk), _house(request)
    form = WindowSignForm(request.POST)
    if not form.is_valid():
        return _show(request, patient, house, form=form)
    try:
        agreements.sign(
            patient=patient, organization=house, by=request.user, where="window", now=clock.now(), request=request
        )
    except Refused as refusal:
        return _show(request, patient, house, form=form, refusal=refusal)
    messages.success(request, _("已签署先诊疗后付费协议，今天起可用。"))
    return _back(pk, house)


def _back(pk: int, house: Organization):
    response = redirect("billing:window_credit_person", pk)
    response["Location"] += f"?house={house.pk}"
    return response


@require_POST
@role_required(*ROLES)
def end(request: HttpRequest, pk: int):
    patient, house = _person(request, pk), _house(request)
    said = {"patient": patient, "organization": house, "by": request.user, "now": clock.now()}
    if agreements.end(**said, where="window", request=request):
        messages.success(request, _("协议已终止，有效到今天。已记账的费用仍要按期付清。"))
    return _back(pk, house)


@require_POST
@role_required(*TILL)
def settle(request: HttpRequest, pk: int):
    """一次结清: the one invoice, open at the till."""
    patient, house = _person(request, pk), _house(request)
    if house.pk not in _reach(request, *TILL):
        raise Http404
    invoice = gathering.gather(patient=patient, organization=house, by=request.user, now=clock.now())
    if invoice is None:
        messages.warning(request, NothingOwed().in_full)
        return _back(pk, house)
    return redirect("billing:cashier_invoice", invoice.token)


@require_POST
@role_required(*ROLES)
@sensitive_variables("token")
def use(request: HttpRequest, token: UUID):
    """先诊疗后付费 of an invoice that is open at the window. `next`: where the page was."""
    rows = Invoice.objects.filter(organization__in=_reach(request)).select_related("patient")
    invoice = get_object_or_404(rows, token=token)
    try:
        done = crediting.put_on_credit(invoice=invoice, by=request.user, now=clock.now())
    except Refused as refusal:
        messages.error(request, refusal.in_full)
    else:
        if done.returned:
            messages.warning(request, _("已按先诊疗后付费记账；有的项目已不能保留，已从账单去掉。"))
        else:
            messages.success(request, _("已按先诊疗后付费记账，看诊、检查时不用付钱。"))
    return redirect(_next(request))


def _next(request: HttpRequest) -> str:
    """A page of ours, else home."""
    said = request.POST.get("next", "")
    return said if said and url_has_allowed_host_and_scheme(said, allowed_hosts=None) else "home"
