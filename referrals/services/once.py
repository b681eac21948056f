"""What a program asks for under a key is done once, however often it asks (the API's Idempotency-Key)."""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from appointments.services.booking import account_of
from appointments.services.changes import repeated
from hospital import outbox
from hospital.models import User
from referrals.models import Referral

ASKED = "referral.asked_under_key"
"""The fact that remembers the key; nobody is told of it."""


def once(*, by: User, request_key: str, body: str, now: datetime, act: Callable[[], Referral]) -> tuple[Referral, bool]:
    """Do `act`, or give what it gave before; and whether it was done before.

    `body`: the fingerprint of what is asked; another one under the same key raises KeyReused. Two at the same moment:
    the second waits, is undone, and finds what the first did.
    """
    try:
        with transaction.atomic():
            return _once(by=by, request_key=request_key, body=body, now=now, act=act)
    except IntegrityError as error:
        if "fact_request_once" not in str(error):
            raise
    with transaction.atomic():
        return _once(by=by, request_key=request_key, body=body, now=now, act=act)


def _once(*, by: User, request_key: str, body: str, now: datetime, act) -> tuple[Referral, bool]:
    if before := repeated(by=by, request_key=request_key, body=body):
        return Referral.objects.get(pk=before.payload["referral"]), True
    row = act()
    outbox.publish(
        topic=ASKED, key=f"referral:{row.pk}", payload={"referral": row.pk}, actor=by, account=account_of(by),
        request_key=request_key, body=body, now=now,
    )  # fmt: skip
    return row, False
