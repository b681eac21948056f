"""The only writer of the journal. Each entry once, by its key, in the transaction of what it tells of."""

from datetime import datetime

from django.db import connection

from billing.models import LedgerEntry
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
    payment, refund, settlement, shift, reconciliation and by, as far as it is about one.

    PostgreSQL refuses what does not balance, at the end of the transaction.
    """
    postings = [each for each in postings if each.debit or each.credit]
    if not postings:
        return None
    entry = LedgerEntry(
        organization_id=organization_id,
        key=key,
        kind=kind,
        day=clock.today(now),
        at=now,
        amount=sides(postings)[0],
        **about,
    )
    entry.pk = _insert(entry, postings)
    return entry if entry.pk else LedgerEntry.objects.get(key=key)


def _insert(entry: LedgerEntry, postings: list[Posting]) -> int | None:
    """One statement: every step of a payment waits for it, holding the invoice. None: the key is there already."""
    codes = sorted({each.account for each in postings})
    said = {name: getattr(entry, name) for name in COLUMNS} | {
        "codes": codes,
        "kinds": [str(ACCOUNTS[code]) for code in codes],
        "accounts": [each.account for each in postings],
        "debits": [each.debit for each in postings],
        "credits": [each.credit for each in postings],
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, said)
        row = cursor.fetchone()
    return row and row[0]


COLUMNS = tuple(field.attname for field in LedgerEntry._meta.concrete_fields if not field.primary_key)
INSERT = f"""
WITH entry AS (
    INSERT INTO billing_ledgerentry ({", ".join(COLUMNS)})
    VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
    ON CONFLICT (key) DO NOTHING RETURNING id
), chart AS (
    INSERT INTO billing_ledgeraccount (code, kind)
    SELECT * FROM unnest(%(codes)s::varchar[], %(kinds)s::varchar[])
    ON CONFLICT DO NOTHING
), lines AS (
    INSERT INTO billing_ledgerline (entry_id, account_id, debit, credit)
    SELECT entry.id, line.* FROM entry,
           unnest(%(accounts)s::varchar[], %(debits)s::numeric[], %(credits)s::numeric[]) AS line
)
SELECT id FROM entry
"""
"""The accounts are code; their rows come with their first entry."""
