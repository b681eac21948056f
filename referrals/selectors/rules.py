"""Which of the receiving hospital's numbers hold (ReferralRule), and who works with whom."""

from datetime import date

from django.db.models import Q

from appointments.selectors import rules as heart
from hospital.models import Agreement, Organization
from referrals.models import ReferralRule


def referral_rule(organization_id: int, *, day: date) -> ReferralRule:
    """In force on `day`; the model's defaults where the office wrote none."""
    rows = ReferralRule.objects.filter(organization=organization_id, effective_from__lte=day)
    rows = rows.filter(Q(effective_to=None) | Q(effective_to__gte=day))
    found = rows.order_by("effective_from", "pk").last()
    return found or ReferralRule(organization_id=organization_id, effective_from=day)


def agreed(*, hospital: Organization, member: Organization, day: date) -> bool:
    """Do the two work together on that day? As for booking: by their agreements where they ever made one, else by the
    tree of institutions, the groups and the pools."""
    rows = list(Agreement.objects.filter(hospital=hospital, member=member))
    if not rows:
        return heart.is_partner_of(member.pk, organization_id=hospital.pk)
    return any(row.effective_from <= day and (row.effective_to is None or day <= row.effective_to) for row in rows)
