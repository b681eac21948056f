"""B14: an expired hold that would rest as soon as somebody lets it go is not counted as left; the claim agrees."""

from datetime import timedelta

import pytest

from appointments.errors import SoldOut
from appointments.models import Slot
from appointments.selectors import numbers, offers
from appointments.selectors.patient import slices
from appointments.selectors.patient.openings import openings_of
from appointments.selectors.rules import pools_for
from appointments.services import booking
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


def clinic(*, days, held_by, free):
    """Two numbers: the first taken or free, the second held until a minute ago."""
    schedule = open_schedule(numbers=2, day=TODAY + timedelta(days=days), opened=NOW - timedelta(days=9))
    if not free:
        appointment_row(schedule, PatientFactory(), number=1)
    held = appointment_row(schedule, PatientFactory(), number=2, status="pending", channel=held_by)
    Slot.objects.filter(pk=held.slot_id).update(hold_until=NOW - timedelta(minutes=1))
    return schedule


def counted(schedule) -> set[int]:
    """What each question answers about the same numbers, without those that agree."""
    pools = pools_for("web", organization_id=schedule.organization_id, day=TODAY)
    [session] = numbers.sessions_of([schedule], pools=pools, patient=None, now=NOW)
    [opening] = openings_of([schedule], now=NOW)
    parts = slices.parts_of([opening], chosen=None, now=NOW)
    houses = [schedule.organization_id]
    [offer] = offers.of_schedules([schedule.pk], organizations=houses, channel="web", now=NOW).values()
    takeable = Slot.objects.filter(numbers.takeable(now=NOW), numbers.open_to(pools, now=NOW), schedule=schedule)
    return {
        numbers.count_left([schedule.pk], pools=pools, now=NOW).get(schedule.pk, 0),
        takeable.count(),
        session.left,
        len(session.free_numbers),
        opening.left,
        offer.left,
        sum(one.left for one in offers.slices_of(offer, channel="web", minutes=30, now=NOW)),
        sum(one.left for part in parts for one in part.slices),
    }


@pytest.mark.parametrize(
    ("days", "held_by", "free", "left"),
    [
        pytest.param(3, "web", False, 0, id="rests in a clinic that is sold out"),
        pytest.param(3, "web", True, 2, id="comes back at once where another is free"),
        pytest.param(1, "web", False, 1, id="comes back at once on the last day"),
        pytest.param(3, "consult", False, 1, id="a hold of the consult room never rests"),
    ],
)
def test_what_is_shown_as_left_is_what_the_claim_gives(days, held_by, free, left):
    schedule = clinic(days=days, held_by=held_by, free=free)

    assert counted(schedule) == {left}
    asked = {"schedule": schedule, "patient": PatientFactory(), "channel": "web", "by": UserFactory()}
    if left:
        assert booking.book(**asked, request_key=None, now=NOW).schedule == schedule
    else:
        with pytest.raises(SoldOut):
            booking.book(**asked, request_key=None, now=NOW)
