"""Apps above this one on the patient's home page: what they have coming for the account's people.

Imports go down only, so the page does not know them: an app joins when it is ready.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hospital.models import User


@dataclass(frozen=True)
class Coming:
    """`template` draws `said` as a card, as patient/_next_visit.html does; cards stand in the order of `at`."""

    at: datetime
    template: str
    said: object


_joined: list[Callable[[User, datetime], Coming | None]] = []


def join(ask: Callable[[User, datetime], Coming | None]) -> Callable[[User, datetime], Coming | None]:
    """Register a question: the next thing of this account's people, or None. At most two queries."""
    _joined.append(ask)
    return ask


def coming(account: User, *, now: datetime) -> list[Coming]:
    return [found for ask in _joined if (found := ask(account, now))]
