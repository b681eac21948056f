"""票据 (M9): a receipt is asked for, numbered by the finance platform, voided (冲红) and issued anew; never changed.

The row with our own request is there before the platform is asked, and its answer is another transaction: a platform
that is away delays a number, never a payment. What goes back after a receipt was issued voids it and asks for a new one
of what stays. Locks: invoice, receipt. Call `send` and `catch_up` outside a transaction.
"""

from datetime import datetime, timedelta
from secrets import token_hex

import structlog
from django.db import transaction
from django.db.models import Q

from billing.errors import NoGateway, NoPlatform, ReceiptOver, WhyVoid
from billing.gateways import ports
from billing.models import Invoice, Receipt
from billing.policies import receipts as policy
from hospital.models import User

from . import locks, trail

log = structlog.get_logger(__name__)

Status = Receipt.Status
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


# ---- ask and void ----


@transaction.atomic
def ask(*, invoice: Invoice, kind: str, by: User | None, now: datetime) -> Receipt:
    """开票: twice is once. Raises NotYetPaid, OtherReceiptThere, ReceiptUnderWay, NoPlatform."""
    _platform(invoice.organization_id)
    row = locks.invoice(invoice.pk)
    if refusal := policy.refusal_to_ask(row):
        raise refusal
    live = _live(row)
    if refusal := policy.refusal_of_another(live, kind=kind):
        raise refusal
    return live or _refused_again(row, kind, now=now) or _create(row, kind, by=by, now=now)


def _platform(organization: int) -> ports.ReceiptPort:
    try:
        return ports.receipts(organization=organization)
    except NoGateway:
        raise NoPlatform() from None


def _live(invoice: Invoice) -> Receipt | None:
    return invoice.receipts.filter(status__in=policy.LIVE).order_by("-pk").first()


def _last(invoice: Invoice) -> Receipt | None:
    """The one that a new one takes the place of: void, or never issued."""
    over = invoice.receipts.filter(status__in=[Status.VOID, Status.REFUSED], replaced_by=None)
    return over.order_by("-pk").first()


def _refused_again(invoice: Invoice, kind: str, *, now: datetime) -> Receipt | None:
    """What the platform refused and still says the same is asked for once more, by the same request."""
    row = invoice.receipts.filter(status=Status.REFUSED, kind=kind).order_by("-pk").first()
    if row is None or policy.says(row) != policy.content(invoice, invoice.lines.order_by("pk")):
        return None
    row.status, row.next_try_at = Status.ASKED, now
    row.save(update_fields=["status", "next_try_at"])
    return row


def _create(invoice: Invoice, kind: str, *, by: User | None, now: datetime) -> Receipt:
    said = policy.content(invoice, invoice.lines.order_by("pk"))
    row = Receipt.objects.create(
        organization_id=invoice.organization_id,
        invoice=invoice,
        kind=kind,
        request=f"E{token_hex(16)}",
        replaces=_last(invoice),
        total=said.total,
        fund_paid=said.fund,
        account_paid=said.account,
        cash_paid=said.cash,
        lines=said.printed(),
        by=by,
        asked_at=now,
        next_try_at=now,
    )
    trail.record("receipt.asked", invoice, by=by, now=now, receipt=row.pk, amount=row.total)
    return row


@transaction.atomic
def void(*, receipt: Receipt, why: str, by: User | None, now: datetime, reissue: bool) -> Receipt:
    """作废: the platform is asked for a red one; `reissue`: then for a new one of what the bill says. Raises WhyVoid,
    ReceiptUnderWay, ReceiptOver."""
    invoice, row = _locked(receipt)
    if not why.strip():
        raise WhyVoid()
    if refusal := policy.refusal_to_void(row):
        raise refusal
    _begin_void(invoice, row, why=why.strip()[:100], reissue=reissue, by=by, now=now)
    return row


def _begin_void(invoice: Invoice, row: Receipt, *, why: str, reissue: bool, by: User | None, now: datetime) -> None:
    row.status, row.why, row.reissue, row.next_try_at = Status.VOIDING, why, reissue, now
    row.save(update_fields=["status", "why", "reissue", "next_try_at"])
    trail.record("receipt.voided", invoice, by=by, now=now, receipt=row.pk, amount=row.total)


@transaction.atomic
def again(*, receipt: Receipt, by: User, now: datetime) -> Receipt:
    """What the platform refused is asked for once more, of what the bill says now. Raises ReceiptOver, NotYetPaid."""
    invoice, row = _locked(receipt)
    if row.status != Status.REFUSED or _live(invoice):
        raise ReceiptOver()
    return ask(invoice=invoice, kind=row.kind, by=by, now=now)


@transaction.atomic
def follow(*, invoice: int, now: datetime) -> None:
    """Something went back, or was settled anew: a receipt that says more than the bill is voided, and a new one asked
    for as soon as the bill is covered again."""
    row = locks.invoice(invoice)
    live = _live(row)
    stale = live is not None and policy.says(live) != policy.content(row, row.lines.order_by("pk"))
    if live and live.status == Status.ISSUED and stale:
        less = row.total < live.total
        why = policy.GIVEN_BACK if less else policy.CHANGED
        _begin_void(row, live, why=why, reissue=True, by=None, now=now)
    elif live is None:
        _reissue(row, now=now)


def _reissue(invoice: Invoice, *, now: datetime) -> None:
    """After a void that wanted a new one. What is not paid any more waits until it is; what is over needs none."""
    last = _last(invoice)
    if last and last.status == Status.VOID and last.reissue and policy.refusal_to_ask(invoice) is None:
        _create(invoice, last.kind, by=None, now=now)


# ---- send, and what came of it ----


def send(*, receipt: Receipt, now: datetime) -> None:
    """Ask the platform, by our own request: again is the same act there. Without locks. Raises NoGateway."""
    receipt = Receipt.objects.select_related("invoice__patient").get(pk=receipt.pk)
    platform = ports.receipts(organization=receipt.organization_id)
    try:
        if receipt.status == Status.ASKED:
            _issued(receipt, platform.issue(_paper(receipt)), now=now)
        elif receipt.status == Status.VOIDING:
            said = {"request": receipt.request, "code": receipt.code, "number": receipt.number, "why": receipt.why}
            _voided(receipt, platform.void(**said), now=now)
    except ports.Away:
        _later(receipt, now=now)
    except ports.Refuses as error:
        _refused(receipt, code=error.code, now=now)


def _paper(receipt: Receipt) -> ports.Paper:
    return ports.Paper(
        request=receipt.request,
        kind=receipt.kind,
        payer=receipt.invoice.patient.name,
        total=receipt.total,
        fund=receipt.fund_paid,
        account=receipt.account_paid,
        cash=receipt.cash_paid,
        lines=receipt.lines,
        at=receipt.asked_at,
    )


@transaction.atomic
def _issued(receipt: Receipt, numbered: ports.Numbered, *, now: datetime) -> None:
    invoice, row = _locked(receipt)
    if row.status != Status.ASKED:
        return
    row.status, row.issued_at, row.next_try_at = Status.ISSUED, now, None
    row.code, row.number, row.check_code = numbered.code, numbered.number, numbered.check_code
    row.save(update_fields=["status", "issued_at", "next_try_at", "code", "number", "check_code"])
    follow(invoice=invoice.pk, now=now)  # something went back while it was asked for


@transaction.atomic
def _voided(receipt: Receipt, red_number: str, *, now: datetime) -> None:
    invoice, row = _locked(receipt)
    if row.status != Status.VOIDING:
        return
    row.status, row.voided_at, row.red_number, row.next_try_at = Status.VOID, now, red_number, None
    row.save(update_fields=["status", "voided_at", "red_number", "next_try_at"])
    _reissue(invoice, now=now)


@transaction.atomic
def _refused(receipt: Receipt, *, code: str, now: datetime) -> None:
    """For good: the window sees it on its list. A receipt whose voiding is refused still counts."""
    invoice, row = _locked(receipt)
    if row.status not in (Status.ASKED, Status.VOIDING):
        return
    row.status = Status.REFUSED if row.status == Status.ASKED else Status.ISSUED
    row.next_try_at = None
    row.save(update_fields=["status", "next_try_at"])
    trail.record("receipt.refused", invoice, by=None, now=now, receipt=row.pk, code=code)


def _later(receipt: Receipt, *, now: datetime) -> None:
    """The longer nobody answers, the rarer it is asked: a number as long again as it has waited so far."""
    waited = now - receipt.asked_at if receipt.status == Status.ASKED else FIRST_PAUSE
    pause = min(max(waited, FIRST_PAUSE), LONGEST_PAUSE)
    Receipt.objects.filter(pk=receipt.pk, status=receipt.status).update(next_try_at=now + pause)


def _locked(receipt: Receipt) -> tuple[Invoice, Receipt]:
    invoice = locks.invoice(receipt.invoice_id)
    return invoice, Receipt.objects.select_for_update(no_key=True).get(pk=receipt.pk)


# ---- the job ----


def to_send(*, now: datetime, limit: int = 200) -> list[Receipt]:
    rows = Receipt.objects.filter(Q(status=Status.ASKED) | Q(status=Status.VOIDING), next_try_at__lte=now)
    return list(rows.order_by("next_try_at")[:limit])
