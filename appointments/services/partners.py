"""协作单位组: lower institutions that share a reserve (P5)."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from appointments.errors import GroupInUse
from appointments.models import PartnerGroup, SupplyShare
from appointments.selectors import rules
from hospital import audit, clock
from hospital.models import Organization, User


@transaction.atomic
def save_group(
    *, group: PartnerGroup, members: Iterable[Organization], by: User, why: str, now: datetime
) -> PartnerGroup:
    """Write a new group or the change of one: name, members, whether it still counts. Its pool opens to the members
    of now, for numbers that were set aside before, too. Raises GroupInUse when one that rules name is ended."""
    before = _said(PartnerGroup.objects.select_for_update(no_key=True).get(pk=group.pk)) if group.pk else {}
    if not group.active and (rule := rule_that_names(group, today=clock.today(now))):
        raise GroupInUse(rule=str(rule), group=group.name)
    group.save()
    group.members.set(members)
    detail = {"before": before, "after": _said(group), "why": why}
    audit.record(action="partner_group.saved", actor=by, now=now, subject=f"partnergroup:{group.pk}", detail=detail)
    rules.forget()
    transaction.on_commit(rules.forget, robust=True)
    return group


def rule_that_names(group: PartnerGroup, *, today: date):
    """A supply rule in force or coming that keeps numbers for the group."""
    share = (
        SupplyShare.objects.filter(group=group, percent__gt=0)
        .filter(Q(rule__effective_to=None) | Q(rule__effective_to__gte=today))
        .select_related("rule__organization")
        .order_by("pk")
        .first()
    )
    return share.rule if share else None


def _said(group: PartnerGroup) -> dict:
    members = group.members.order_by("code").values_list("code", flat=True)
    return {"name": group.name, "members": list(members), "active": group.active}
