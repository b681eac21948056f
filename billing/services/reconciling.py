"""对账 (M8): each gateway's day beside ours. The job fetches, compares, cures what is plain and closes what is
explained; the rest is listed with a proposal until finance has settled it. A closed day has reached the bank.

What a difference is worth ends in the journal either way: a closed day leaves nothing on the gateway's account but what
stands on later bills. Locks: the house's open days by date, then the day's differences; none while a gateway is asked.
"""

from datetime import date, datetime

import structlog
from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from billing.errors.finance import BillAway, BillUnfit, DifferenceSettled
from billing.gateways import ports
from billing.models import Difference, LedgerEntry, MoneyCase, Payment, Reconciliation
from billing.policies import accounts
from billing.policies import reconciling as policy
from billing.policies.paying import Said
from hospital import audit, clock
from hospital.models import Organization, User

from . import bills, cases, comparing, ledger, paying, refunding, sending_back

Status, Kind, Cure = Reconciliation.Status, Difference.Kind, Difference.Cure
log = structlog.get_logger(__name__)

ABOUT = ("reconciliation", "row", "payment", "refund")


def due(*, now: datetime) -> list[tuple[int, str, date]]:
    """(house, gateway, day) that nobody has compared yet, the oldest first, and of older days what is not closed."""
    found = []
    for house in Organization.objects.filter(active=True).order_by("pk").values_list("pk", flat=True):
        for gateway in ports.payments_at(house):
            first = Payment.objects.filter(organization=house, gateway=gateway).aggregate(at=Min("asked_at"))["at"]
            if first is None:
                continue
            done = Reconciliation.objects.filter(organization=house, gateway=gateway)
            closed = set(done.filter(status=Status.CLOSED).values_list("day", flat=True))
            wanted = set(policy.days_to_reconcile(first=clock.today(first), now=now))
            wanted |= set(done.exclude(status=Status.CLOSED).values_list("day", flat=True))
            found += [(house, gateway, day) for day in sorted(wanted - closed)]
    return found


def reconcile(*, organization_id: int, gateway: str, day: date, now: datetime) -> Reconciliation:
    """Fetch the day's bill unless it is there, compare, cure what is plain, close what is explained. Twice is once.
    Call it outside a transaction. Raises BillAway, BillUnfit (kept for the office), NoGateway."""
    row, _new = Reconciliation.objects.get_or_create(organization_id=organization_id, gateway=gateway, day=day)
    if row.status == Status.CLOSED:
        return row
    if row.status == Status.FETCHING:
        _fetch(row, now=now)
    else:
        _compare(row.pk, None, now=now)
    for difference in open_(row).filter(cure=Cure.TAKE).select_related(*ABOUT):
        take(difference=difference, by=None, now=now)
    _close_explained(organization_id, gateway, now=now)
    row.refresh_from_db()
    return row


def _fetch(row: Reconciliation, *, now: datetime) -> None:
    key = f"bill:{row.organization_id}:{row.gateway}:{row.day}"
    about = {"kind": MoneyCase.Kind.STUCK, "key": key, "organization_id": row.organization_id, "now": now}
    try:
        with bills.fetched(
            gateway=row.gateway, organization=row.organization_id, day=row.day, reconciliation=row.pk
        ) as file:
            _compare(row.pk, file, now=now)
    except BillAway:
        if now > policy.of_day(row.day)[1] + policy.LATE:
            cases.keep(**about)
        raise
    except BillUnfit:
        cases.keep(**about)
        raise
    cases.settle(key=key, now=now)


@transaction.atomic
def _compare(pk: int, file, *, now: datetime) -> None:
    row = _days(pk=pk)[pk]
    if row.status == Status.CLOSED or (file is not None and row.status != Status.FETCHING):
        return
    if file is not None:
        bills.load(row, file)
        row.status, row.fetched_at = Status.COMPARED, now
    comparing.compare(row, now=now)
    row.save()
    _look_back(row, now=now)
    _take_in_what_came(row, now=now)


def _days(*, pk: int) -> dict[int, Reconciliation]:
    """The day and all open days of its house and gateway, held in the order of their dates."""
    row = Reconciliation.objects.get(pk=pk)
    rows = Reconciliation.objects.select_for_update(no_key=True).filter(
        organization=row.organization_id, gateway=row.gateway
    )
    held = {one.pk: one for one in rows.exclude(status=Status.CLOSED).order_by("day")}
    return held if pk in held else {**held, pk: row}


def open_(row: Reconciliation):
    return Difference.objects.filter(reconciliation=row.pk, settled_at=None).order_by("pk")


# ---- what explains itself ----


def _look_back(row: Reconciliation, *, now: datetime) -> None:
    """What was ours only on earlier days and stands on this bill is explained; what had been given up comes back. What
    was expected here and is not is for somebody to find out."""
    for difference in Difference.objects.filter(pk__in=comparing.turned_up(row)).select_related(*ABOUT):
        if difference.settled_at is None:
            settle(difference, by=None, note=_("在 %(day)s 的账单里核对一致") % {"day": row.day}, now=now)
        elif LedgerEntry.objects.filter(key=f"difference:{difference.pk}").exists():
            _book(difference, "turned_up", accounts.turned_up, now=now)
            cases.settle(key=f"difference:{difference.pk}", now=now)
    waited = Difference.objects.filter(
        settled_at=None, cure=Cure.NEXT_DAY, reconciliation__organization=row.organization_id,
        reconciliation__gateway=row.gateway, reconciliation__day__lt=row.day,
    )  # fmt: skip
    waited.update(cure=Cure.BY_HAND)


def _take_in_what_came(row: Reconciliation, *, now: datetime) -> None:
    """Taken by a late callback or a query since it was listed."""
    came = open_(row).filter(kind=Kind.THEIRS_ONLY, cure=Cure.TAKE).select_related(*ABOUT)
    for difference in came:
        state = (difference.payment or difference.refund).status
        if state in ("succeeded", "done"):
            settle(difference, by=None, note=_("渠道通知已到，已入账"), now=now)


def settle(difference: Difference, *, by: User | None, note: str, now: datetime) -> bool:
    """False: it was settled before."""
    rows = Difference.objects.filter(pk=difference.pk, settled_at=None)
    return bool(rows.update(settled_at=now, settled_by=by, note=note.strip()[:200]))


def _book(difference: Difference, what: str, posting, *, now: datetime, by: User | None = None) -> None:
    day = difference.reconciliation
    ledger.write(
        key=f"difference:{difference.pk}" + ("" if what == "difference" else f":{what}"),
        kind=what,
        organization_id=day.organization_id,
        postings=posting(day.gateway, policy.extra(difference)),
        payment=difference.payment,
        refund=difference.refund,
        reconciliation=day,
        now=now,
        by=by,
    )


# ---- cures ----


def take(*, difference: Difference, by: User | None, now: datetime) -> Difference:
    """The order is ours: the money comes in as by any other news, the refund is done. Outside a transaction.
    Raises DifferenceSettled, DayClosed."""
    difference = _asked(difference, Cure.TAKE)
    if difference.refund_id:
        refunding.done(refund=difference.refund, reference=difference.row.reference, now=now)
    else:
        said = Said(difference.theirs, difference.row.reference)
        outcome = paying.succeed(order=difference.payment.order, said=said, now=now)
        if outcome.verdict not in (paying.Verdict.TAKEN, paying.Verdict.AGAIN):
            Difference.objects.filter(pk=difference.pk, settled_at=None).update(cure=Cure.BY_HAND)
            return difference
    _settled(difference, by=by, note=_("按渠道账单补记入账"), now=now)
    return difference


def send_back(*, difference: Difference, by: User, now: datetime) -> Difference:
    """Nobody knows what it is for: booked without an owner and given back to its payer. The gateway may be slow: the
    job asks again. Outside a transaction. Raises DifferenceSettled, DayClosed, NoGateway."""
    difference = _asked(difference, Cure.REFUND)
    ports.payment(difference.reconciliation.gateway, organization=difference.reconciliation.organization_id)
    sending_back.of_difference(difference=difference, by=by, now=now)
    difference.refresh_from_db()
    return difference


@transaction.atomic
def by_hand(*, difference: Difference, note: str, by: User, now: datetime) -> Difference:
    """Found out otherwise, and said how. The journal follows the gateway: what it has more is somebody's (kept for the
    office), what it lacks is a loss until it turns up. Raises DifferenceSettled, DayClosed."""
    _days(pk=difference.reconciliation_id)
    difference = _asked(difference, Cure.BY_HAND)
    if hasattr(difference, "sent_back") and difference.sent_back.status == "asked":
        raise DifferenceSettled()  # on its way to the payer
    refund = policy.is_refund(difference)
    if difference.row_id and not refund and (difference.payment is None or difference.payment.status != "succeeded"):
        sending_back.case_of(difference, now=now)
    else:
        _book(difference, "difference", accounts.found_more, now=now, by=by)
        if policy.extra(difference) > 0:
            about = {"organization_id": difference.reconciliation.organization_id, "payment": difference.payment}
            cases.keep(kind=MoneyCase.Kind.UNKNOWN, key=f"difference:{difference.pk}",
                       amount=policy.extra(difference), refund=difference.refund, now=now, **about)  # fmt: skip
    _settled(difference, by=by, note=note, now=now)
    return difference


def _asked(difference: Difference, wanted: str) -> Difference:
    row = Difference.objects.select_related(*ABOUT, "sent_back").get(pk=difference.pk)
    if refusal := policy.refusal_to_settle(row, row.reconciliation.status, wanted=wanted):
        raise refusal
    return row


def _settled(difference: Difference, *, by: User | None, note: str, now: datetime) -> None:
    if settle(difference, by=by, note=note, now=now) and by is not None:
        detail = {"difference": difference.pk, "cure": difference.cure}
        subject = f"reconciliation:{difference.reconciliation_id}"
        audit.record(action="difference.settled", actor=by, subject=subject, detail=detail, now=now)


# ---- closing ----


@transaction.atomic
def close(*, reconciliation: Reconciliation, by: User | None, now: datetime) -> Reconciliation:
    """平账: nothing is left to explain; what the gateway pays out is at the bank. Raises DayNotExplained, DayClosed."""
    row = _days(pk=reconciliation.pk)[reconciliation.pk]
    if refusal := policy.refusal_to_close(row.status, open_differences=open_(row).count()):
        raise refusal
    row.status, row.closed_at, row.closed_by = Status.CLOSED, now, by
    row.save()
    ledger.write(
        key=f"reconciliation:{row.pk}:payout",
        kind="payout",
        organization_id=row.organization_id,
        postings=accounts.paid_out(row.gateway, net=row.received - row.given_back, fees=row.fees),
        reconciliation=row,
        now=now,
        by=by,
    )
    detail = {"day": str(row.day), "gateway": row.gateway, "received": str(row.received), "rows": row.theirs}
    audit.record(action="reconciliation.closed", actor=by, subject=f"reconciliation:{row.pk}", detail=detail, now=now)
    return row


def _close_explained(organization_id: int, gateway: str, *, now: datetime) -> None:
    """By itself: the days on which everything fits, and those that a person left with nothing open."""
    rows = Reconciliation.objects.filter(organization=organization_id, gateway=gateway, status=Status.COMPARED)
    for row in rows.order_by("day"):
        if not open_(row).exists():
            close(reconciliation=row, by=None, now=now)


def work(*, now: datetime) -> int:
    """The nightly round; hourly, for bills that come late. One that fails holds up no other."""
    looked = 0
    for house, gateway, day in due(now=now):
        looked += 1
        try:
            reconcile(organization_id=house, gateway=gateway, day=day, now=now)
        except (BillAway, BillUnfit) as refusal:
            log.info("bill_not_read", house=house, gateway=gateway, day=str(day), refusal=refusal.code)
        except Exception as error:
            log.warning("reconciliation_failed", house=house, gateway=gateway, day=str(day), error=type(error).__name__)
    return looked
