"""The only writer of the journal. Each entry once, by its key, in the transaction of what it tells of."""

from datetime import datetime

from billing.models import LedgerAccount, LedgerEntry, LedgerLine
from billing.policies.accounts import ACCOUNTS, Posting, sides
from hospital import clock


def write(
    *,
    key: str,
    kind: str,
    organization_id: int,
    postings: list[Posting],
    now: datetime,
    **about,
) -> LedgerEntry | None:
    """An entry with its lines. Nothing to write: None. The same key again: the entry that is there. `about`: invoice,
    payment, refund, settlement, shift and by, as far as it is about one.

    The caller holds the row that the key names, so that two can't both find nothing. PostgreSQL refuses what does not
    balance, at the end of the transaction.
    """
    postings = [each for each in postings if each.debit or each.credit]
    if not postings:
        return None
    if there := LedgerEntry.objects.filter(key=key).first():
        return there
    _chart({each.account for each in postings})
    entry = LedgerEntry.objects.create(
        organization_id=organization_id,
        key=key,
        kind=kind,
        day=clock.today(now),
        at=now,
        amount=sides(postings)[0],
        **about,
    )
    LedgerLine.objects.bulk_create(
        LedgerLine(entry=entry, account_id=each.account, debit=each.debit, credit=each.credit) for each in postings
    )
    return entry


def _chart(codes: set[str]) -> None:
    """The accounts are code; their rows come with their first entry."""
    rows = [LedgerAccount(code=code, kind=ACCOUNTS[code]) for code in sorted(codes)]
    LedgerAccount.objects.bulk_create(rows, ignore_conflicts=True)
