"""Who may see which referral (P10): the one place that says it. Every page, endpoint and export starts from here."""

from django.db.models import Q, QuerySet

from hospital import permissions
from hospital.models import Role, User
from referrals.models import Referral
from referrals.policies.moves import Side

SENDING = (Role.PARTNER, Role.DOCTOR, Role.WARD, Role.REFERRAL)
"""Who writes and follows what their own institution sends."""

RECEIVING = (Role.REFERRAL, Role.DOCTOR, Role.WARD, Role.PARTNER)
"""Who may open what was sent to their institution."""

READING = (Role.REFERRAL, Role.PARTNER, Role.DOCTOR, Role.WARD, Role.AUDITOR)


def referrals_of(user: User, *roles: str) -> QuerySet[Referral]:
    """What the user's institutions sent, and what was sent to them; a draft is its writer's institution's alone."""
    return referrals_at(permissions.organizations_of(user, *(roles or READING)))


def referrals_at(organizations: frozenset[int]) -> QuerySet[Referral]:
    sent = Q(origin__in=organizations)
    received = Q(receiver__in=organizations) & ~Q(status=Referral.Status.DRAFT) & Q(sent_at__isnull=False)
    return Referral.objects.filter(sent | received)


def side_of(referral: Referral, organizations: frozenset[int]) -> Side | None:
    """On which side these institutions are; whoever sits in both sends with the one and receives with the other,
    and acts as the receiver: its own draft it opened as the origin."""
    if referral.receiver_id in organizations and referral.sent_at is not None:
        return Side.RECEIVER
    return Side.ORIGIN if referral.origin_id in organizations else None
