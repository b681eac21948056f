"""退回无主款: money that came for an order nobody knows, or of another amount, stands in the journal without an owner
and goes back whole to its payer. A committed row with our own number first, then the gateway; again is the same refund.
Locks: reconciliation, difference, the return.
"""

from datetime import datetime, timedelta
from secrets import token_hex

from django.db import transaction

from billing.errors.finance import DifferenceSettled, NotToBeSentBack
from billing.gateways import ports
from billing.models import Difference, MoneyCase, UnownedReturn
from billing.policies import accounts
from hospital import audit
from hospital.models import User

from . import cases, ledger

Status = UnownedReturn.Status
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


def unowned_key(gateway: str, reference: str) -> str:
    """One entry for one sum of money, whoever tells of it: callback or bill."""
    return f"unowned:{gateway}:{reference}"[:60]


def of_difference(*, difference: Difference, by: User, now: datetime) -> UnownedReturn:
    """Call it outside a transaction; the caller has asked the policy. Raises NotToBeSentBack."""
    row = _from_difference(difference, by=by, now=now)
    return send(row=row, now=now)


@transaction.atomic
def _from_difference(difference: Difference, *, by: User, now: datetime) -> UnownedReturn:
    day = difference.reconciliation
    there = UnownedReturn.objects.filter(gateway=day.gateway, order=difference.row.order).first()
    if there:
        return there
    return _write(
        case_of(difference, now=now), organization_id=day.organization_id, gateway=day.gateway,
        order=difference.row.order, amount=difference.theirs, difference=difference, by=by, now=now,
    )  # fmt: skip


def case_of(difference: Difference, *, now: datetime) -> MoneyCase:
    """Money of the bill that is not in our books: theirs in the journal, and kept for the office, once."""
    if there := _told_before(difference):
        return there
    day = difference.reconciliation
    own(difference, now=now)
    about = {"organization_id": day.organization_id, "amount": difference.theirs, "payment": difference.payment}
    if difference.payment:
        about["invoice_id"] = difference.payment.invoice_id
    return cases.keep(
        kind=MoneyCase.Kind.AMOUNT if difference.payment else MoneyCase.Kind.UNKNOWN,
        key=f"bill:{day.gateway}:{difference.row.reference or difference.row.order}"[:80], now=now, **about,
    )  # fmt: skip


def _told_before(difference: Difference) -> MoneyCase | None:
    """By a callback of the same money, of the same amount: on the books already."""
    rows = MoneyCase.objects.filter(settled_at=None, sent_back=None, amount=difference.theirs, refund=None)
    rows = rows.filter(payment=difference.payment_id, kind=MoneyCase.Kind.AMOUNT)
    return rows.first() if difference.payment_id else None


def own(difference: Difference, *, now: datetime) -> None:
    """On the books without an owner, once, whoever told of it first."""
    day, row = difference.reconciliation, difference.row
    ledger.write(
        key=unowned_key(day.gateway, row.reference or row.order),
        kind="unowned",
        organization_id=day.organization_id,
        postings=accounts.received_unowned(day.gateway, difference.theirs),
        payment=difference.payment,
        reconciliation=day,
        now=now,
    )


def of_case(*, case: MoneyCase, by: User, now: datetime) -> UnownedReturn:
    """Money of a known payment that came with another amount, before any bill shows it. Outside a transaction."""
    with transaction.atomic():
        case = MoneyCase.objects.select_for_update(no_key=True, of=("self",)).select_related("payment").get(pk=case.pk)
        if case.settled_at is not None:
            raise DifferenceSettled()
        if not may_go_back(case):
            raise NotToBeSentBack()
        there = UnownedReturn.objects.filter(gateway=case.payment.gateway, order=case.payment.order).first()
        row = there or _write(
            case, organization_id=case.organization_id, gateway=case.payment.gateway, order=case.payment.order,
            amount=case.amount, difference=None, by=by, now=now,
        )  # fmt: skip
    return send(row=row, now=now)


def may_go_back(case: MoneyCase) -> bool:
    """Of a payment that was never taken: what is taken is given back by refunds of its lines."""
    payment = case.payment
    of_gateway = payment is not None and payment.gateway and payment.status != "succeeded"
    return bool(case.kind == MoneyCase.Kind.AMOUNT and of_gateway and case.amount and case.amount > 0)


def _write(case: MoneyCase, *, by: User, now: datetime, **said) -> UnownedReturn:
    row = UnownedReturn.objects.create(
        case=case, number=f"U{token_hex(12)}", by=by, asked_at=now, next_try_at=now, **said
    )
    audit.record(
        action="unowned.sent_back",
        actor=by,
        subject=f"moneycase:{case.pk}",
        detail={"amount": str(row.amount)},
        now=now,
    )
    return row


# ---- send, and what came of it ----


def send(*, row: UnownedReturn, now: datetime) -> UnownedReturn:
    """Without locks; twice is once at the gateway."""
    if row.status != Status.ASKED:
        return row
    gateway = ports.payment(row.gateway, organization=row.organization_id)
    try:
        news = gateway.query_refund(row.order, refund=row.number) if row.tries else None
        if news is None or news.state == ports.State.UNKNOWN:
            news = gateway.refund(row.order, refund=row.number, amount=row.amount, total=row.amount)
    except ports.Away:
        return _later(row, now=now)
    except ports.Refuses as error:
        return refused(row=row, code=error.code, now=now)
    return hear(row=row, news=news, now=now)


def hear(*, row: UnownedReturn, news: ports.News, now: datetime) -> UnownedReturn:
    """What the gateway says of it, by answer, query or callback."""
    if news.state == ports.State.DONE:
        return done(row=row, reference=news.reference, now=now)
    return refused(row=row, code=news.code, now=now) if news.state == ports.State.CLOSED else _later(row, now=now)


def _later(row: UnownedReturn, *, now: datetime) -> UnownedReturn:
    pause = min(FIRST_PAUSE * 2 ** min(row.tries, 6), LONGEST_PAUSE)
    rows = UnownedReturn.objects.filter(pk=row.pk, status=Status.ASKED)
    rows.update(next_try_at=now + pause, tries=min(row.tries + 1, 30_000))
    row.refresh_from_db()
    return row


@transaction.atomic
def done(*, row: UnownedReturn, reference: str, now: datetime) -> UnownedReturn:
    """It reached the payer. Twice is once."""
    row = _locked(row)
    if row.status == Status.DONE:
        return row
    row.status, row.done_at, row.reference, row.next_try_at = Status.DONE, now, reference[:64], None
    row.save()
    ledger.write(
        key=f"return:{row.pk}",
        kind="unowned_returned",
        organization_id=row.organization_id,
        postings=accounts.unowned_returned(row.gateway, row.amount),
        now=now,
        by=row.by,
    )
    note = f"{row.number} {row.reference}".strip()
    MoneyCase.objects.filter(pk=row.case_id, settled_at=None).update(settled_at=now, settled_by=row.by, note=note)
    told = MoneyCase.objects.filter(message__order=row.order, message__gateway=row.gateway, settled_at=None)
    told.filter(amount=row.amount).update(settled_at=now, settled_by=row.by, note=note)
    if row.difference_id:
        rows = Difference.objects.filter(pk=row.difference_id, settled_at=None)
        rows.update(settled_at=now, settled_by=row.by, note=note)
    return row


@transaction.atomic
def refused(*, row: UnownedReturn, code: str, now: datetime) -> UnownedReturn:
    """Still without an owner and on the office's list: by transfer, with a note."""
    row = _locked(row)
    if row.status == Status.ASKED:
        row.status, row.refusal, row.next_try_at = Status.REFUSED, code[:40], None
        row.save()
    return row


@transaction.atomic
def again(*, row: UnownedReturn, by: User, now: datetime) -> UnownedReturn:
    """Asked once more, by the same number; the job sends it. Raises DifferenceSettled: also where it went back by
    transfer meanwhile."""
    case = MoneyCase.objects.select_for_update(no_key=True).get(pk=row.case_id)
    row = _locked(row)
    if row.status != Status.REFUSED or case.settled_at is not None:
        raise DifferenceSettled()
    row.status, row.next_try_at, row.tries = Status.ASKED, now, max(row.tries, 1)
    row.save()
    audit.record(action="unowned.again", actor=by, subject=f"moneycase:{row.case_id}", detail={}, now=now)
    return row


def to_send(*, now: datetime, limit: int = 100) -> list[UnownedReturn]:
    return list(UnownedReturn.objects.filter(status=Status.ASKED, next_try_at__lte=now).order_by("next_try_at")[:limit])


def _locked(row: UnownedReturn) -> UnownedReturn:
    return UnownedReturn.objects.select_for_update(no_key=True, of=("self",)).select_related("by").get(pk=row.pk)
