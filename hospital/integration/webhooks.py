"""Facts become signed events for the systems that asked for them: each at least once, in order per key.

A handler of the outbox makes one WebhookDelivery per webhook; nothing is posted inside a transaction. A delivery is
claimed by moving its next try ahead, posted, and marked. A sender that dies in between sends it again when its claim
has run out: the receiver knows a repeat by X-Event-Id. A younger event of a key waits until the older one is through
or given up. What an event says is built when it is sent, by the app that published the fact: no row keeps it.
"""

import json
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F

from hospital import clock, outbox
from hospital.models import Fact, Webhook, WebhookDelivery

from . import signing, targets

log = structlog.get_logger(__name__)

MINUTES = (1, 2, 5, 15, 30, 60, 120, 240, 480, 720)
"""Pauses after each failure. After the last one it is given up, a day and a bit later, and shown as failed."""

CLAIM = timedelta(minutes=1)
"""How long a delivery is one sender's: longer than posting it can take (targets.SECONDS and the name server)."""

GONE = 410
KEPT = timedelta(days=190)
"""What was sent may be looked up for half a year and some days, as long as logs are kept (O5)."""


DUE = """
SELECT d.id FROM hospital_webhookdelivery d
 WHERE d.webhook_id = %(webhook)s AND d.status = 'waiting' AND d.next_try_at <= %(now)s
   AND NOT EXISTS (SELECT 1 FROM hospital_webhookdelivery older
                    WHERE older.webhook_id = d.webhook_id AND older.key = d.key AND older.status = 'waiting'
                      AND older.fact_id < d.fact_id)
 ORDER BY d.next_try_at, d.fact_id LIMIT 1
   FOR UPDATE OF d SKIP LOCKED
"""
"""In the order of the partial index webhook_waiting: a dead receiver's backlog is never read through."""

Describe = Callable[[Fact], dict | None]
_descriptions: dict[str, Describe] = {}
wake = outbox.Waker("hospital.tasks.push_events")
"""Call it after commit."""


def describes(*topics: str) -> Callable[[Describe], Describe]:
    """Register what an event of a topic says (its `data`); None when there is nothing to tell."""

    def register(describe: Describe) -> Describe:
        for topic in topics:
            _descriptions[topic] = describe
        return describe

    return register


def topics() -> list[str]:
    """What a webhook may ask for."""
    return sorted(_descriptions)


def wanted_topics() -> set[str]:
    """What somebody asked for: a house without webhooks pays nothing for them."""
    return {topic for asked in Webhook.objects.filter(active=True).values_list("topics", flat=True) for topic in asked}


def enqueue(fact: Fact, *, organization_id: int, now: datetime) -> int:
    """One delivery per active webhook of the house that asked for the fact's topic. Repeating it changes nothing."""
    hooks = Webhook.objects.filter(active=True, organization=organization_id, topics__contains=[fact.topic])
    rows = [WebhookDelivery(webhook=hook, fact=fact, key=fact.key, next_try_at=now) for hook in hooks]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        transaction.on_commit(wake, robust=True)
    return len(rows)


def send_due(*, now: Callable[[], datetime] = clock.now, limit: int = 500) -> int:
    """Post up to `limit` due events, the webhooks by turns. Any number of workers at once. How many were handed over.

    A webhook that failed rests for the remainder of the round: a silent one costs one wait, and the others go on.
    """
    sent = 0
    hooks = deque(Webhook.objects.filter(active=True).order_by("pk").values_list("pk", flat=True))
    while hooks and sent < limit:
        hook = hooks.popleft()
        delivery = _claim(hook, now=now())
        if delivery and _send(delivery, now=now):
            sent += 1
            hooks.append(hook)
    return sent


@transaction.atomic
def _claim(webhook: int, *, now: datetime) -> WebhookDelivery | None:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "webhook": webhook})
        row = cursor.fetchone()
    if row is None:
        return None
    WebhookDelivery.objects.filter(pk=row[0]).update(next_try_at=now + CLAIM, tries=F("tries") + 1)
    return WebhookDelivery.objects.select_related("webhook__organization", "fact").get(pk=row[0])


def _send(delivery: WebhookDelivery, *, now: Callable[[], datetime]) -> bool:
    """Outside every lock. True when the receiver has it, or when there is nothing to tell."""
    hook = delivery.webhook
    try:
        message = body_of(delivery.fact, organization=hook.organization.code)
        answered = _post(hook, delivery.fact, message, now=now()) if message else None
    except Exception as error:  # a network, a certificate, a row that is gone: the others go on
        _back_off(delivery, None, error=type(error).__name__, now=now())
        return False
    if answered is not None and not 200 <= answered < 300:
        _back_off(delivery, answered, error="answer", now=now())
        return False
    moment = now()
    _mine(delivery).update(status=WebhookDelivery.Status.SENT, answered=answered, sent_at=moment)
    return True


def body_of(fact: Fact, *, organization: str) -> bytes | None:
    """The event as it is posted: ids and codes, never a name, a phone or a document."""
    describe = _descriptions.get(fact.topic)
    data = describe(fact) if describe else None
    if data is None:
        return None
    event = {
        "id": str(fact.pk),
        "topic": fact.topic,
        "happened_at": fact.happened_at.astimezone(clock.ZONE).isoformat(),
        "organization": organization,
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _post(hook: Webhook, fact: Fact, body: bytes, *, now: datetime) -> int:
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "hospital-webhook/1",
        "X-Event-Id": str(fact.pk),
        "X-Timestamp": timestamp,
        "X-Signature": signing.event_signature(secret=hook.secret, timestamp=timestamp, body=body),
    }
    return targets.post(url=hook.url, body=body, headers=headers)


def _mine(delivery: WebhookDelivery):
    """The row while it is still this claim's: a later sender, or somebody in the admin, may have been quicker."""
    return WebhookDelivery.objects.filter(pk=delivery.pk, status=WebhookDelivery.Status.WAITING, tries=delivery.tries)


def _back_off(delivery: WebhookDelivery, answered: int | None, *, error: str, now: datetime) -> None:
    log.warning("event_not_taken", delivery=delivery.pk, tries=delivery.tries, answered=answered, error=error)
    over = delivery.tries > len(MINUTES) or answered == GONE
    pause = timedelta(minutes=MINUTES[min(delivery.tries, len(MINUTES)) - 1])
    status = WebhookDelivery.Status.FAILED if over else WebhookDelivery.Status.WAITING
    _mine(delivery).update(status=status, answered=answered, next_try_at=now + pause)
    if answered == GONE:  # the receiver wants no more of it; what waits stays until somebody switches it on again
        hook = Webhook.objects.get(pk=delivery.webhook_id)
        hook.active = False
        hook.save(update_fields=["active"])


def redeliver(deliveries, *, now: datetime) -> int:
    """Send now: what waits for its next try, what was given up, or what the other side lost.

    Older ones of the same key that still wait go first; what was sent meanwhile is not taken back.
    """
    count = deliveries.update(
        status=WebhookDelivery.Status.WAITING, tries=0, next_try_at=now, answered=None, sent_at=None
    )
    transaction.on_commit(wake, robust=True)
    return count


def forget_sent(*, now: datetime) -> int:
    """Records of what arrived long ago; what waits or failed stays until somebody saw to it."""
    old = WebhookDelivery.objects.filter(status=WebhookDelivery.Status.SENT, sent_at__lt=now - KEPT)
    return old._raw_delete(old.db)
