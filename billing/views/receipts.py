"""票据 on the phone (M9): 我的票据, one to show and to print, as PDF where the extra is installed; and the page behind
its code, where anybody who holds the paper sees whether it counts.
"""

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from billing.errors import NoGateway
from billing.models import Invoice, Receipt
from billing.selectors import bills, papers
from billing.services import receipts as service
from hospital import clock, family, masking
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.permissions import patient_required

from .codes import qr

GUESSES = (30, 600)
"""Unknown receipts of a network address per so many seconds."""
PER_PAGE = 10


# ---- the account's own ----


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest):
    """我的票据: what is paid, each with its receipt or the button to ask for it."""
    return _mine(request)


def _mine(request: HttpRequest, *, refusal: Refused | None = None):
    rows = bills.of_account(request.user).filter(Q(status=Invoice.Status.PAID, total__gt=0) | Q(receipts__isnull=False))
    page = Paginator(rows.distinct().order_by("-paid_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    for row in page:
        last = papers.of_invoice(row)
        row.paper = papers.paper(last, whole=False) if last else None
        row.masked = masking.name(row.patient.name)
        row.may_ask = row.status == Invoice.Status.PAID and papers.numbered_here(row.organization_id)
    context = {"page": page, "refusal": refusal}
    return render(request, "billing/receipts/mine.html", context, status=refusal.status if refusal else 200)


@require_POST
@patient_required
@sensitive_variables("token")
def ask(request: HttpRequest, token):
    """开电子票据. The platform is asked at once; where it is away the number comes by itself."""
    row = get_object_or_404(bills.of_account(request.user), token=token)
    now = clock.now()
    try:
        receipt = service.ask(invoice=row, kind=Receipt.Kind.EINVOICE, by=request.user, now=now)
    except Refused as refusal:
        return _mine(request, refusal=refusal)
    try_now(receipt)
    return redirect("billing:receipt", receipt.request)


def try_now(receipt: Receipt) -> None:
    """Ask the platform in this request; what does not come now comes by the job."""
    if receipt.status in (Receipt.Status.ASKED, Receipt.Status.VOIDING):
        try:
            service.send(receipt=receipt, now=clock.now())
        except NoGateway:
            return


@require_safe
@never_cache
@patient_required
@sensitive_variables("token")
def one(request: HttpRequest, token: str):
    paper = _own(request, token)
    context = {"paper": paper, "code": code_of(request, paper.row), "has_pdf": has_pdf()}
    return render(request, "billing/receipts/one.html", context)


@require_safe
@never_cache
@patient_required
@sensitive_variables("token")
def file(request: HttpRequest, token: str):
    return pdf(request, _own(request, token))


def _own(request: HttpRequest, token: str) -> papers.Paper:
    """A person whose papers were never shown to us stays masked."""
    row = papers.by_request(token)
    if row is None or not bills.of_account(request.user).filter(pk=row.invoice_id).exists():
        raise Http404
    people = family.people_of(request.user)
    proved = any(each.patient_id == row.invoice.patient_id and each.proof != family.UNPROVED for each in people)
    return papers.paper(row, whole=proved)


# ---- PDF, and the code ----


def has_pdf() -> bool:
    """The extra is installed (requirements-pdf.txt)."""
    return find_spec("reportlab") is not None


def pdf(request: HttpRequest, paper: papers.Paper) -> HttpResponse:
    if not (has_pdf() and paper.ready):
        raise Http404
    drawing = import_module(f"{__package__}.receipt_pdf")  # an extra: only who asks for a PDF needs it
    body = drawing.drawn(paper, address=address_of(request, paper.row))
    answer = HttpResponse(body, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{paper.row.number}.pdf"'
    return answer


def address_of(request: HttpRequest, row: Receipt) -> str:
    where = reverse("billing:receipt_check", args=[row.request])
    return settings.PUBLIC_URL + where if settings.PUBLIC_URL else request.build_absolute_uri(where)


def code_of(request: HttpRequest, row: Receipt) -> str:
    return qr(address_of(request, row))


# ---- behind the code ----


@require_safe
@never_cache
@sensitive_variables("token")
def check(request: HttpRequest, token: str):
    """票据查验: whoever holds the paper sees its numbers, its sum and whether it counts. Not what it was for: names of
    clinics and exams tell about health."""
    row = papers.by_request(token)
    if row is None:
        rates.spend_of(f"receipt.guess.{client_address(request)}", *GUESSES)
    paper = papers.paper(row, whole=False) if row else None
    context = {"paper": paper, "now": clock.now()}
    answer = render(request, "billing/receipts/check.html", context, status=200 if paper else 404)
    answer["Referrer-Policy"] = "same-origin"
    return answer
