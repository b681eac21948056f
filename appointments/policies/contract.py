"""Where may a doctor sit, and until when (P12). The database's trigger `within_contract` holds the same."""

from collections.abc import Iterable
from datetime import date

Days = tuple[date, date | None]
"""From, to; both included, None without end."""


def may_sit(*, at_home: bool, contracts: Iterable[Days], day: date) -> bool:
    """`contracts`: those of the doctor with that institution.

    At the own house no contract means without limit; elsewhere none means no.
    """
    contracts = list(contracts)
    if at_home and not contracts:
        return True
    return any(first <= day and (last is None or day <= last) for first, last in contracts)
