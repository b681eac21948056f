"""自助机缴费: what the person before the machine has to pay, by a code for their phone or by the social-security card.

In the style of the machine: large, one thing a page, gone when nobody touches it. A code that is shown goes on counting
after they left: who pays it then is served by the callback.
"""

from datetime import datetime
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from appointments.views.kiosk.visit import Visit, visiting
from billing.errors import GatewayAway
from billing.forms.pay import StartForm
from billing.gateways import ports
from billing.models import Invoice, Means, Payment, Receipt, Way
from billing.selectors import bills, insured, papers
from billing.selectors import window as selectors
from billing.services import asking, invoicing, paying
from billing.services import receipts as receipt_service
from hospital.errors import Refused

from .codes import qr
from .receipts import code_of, try_now

LOOKS_EVERY = 3
"""Seconds between two looks at a code that waits."""


def _page(request: HttpRequest, visit: Visit, template: str, context: dict, *, status: int = 200):
    context = {"visit": visit, "house": visit.house, "now": visit.now, **context}
    return render(request, f"billing/kiosk/{template}.html", context, status=status)


def means_at(organization_id: int) -> list[Means]:
    """What a machine takes: what phones scan, and the social-security card where its gateway is set up."""
    card = [Means.CARD] if Means.CARD in ports.payments_at(organization_id) else []
    return [*bills.means_at(organization_id), *card]


def _invoice(visit: Visit, token: UUID) -> Invoice:
    """Only of the person before the machine."""
    rows = Invoice.objects.select_related("organization", "patient")
    return get_object_or_404(rows, token=token, patient=visit.patient, organization=visit.house)


@require_safe
@visiting
def dues(request: HttpRequest, visit: Visit):
    """缴费: what is open; a single bill opens at once."""
    invoicing.open_for_patient(patient=visit.patient, organization=visit.house, by=request.user, now=visit.now)
    rows = selectors.dues(visit.patient, organization_id=visit.house.pk)
    if len(rows) == 1:
        return redirect("billing:kiosk_pay", rows[0].row.token)
    return _page(request, visit, "dues", {"dues": rows})


@require_safe
@visiting
def pay(request: HttpRequest, visit: Visit, token: UUID):
    row = _invoice(visit, token)
    if (anew := bills.opened_anew(row)) is not None:
        return redirect("billing:kiosk_pay", anew.token)
    return show(request, visit, row)


def show(request: HttpRequest, visit: Visit, row: Invoice, *, refusal: Refused | None = None):
    bill = _bill(row, now=visit.now)
    if bill.paid:
        return redirect("billing:kiosk_paid", row.token)
    panel = insured.panel(row, where=Way.KIOSK, now=visit.now) if bill.due else None
    asked = bill.payment.asked if bill.payment else {}
    context = {
        "invoice": row,
        "bill": bill,
        "panel": panel,
        "next": reverse("billing:kiosk_pay", args=[row.token]),
        "offered": means_at(row.organization_id),
        "request_key": uuid4(),
        "code": qr(asked.get("qr", "")),
        "moving": bill.payment is not None or (panel is not None and panel.moving),
        "every": LOOKS_EVERY,
        "refusal": refusal,
    }
    return _page(request, visit, "pay", context, status=refusal.status if refusal else 200)


def _bill(row: Invoice, *, now: datetime) -> bills.Bill:
    bill = bills.bill_of(row, now=now)
    if bill.payment is None and any(line.lapsed for line in bill.live):
        bill = bills.bill_of(asking.tidy(invoice=row, now=now), now=now)
    return bill


@require_POST
@visiting
def start(request: HttpRequest, visit: Visit, token: UUID):
    """A code of the chosen means. Pressed twice it is one."""
    row = _invoice(visit, token)
    form = StartForm(request.POST, offered=means_at(row.organization_id))
    if not form.is_valid():
        return redirect("billing:kiosk_pay", row.token)
    said = form.cleaned_data
    try:
        asking.start(
            invoice=row,
            means=said["means"],
            way=Way.KIOSK,
            by=request.user,
            request_key=str(said["request_key"]),
            now=visit.now,
        )
    except GatewayAway:  # the payment waits: the page says so, and asks again
        pass
    except Refused as refusal:
        return show(request, visit, row, refusal=refusal)
    return redirect("billing:kiosk_pay", row.token)


@require_POST
@visiting
def free(request: HttpRequest, visit: Visit, token: UUID):
    row = _invoice(visit, token)
    try:
        paying.settle_free(invoice=row, by=request.user, now=visit.now)
    except Refused as refusal:
        return show(request, visit, row, refusal=refusal)
    return redirect("billing:kiosk_paid", row.token)


@require_safe
@visiting
def waiting(request: HttpRequest, visit: Visit, token: UUID):
    """Asked while a code waits: 204 until something changed, then the page as it is now."""
    row = _invoice(visit, token)
    bill = bills.bill_of(row, now=visit.now)
    if bill.payment is not None:
        return HttpResponse(status=204)
    answer = HttpResponse(status=200)
    answer["HX-Redirect"] = reverse("billing:kiosk_paid" if bill.paid else "billing:kiosk_pay", args=[row.token])
    return answer


@require_POST
@visiting
def look(request: HttpRequest, visit: Visit, token: UUID):
    """我付好了: the gateway is asked at once."""
    row = _invoice(visit, token)
    if payment := _waits(row, now=visit.now):
        asking.look(payment=payment, now=visit.now)
    return redirect("billing:kiosk_pay", row.token)


@require_POST
@visiting
def leave(request: HttpRequest, visit: Visit, token: UUID):
    """换一种方式: closed at the gateway first, so that nobody pays both."""
    row = _invoice(visit, token)
    if payment := _waits(row, now=visit.now):
        try:
            asking.leave(payment=payment, now=visit.now)
        except GatewayAway as refusal:
            return show(request, visit, row, refusal=refusal)
    return redirect("billing:kiosk_pay", row.token)


def _waits(row: Invoice, *, now: datetime) -> Payment | None:
    return asking.standing(row, now=now)


@require_safe
@visiting
def paid(request: HttpRequest, visit: Visit, token: UUID):
    """付好了: a slip to take along, and the code of the e-invoice once it is asked for."""
    row = _invoice(visit, token)
    bill = bills.bill_of(row, now=visit.now)
    if not bill.paid:
        return redirect("billing:kiosk_pay", row.token)
    receipt = papers.of_invoice(row)
    live = receipt is not None and receipt.status in (Receipt.Status.ASKED, Receipt.Status.ISSUED)
    context = {
        "invoice": row,
        "bill": bill,
        "payments": selectors.received(row),
        "receipt": receipt if live else None,
        "code": code_of(request, receipt) if live else "",
        "numbered": row.total > 0 and papers.numbered_here(row.organization_id),
        "last4": visit.patient.medical_number[-4:],
        "more": selectors.dues(visit.patient, organization_id=visit.house.pk),
    }
    return _page(request, visit, "paid", context)


@require_POST
@visiting
def receipt(request: HttpRequest, visit: Visit, token: UUID):
    """开电子票据: its code stands on the slip, for the phone."""
    row = _invoice(visit, token)
    try:
        asked = receipt_service.ask(invoice=row, kind=Receipt.Kind.EINVOICE, by=request.user, now=visit.now)
    except Refused as refusal:
        return render(
            request,
            "kiosk/refused.html",
            {"visit": visit, "house": visit.house, "refusal": refusal},
            status=refusal.status,
        )
    try_now(asked)
    return redirect("billing:kiosk_paid", row.token)
