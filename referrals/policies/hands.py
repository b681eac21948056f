"""Whose hand may do it, besides whose turn it is: the referral office decides, the doctor asks and finishes. Pure."""

from collections.abc import Collection

from hospital.models import Role
from referrals.models import Referral

from .moves import Act, Side, allowed

DECIDES = frozenset({Role.REFERRAL, Role.PARTNER})
"""The referral office of a hospital; in a lower institution whoever sends also receives."""

OF_DOCTORS = frozenset({Act.ASK, Act.SEE, Act.COMPLETE, Act.RETURN, Act.ATTACH})
"""What a doctor or a ward of the receiver does: who is taken in, and when, is the office's."""

ACTING = (Role.REFERRAL, Role.PARTNER, Role.DOCTOR, Role.WARD)
"""An auditor reads."""


def offered(*, roles: Collection[str], side: Side | None, status: str, direction: str) -> frozenset[Act]:
    """`roles`: what the person is at the institution of that side. Down, nothing is redirected and no number is looked
    for at the other house: the follow-up is part of the plan."""
    if not set(roles) & set(ACTING):
        return frozenset()
    acts = allowed(side=side, status=status, direction=direction)
    if direction == Referral.Direction.DOWN:
        acts -= {Act.REDIRECT} if side == Side.RECEIVER else {Act.REDIRECT, Act.BOOK}
    return acts if side == Side.ORIGIN or set(roles) & DECIDES else acts & OF_DOCTORS
