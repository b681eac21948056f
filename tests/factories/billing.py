"""结算: a house that wants money first, invoices of held bookings, and a gateway that is told what to do."""

from datetime import date, timedelta
from decimal import Decimal

import factory

from appointments.services import booking
from billing.gateways import ports
from billing.models import CashierShift, CreditAgreement, Invoice, PaymentRule
from billing.policies.paying import Said

from .base import NOW, TODAY, Factory
from .house import OrganizationFactory, StaffFactory
from .people import PatientFactory
from .supply import open_schedule

PREPAID = ["web", "app", "kiosk", "consult", "counter"]


def pays_first(*, prepaid=PREPAID, since=date(2020, 1, 1), **more) -> PaymentRule:
    """Switches prepaid on at H1."""
    return PaymentRule.objects.create(
        organization=OrganizationFactory(), effective_from=since, prepaid=list(prepaid), **more
    )


def held_number(*, patient=None, schedule=None, number=None, channel="web", now=NOW):
    """A number that waits to be paid for, in a house that wants the money first."""
    if not PaymentRule.objects.filter(organization=OrganizationFactory()).exists():
        pays_first()
    return booking.book(
        schedule=schedule or open_schedule(),
        patient=patient or PatientFactory(),
        channel=channel,
        by=None,
        request_key=None,
        number=number,
        now=now,
    )


class InvoiceFactory(Factory):
    """Without lines: see services.invoicing for the real thing."""

    class Meta:
        model = Invoice

    organization = factory.SubFactory(OrganizationFactory)
    patient = factory.SubFactory(PatientFactory)
    insurance = "none"
    opened_at = NOW


class ShiftFactory(Factory):
    class Meta:
        model = CashierShift

    organization = factory.SubFactory(OrganizationFactory)
    cashier = factory.SubFactory(StaffFactory, roles="cashier")
    window = "1号窗口"
    change = Decimal("200.00")
    opened_at = NOW


def credit_for(patient, *, limit="1000.00", days=10) -> CreditAgreement:
    return CreditAgreement.objects.create(
        organization=OrganizationFactory(),
        patient=patient,
        limit=Decimal(limit),
        days=days,
        effective_from=TODAY - timedelta(days=30),
        signed_at=NOW - timedelta(days=30),
    )


class ScriptedGateway:
    """Behaves like a real one, in memory: orders and refunds once by number, money only by `pay`. `away`: the next
    calls get no answer; "after": it did what was asked, the answer was lost."""

    def __init__(self, code="wechat"):
        self.code = code
        self.orders: dict[str, dict] = {}
        self.refunds: dict[str, dict] = {}
        self.away: list[str] = []
        self.refuses: set[str] = set()

    def _call(self, deed):
        script = self.away.pop(0) if self.away else ""
        if script == "before":
            raise ports.Away
        answer = deed()
        if script == "after":
            raise ports.Away
        return answer

    def create(self, order):
        def deed():
            if "create" in self.refuses:
                raise ports.Refuses("NOAUTH")
            self.orders.setdefault(order.order, {"amount": order.amount, "state": ports.State.WAITING})
            return ports.Created(qr=f"weixin://pay/{order.order}")

        return self._call(deed)

    def pay(self, order) -> Said:
        """The patient's phone says yes. What a callback would say."""
        row = self.orders[order]
        assert row["state"] == ports.State.WAITING, "nobody can pay a closed or paid order"
        row["state"], row["reference"] = ports.State.DONE, f"T{len(self.orders)}{order[-12:]}"
        return Said(row["amount"], row["reference"])

    def query(self, order):
        return self._call(lambda: self._news(order, self.orders.get(order)))

    def close(self, order):
        def deed():
            row = self.orders[order]
            if row["state"] == ports.State.DONE:
                raise ports.Refuses("ORDERPAID")
            row["state"] = ports.State.CLOSED

        return self._call(deed)

    def refund(self, order, *, refund, amount, total):
        def deed():
            if "refund" in self.refuses:
                raise ports.Refuses("NOTENOUGH")
            row = self.orders[order]
            back = sum(one["amount"] for one in self.refunds.values() if one["order"] == order)
            if refund not in self.refunds:
                assert row["state"] == ports.State.DONE
                assert row["amount"] == total
                if back + amount > total:
                    raise ports.Refuses("TOOMUCH")
                done = {"order": order, "amount": amount, "state": ports.State.DONE, "reference": f"RT{refund[-12:]}"}
                self.refunds[refund] = done
            return self._news(refund, self.refunds[refund])

        return self._call(deed)

    def query_refund(self, order, *, refund):
        return self._call(lambda: self._news(refund, self.refunds.get(refund)))

    def _news(self, number, row):
        if row is None:
            return ports.News(number, ports.State.UNKNOWN)
        return ports.News(number, row["state"], row["amount"], row.get("reference", ""))

    def bill(self, day):
        raise ports.Away

    def read(self, headers, body):
        raise ports.Forged
