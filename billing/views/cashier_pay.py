"""收款 at the window: cash, slips, a code for a phone; the page after it with the change and what is printed."""

from decimal import Decimal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing.forms.cashier import PayForm
from billing.models import CashierShift, Invoice, Receipt
from billing.policies.splitting import FEN
from billing.policies.window import Tender
from billing.selectors import bills, papers
from billing.selectors import window as selectors
from billing.services import asking, paying
from billing.services import window as service
from hospital import clock
from hospital.errors import Refused

from .cashier import KEPT, keep, show
from .cashier_reach import at_the_drawer, invoice_at
from .receipts import code_of

TYPED = ("cash", "bank", "bank_reference", "cheque", "cheque_number")


@require_POST
@at_the_drawer
def take(request: HttpRequest, shift: CashierShift, token: UUID):
    """收款. With F8 or F9 the phone pays first; what else was typed is kept for then."""
    row, form = invoice_at(shift, token), PayForm(request.POST)
    if not form.is_valid():
        return show(request, shift, row, form=form)
    said = form.cleaned_data
    put = {"cash": said["cash"], "slips": form.slips, "shown": said["owed"], "request_key": str(said["request_key"])}
    about = {"invoice": row, "shift": shift, "by": request.user, "now": clock.now()}
    try:
        if said["scan"]:
            service.scan(means=said["scan"], **put, **about)
            keep(request, row, **{name: said[name] for name in TYPED})
            return redirect("billing:cashier_invoice", row.token)
        found = service.take(**put, **about)
    except Refused as refusal:
        return show(request, shift, row, form=form, refusal=refusal)
    return _done(request, row, found, given=said["cash"])


def _done(request: HttpRequest, row: Invoice, found: Tender, *, given: Decimal | None) -> HttpResponse:
    in_cash = sum((part.amount for part in found.parts if part.means == "cash"), Decimal(0))
    given = in_cash if given is None else given.quantize(FEN)
    keep(request, row, given=given, change=found.change)
    return redirect("billing:cashier_done", row.token)


@require_POST
@at_the_drawer
def free(request: HttpRequest, shift: CashierShift, token: UUID):
    """Nothing is to be paid (0 yuan, or the insurance bears all): said yes to."""
    row = invoice_at(shift, token)
    paying.settle_free(invoice=row, by=request.user, now=clock.now())
    request.session.pop(KEPT, None)
    return redirect("billing:cashier_done", row.token)


@require_safe
@at_the_drawer
def waiting(request: HttpRequest, shift: CashierShift, token: UUID):
    """Asked every two seconds while a code waits: 204 while it does, then the page as it is now."""
    row = invoice_at(shift, token)
    if selectors.scanning(row, now=clock.now()):
        return HttpResponse(status=204)
    paid = row.status == Invoice.Status.PAID
    answer = HttpResponse(status=200)
    answer["HX-Redirect"] = reverse("billing:cashier_done" if paid else "billing:cashier_invoice", args=[row.token])
    return answer


@require_POST
@at_the_drawer
def look(request: HttpRequest, shift: CashierShift, token: UUID):
    """The phone says it has paid: the gateway is asked at once."""
    row = invoice_at(shift, token)
    if payment := selectors.scanning(row, now=clock.now()):
        asking.look(payment=payment, now=clock.now())
    row.refresh_from_db()
    paid = row.status == Invoice.Status.PAID
    return redirect("billing:cashier_done" if paid else "billing:cashier_invoice", row.token)


@require_POST
@at_the_drawer
def stop(request: HttpRequest, shift: CashierShift, token: UUID):
    """不扫了: the code is closed at the gateway before anything else is taken, so that nobody pays twice."""
    row = invoice_at(shift, token)
    if payment := selectors.scanning(row, now=clock.now()):
        try:
            asking.leave(payment=payment, now=clock.now())
        except Refused as refusal:
            return show(request, shift, row, refusal=refusal)
    return redirect("billing:cashier_invoice", row.token)


@require_safe
@at_the_drawer
def done(request: HttpRequest, shift: CashierShift, token: UUID):
    """收好了: the change in large, what is printed, and the next one."""
    row, now = invoice_at(shift, token), clock.now()
    if row.status != Invoice.Status.PAID:
        return redirect("billing:cashier_invoice", row.token)
    kept = request.session.get(KEPT) or {}
    bill = bills.bill_of(row, now=now)
    context = {
        "shift": shift,
        "invoice": row,
        "patient": row.patient,
        "bill": bill,
        "to_hand_out": selectors.to_hand_out(bill),
        "payments": selectors.received(row),
        "kept": kept if kept.get("invoice") == row.pk else {},
        "dues": selectors.dues(row.patient, organization_id=row.organization_id),
        "now": now,
        **_receipt(request, row),
    }
    return render(request, "billing/cashier/done.html", context)


def _receipt(request: HttpRequest, row: Invoice) -> dict:
    """Asked for by the page itself, so that nobody waits for the platform; printed again it is there."""
    receipt = papers.of_invoice(row)
    if receipt and receipt.status in (Receipt.Status.ASKED, Receipt.Status.ISSUED):
        return {"receipt": receipt, "code": code_of(request, receipt)}
    return {"numbered": row.total > 0 and papers.numbered_here(row.organization_id)}
