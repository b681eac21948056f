"""What is kept for lower institutions: the common pool, each group's, each one's own, over the coming days (P3, P5)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from appointments.models import PartnerGroup, Pool, Slot
from hospital.models import Organization

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
    """One lower institution: its own pool and the groups it is in."""

    organization: Organization
    groups: list[PartnerGroup]
    own: Kept | None


@dataclass(frozen=True)
class Group:
    group: PartnerGroup
    members: list[Organization]
    kept: Kept


def partners_of(house: Organization, *, today: date) -> tuple[Kept, list[Group], list[Partner]]:
    """The common pool, the groups, the institutions. Five queries."""
    pools = list(Pool.objects.filter(organization=house, kind=Pool.Kind.PARTNER).order_by("pk"))
    counts = _counts(pools, today=today)

    def kept(pool: Pool | None, name: str) -> Kept:
        return Kept(pool, name, *counts.get(pool.pk if pool else None, (0, 0)))

    groups = list(
        PartnerGroup.objects.filter(organization=house).prefetch_related("members").order_by("-active", "name")
    )
    of_group = {pool.group_id: pool for pool in pools if pool.group_id}
    of_partner = {pool.partner_id: pool for pool in pools if pool.partner_id}
    common = next((pool for pool in pools if not pool.group_id and not pool.partner_id), None)
    branches = Organization.objects.filter(Q(parent=house) | Q(member_of__organization=house)).distinct()
    partners = []
    for one in branches.order_by("code"):
        mine = [group for group in groups if group.active and one in group.members.all()]
        own = of_partner.get(one.pk)
        partners.append(Partner(one, mine, kept(own, own.name) if own else None))
    shown = [
        Group(group, sorted(group.members.all(), key=lambda one: one.code), kept(of_group.get(group.pk), group.name))
        for group in groups
    ]
    return kept(common, common.name if common else ""), shown, partners


def _counts(pools: list[Pool], *, today: date) -> dict[int, tuple[int, int]]:
    days = (today, today + timedelta(days=AHEAD - 1))
    rows = Slot.objects.filter(pool__in=pools, schedule__day__range=days).exclude(status=Slot.Status.BLOCKED).order_by()
    counted = rows.values_list("pool").annotate(
        taken=Count("id", filter=Q(status__in=[Slot.Status.BOOKED, Slot.Status.HELD])), total=Count("id")
    )
    return {pool: (taken, total) for pool, taken, total in counted}
