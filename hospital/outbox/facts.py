"""Writing a fact."""

from datetime import datetime

from django.db import transaction

from hospital.models import Fact, User

from .wake import wake


def publish(
    *,
    topic: str,
    key: str,
    now: datetime,
    payload: dict | None = None,
    actor: User | None = None,
    account: int | None = None,
    request_key: str | None = None,
    body: str | None = None,
) -> Fact:
    """Write a fact in the caller's transaction, and wake the worker when that is committed.

    `payload` holds ids and codes, never personal data. Order is kept per `key`: write it while holding the lock of
    what the key names, so that ids rise in the order of commits.
    """
    fact = Fact.objects.create(
        topic=topic,
        key=key,
        payload=payload or {},
        actor=actor,
        account=account,
        request_key=request_key,
        body=body,
        happened_at=now,
    )
    transaction.on_commit(wake, robust=True)
    return fact


def publish_many(*, topic: str, facts: list[tuple[str, dict]], now: datetime) -> None:
    """Many facts of one topic as (key, payload), in their order, in one statement: what a job found due."""
    rows = [Fact(topic=topic, key=key, payload=payload, happened_at=now) for key, payload in facts]
    Fact.objects.bulk_create(rows)
    transaction.on_commit(wake, robust=True)
