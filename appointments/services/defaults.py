"""The rule rows a new organization starts with. Figures and their sources: docs on rules; the office edits them."""

from datetime import date, time

from django.db import transaction

from appointments.models import (
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    PartnerGroup,
    Pool,
    SupplyRule,
    SupplyShare,
)
from appointments.models.rules import Channel
from appointments.selectors import rules
from hospital.models import HealthcareService, Organization

FIRST_DAY = date(2020, 1, 1)
"""In force from before the first imported visit."""

MIDNIGHT, RELEASE, CONSULT_END = time(0, 0), time(7, 0), time(22, 0)

CONSULT_HORIZON_DAYS = 92
"""Three months (三个月) may be 92 days."""

SHARES = (
    {"kind": Pool.Kind.COUNTER, "percent": 10, "opens_days": 0, "opens_time": MIDNIGHT, "shared_at_start": True},
    {
        "kind": Pool.Kind.PARTNER,
        "percent": 36,
        "opens_days": 10,
        "opens_time": RELEASE,
        "shared_days": 7,
        "shared_time": RELEASE,
    },
    {
        "kind": Pool.Kind.CONSULT,
        "percent": 40,
        "opens_days": CONSULT_HORIZON_DAYS,
        "opens_time": MIDNIGHT,
        "shared_days": 2,
        "shared_time": CONSULT_END,
    },
    {"kind": Pool.Kind.PUBLIC, "percent": 14, "opens_days": 7, "opens_time": RELEASE},
)
"""Of 100 numbers: the on-site floor 10 (last third, open to all at the start), lower institutions 36 from D−10 07:00
until D−7 07:00, the consult room 40 until D−2 22:00, the public 14 from D−7 07:00."""

GROUP_NAME = "医联体"
"""The named partners that a new hospital starts with: its own branches."""

EXPERT_LEVELS = (HealthcareService.Level.ASSOCIATE, HealthcareService.Level.CHIEF)

EXPERT_SHARES = (
    SHARES[0],
    {
        "kind": Pool.Kind.PARTNER,
        "group": GROUP_NAME,
        "percent": 30,
        "opens_days": 12,
        "opens_time": RELEASE,
        "shared_days": 7,
        "shared_time": RELEASE,
    },
    {**SHARES[1], "percent": 6},
    *SHARES[2:],
)
"""Of 100 expert numbers 30 are kept for the named partners, opened five days before the public (P5); with the 6 that
every lower institution may take it is still 40 % of what is ever open on line."""

CHANNELS = {
    Channel.CONSULT: [Pool.Kind.CONSULT, Pool.Kind.PUBLIC],
    Channel.WARD: [Pool.Kind.CONSULT, Pool.Kind.PUBLIC],
    Channel.WEB: [Pool.Kind.PUBLIC],
    Channel.APP: [Pool.Kind.PUBLIC],
    Channel.PHONE: [Pool.Kind.PUBLIC, Pool.Kind.SPECIAL],
    Channel.KIOSK: [Pool.Kind.PUBLIC, Pool.Kind.SPECIAL],
    Channel.COUNTER: [Pool.Kind.COUNTER, Pool.Kind.SPECIAL, Pool.Kind.PUBLIC],
    Channel.PARTNER: [Pool.Kind.PARTNER, Pool.Kind.PUBLIC],
}


@transaction.atomic
def ensure_defaults(organization: Organization) -> None:
    """Write the pools and each kind of rule that the organization has none of. Safe to repeat."""
    ensure_pools(organization)
    if not SupplyRule.objects.filter(organization=organization).exists():
        rule = SupplyRule.objects.create(organization=organization, name="全院默认", effective_from=FIRST_DAY)
        SupplyShare.objects.bulk_create(SupplyShare(rule=rule, **share) for share in SHARES)
        _keep_experts_for_partners(organization)
    if not ChannelRule.objects.filter(organization=organization).exists():
        ChannelRule.objects.bulk_create(
            ChannelRule(organization=organization, channel=channel, kinds=kinds, effective_from=FIRST_DAY)
            for channel, kinds in CHANNELS.items()
        )
    if not BookingRule.objects.filter(organization=organization).exists():
        BookingRule.objects.create(organization=organization, effective_from=FIRST_DAY)
    if not ConsultLevelRule.objects.filter(organization=organization).exists():
        levels = list(HealthcareService.Level.values)
        ConsultLevelRule.objects.create(organization=organization, levels=levels, effective_from=FIRST_DAY)
    rules.forget()


def _keep_experts_for_partners(organization: Organization) -> None:
    """A rule per expert service, where there are lower institutions to keep numbers for."""
    branches = list(organization.branches.filter(active=True))
    services = list(organization.services.filter(level__in=EXPERT_LEVELS, active=True).order_by("id"))
    if not (branches and services):
        return
    group, _made = PartnerGroup.objects.get_or_create(organization=organization, name=GROUP_NAME)
    group.members.add(*branches)
    for service in services:
        rule = SupplyRule.objects.create(
            organization=organization, service=service, name=f"{service.name}默认", effective_from=FIRST_DAY
        )
        SupplyShare.objects.bulk_create(
            SupplyShare(rule=rule, **{**share, **({"group": group} if "group" in share else {})})
            for share in EXPERT_SHARES
        )


def ensure_pools(organization: Organization) -> dict[str, int]:
    """One common pool per kind (those of one lower institution or group come with their shares). Returns kind → id."""
    Pool.objects.bulk_create(
        [Pool(organization=organization, kind=kind, name=str(label)) for kind, label in Pool.Kind.choices],
        ignore_conflicts=True,
    )
    return dict(Pool.objects.filter(organization=organization, partner=None, group=None).values_list("kind", "id"))
