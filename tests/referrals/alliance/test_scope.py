"""P10: one place says who may see which referral: those who sent it, and those whom it was sent to."""

import pytest

from hospital.models import Organization
from referrals.policies.moves import Side
from referrals.selectors import scope
from tests.factories import CommunityFactory, DepartmentFactory, OrganizationFactory, ReferralFactory, StaffFactory

pytestmark = pytest.mark.django_db


def seen_by(role, house) -> set[str]:
    return {row.status for row in scope.referrals_of(StaffFactory(roles=role, roles__at=house))}


def test_a_draft_is_its_writers_institution_s_and_what_was_sent_both_sides():
    for number, status in enumerate(("draft", "sent", "rejected")):
        over = {"ended_at": "2026-11-20T00:00Z", "due_at": None} if status == "rejected" else {}
        ReferralFactory(status=status, department=DepartmentFactory(code=f"X{number}"), **over)
    centre, hospital = CommunityFactory(), OrganizationFactory()
    assert seen_by("partner", centre) == {"draft", "sent", "rejected"}
    assert seen_by("referral", hospital) == seen_by("doctor", hospital) == {"sent", "rejected"}
    for stranger in (CommunityFactory(code="SQ2"), OrganizationFactory(code="H2"), hospital):
        assert seen_by("partner" if stranger != hospital else "cashier", stranger) == set()


def test_whoever_sits_in_both_acts_for_the_receiver_and_a_stranger_for_nobody():
    row, draft = ReferralFactory(), ReferralFactory(status="draft")
    both = frozenset({row.origin_id, row.receiver_id})
    assert scope.side_of(row, both) == Side.RECEIVER
    assert scope.side_of(draft, both) == Side.ORIGIN
    assert scope.side_of(draft, frozenset({draft.receiver_id})) is None
    stranger = Organization.objects.create(code="H3", name="H3")
    assert scope.side_of(row, frozenset({stranger.pk})) is None
