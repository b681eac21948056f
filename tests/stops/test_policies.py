"""Until when is asked, how long numbers are kept, who is of the level (rules.md). No database."""

from datetime import timedelta

import pytest

from appointments.policies import stops as policy
from hospital.models import HealthcareService
from tests.factories import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("begins_in", "asked_within"),
    [(100 * HOUR, 24 * HOUR), (26 * HOUR, 24 * HOUR), (25 * HOUR, 23 * HOUR), (3 * HOUR, HOUR), (HOUR, 0 * HOUR)],
)
def test_an_answer_is_asked_within_a_day_or_two_hours_before_whichever_is_first_and_never_in_the_past(
    begins_in, asked_within
):
    """B13"""
    assert policy.deadline_of(NOW + begins_in, now=NOW) == NOW + asked_within


@pytest.mark.parametrize(("within", "kept"), [(24 * HOUR, 24 * HOUR), (0 * HOUR, 2 * HOUR), (2 * HOUR, 2 * HOUR)])
def test_numbers_are_kept_until_the_deadline_and_two_hours_at_least(within, kept):
    assert policy.kept_until(NOW + within, now=NOW) == NOW + kept


def test_a_level_is_replaced_by_itself_or_one_above_and_every_level_has_a_rank():
    ranked = sorted(HealthcareService.Level.values, key=policy.RANKS.__getitem__)

    assert ranked == ["general", "specialty", "associate", "chief", "team"]
    for place, wanted in enumerate(ranked):
        assert [level for level in ranked if policy.is_of_level(level, wanted=wanted)] == ranked[place:]
