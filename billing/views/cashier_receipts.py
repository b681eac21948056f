"""票据 at the window: asked for with the payment, printed, voided and exchanged; and what the platform left undone."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing.forms.cashier import KindForm, VoidForm
from billing.models import CashierShift, Receipt
from billing.selectors import papers
from billing.services import receipts as service
from hospital import audit, clock
from hospital.errors import Refused

from .cashier_reach import at_the_drawer, invoice_at
from .receipts import code_of, has_pdf, pdf, try_now


@require_POST
@at_the_drawer
def ask(request: HttpRequest, shift: CashierShift, token: UUID):
    """开票. The page after paying asks by itself and shows the number when it is there; a person sees the paper."""
    row, form = invoice_at(shift, token), KindForm(request.POST)
    kind = form.cleaned_data["kind"] if form.is_valid() else Receipt.Kind.EINVOICE
    try:
        receipt = service.ask(invoice=row, kind=kind, by=request.user, now=clock.now())
    except Refused as refusal:
        if not request.htmx:
            raise
        return render(request, "billing/cashier/_receipt.html", {"invoice": row, "refusal": refusal})
    try_now(receipt)
    receipt.refresh_from_db()
    if request.htmx:
        context = {"invoice": row, "receipt": receipt, "code": code_of(request, receipt)}
        return render(request, "billing/cashier/_receipt.html", context)
    return redirect("billing:cashier_receipt", receipt.pk)


@require_safe
@at_the_drawer
def listed(request: HttpRequest, shift: CashierShift):
    """What needs somebody, then the latest; or the one with the number that is looked for."""
    number = request.GET.get("number", "").strip()[:20]
    context = {
        "shift": shift,
        "number": number,
        "open": papers.to_look_after(shift.organization_id, now=clock.now()),
        "rows": papers.lately(shift.organization_id, number=number),
    }
    return render(request, "billing/cashier/receipts.html", context)


@require_safe
@at_the_drawer
def one(request: HttpRequest, shift: CashierShift, pk: int):
    return _show(request, shift, _at(shift, pk))


def _at(shift: CashierShift, pk: int) -> Receipt:
    return get_object_or_404(papers.at_house(shift.organization_id), pk=pk)


def _show(request: HttpRequest, shift: CashierShift, row: Receipt, *, refusal: Refused | None = None, form=None):
    audit.saw_patient(
        patient=row.invoice.patient, actor=request.user, where="cashier", now=clock.now(), request=request
    )
    context = {
        "shift": shift,
        "paper": papers.paper(row, whole=True),
        "code": code_of(request, row),
        "has_pdf": has_pdf(),
        "form": form or VoidForm(label_suffix=""),
        "refusal": refusal,
    }
    return render(request, "billing/cashier/receipt.html", context, status=refusal.status if refusal else 200)


@require_safe
@at_the_drawer
def file(request: HttpRequest, shift: CashierShift, pk: int):
    return pdf(request, papers.paper(_at(shift, pk), whole=True))


@require_POST
@at_the_drawer
def void(request: HttpRequest, shift: CashierShift, pk: int):
    """作废, and by choice a new one of what the bill says now."""
    row, form = _at(shift, pk), VoidForm(request.POST, label_suffix="")
    said = form.cleaned_data if form.is_valid() else {"why": "", "reissue": False}
    try:
        row = service.void(receipt=row, by=request.user, now=clock.now(), **said)
    except Refused as refusal:
        return _show(request, shift, row, refusal=refusal, form=form)
    answer = _then(request, row)
    if row.status == Receipt.Status.ISSUED:
        messages.error(request, _("票据平台没有接受作废，这张票据仍然有效。请向平台核实后再作废。"))
    return answer


@require_POST
@at_the_drawer
def again(request: HttpRequest, shift: CashierShift, pk: int):
    row = _at(shift, pk)
    try:
        row = service.again(receipt=row, by=request.user, now=clock.now())
    except Refused as refusal:
        return _show(request, shift, row, refusal=refusal)
    return _then(request, row)


def _then(request: HttpRequest, row: Receipt):
    """The platform is asked now; a new one that takes its place, too."""
    try_now(row)
    row.refresh_from_db()
    if new := Receipt.objects.filter(replaces=row, status=Receipt.Status.ASKED).first():
        try_now(new)
        row = new
    row.refresh_from_db()
    if row.next_try_at:
        messages.warning(request, _("票据平台还没有回答，系统会继续办理，不用重复操作。"))
    return redirect("billing:cashier_receipt", row.pk)
