"""R1: a busy centre's first page."""

import pytest

from referrals.models import Referral
from referrals.selectors import partner
from tests.factories import NOW, TODAY, CommunityFactory, PatientFactory, ReferralFactory

pytestmark = pytest.mark.django_db


def test_what_waits_for_the_centre_is_not_cut_off_by_what_the_hospital_has(monkeypatch):
    """A question of the hospital has no deadline of the hospital's, and a draft none at all."""
    monkeypatch.setattr(partner, "MOST", 1)
    ReferralFactory.create_batch(5)
    asked = ReferralFactory(status="asked", due_at=None)
    draft = ReferralFactory(status="draft", patient=PatientFactory())
    desk = partner.desk_of(CommunityFactory(), Referral.objects.all(), today=TODAY, now=NOW)
    assert (desk.asked, desk.drafts, len(desk.under_way)) == ([asked], [draft], 2)
