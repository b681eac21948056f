"""Which pool each number of a schedule belongs to, and when each pool opens: the supply rule applied."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db.models import Prefetch

from appointments.models import Pool, Schedule, SupplyRule, SupplyShare
from appointments.selectors import rules
from hospital import clock
from hospital.models import Organization

from . import shares
from .defaults import CONSULT_HORIZON_DAYS, MIDNIGHT, SHARES, ensure_pools

Key = tuple[str, int | None, int | None]
"""What a pool is found by: kind, the lower institution or the group whose own it is."""


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
    horizon and are never shared (B11). A share that is kept for one lower institution or one group has a pool of
    its own, made when it is first needed (P5).
    """

    def __init__(self, organization: Organization):
        self.organization = organization
        self.pools = ensure_pools(organization)
        own = Pool.objects.filter(organization=organization).exclude(partner=None, group=None)
        self.own: dict[Key, int] = {(pool.kind, pool.partner_id, pool.group_id): pool.pk for pool in own}
        rows = SupplyRule.objects.filter(organization=organization).order_by("effective_from", "id")
        in_order = SupplyShare.objects.select_related("partner", "group").order_by("id")
        self.rules = list(rows.prefetch_related(Prefetch("shares", in_order)))
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
        return arranged(rows, capacity=capacity, pool_of=self.pool_of)

    def pool_of(self, share: SupplyShare) -> int:
        """The pool that a share fills."""
        if share.partner_id is None and share.group_id is None:
            return self.pools[share.kind]
        key = (share.kind, share.partner_id, share.group_id)
        if key not in self.own:
            self.own[key] = make_own(self.organization, share).pk
        return self.own[key]

    def openings(self, schedule: Schedule) -> list[Opening]:
        """One per pool that has numbers, and always the public one: what is shared ends up there."""
        _rule, rows = self.shares_of(schedule)
        if schedule.gate_team_id is not None:
            return [Opening(self.pools[Pool.Kind.TEAM], _horizon(rows, schedule), None)]
        used = set(self.pools_by_number(schedule))
        openings = [
            Opening(
                self.pool_of(share),
                clock.days_before(schedule.day, share.opens_days, share.opens_time),
                _shared_from(share, schedule),
            )
            for share in rows
            if share.kind == Pool.Kind.PUBLIC or self.pool_of(share) in used
        ]
        public = self.pools[Pool.Kind.PUBLIC]
        if all(opening.pool != public for opening in openings):
            shared = [opening.shared_from for opening in openings if opening.shared_from]
            openings.append(Opening(public, min(shared, default=schedule.starts_at), None))
        return openings


def arranged(rows: Iterable[SupplyShare], *, capacity: int, pool_of: Callable[[SupplyShare], int]) -> tuple[int, ...]:
    """The pool of each number, number 1 first. As many as the capacity, whatever the percentages (services.shares)."""
    rows = list(rows)
    percents = {pool_of(share): share.percent for share in rows}
    floors = {pool_of(share) for share in rows if share.shared_at_start}
    return tuple(shares.arrange(shares.divide(capacity, percents), floors=floors))


def make_own(organization: Organization, share: SupplyShare) -> Pool:
    """Named after whose it is; bookings learn of it with the next look at the pools."""
    whose = share.partner or share.group
    name = getattr(whose, "short_name", "") or whose.name
    pool, made = Pool.objects.get_or_create(
        organization=organization,
        kind=share.kind,
        partner=share.partner,
        group=share.group,
        defaults={"name": name[: Pool._meta.get_field("name").max_length]},
    )
    if made:
        rules.forget()
    return pool


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
