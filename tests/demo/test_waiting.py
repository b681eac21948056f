"""The demo's waitlist: a handful wait, and what came of numbers given back is as the services leave it (B9)."""

from datetime import UTC, datetime

import pytest

from appointments import invariants
from appointments.demo import waiting
from appointments.models import Slot, WaitlistEntry
from hospital.models import RelatedPerson
from tests.bookings.scenes import account_with
from tests.factories import NOW, TODAY, PatientFactory
from tests.waitlist.scenes import full

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)  # 21:30 at the hospital


@pytest.mark.parametrize("now", [NOW, EVENING, datetime(2026, 11, 23, 23, 0, tzinfo=UTC)])
def test_some_wait_some_were_served_and_nothing_hangs(now):
    PatientFactory.create_batch(12)
    account = account_with("周志明")
    for ahead in range(2, 7):
        full(numbers=4, day=TODAY.replace(day=TODAY.day + ahead))

    waiting.live(now=now)

    rows = WaitlistEntry.objects.all()
    assert 5 <= rows.filter(status="waiting").count() <= waiting.SESSIONS * (waiting.MOST + 1)
    assert rows.filter(status__in=["filled", "ended"]).count() == waiting.SERVED
    assert not rows.filter(status="offered").exists()
    assert not Slot.objects.filter(status="held").exists()
    assert max(row.joined_at for row in rows) <= now
    family = RelatedPerson.objects.get(account=account).patient
    assert rows.filter(patient=family, by=account, status="waiting").exists()
    named = {"waitlist_agrees_with_its_offer", "open_offer_has_its_hold", "offered_by_the_rules"}
    assert not [found for found in invariants.violations(now=now) if found.invariant.name in named]
