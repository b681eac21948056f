"""What is kept for lower institutions: the common pool, each group's, each one's own, over the coming days (P3, P5)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from appointments.models import PartnerGroup, Pool, Slot
from appointments.policies.rules import OF_PARTNERS
from hospital.models import Organization

from . import rules

AHEAD = 14
"""Days that the page counts: from today on."""


@dataclass(frozen=True)
class Kept:
    """One pool: how many of its numbers are taken and how many there are."""

    pool: Pool | None
    name: str
    taken: int = 0
    total: int = 0

    @property
    def left(self) -> int:
        return self.total - self.taken


@dataclass(frozen=True)
class Partner:
    """One lower institution: its own pools and the groups it is in. `works`:
    whether its agreement, if it ever had one, holds today."""

    organization: Organization
    groups: list[PartnerGroup]
    own: Kept | None
    signed: Kept | None
    works: bool


@dataclass(frozen=True)
class Group:
    group: PartnerGroup
    members: list[Organization]
    kept: Kept
    signed: Kept | None


def partners_of(house: Organization, *, today: date) -> tuple[tuple[Kept, Kept], list[Group], list[Partner]]:
    """The common pools (everybody's patients, signed residents), the groups, the institutions. Five queries."""
    both = list(Pool.objects.filter(organization=house, kind__in=OF_PARTNERS).order_by("pk"))
    pools = [pool for pool in both if pool.kind == Pool.Kind.PARTNER]
    for_signed = [pool for pool in both if pool.kind == Pool.Kind.SIGNED]
    counts = _counts(both, today=today)

    def kept(pool: Pool | None, name: str) -> Kept:
        return Kept(pool, name, *counts.get(pool.pk if pool else None, (0, 0)))

    groups = list(
        PartnerGroup.objects.filter(organization=house).prefetch_related("members").order_by("-active", "name")
    )
    of_group, signed_of_group = (
        {pool.group_id: pool for pool in some if pool.group_id} for some in (pools, for_signed)
    )
    of_partner, signed_of = (
        {pool.partner_id: pool for pool in some if pool.partner_id} for some in (pools, for_signed)
    )
    common, common_signed = (
        next((pool for pool in some if not pool.group_id and not pool.partner_id), None) for some in (pools, for_signed)
    )

    def own(pool: Pool | None) -> Kept | None:
        return kept(pool, pool.name) if pool else None

    known = Q(parent=house) | Q(member_of__organization=house) | Q(agreed_with__hospital=house)
    branches = Organization.objects.filter(known).distinct()
    partners = []
    for one in branches.order_by("code"):
        mine = [group for group in groups if group.active and one in group.members.all()]
        works = rules.works_with(one.pk, organization_id=house.pk, day=today)
        partners.append(Partner(one, mine, own(of_partner.get(one.pk)), own(signed_of.get(one.pk)), works))
    shown = [
        Group(
            group,
            sorted(group.members.all(), key=lambda one: one.code),
            kept(of_group.get(group.pk), group.name),
            own(signed_of_group.get(group.pk)),
        )
        for group in groups
    ]
    both_common = kept(common, common.name if common else ""), kept(common_signed, str(Pool.Kind.SIGNED.label))
    return both_common, shown, partners


def _counts(pools: list[Pool], *, today: date) -> dict[int, tuple[int, int]]:
    days = (today, today + timedelta(days=AHEAD - 1))
    rows = Slot.objects.filter(pool__in=pools, schedule__day__range=days).exclude(status=Slot.Status.BLOCKED).order_by()
    counted = rows.values_list("pool").annotate(
        taken=Count("id", filter=Q(status__in=[Slot.Status.BOOKED, Slot.Status.HELD])), total=Count("id")
    )
    return {pool: (taken, total) for pool, taken, total in counted}
