"""Which pool each number of a schedule belongs to, and when each pool opens: the supply rule applied."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from appointments.models import Pool, Schedule, SupplyRule, SupplyShare
from appointments.selectors import rules
from hospital import clock
from hospital.models import Organization

from . import shares
from .defaults import CONSULT_HORIZON_DAYS, MIDNIGHT, SHARES, ensure_pools


@dataclass(frozen=True)
class Opening:
    """When a pool's channels may take it, and from when what is left counts as public (None: never)."""

    pool: int
    opens_at: datetime
    shared_from: datetime | None


class Allocation:
    """The supply rules of an organization, read once for many schedules.

    The rule in force on the day of the schedule holds, doctor over service over department over organization.
    A leading expert's schedule (gate_team) has only numbers of the team pool: they open with the consult room's
    horizon and are never shared (B11).
    """

    def __init__(self, organization: Organization):
        self.pools = ensure_pools(organization)
        rows = SupplyRule.objects.filter(organization=organization).prefetch_related("shares")
        self.rules = list(rows.order_by("effective_from", "id"))
        self.shares = {rule.pk: list(rule.shares.all()) for rule in self.rules}
        self.standard = [SupplyShare(**share) for share in SHARES]
        self.pattern = cache(self._pattern)

    def shares_of(self, schedule: Schedule) -> tuple[int | None, list[SupplyShare]]:
        rule = rules.most_specific(self.rules, schedule, day=schedule.day)
        if rule is None or not any(share.percent for share in self.shares[rule.pk]):
            return None, self.standard
        return rule.pk, self.shares[rule.pk]

    def pools_by_number(self, schedule: Schedule) -> tuple[int, ...]:
        """The pool of each number, number 1 first."""
        rule, _shares = self.shares_of(schedule)
        return self.pattern(rule, schedule.gate_team_id is not None, schedule.capacity)

    def _pattern(self, rule: int | None, gated: bool, capacity: int) -> tuple[int, ...]:
        if gated:
            return (self.pools[Pool.Kind.TEAM],) * capacity
        rows = self.standard if rule is None else self.shares[rule]
        percents = {share.kind: share.percent for share in rows}
        floor = next((share.kind for share in rows if share.shared_at_start), None)
        order = shares.arrange(shares.divide(capacity, percents), floor=floor)
        return tuple(self.pools[kind] for kind in order)

    def openings(self, schedule: Schedule) -> list[Opening]:
        """One per pool that has numbers, and always the public one: what is shared ends up there."""
        _rule, rows = self.shares_of(schedule)
        if schedule.gate_team_id is not None:
            return [Opening(self.pools[Pool.Kind.TEAM], _horizon(rows, schedule), None)]
        used = set(self.pools_by_number(schedule))
        openings = [
            Opening(
                self.pools[share.kind],
                clock.days_before(schedule.day, share.opens_days, share.opens_time),
                _shared_from(share, schedule),
            )
            for share in rows
            if share.kind == Pool.Kind.PUBLIC or self.pools[share.kind] in used
        ]
        public = self.pools[Pool.Kind.PUBLIC]
        if all(opening.pool != public for opening in openings):
            shared = [opening.shared_from for opening in openings if opening.shared_from]
            openings.append(Opening(public, min(shared, default=schedule.starts_at), None))
        return openings


def _horizon(rows: list[SupplyShare], schedule: Schedule) -> datetime:
    consult = next((share for share in rows if share.kind == Pool.Kind.CONSULT), None)
    if consult is None:
        return clock.days_before(schedule.day, CONSULT_HORIZON_DAYS, MIDNIGHT)
    return clock.days_before(schedule.day, consult.opens_days, consult.opens_time)


def _shared_from(share: SupplyShare, schedule: Schedule) -> datetime | None:
    if share.shared_at_start:
        return schedule.starts_at
    if share.shared_days is None:
        return None
    return clock.days_before(schedule.day, share.shared_days, share.shared_time)
