"""诊间收费: how the basket of the consult room is paid (M1): a code on the screen that the patient scans, a link on the
patient's phone, or later by agreement. What is paid is confirmed by itself; the page's own polling shows it.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from appointments.models.rules import Channel
from appointments.views import consult_neighbours
from appointments.views.consult_basket import again, answer, with_the_patient
from appointments.views.consult_context import Page
from appointments.views.consult_options import milliseconds
from billing.errors import GatewayAway, NothingToPay
from billing.forms.pay import PaymentForm, StartForm
from billing.models import Invoice, Means, Payment, Refund, Way
from billing.selectors import bills, insured, rules
from billing.selectors import credit as credits
from billing.services import asking, crediting, invoicing, paying, sending
from hospital import clock
from hospital.addresses import client_address
from hospital.errors import Refused
from hospital.models import Patient

from .codes import pay_address, qr

NOTHING = Decimal("0.00")


@dataclass
class Desk:
    """The basket's money as it stands. `invoice` is there once something was pressed."""

    page: Page
    invoice: Invoice | None
    said: str = ""

    @property
    def instead(self) -> bool:
        """Confirming is paying."""
        return bool(self.page.unconfirmed or self.payment)

    @cached_property
    def bill(self) -> bills.Bill | None:
        return bills.bill_of(self.invoice, now=self.page.now) if self.invoice else None

    @property
    def held(self) -> Decimal:
        """Of what is held and not confirmed."""
        lines = [*self.page.held, *self.page.their_held]
        return sum((line.line.fee for line in lines), NOTHING)

    @property
    def owed(self) -> Decimal:
        """What is still to be paid for all that is held: as the invoice says, while it has just these lines; and while
        a code stands what that is for, though a line ran out meanwhile: it is taken again, or given back."""
        if self.payment:
            return self.payment.amount
        if self.bill and self.bill.due and sum((line.row.amount for line in self.bill.live), NOTHING) == self.held:
            return self.bill.owed
        return self.held

    @property
    def confirming(self) -> bool:
        return bool(self.bill and self.bill.confirming)

    @property
    def on_credit(self) -> bool:
        return bool(self.bill and self.bill.on_credit)

    @property
    def payment(self) -> Payment | None:
        """A code that was shown stays on the screen though all that it is for ran out: it can still be paid."""
        there = self.bill.payment if self.bill else None
        shown = there and there.asked and self.invoice.status == Invoice.Status.OPEN
        return there if self.page.unconfirmed or shown else None

    @property
    def run_out(self) -> int:
        return self.bill.run_out if self.payment else 0

    @property
    def code(self) -> str:
        asked = self.payment.asked if self.payment else {}
        return qr(asked.get("qr") or asked.get("url", ""))

    @property
    def until_ms(self) -> int:
        return milliseconds(self.payment.expires_at) if self.payment else 0

    @cached_property
    def offered(self) -> list[Means]:
        return bills.means_at(self.page.doctor.organization_id)

    @property
    def keyed(self) -> list[tuple[Means, str, str]]:
        """The means with the key that presses each: the usual one is where confirming always was."""
        keys = [("Control+Enter", "Ctrl ↵"), ("F9", "F9"), ("F10", "F10")]
        return [(means, *keys[n]) for n, means in enumerate(self.offered[: len(keys)])]

    @property
    def ask_insurance_first(self) -> bool:
        """What an insured person pays is known when the invoice is opened and the insurance was asked, or declined."""
        if self.bill and self.bill.due:
            return False
        insured_here = self.page.patient.insurance != Patient.Insurance.NONE
        return insured_here and insured.is_linked(self.page.doctor.organization_id)

    @cached_property
    def panel(self) -> insured.Panel | None:
        if self.invoice is None or not self.bill.due:
            return None
        return insured.panel(self.invoice, where=Way.CONSULT, now=self.page.now)

    @property
    def means_open(self) -> bool:
        return self.panel is None or self.panel.means_open

    @cached_property
    def credit(self):
        """Whether all that is held may be paid after the visit (selectors.credit.Use); before anything is opened only
        that there is an agreement."""
        if self.bill and self.bill.due:
            return credits.use_of(self.invoice, now=self.page.now)
        house = self.page.doctor.organization_id
        agreed = rules.credit_of(self.page.patient.pk, organization_id=house, now=self.page.now)
        return credits.Use(agreed, NOTHING, None, None)

    @cached_property
    def sent_at(self) -> datetime | None:
        return sending.sent_at(self.invoice) if self.invoice else None

    @property
    def link(self) -> str:
        """The page of paying, for the patient's own phone to scan."""
        return qr(pay_address(self.page.request, self.invoice)) if self.sent_at else ""

    @property
    def paid(self) -> Decimal:
        """Of this basket, and not given back."""
        return self.bill.sums.held if self.bill else NOTHING

    @property
    def returned(self) -> list[Refund]:
        """What went back because it could not be booked, where nothing else on the page says that money ever came."""
        rows = self.bill.refunds if self.bill and (self.instead or not self.paid) else []
        return rows if any(row.reason == Refund.Reason.LAPSED for row in rows) else []

    @property
    def stamp(self) -> str:
        panel = self.panel.mark if self.bill and self.panel else ""
        return f"{self.bill.state}{bool(self.sent_at)}{panel}" if self.bill else "-"


class Money(consult_neighbours.Till):
    stylesheets = ("css/billing-consult.css", "css/billing-insurance.css")

    def desk(self, page: Page) -> tuple[str, Desk] | None:
        """One or two queries where the house wants money in the consult room first, else none."""
        there = desk_of(page)
        if there is None or not (there.held or there.payment or there.paid or there.returned or there.on_credit):
            return None
        return "billing/consult/_till.html", there

    def may_leave(self, page: Page) -> bool:
        there = desk_of(page)
        return there is not None and there.sent_at is not None


def desk_of(page: Page) -> Desk | None:
    if hasattr(page, "money"):
        return page.money
    page.money = None
    house = page.doctor.organization_id
    anywhere = page.patient and rules.is_prepaid_anywhere(Channel.CONSULT)
    if anywhere and Channel.CONSULT in rules.payment_rule(house, day=page.today).prepaid:
        page.money = Desk(page, _invoice_of(page))
    return page.money


def _invoice_of(page: Page) -> Invoice | None:
    """The one to be paid, else the last of the basket."""
    rows = Invoice.objects.filter(basket=page.basket, organization=page.doctor.organization_id, patient=page.patient)
    rows = list(rows.select_related("organization", "patient").exclude(status=Invoice.Status.VOID).order_by("-pk"))
    return next((row for row in rows if row.status == Invoice.Status.OPEN), rows[0] if rows else None)


def _opened(page: Page) -> Invoice:
    """The basket's invoice with all that is held now. Raises NothingToCharge."""
    found = invoicing.open_for_basket(basket=page.basket, by=page.request.user, now=page.now)
    house = page.doctor.organization_id
    mine = [row for row in found if row.organization_id == house and row.patient_id == page.patient.pk]
    if not mine:
        raise NothingToPay()
    return next((row for row in mine if row.status == Invoice.Status.OPEN), mine[-1])


def _after(page: Page, *, notice: str = "", next_step: str = "") -> HttpResponse:
    return answer(again(page, notice=notice, notice_next=next_step, focus="notice" if notice else ""))


@with_the_patient
def start(request: HttpRequest, page: Page) -> HttpResponse:
    """扫码付: the code of the pressed means on the screen, for all that is in the basket."""
    invoice = _opened(page)
    form = StartForm(request.POST, offered=bills.means_at(invoice.organization_id))
    if not form.is_valid():
        raise Http404
    panel = insured.panel(invoice, where=Way.CONSULT, now=page.now)
    if panel is not None and not panel.means_open:  # a line came meanwhile, or the page is an old one
        return _after(page)
    with suppress(GatewayAway):  # the payment waits all the same, and the basket says so
        asking.start(
            invoice=invoice,
            means=form.cleaned_data["means"],
            way=Way.CONSULT,
            by=request.user,
            request_key=str(form.cleaned_data["request_key"]),
            payer_ip=client_address(request) or "",
            now=page.now,
        )
    return _after(page)


@with_the_patient
def open_bill(request: HttpRequest, page: Page) -> HttpResponse:
    """收费: the invoice is opened first, so that the insurance's part is known before anything is paid."""
    _opened(page)
    return _after(page)


@with_the_patient
def send(request: HttpRequest, page: Page) -> HttpResponse:
    """发到患者手机: the lines stay held until the rule's minutes are over, and the next patient may come in."""
    invoice = _opened(page)
    new = sending.send_link(invoice=invoice, address=pay_address(request, invoice), by=request.user, now=page.now)
    words = _("付费链接已发到患者手机。") if new else _("付费链接之前已经发过。")
    return _after(page, notice=words, next_step=_("患者付款后自动确认；按 N 可以叫下一位。"))


@with_the_patient
def look(request: HttpRequest, page: Page) -> HttpResponse:
    """患者说已付款: the gateway is asked at once."""
    payment = _payment(request, page)
    if payment:
        payment = asking.look(payment=payment, now=page.now)
        if payment.status == Payment.Status.PENDING:
            return _after(
                page, notice=_("支付渠道还没有告诉我们付款结果。"), next_step=_("请不要重复付款，付款后会自动确认。")
            )
    return _after(page)


@with_the_patient
def leave(request: HttpRequest, page: Page) -> HttpResponse:
    """换一种方式."""
    payment = _payment(request, page)
    if payment:
        try:
            asking.leave(payment=payment, now=page.now)
        except GatewayAway:
            return _after(page, notice=_("原来的付款码还没能关闭，请患者不要再扫它。"))
    return _after(page)


def _payment(request: HttpRequest, page: Page) -> Payment | None:
    form = PaymentForm(request.POST)
    there = desk_of(page)
    if not form.is_valid() or there is None or there.invoice is None:
        return None
    rows = there.invoice.payments.filter(pk=form.cleaned_data["payment"], status=Payment.Status.PENDING)
    return rows.exclude(gateway="").select_related("organization", "invoice").first()


@with_the_patient
def credit(request: HttpRequest, page: Page) -> HttpResponse:
    """先诊疗后付费 (M4): confirmed now, paid once before leaving or within the agreement's days."""
    invoice = _opened(page)
    done = crediting.put_on_credit(invoice=invoice, by=request.user, now=page.now)
    words = _("已约好%(count)s项，先诊疗后付费。") % {"count": len(done.confirmed)}
    return _after(page, notice=words, next_step=_("按 P 打印预约条，按 N 叫下一位。"))


@with_the_patient
def free(request: HttpRequest, page: Page) -> HttpResponse:
    """确认: the insurance bears all of it."""
    try:
        paying.settle_free(invoice=_opened(page), by=request.user, now=clock.now())
    except Refused as refusal:
        return answer(again(page, refusal=refusal), status=refusal.status)
    return _after(page)


consult_neighbours.take_money(Money())
