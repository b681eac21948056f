"""缴费, on the phone: /pay/<token>/ for the account's own people, and for whoever was given the link or scanned it.

Who has the link alone sees how much and for how many things, not for what: names of clinics and exams tell about
health. Both may pay, and what was paid by whom does not matter: it goes back to where it came from.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from billing.errors import GatewayAway, InvoiceOver, NothingToPay
from billing.forms.pay import PaymentForm, StartForm
from billing.models import Invoice, Payment, Way
from billing.selectors import bills, insured
from billing.services import asking, crediting, paying
from hospital import clock
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.models import User
from hospital.permissions import is_patient_account, patient_required
from hospital.views.own import own_of

from .codes import qr

GUESSES = (60, 600)
"""Unknown links of a network address per so many seconds."""
STARTS = (30, 600)
"""Codes of one invoice per so many seconds: each asks a gateway."""
PER_PAGE = 10
MOST_DUE = 200
"""What is to be paid stands on one page: nobody finds a bill by its page."""


@dataclass
class Page:
    """The invoice behind a link, and what this visitor may see of it."""

    request: HttpRequest
    invoice: Invoice
    own: bool  # of the account's people: names of clinics and exams are shown
    now: datetime

    @property
    def by(self) -> User | None:
        return self.request.user if self.request.user.is_authenticated else None

    def panel(self) -> insured.Panel | None:
        return insured.panel(self.invoice, where=Way.PHONE, now=self.now)

    @property
    def means_open(self) -> bool:
        """It is known who bears what: an insured person has agreed, or declined."""
        panel = self.panel()
        return panel is None or panel.means_open

    def bill(self) -> bills.Bill:
        bill = bills.bill_of(self.invoice, now=self.now)
        if bill.payment is None and any(line.lapsed for line in bill.live):
            self.invoice = asking.tidy(invoice=self.invoice, now=self.now)
            bill = bills.bill_of(self.invoice, now=self.now)
        return bill


@sensitive_variables("token")
def page_of(request: HttpRequest, token: UUID) -> "Page":
    """Raises Http404, and TooMany for who tries links."""
    invoice = Invoice.objects.filter(token=token).select_related("organization", "patient").first()
    if invoice is None:
        rates.spend_of(f"pay.guess.{client_address(request)}", *GUESSES)
        raise Http404
    own = is_patient_account(request.user) and bills.of_account(request.user).filter(pk=invoice.pk).exists()
    return Page(request, invoice, own, clock.now())


@require_safe
@never_cache
def pay(request: HttpRequest, token: UUID):
    """缴费: lines with their clocks, who bears what, the means; the code that waits; what became of it. Back from the
    gateway's page, it asks at once whether the money has come."""
    page = page_of(request, token)
    if (anew := bills.opened_anew(page.invoice)) is not None:
        return redirect("billing:pay", anew.token)
    if "back" in request.GET:
        if payment := asking.standing(page.invoice, now=page.now):
            asking.look(payment=payment, now=page.now)
        return redirect("billing:pay", token)
    return show(page)


def show(page: Page, *, refusal: Refused | None = None, form: StartForm | None = None, status: int = 200):
    bill, offered = page.bill(), bills.means_at(page.invoice.organization_id)
    panel = page.panel()
    asked = bill.payment.asked if bill.payment else {}
    context = {
        "page": page,
        "bill": bill,
        "invoice": page.invoice,
        "organization": page.invoice.organization,
        "own": page.own,
        "offered": offered,
        "chosen": _chosen(form, offered),
        "panel": panel,
        "means_open": panel is None or panel.means_open,
        "next": reverse("billing:pay", args=[page.invoice.token]),
        "code": qr(asked.get("qr", "")),
        "link": asked.get("url", ""),
        "request_key": uuid4(),
        "refusal": refusal,
        "form": form,
        "now": page.now,
    }
    response = render(page.request, "billing/pay/pay.html", context, status=refusal.status if refusal else status)
    response["Referrer-Policy"] = "same-origin"  # the link is a key
    return response


def _chosen(form: StartForm | None, offered: list) -> str:
    """What was chosen stays so; a single means is chosen already."""
    said = form.data.get("means", "") if form else ""
    return said or (offered[0].value if offered else "")


@require_http_methods(["POST"])
@never_cache
def start(request: HttpRequest, token: UUID):
    """去支付: a code of the chosen means. Pressed twice, or after the way back: the same code."""
    page = page_of(request, token)
    form = StartForm(request.POST, offered=bills.means_at(page.invoice.organization_id))
    if not form.is_valid():
        return show(page, form=form, status=422)
    if not page.means_open:
        return redirect("billing:pay", token)
    rates.spend_of(f"pay.start.{page.invoice.pk}", *STARTS)
    try:
        asking.start(
            invoice=page.invoice,
            means=form.cleaned_data["means"],
            way=Way.PHONE,
            by=page.by,
            request_key=str(form.cleaned_data["request_key"]),
            payer_ip=client_address(request) or "",
            now=page.now,
        )
    except (InvoiceOver, NothingToPay, GatewayAway):  # paid or over meanwhile, or the code waits: the page says so
        pass
    except Refused as refusal:
        return show(page_of(request, token), refusal=refusal, form=form)
    return redirect("billing:pay", token)


@require_http_methods(["POST"])
@never_cache
def look(request: HttpRequest, token: UUID):
    """我已付款: the gateway is asked at once."""
    page = page_of(request, token)
    payment = _payment(page)
    if payment is not None:
        rates.spend_of(f"pay.look.{payment.pk}", *STARTS)
        payment = asking.look(payment=payment, now=page.now)
        if payment.status == Payment.Status.PENDING:
            messages.warning(
                request, _("支付渠道还没有告诉我们付款结果。如果已经付款，请不要重复付款，一两分钟后会自动更新。")
            )
    return redirect("billing:pay", token)


@require_http_methods(["POST"])
@never_cache
def leave(request: HttpRequest, token: UUID):
    """换一种方式: the code is closed first."""
    page = page_of(request, token)
    payment = _payment(page)
    if payment is not None:
        rates.spend_of(f"pay.look.{payment.pk}", *STARTS)
        try:
            asking.leave(payment=payment, now=page.now)
        except GatewayAway:
            messages.warning(
                request, _("原来的付款码还没能关闭，请不要再扫它；换一种方式付款后，如果两边都付了，多付的会自动退回。")
            )
    return redirect("billing:pay", token)


def _payment(page: Page) -> Payment | None:
    form = PaymentForm(page.request.POST)
    if not form.is_valid():
        return None
    rows = page.invoice.payments.filter(pk=form.cleaned_data["payment"], status=Payment.Status.PENDING)
    return rows.exclude(gateway="").select_related("organization", "invoice").first()


@require_http_methods(["POST"])
@never_cache
@patient_required
def free(request: HttpRequest, token: UUID):
    """确认: nothing is to be paid, the person says yes."""
    page = page_of(request, token)
    try:
        paying.settle_free(invoice=page.invoice, by=page.by, now=page.now)
    except Refused as refusal:
        return show(page_of(request, token), refusal=refusal)
    return redirect("billing:pay", token)


@require_http_methods(["POST"])
@never_cache
@patient_required
def credit(request: HttpRequest, token: UUID):
    """先诊疗后付费 (M4), by the account of the person or their family."""
    page = page_of(request, token)
    if not page.own:
        raise Http404
    if not page.means_open:
        return redirect("billing:pay", token)
    try:
        crediting.put_on_credit(invoice=page.invoice, by=page.by, now=page.now)
    except Refused as refusal:
        return show(page_of(request, token), refusal=refusal)
    return redirect("billing:pay", token)


@require_safe
@never_cache
def state(request: HttpRequest, token: UUID):
    """For the page itself, while it waits: nothing new, or draw it anew. No sign of a person."""
    page = page_of(request, token)
    bill = page.bill()
    if request.GET.get("seen", "") != bill.state:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "billing/pay/_clock.html", {"bill": bill, "now": page.now})


# ---- my invoices ----


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest):
    """我的账单: what is to be paid on top, then the others by pages."""
    own = own_of(request)
    rows = bills.of_account(request.user, person=own.person).order_by("-opened_at", "-pk")
    over = rows.exclude(status__in=Invoice.DUE).exclude(status=Invoice.Status.VOID)
    page = Paginator(over, PER_PAGE).get_page(request.GET.get("page"))
    due = bills.listed(rows.filter(status__in=Invoice.DUE)[:MOST_DUE]) if page.number == 1 else []
    context = own.shown(due=due, page=page, past=bills.listed(page))
    return render(request, "billing/pay/mine.html", context)
