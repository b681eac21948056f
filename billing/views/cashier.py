"""收费窗口 (M1, M2): find somebody, see what is open, take what lies on the counter, print, next.

The plain case is a scan and what the patient gives: see tests/billing/cashier/test_browser.py for its keys.
"""

import re
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.selectors import slips
from billing.errors import NothingToCharge
from billing.forms.cashier import FindForm, PayForm, PayOutForm, ServiceForm
from billing.models import CashierShift, Invoice, Refund, Way
from billing.selectors import bills, drawers, insured, papers
from billing.selectors import window as selectors
from billing.services import asking, invoicing, refunding
from billing.services import window as service
from hospital import audit, clock, patients
from hospital.errors import Refused

from . import cashier_shift
from .cashier_reach import at_the_drawer, cashier_page, invoice_at, open_drawer, patient_at
from .codes import qr

SURE = frozenset({"document", "phone", "number"})
"""Searches that name one person: a single result is opened at once."""

TOKEN = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


# ---- find ----


@require_http_methods(["GET", "POST"])
@cashier_page
def home(request: HttpRequest):
    """找人. By POST: documents and phones have no place in addresses and their logs. Without a drawer: open one."""
    shift, now = open_drawer(request), clock.now()
    if shift is None:
        return cashier_shift.mine(request) if request.method != "POST" else redirect("billing:cashier_shift")
    form = FindForm(request.POST or None, label_suffix="")
    context = {"form": form, "shift": shift, "forgotten": drawers.forgotten(shift, now=now)}
    if form.is_valid():
        if found := _scanned(shift, form.cleaned_data["q"]):
            return found
        results = patients.search(form.cleaned_data["q"])
        shown = [each.pk for each in results.people]
        audit.searched_patients(actor=request.user, how=results.by, found=shown, where="cashier", now=now)
        if results.by in SURE and len(shown) == 1:
            return redirect("billing:cashier_patient", shown[0])
        context["results"] = results
    return render(request, "billing/cashier/home.html", context)


def _scanned(shift: CashierShift, text: str) -> HttpResponse | None:
    """The code of an invoice (on a phone, in the consult room), or of a slip."""
    if (code := TOKEN.search(text)) and (
        row := Invoice.objects.filter(token=UUID(code[0]), organization=shift.organization_id).first()
    ):
        return redirect("billing:cashier_invoice", row.token)
    if person := slips.patient_of(text):
        return redirect("billing:cashier_patient", person.pk)
    return None


@require_safe
@at_the_drawer
def patient(request: HttpRequest, shift: CashierShift, pk: int):
    """What is open of a person, brought up to date: one bill opens at once, else the first."""
    person, now = patient_at(pk), clock.now()
    audit.saw_patient(patient=person, actor=request.user, where="cashier", now=now, request=request)
    invoicing.open_for_patient(patient=person, organization=shift.organization, by=request.user, now=now)
    dues = selectors.dues(person, organization_id=shift.organization_id)
    if dues:
        return redirect("billing:cashier_invoice", dues[0].row.token)
    context = {"shift": shift, "patient": person, "dues": [], **_beside(shift, person, now=now)}
    return render(request, "billing/cashier/nothing.html", context)


def _beside(shift: CashierShift, person, *, now: datetime) -> dict:
    return {"lately": selectors.lately(person, organization_id=shift.organization_id, now=now)}


# ---- one bill ----


@require_safe
@at_the_drawer
def invoice(request: HttpRequest, shift: CashierShift, token: UUID):
    row = invoice_at(shift, token)
    if (anew := bills.opened_anew(row)) is not None:
        return redirect("billing:cashier_invoice", anew.token)
    return show(request, shift, row)


def show(
    request: HttpRequest,
    shift: CashierShift,
    row: Invoice,
    *,
    form: PayForm | None = None,
    refusal: Refused | None = None,
):
    """The whole work: who, their bills, the lines of this one, and what is put on the counter."""
    now = clock.now()
    audit.saw_patient(patient=row.patient, actor=request.user, where="cashier", now=now, request=request)
    bill = _bill(row, now=now)
    row = bill.invoice  # as it is once what lapsed has left it
    scanning = selectors.scanning(row, now=now)
    context = {
        "shift": shift,
        "invoice": row,
        "patient": row.patient,
        "bill": bill,
        "acts": [selectors.Acts(line) for line in bill.live],
        "dues": selectors.dues(row.patient, organization_id=row.organization_id),
        "form": form or PayForm(initial=_kept(request, row)),
        "request_key": uuid4(),
        "refusal": refusal,
        "offered": bills.means_at(row.organization_id),
        "scanning": scanning,
        "code": qr(scanning.asked.get("qr", "")) if scanning else "",
        "payments": selectors.received(row),
        "to_hand_out": selectors.to_hand_out(bill),
        "receipt": papers.of_invoice(row),
        "panel": insured.panel(row, where=Way.WINDOW, now=now) if bill.due else None,
        "next": reverse("billing:cashier_invoice", args=[row.token]),
        "now": now,
        **_beside(shift, row.patient, now=now),
    }
    return render(request, "billing/cashier/invoice.html", context, status=refusal.status if refusal else _status(form))


def _status(form: PayForm | None) -> int:
    return 422 if form is not None and form.errors else 200


def _bill(row: Invoice, *, now: datetime) -> bills.Bill:
    bill = bills.bill_of(row, now=now)
    if bill.payment is None and any(line.lapsed for line in bill.live):
        row = asking.tidy(invoice=row, now=now)
        bill = bills.bill_of(row, now=now)
    return bill


KEPT = "cashier_kept"
"""In the session: what is to be taken once the phone has paid its part, and what was given for the last bill."""


def keep(request: HttpRequest, row: Invoice, **said) -> None:
    request.session[KEPT] = {"invoice": row.pk, **{name: str(value) for name, value in said.items() if value}}


def _kept(request: HttpRequest, row: Invoice) -> dict:
    kept = request.session.get(KEPT) or {}
    return kept if kept.get("invoice") == row.pk else {}


# ---- services, taking off, giving back ----


@require_safe
@at_the_drawer
def prices(request: HttpRequest, shift: CashierShift):
    """What may be sold, as it is typed."""
    text = request.GET.get("q", "")[:40]
    found = selectors.prices(text, organization_id=shift.organization_id, now=clock.now())
    return render(request, "billing/cashier/_prices.html", {"q": text.strip(), "prices": found})


@require_POST
@at_the_drawer
def sell(request: HttpRequest, shift: CashierShift, pk: int):
    """加收: onto the bill that is open on the page, or onto a new one."""
    person, form = patient_at(pk), ServiceForm(request.POST)
    if not form.is_valid():
        raise NothingToCharge
    token = TOKEN.fullmatch(request.POST.get("invoice", ""))
    row = service.sell(
        patient=person,
        organization=shift.organization,
        invoice=invoice_at(shift, UUID(token[0])) if token else None,
        by=request.user,
        now=clock.now(),
        **form.cleaned_data,
    )
    return redirect("billing:cashier_invoice", row.token)


@require_POST
@at_the_drawer
def take_off(request: HttpRequest, shift: CashierShift, token: UUID, line: int):
    row = invoice_at(shift, token)
    service.take_off(line=get_object_or_404(row.lines, pk=line), by=request.user, now=clock.now())
    row.refresh_from_db()
    if row.status == Invoice.Status.VOID:
        return redirect("billing:cashier_patient", row.patient_id)
    return redirect("billing:cashier_invoice", row.token)


@require_POST
@at_the_drawer
def give_back(request: HttpRequest, shift: CashierShift, token: UUID, line: int):
    """退费 of a service, or of a booking that is cancelled already. What was paid in cash is handed out right here."""
    row = invoice_at(shift, token)
    refunding.by_staff(line=get_object_or_404(row.lines, pk=line), by=request.user, now=clock.now())
    messages.success(request, _("已退费。原路退回的会自己到账，现金请在下面付给患者。"))
    return redirect("billing:cashier_invoice", row.token)


@require_POST
@at_the_drawer
def hand_out(request: HttpRequest, shift: CashierShift, token: UUID):
    """付退款, out of this drawer."""
    row, form = invoice_at(shift, token), PayOutForm(request.POST)
    if not form.is_valid():
        return redirect("billing:cashier_invoice", row.token)
    said = form.cleaned_data
    refund = get_object_or_404(Refund, pk=said["refund"], payment__invoice=row)
    try:
        service.hand_out(
            refund=refund, means=said["means"], reference=said["reference"], by=request.user, now=clock.now()
        )
    except Refused as refusal:
        return show(request, shift, row, refusal=refusal)
    messages.success(request, _("已付退款 ¥%(amount)s。") % {"amount": refund.amount})
    return redirect("billing:cashier_invoice", row.token)
