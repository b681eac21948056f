"""Sending what waits: claimed under a lock, sent outside it, tried again with back-off, dropped when no longer true.

A sender that dies after the gateway took a message sends it again when its claim has run out, under the same request
id: the gateway drops the repeat.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from hospital.channels import inapp, sms
from hospital.models import Message

from .wording import wording_of

log = structlog.get_logger(__name__)

CLAIM = timedelta(minutes=2)
"""How long a message is one sender's. Longer than a batch takes with a gateway that times out each time."""

BATCH = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
TRIES = 12  # about eight hours

SENDERS = {Message.Channel.INAPP: inapp.send, Message.Channel.SMS: sms.send}
_conditions: dict[str, Callable[[Message], bool]] = {}


def only_while(*templates: str):
    """Register a question that is asked right before sending: is what the message says still so? No: it is dropped."""

    def register(question: Callable[[Message], bool]) -> Callable[[Message], bool]:
        for template in templates:
            _conditions[template] = question
        return question

    return register


def send_waiting(*, now: datetime, limit: int = 500) -> int:
    """Send up to `limit` messages that are due. Any number of workers at once. Returns how many were sent."""
    sent = taken = 0
    while taken < limit:
        batch = _claim(min(BATCH, limit - taken), now=now)
        if not batch:
            break
        taken += len(batch)
        sent += sum(_send(message, now=now) for message in batch)
    return sent


@transaction.atomic
def _claim(count: int, *, now: datetime) -> list[Message]:
    waiting = Message.objects.filter(status=Message.Status.WAITING, next_try_at__lte=now)
    rows = waiting.select_for_update(skip_locked=True).order_by("next_try_at", "id")[:count]
    ids = [row.pk for row in rows]
    Message.objects.filter(pk__in=ids).update(next_try_at=now + CLAIM, tries=F("tries") + 1)
    return list(Message.objects.filter(pk__in=ids).select_related("patient", "user").order_by("id"))


def _send(message: Message, *, now: datetime) -> bool:
    mine = Message.objects.filter(pk=message.pk, status=Message.Status.WAITING)
    question = _conditions.get(message.template)
    try:
        if question and not question(message):
            mine.update(status=Message.Status.DROPPED, to="", link="")
            return False
        taken = SENDERS[message.channel](message=message, text=wording_of(message).body, now=now)
    except Exception as error:  # whatever a gateway raises: the others go on
        _back_off(message, error, now=now)
        return False
    status = Message.Status.SENT if taken else Message.Status.DROPPED
    mine.update(status=status, sent_at=now if taken else None, to="", link="")
    return taken


def _back_off(message: Message, error: Exception, *, now: datetime) -> None:
    log.warning("message_not_sent", message=message.pk, tries=message.tries, error=type(error).__name__)
    pause = min(FIRST_PAUSE * 2 ** (message.tries - 1), LONGEST_PAUSE)
    row = Message.objects.filter(pk=message.pk)
    if message.tries >= TRIES:
        row.update(status=Message.Status.FAILED, next_try_at=now + pause, to="", link="")
    else:
        row.update(status=Message.Status.WAITING, next_try_at=now + pause)
