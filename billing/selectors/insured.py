"""医保 on the pages that take money: what it would bear, where its settlement is, what the person can do now (M5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.utils.translation import gettext as _

from billing.errors import NoGateway
from billing.gateways import ports
from billing.models import ChargeItem, InsuranceSettlement, InsuranceStep, Invoice, MoneyCase
from billing.policies import splitting
from billing.policies.insurance import FORWARD, Step
from billing.policies.splitting import NOTHING, Split
from billing.selectors import rules, sums
from hospital import masking
from hospital.models import Patient

Status = InsuranceSettlement.Status

CHOOSE, ASKING, AWAY, AGREE, SETTLING, SETTLED = "choose", "asking", "away", "agree", "settling", "settled"
REVERSING, REFUSED, DECLINED, NONE = "reversing", "refused", "declined", "none"
MOVES_BY_ITSELF = frozenset({ASKING, AWAY, SETTLING, REVERSING})
MEANS_OPEN = frozenset({SETTLED, REFUSED, DECLINED, NONE})
"""Only then money is taken: what the person pays is known."""
STAFF = ("window", "consult")


@dataclass(frozen=True)
class Panel:
    """The insurance of one invoice at `now`. `row`: the latest settlement, if there ever was one."""

    invoice: Invoice
    where: str  # as Payment.way
    row: InsuranceSettlement | None
    steps: Sequence[InsuranceStep]
    given_up: bool  # the insurance refused to take back: the office has it
    received: Decimal
    now: datetime

    @cached_property
    def state(self) -> str:
        row = self.row
        if self.invoice.insurance == Patient.Insurance.NONE:
            return NONE
        if row is None or row.status == Status.REVERSED:
            return DECLINED if row is not None and row.declined_at else CHOOSE
        if row.status == Status.SETTLED:
            return SETTLED
        if row.status == Status.REVERSING:
            return DECLINED if self.given_up else REVERSING
        if row.status == Status.FAILED:
            return self._failed()
        if self.open is None:
            return AGREE
        if self.open.step == Step.SETTLE:
            return SETTLING
        return AWAY if self.open.tries and self.open.next_try_at > self.now else ASKING

    def _failed(self) -> str:
        if self.row.declined_at:
            return DECLINED
        return REFUSED if self.refusal else CHOOSE

    @cached_property
    def open(self) -> InsuranceStep | None:
        return next((step for step in self.steps if step.outcome == InsuranceStep.Outcome.ASKED), None)

    @property
    def means_open(self) -> bool:
        return self.state in MEANS_OPEN

    @property
    def moving(self) -> bool:
        return self.state in MOVES_BY_ITSELF

    @property
    def mark(self) -> str:
        """Another text: another page."""
        return f"{self.state}-{self.row.pk if self.row else 0}"

    @property
    def slow(self) -> bool:
        """It has been asked before, and nobody knows what became of it."""
        return self.open is not None and self.open.tries > 1

    @property
    def may_undo(self) -> bool:
        return self.state == SETTLED and not self.received and self.invoice.status in Invoice.DUE

    @property
    def by_staff(self) -> bool:
        return self.where in STAFF

    @property
    def kind(self) -> str:
        return self.invoice.get_insurance_display()

    @property
    def other_kinds(self) -> list[tuple[str, str]]:
        """By which they may be insured instead, as long as nothing was paid."""
        if self.received or self.invoice.status != Invoice.Status.OPEN:
            return []
        kinds = (Patient.Insurance.EMPLOYEE, Patient.Insurance.RESIDENT)
        return [(kind.value, str(kind.label)) for kind in kinds if kind != self.invoice.insurance]

    @property
    def masked(self) -> str:
        return masking.name(self.invoice.patient.name)

    @property
    def split(self) -> Split | None:
        """As the insurance said it; None before it has."""
        row = self.row
        if row is None or row.status not in (Status.PRESETTLED, Status.SETTLED):
            return None
        return Split(fund=row.fund_paid, account=row.account_paid, cash=row.cash_paid)

    @cached_property
    def estimate(self) -> Split:
        return estimate(self.invoice, now=self.now)

    @property
    def account_usable(self) -> bool:
        return rules.insurance_rule(self.invoice.organization_id, self.invoice.insurance, now=self.now).account

    @property
    def refusal(self) -> str:
        """What the insurance refused, in words; its code for the window."""
        said = [step for step in self.steps if step.step in FORWARD and step.outcome == InsuranceStep.Outcome.REFUSED]
        code = next((step.refusal for step in reversed(said) if step.refusal != "withdrawn"), None)
        return in_words(code, kind=self.kind) if code else ""


def in_words(code: str, *, kind: str) -> str:
    if code == "NOT_INSURED" or code == "P1001":
        return _("医保系统里没有查到正在参保的%(kind)s。") % {"kind": kind}
    if code == "NO_DOCUMENT":
        return _("档案里没有可以核对医保的证件。")
    if code == "SUM":
        return _("医保返回的金额对不上，没有结算。")
    return _("医保系统没有通过这次结算（代码 %(code)s）。") % {"code": code}


def panel(invoice: Invoice, *, where: str, now: datetime) -> Panel | None:
    """None: nothing to bear, no link to the insurance here, or the invoice is over. Three queries."""
    if invoice.total <= 0 or invoice.status in Invoice.OVER:
        return None
    if invoice.insurance == Patient.Insurance.NONE:
        return _of_nobody_insured(invoice, where=where, now=now)
    row = invoice.settlements.order_by("attempt").last()
    if row is None and (not is_linked(invoice.organization_id) or invoice.status == Invoice.Status.PAID):
        return None
    steps = list(row.steps.order_by("pk")) if row else []
    stuck = row is not None and row.status == Status.REVERSING and not any(step.outcome == "asked" for step in steps)
    return Panel(invoice, where, row, steps, stuck, sums.of(invoice).held, now)


def _of_nobody_insured(invoice: Invoice, *, where: str, now: datetime) -> Panel | None:
    """As the record says; the person may know better."""
    if invoice.status != Invoice.Status.OPEN or not is_linked(invoice.organization_id):
        return None
    found = Panel(invoice, where, None, [], False, sums.of(invoice).held, now)
    return found if found.other_kinds else None


def is_linked(organization_id: int) -> bool:
    try:
        ports.insurance(organization=organization_id)
    except NoGateway:
        return False
    return True


def estimate(invoice: Invoice, *, now: datetime) -> Split:
    """By the house's own table, before anybody was asked: what lies on the personal account and what the year has used
    up the insurance alone knows, so both are left out. Three queries."""
    lines = list(invoice.lines.exclude(status__in=ChargeItem.GONE).order_by("pk"))
    items = rules.insurance_items(invoice.organization_id, [line.code for line in lines], now=now)
    rule = rules.insurance_rule(invoice.organization_id, invoice.insurance, now=now)
    priced = [
        splitting.Priced(line.amount, items[line.code].klass, items[line.code].own_percent)
        if line.code in items
        else splitting.Priced(line.amount)
        for line in lines
    ]
    return splitting.estimate(
        priced,
        fund_percent=rule.fund_percent,
        deductible_left=rule.deductible,
        cap_left=rule.yearly_cap,
        account_balance=NOTHING,
    )


def open_cases(settlement: InsuranceSettlement):
    return MoneyCase.objects.filter(key=f"settlement:{settlement.pk}", settled_at=None)
