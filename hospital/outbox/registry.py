"""Who wants to hear of what. Filled when the apps load their handlers.py."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from hospital.models import Fact

Handler = Callable[[Fact, datetime], None]
_handlers: dict[str, dict[str, Handler]] = defaultdict(dict)
_only: dict[str, Callable[[], set[str]]] = {}


def handles(*topics: str, only: Callable[[], set[str]] | None = None) -> Callable[[Handler], Handler]:
    """Register a handler of facts. It is called as handler(fact, now) inside a transaction, once with effect.

    `only` says which of the topics somebody wants now; it is asked once for each fan-out, and facts of the others
    make no delivery.
    """

    def register(handler: Handler) -> Handler:
        for topic in topics:
            _handlers[topic][name_of(handler)] = handler
        if only:
            _only[name_of(handler)] = only
        return handler

    return register


def name_of(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__name__}"


def handlers_of(topic: str) -> dict[str, Handler]:
    """Handler name → handler for a topic."""
    return _handlers.get(topic, {})


def subscriptions() -> list[tuple[str, str]]:
    """(topic, handler name), for fanning out in one statement."""
    wanted = {name: only() for name, only in _only.items()}
    return [
        (topic, name)
        for topic, handlers in _handlers.items()
        for name in handlers
        if name not in wanted or topic in wanted[name]
    ]
