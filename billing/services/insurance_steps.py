"""医保结算 of an invoice, driven step by step (M5): asked outside of locks, each answer another transaction.

Every step is a committed row before the call, the same message on every try; who asks holds it for a while by moving
`next_try_at` (LEASE), so two never ask at once, and what a dead worker left is asked again. A settlement or reversal
whose answer was lost is looked up first (find). Nobody is settled who has not agreed to the split that was shown, but
for what is settled anew after a line went back. Call drive() outside a transaction.
"""

from datetime import datetime
from time import monotonic

import structlog
from django.db import transaction
from django.db.models import F, Q

from billing.errors import NoGateway
from billing.gateways import ports
from billing.models import InsuranceSettlement, InsuranceStep, Invoice, MoneyCase, Payment
from billing.policies import insurance as policy
from billing.policies.insurance import RUNS, Step
from billing.selectors import sums
from hospital.models import User

from . import cases, delivering, holding, insurance_calls, insuring, reversing
from .insurance_undoing import abandon, locked, open_next, undo

log = structlog.get_logger(__name__)

Status = InsuranceSettlement.Status
Outcome = InsuranceStep.Outcome
DOES_NOT_ADD_UP = "SUM"
PATIENCE = 4.0
"""Seconds that a page goes on asking; a call under way is still waited for."""


def drive(*, invoice: int, now: datetime, by: User | None = None, seconds: float = PATIENCE) -> bool:
    """Every step of the invoice that is due, one after the other. False: the insurance did not answer."""
    end, answered = monotonic() + seconds, True
    while answered and (step := _due(invoice, now=now)) is not None:
        answered = _ask(step, by=by, now=now)
        if monotonic() >= end:
            break
    if Invoice.objects.filter(pk=invoice, status=Invoice.Status.PAID, lines__status="paid").exists():
        delivering.deliver(invoice=invoice, by=by, now=now)
    return answered


def _due(invoice: int, *, now: datetime) -> InsuranceStep | None:
    """The oldest open step, taken: from now on it is ours. None: nothing is open, or somebody else is asking."""
    rows = InsuranceStep.objects.filter(settlement__invoice=invoice, outcome=Outcome.ASKED)
    for step in rows.order_by("pk"):
        mine = rows.filter(pk=step.pk, next_try_at__lte=now)
        if mine.update(next_try_at=now + policy.LEASE, tries=F("tries") + 1):
            return rows.select_related("settlement__invoice").get(pk=step.pk)
        if step.step in (Step.SETTLE, Step.UNSETTLE):  # what comes after waits for it
            return None
    return None


def _ask(step: InsuranceStep, *, by: User | None, now: datetime) -> bool:
    """False: no answer, it is asked again later."""
    if step.step in policy.FORWARD and step.tries == 1 and _is_outdated(step):
        abandon(settlement=step.settlement, now=now, anew=True)
        return True
    try:
        answer = insurance_calls.ask(step, now=now)
    except ports.Away:
        _later(step, now=now)
        return False
    except NoGateway:  # the link was taken out of the settings
        _later(step, now=now)
        return False
    except ports.Refuses as refusal:
        _refused(step, code=refusal.code, now=now)
        return True
    if step.step == Step.PRESETTLE and _split(step.settlement, answer) is None:
        log.error("insurance_does_not_add_up", settlement=step.settlement_id)
        _refused(step, code=DOES_NOT_ADD_UP, now=now)
    else:
        _done(step, answer, by=by, now=now)
    return True


def _is_outdated(step: InsuranceStep) -> bool:
    """What is on the invoice is not what was to be settled, or nobody wants it any more."""
    row, invoice = step.settlement, step.settlement.invoice
    if row.status not in RUNS or invoice.total != row.total or invoice.status in Invoice.OVER:
        return True
    return invoice.status == Invoice.Status.PAID and row.agreed_at is None


def _later(step: InsuranceStep, *, now: datetime) -> None:
    rows = InsuranceStep.objects.filter(pk=step.pk, outcome=Outcome.ASKED)
    rows.update(next_try_at=now + policy.pause(step.tries))
    if step.settlement.declined_at is None and step.settlement.invoice.status in Invoice.DUE:
        holding.while_the_insurance_is_away(invoice=step.settlement.invoice, now=now)


# ---- what came of it ----


@transaction.atomic
def _done(step: InsuranceStep, answer: ports.Answer | None, *, by: User | None, now: datetime) -> None:
    """`answer` None: of a settlement nobody wants any more, it never was."""
    invoice, row = locked(step.settlement)
    numbers = {name: said for name, said in (answer.numbers if answer else {}).items() if name != "psn_no"}
    outcome = Outcome.DONE if answer else Outcome.REFUSED
    if not insuring.answered(step=step, outcome=outcome, now=now, numbers=numbers):
        return
    cases.settle(key=f"step:{step.pk}:stuck", now=now)
    if step.step == Step.PRESETTLE:
        insuring.presettled(settlement=row, split=_split(row, answer), now=now)
    elif step.step == Step.SETTLE:
        _settled(invoice, row, answer, by=by, now=now)
    elif step.step == Step.UNSETTLE:
        insuring.reversed_(settlement=row, by=by, now=now)
        cases.settle(key=f"settlement:{row.pk}", now=now)
    else:
        _keep_numbers(row, answer.numbers)
    row.refresh_from_db()
    open_next(row, now=now)
    if step.step in (Step.SETTLE, Step.UNSETTLE):
        _close_codes_of_another_sum(invoice, now=now)


def _close_codes_of_another_sum(invoice: Invoice, *, now: datetime) -> None:
    """A code that waits for what was owed before: closed by the next round, before somebody scans it."""
    owed = sums.of(Invoice.objects.get(pk=invoice.pk)).owed
    waiting = invoice.payments.filter(status=Payment.Status.PENDING).exclude(gateway="").exclude(amount=owed)
    waiting.update(expires_at=now, next_query_at=now)


def _keep_numbers(row: InsuranceSettlement, numbers: dict) -> None:
    row.person = numbers.get("psn_no", row.person)
    row.visit = numbers.get("mdtrt_id", row.visit)
    row.save(update_fields=["person", "visit"])


def _settled(
    invoice: Invoice, row: InsuranceSettlement, answer: ports.Answer | None, *, by: User | None, now: datetime
) -> None:
    """Into the books, if it adds up and is still wanted; else it is taken back without ever being in them."""
    if answer is None:
        insuring.reversed_(settlement=row, by=by, now=now)
        return
    split, number = _split(row, answer), answer.numbers["setl_id"]
    if row.status in RUNS and split is not None:
        insuring.settled(settlement=row, split=split, number=number, by=by, now=now)
        for earlier in invoice.settlements.filter(status=Status.FAILED).values_list("pk", flat=True):
            cases.settle(key=f"settlement:{earlier}", now=now)
        return
    if split is None:
        about = {"organization_id": row.organization_id, "invoice": invoice, "amount": row.total}
        cases.keep(kind=MoneyCase.Kind.UNSETTLED, key=f"settlement:{row.pk}", now=now, **about)
    reversing.as_if_never(row)
    row.number = number
    row.save()


def _split(row: InsuranceSettlement, answer: ports.Answer):
    return policy.split_of(answer.total, answer.fund, answer.account, answer.cash, asked=row.total)


@transaction.atomic
def _refused(step: InsuranceStep, *, code: str, now: datetime) -> None:
    """A step forward: the person pays without, or tries again. A step back: the office hears of it."""
    invoice, row = locked(step.settlement)
    if not insuring.answered(step=step, outcome=Outcome.REFUSED, code=code or "?", now=now):
        return
    cases.settle(key=f"step:{step.pk}:stuck", now=now)
    about = {"organization_id": row.organization_id, "invoice": invoice, "amount": row.total}
    if step.step in policy.BACKWARD:
        if step.step == Step.UNSETTLE and row.status == Status.REVERSING and row.settled_at:
            insuring.failed(settlement=row, reversal=True, now=now)
        cases.keep(kind=MoneyCase.Kind.UNSETTLED, key=f"settlement:{row.pk}", now=now, **about)
        return
    if row.status in RUNS:
        insuring.failed(settlement=row, reversal=False, now=now)
        if row.agreed_at and row.attempt > 1:  # what was settled before is not settled any more, and nobody is there
            cases.keep(kind=MoneyCase.Kind.UNSETTLED, key=f"settlement:{row.pk}", now=now, **about)
    elif row.status == Status.REVERSING:
        insuring.reversed_(settlement=row, by=None, now=now)
    row.refresh_from_db()
    undo(row, now=now)


# ---- the job ----


def catch_up(*, now: datetime, limit: int = 200, seconds: float = 6.0) -> int:
    """Everything that is open, the longest waiting first; what was looked at and forgotten is taken back. A house whose
    insurance does not answer is left alone until the next round, so that one that is down holds up nobody; `seconds`
    for all of it. How many invoices were looked at."""
    end = monotonic() + seconds
    for row in _forgotten(now=now):
        abandon(settlement=row, now=now)
    away: set[int] = set()
    looked = 0
    for invoice, house in _open(now=now, limit=limit):
        if house in away or monotonic() > end:
            continue
        looked += 1
        try:
            if not drive(invoice=invoice, now=now, seconds=max(end - monotonic(), 0)):
                away.add(house)
        except Exception as error:  # one that fails holds nobody up; only the class is kept
            log.warning("insurance_step_failed", error=type(error).__name__, invoice=invoice)
    _tell_of_stuck(now=now)
    return looked


def _tell_of_stuck(*, now: datetime, limit: int = 100) -> None:
    """What has no answer after so many tries, whatever the reason: the office hears of it, once."""
    rows = InsuranceStep.objects.filter(outcome=Outcome.ASKED, tries__gte=policy.STUCK_AFTER)
    for step in rows.select_related("settlement").order_by("asked_at")[:limit]:
        row = step.settlement
        about = {"organization_id": row.organization_id, "invoice_id": row.invoice_id, "amount": row.total}
        cases.keep(kind=MoneyCase.Kind.STUCK, key=f"step:{step.pk}:stuck", now=now, **about)


def _open(*, now: datetime, limit: int) -> list[tuple[int, int]]:
    rows = InsuranceStep.objects.filter(outcome=Outcome.ASKED, next_try_at__lte=now).order_by("next_try_at")
    return list(dict.fromkeys(rows.values_list("settlement__invoice", "settlement__organization")[:limit]))


def _forgotten(*, now: datetime, limit: int = 200) -> list[InsuranceSettlement]:
    """Nobody agreed within the half hour, or the invoice is paid without or gone. What is still being asked whether it
    was settled is none of them."""
    late = Q(started_at__lt=now - policy.FORGOTTEN_AFTER) | Q(invoice__status=Invoice.Status.PAID)
    nobodys = Q(agreed_at=None) & late | Q(invoice__status__in=Invoice.OVER)
    rows = InsuranceSettlement.objects.filter(nobodys, status__in=RUNS)
    return list(rows.exclude(steps__step=Step.SETTLE).order_by("started_at")[:limit])
