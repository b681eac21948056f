"""Which rule row holds for a schedule today: dated, the most specific scope wins.

Rules are few and read at every booking, so a process keeps them for a few seconds. Nothing becomes wrong by
that: what must be exact to the second (release, recall) is written on Allotment and read in the database.
"""

from dataclasses import dataclass
from datetime import date
from time import monotonic

from appointments.errors import AgreementEnded
from appointments.models import (
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    PartnerGroup,
    Pool,
    SupplyRule,
    SupplyShare,
)
from appointments.models.rules import Dated, Scoped
from appointments.policies.rules import OF_PARTNERS
from appointments.policies.special import may_take_special
from hospital.models import Agreement, HealthcareService, Organization

KEEP_SECONDS = 10
WITH = {PartnerGroup: ("members",)}
_kept: dict[type, tuple[float, list]] = {}


def forget() -> None:
    """After a rule was edited in this process, and between tests."""
    _kept.clear()


def _rows(model) -> list:
    kept_at, rows = _kept.get(model, (float("-inf"), []))
    if monotonic() - kept_at > KEEP_SECONDS:
        order = ("effective_from", "id") if issubclass(model, Dated) else ("id",)
        rows = list(model.objects.order_by(*order).prefetch_related(*WITH.get(model, ())))
        _kept[model] = (monotonic(), rows)
    return rows


def _in_force(row: Dated, *, organization_id: int, day: date) -> bool:
    return (
        row.organization_id == organization_id
        and row.effective_from <= day
        and (row.effective_to is None or day <= row.effective_to)
    )


def _covers(rule: Scoped, schedule) -> bool:
    return all(
        wanted is None or wanted == having
        for wanted, having in (
            (rule.role_id, schedule.role_id),
            (rule.service_id, schedule.service_id),
            (rule.department_id, schedule.department_id),
        )
    )


def most_specific(rules: list, schedule, *, day: date):
    """The rule for this schedule on `day`: doctor over service over department over organization; later start wins."""
    fitting = [
        rule
        for rule in rules
        if _in_force(rule, organization_id=schedule.organization_id, day=day) and _covers(rule, schedule)
    ]
    return max(fitting, key=lambda rule: (rule.specificity, rule.effective_from, rule.pk or 0), default=None)


def booking_rule_for(schedule, *, day: date) -> BookingRule:
    """The booking rule in force on `day` (the day of booking); the model's defaults if the office wrote none."""
    return most_specific(_rows(BookingRule), schedule, day=day) or BookingRule(
        organization_id=schedule.organization_id, effective_from=day
    )


def organization_booking_rule(organization_id: int, *, day: date) -> BookingRule:
    """The rule of the whole house: for what is counted across departments (no-shows, limits)."""
    fitting = [
        rule
        for rule in _rows(BookingRule)
        if _in_force(rule, organization_id=organization_id, day=day) and not rule.specificity
    ]
    return fitting[-1] if fitting else BookingRule(organization_id=organization_id, effective_from=day)


def service(pk: int) -> HealthcareService:
    """号别 with its settings; one that was added just now is fetched."""
    kept = next((row for row in _rows(HealthcareService) if row.pk == pk), None)
    return kept or HealthcareService.objects.get(pk=pk)


@dataclass(frozen=True)
class ChannelPools:
    """The pools that a channel may take from. `public` is its public pool's id when that is among them."""

    ids: tuple[int, ...]
    public: int | None
    team: int | None


def pools_for(
    channel: str,
    *,
    organization_id: int,
    day: date,
    partner_id: int | None = None,
    special: bool = False,
    signed: bool = False,
) -> ChannelPools:
    """P1: the channel's rule names kinds of pool. Of the partner pools a lower institution gets the common one, its
    own, and those of the active groups that it is a member of (P5); nobody without `partner_id` gets anybody's own,
    and an institution whose agreement ended gets none. `special`: the patient is of the group that the special pool
    is for (P7), `signed`: a resident signed with this institution (R6); selectors.reserved asks.
    """
    kinds = _kinds(channel, organization_id=organization_id, day=day)
    if not may_take_special(channel, special=special):
        kinds = kinds - {Pool.Kind.SPECIAL}
    if not signed or partner_id is None:
        kinds = kinds - {Pool.Kind.SIGNED}
    if partner_id is not None and not works_with(partner_id, organization_id=organization_id, day=day):
        kinds = set()
    pools = [pool for pool in _rows(Pool) if pool.organization_id == organization_id]
    mine = [pool for pool in pools if pool.kind in kinds and _is_for(pool, partner_id)]
    team = next((pool.pk for pool in pools if pool.kind == Pool.Kind.TEAM), None)
    public = next((pool.pk for pool in mine if pool.kind == Pool.Kind.PUBLIC), None)
    return ChannelPools(ids=tuple(pool.pk for pool in mine), public=public, team=team)


def _is_for(pool: Pool, partner_id: int | None) -> bool:
    if pool.group_id is not None:
        return partner_id is not None and partner_id in _members(pool.group_id)
    if pool.partner_id is None and pool.kind in OF_PARTNERS and partner_id is not None:
        return is_partner_of(partner_id, organization_id=pool.organization_id)
    return pool.partner_id in (None, partner_id)


def _members(group_id: int) -> set[int]:
    """Of an active group; one that was ended has none. Only asked where some pool belongs to a group."""
    group = next((row for row in _rows(PartnerGroup) if row.pk == group_id and row.active), None)
    return {member.pk for member in group.members.all()} if group else set()


def is_partner_of(member_id: int, *, organization_id: int) -> bool:
    """A lower institution of this hospital: below it, in one of its groups, with a pool of its own or an agreement.
    Another alliance's is none, and takes nothing of what this one's share."""
    below = any(row.pk == member_id and row.parent_id == organization_id for row in _rows(Organization))
    named = any((row.hospital_id, row.member_id) == (organization_id, member_id) for row in _rows(Agreement))
    kept = any(row.organization_id == organization_id and row.partner_id == member_id for row in _rows(Pool))
    groups = [row for row in _rows(PartnerGroup) if row.organization_id == organization_id and row.active]
    return below or named or kept or any(member_id in _members(row.pk) for row in groups)


def is_allied(member_id: int, *, organization_id: int, day: date) -> bool:
    """The hospital itself, or a lower institution that works with it on that day."""
    if member_id == organization_id:
        return True
    works = works_with(member_id, organization_id=organization_id, day=day)
    return works and is_partner_of(member_id, organization_id=organization_id)


def works_with(partner_id: int, *, organization_id: int, day: date) -> bool:
    """协作协议: where the two ever made one, the days of an agreement hold, both ends included. Where they never did,
    the tree of institutions and the pools decide."""
    rows = [row for row in _rows(Agreement) if (row.hospital_id, row.member_id) == (organization_id, partner_id)]
    in_force = (row.effective_from <= day and (row.effective_to is None or day <= row.effective_to) for row in rows)
    return not rows or any(in_force)


def refusal_to_partner(partner_id: int, *, organization_id: int, day: date) -> AgreementEnded | None:
    """P3: what the institution booked before stands; nothing new."""
    if works_with(partner_id, organization_id=organization_id, day=day):
        return None
    names = dict(Organization.objects.filter(pk__in=[partner_id, organization_id]).values_list("pk", "name"))
    return AgreementEnded(member=names[partner_id], hospital=names[organization_id])


def public_pools(organizations) -> list[int]:
    """Ids of these institutions' public pools."""
    wanted = {getattr(each, "pk", each) for each in organizations}
    return [pool.pk for pool in _rows(Pool) if pool.kind == Pool.Kind.PUBLIC and pool.organization_id in wanted]


def consult_levels(organization_id: int, *, day: date) -> list[str] | None:
    """B4: the levels that the consult room may book on `day`; None where no rule restricts them."""
    rule = level_rule(organization_id, day=day)
    return rule.levels if rule else None


def supply_rule_for(schedule) -> SupplyRule | None:
    """放号回收规则 of the visit's day, as the schedule was laid out; None where the built-in shares hold."""
    return most_specific(_rows(SupplyRule), schedule, day=schedule.day)


def level_rule(organization_id: int, *, day: date) -> ConsultLevelRule | None:
    """The row that consult_levels speaks by."""
    rows = [row for row in _rows(ConsultLevelRule) if _in_force(row, organization_id=organization_id, day=day)]
    return rows[-1] if rows else None


def channel_rule(channel: str, *, organization_id: int, day: date) -> ChannelRule | None:
    """The row that pools_for speaks by."""
    rows = [
        row
        for row in _rows(ChannelRule)
        if row.channel == channel and _in_force(row, organization_id=organization_id, day=day)
    ]
    return rows[-1] if rows else None


PUBLIC_DAYS = 7
"""How far the public sees where the office wrote no supply rule (rules.md: release at D−7)."""


def public_share(schedule, *, channel: str, day: date) -> SupplyShare | None:
    """When the channel's own numbers of this schedule are released: the earliest of its pools. None: not written.

    By the rule in force on the visit's day, as the schedule was laid out.
    """
    rule = supply_rule_for(schedule)
    kinds = _kinds(channel, organization_id=schedule.organization_id, day=day)
    shares = [share for share in _rows(SupplyShare) if rule and share.rule_id == rule.pk and share.kind in kinds]
    released = [share for share in shares if not share.shared_at_start]
    return max(released, key=lambda share: (share.opens_days, share.percent), default=None)


def public_horizon(organization_id: int, *, channel: str, day: date) -> int:
    """Days ahead of which the channel may have numbers by now: the longest release of any rule in force."""
    kinds = _kinds(channel, organization_id=organization_id, day=day)
    written = [row.pk for row in _rows(SupplyRule) if _in_force(row, organization_id=organization_id, day=day)]
    ahead = [share.opens_days for share in _rows(SupplyShare) if share.rule_id in written and share.kind in kinds]
    return max(ahead, default=PUBLIC_DAYS)


def _kinds(channel: str, *, organization_id: int, day: date) -> set[str]:
    """Whoever takes the lower institutions' numbers takes their signed residents' as well: they are part of them."""
    rule = channel_rule(channel, organization_id=organization_id, day=day)
    kinds = set(rule.kinds) if rule else set()
    return kinds | {Pool.Kind.SIGNED} if Pool.Kind.PARTNER in kinds else kinds
