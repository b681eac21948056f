"""医保 on the pages that take money: /pay/<token>/insurance/. The panel stands on the page of paying, of the cashier
and of the kiosk; here is what its buttons do, and the panel as a page of its own where something typed was wrong.

Who asks: the account's own people, a cashier or doctor of the house, the person before a kiosk; whoever has the link
alone also says the last four digits of the document, so that nobody spends another person's account.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.views.kiosk import visit as kiosk
from billing.errors import NotTheInsured
from billing.forms.insurance import BeginForm, KindForm, SeenForm
from billing.models import Invoice, Way
from billing.selectors import bills, insured
from billing.services import insurance_calls, insurance_choosing, insurance_kind, insurance_steps
from hospital import clock, masking, permissions
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.models import Role, User

GUESSES = (60, 600)
"""Unknown links of a network address per so many seconds."""
TRIES = (5, 600)
"""Last four digits of one invoice per so many seconds."""
ACTS = (30, 600)
"""What is asked of the insurance for one invoice per so many seconds."""
FRAMES = {
    Way.PHONE: "billing/insurance/phone.html",
    Way.KIOSK: "billing/insurance/kiosk.html",
    Way.WINDOW: "billing/insurance/desk.html",
    Way.CONSULT: "billing/insurance/desk.html",
}

PAGES = {
    Way.PHONE: "billing:pay",
    Way.KIOSK: "billing:kiosk_pay",
    Way.WINDOW: "billing:cashier_invoice",
    Way.CONSULT: "billing:desk_pay",
}
"""Where the panel stands, if the page does not say."""


@dataclass
class Asker:
    """Who is at which page, and where they came from."""

    request: HttpRequest
    invoice: Invoice
    where: str
    stranger: bool
    now: datetime

    @property
    def by(self) -> User | None:
        return self.request.user if self.request.user.is_authenticated else None

    @property
    def back(self) -> str:
        """The page that the panel stands on."""
        said = self.request.POST.get("next") or self.request.GET.get("next") or ""
        fits = url_has_allowed_host_and_scheme(said, allowed_hosts=None) and said.startswith("/")
        return said if fits else reverse(PAGES[self.where], args=[self.invoice.token])

    def panel(self) -> insured.Panel | None:
        return insured.panel(self.invoice, where=self.where, now=self.now)

    def form(self, data=None, **more) -> BeginForm:
        masked = masking.name(self.invoice.patient.name)
        by_staff = self.where in insured.STAFF
        initial = {"use_account": True}
        return BeginForm(data, stranger=self.stranger, by_staff=by_staff, masked=masked, initial=initial, **more)


def asker_of(request: HttpRequest, token: UUID) -> Asker:
    invoice = Invoice.objects.filter(token=token).select_related("organization", "patient").first()
    if invoice is None:
        rates.spend_of(f"pay.guess.{client_address(request)}", *GUESSES)
        raise Http404
    where, stranger = _where(request, invoice)
    return Asker(request, invoice, where, stranger, clock.now())


def _where(request: HttpRequest, invoice: Invoice) -> tuple[str, bool]:
    user, house = request.user, invoice.organization_id
    if permissions.is_a_kiosk(user):
        kept = request.session.get(kiosk.KEPT) or {}
        if kept.get("patient") != invoice.patient_id:
            raise Http404
        return Way.KIOSK, False
    if permissions.may_act_in(user, house, Role.CASHIER, Role.COUNTER):
        return Way.WINDOW, False
    if permissions.may_act_in(user, house, Role.DOCTOR, Role.WARD, Role.EXAM):
        return Way.CONSULT, False
    own = permissions.is_patient_account(user) and bills.of_account(user).filter(pk=invoice.pk).exists()
    return Way.PHONE, not own


@require_http_methods(["GET", "POST"])
@never_cache
def insurance(request: HttpRequest, token: UUID):
    """The panel as a page, and its acts: begin, agree, decline. Afterwards back to the page it stands on."""
    asker = asker_of(request, token)
    if request.method == "GET":
        return _page(asker)
    rates.spend_of(f"insurance.act.{asker.invoice.pk}", *ACTS)
    deed = {"begin": _begin, "agree": _agree, "decline": _decline, "kind": _kind}.get(request.POST.get("act", ""))
    if deed is None:
        return redirect(asker.back)
    try:
        refused = deed(asker)
    except Refused as refusal:
        asker.invoice.refresh_from_db()
        typed = asker.form(request.POST) if deed is _begin else None
        return _page(asker, form=typed, refusal=refusal, status=refusal.status)
    return refused or redirect(asker.back)


def _page(asker: Asker, *, form: BeginForm | None = None, refusal: Refused | None = None, status: int = 200):
    panel = asker.panel()
    if panel is None and refusal is None:
        return redirect(asker.back)
    context = {
        "panel": panel,
        "begin": form or asker.form(),
        "invoice": asker.invoice,
        "organization": asker.invoice.organization,
        "next": asker.back,
        "refusal": refusal,
        "own": not asker.stranger,
    }
    if asker.where == Way.KIOSK:
        kept, house = asker.request.session[kiosk.KEPT], kiosk.house_of(asker.request)
        context |= {"house": house, "visit": kiosk.Visit(asker.invoice.patient, kept["key"], house, asker.now)}
    response = render(asker.request, FRAMES[asker.where], context, status=status)
    response["Referrer-Policy"] = "same-origin"  # the link is a key
    return response


def _begin(asker: Asker) -> HttpResponse | None:
    form = asker.form(asker.request.POST)
    if not form.is_valid():
        return _page(asker, form=form, status=422)
    if asker.stranger:
        rates.spend_of(f"insurance.who.{asker.invoice.pk}", *TRIES)
        paper = insurance_calls.paper_of(asker.invoice.patient_id)
        if paper is not None and paper.last4.upper() != form.cleaned_data["last4"].upper():
            form.add_error("last4", NotTheInsured().in_full)
            return _page(asker, form=form, status=422)
    insurance_choosing.begin(
        invoice=asker.invoice,
        way=asker.where,
        use_account=form.cleaned_data["use_account"],
        by=asker.by,
        now=asker.now,
    )
    return None


def _agree(asker: Asker) -> None:
    form = SeenForm(asker.request.POST)
    if form.is_valid():
        insurance_choosing.agree(invoice=asker.invoice, seen=form.cleaned_data["seen"], by=asker.by, now=asker.now)


def _decline(asker: Asker) -> None:
    insurance_choosing.decline(invoice=asker.invoice, by=asker.by, now=asker.now)


def _kind(asker: Asker) -> HttpResponse:
    """The record of a person is not changed by whoever has a link."""
    form = KindForm(asker.request.POST)
    if asker.stranger:
        raise Http404
    if not form.is_valid():
        return redirect(asker.back)
    new = insurance_kind.say(invoice=asker.invoice, kind=form.cleaned_data["kind"], by=asker.by, now=asker.now)
    return redirect(PAGES[asker.where], new.token)


@require_POST
@never_cache
def look(request: HttpRequest, token: UUID) -> HttpResponse:
    """For a panel that waits: what is due is asked, and where anything is new to say the page is drawn anew."""
    asker = asker_of(request, token)
    rates.spend_of(f"insurance.look.{asker.invoice.pk}", 400, 600)
    insurance_steps.drive(invoice=asker.invoice.pk, by=asker.by, now=asker.now, seconds=2)
    asker.invoice.refresh_from_db()
    panel = asker.panel()
    nothing_new = panel is not None and (panel.state == insured.ASKING or panel.mark == request.POST.get("seen", ""))
    if not nothing_new:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return HttpResponse(status=204)
