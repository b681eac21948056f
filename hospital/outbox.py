"""The transactional outbox: facts out, handlers in, order kept per key, nothing lost and nothing twice."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from .models import Fact, User

Handler = Callable[[Fact, datetime], None]
_handlers: dict[str, dict[str, Handler]] = defaultdict(dict)


def handles(*topics: str) -> Callable[[Handler], Handler]:
    """Register a handler of facts. It is called as handler(fact, now) inside a transaction, once with effect."""

    def register(handler: Handler) -> Handler:
        for topic in topics:
            _handlers[topic][f"{handler.__module__}.{handler.__name__}"] = handler
        return handler

    return register


def handlers_of(topic: str) -> dict[str, Handler]:
    """Handler name → handler for a topic."""
    return _handlers.get(topic, {})


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
    """Write a fact in the caller's transaction. `payload` holds ids and codes, never personal data."""
    return Fact.objects.create(
        topic=topic,
        key=key,
        payload=payload or {},
        actor=actor,
        account=account,
        request_key=request_key,
        body=body,
        happened_at=now,
    )
