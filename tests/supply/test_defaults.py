"""What a new organization starts with (rules.md), and that an edited rule is never overwritten."""

from datetime import time

import pytest

from appointments.models import BookingRule, ChannelRule, ConsultLevelRule, Pool, SupplyRule, SupplyShare
from appointments.services.defaults import ensure_defaults
from hospital.models import Organization
from tests.factories import CHANNEL_POOLS

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return Organization.objects.create(code="NEW", name="新医院")


def test_a_new_organization_gets_a_pool_of_each_kind_and_the_default_rules(organization):
    ensure_defaults(organization)

    assert set(Pool.objects.filter(organization=organization).values_list("kind", flat=True)) == set(Pool.Kind.values)
    shares = SupplyShare.objects.filter(rule__organization=organization)
    assert dict(shares.values_list("kind", "percent")) == {"counter": 10, "partner": 36, "consult": 40, "public": 14}
    rule = BookingRule.objects.get(organization=organization)
    assert (rule.limit_day, rule.limit_week, rule.limit_quarter) == (2, 3, 5)
    assert (rule.cancel_days, rule.cancel_time) == (1, time(15))
    channels = ChannelRule.objects.filter(organization=organization)
    assert {row.channel: row.kinds for row in channels} == CHANNEL_POOLS


def test_the_consult_room_may_book_every_level_until_a_trial_is_set(organization):
    """B4."""
    ensure_defaults(organization)

    levels = ConsultLevelRule.objects.get(organization=organization).levels
    assert levels == ["general", "specialty", "associate", "chief", "team"]


def test_repeating_it_changes_nothing_and_keeps_what_the_office_edited(organization):
    ensure_defaults(organization)
    SupplyShare.objects.filter(rule__organization=organization, kind="consult").delete()
    SupplyShare.objects.filter(rule__organization=organization, kind="public").update(percent=54)
    BookingRule.objects.filter(organization=organization).update(limit_day=9)
    ensure_defaults(organization)

    assert SupplyRule.objects.filter(organization=organization).count() == 1
    assert SupplyShare.objects.get(rule__organization=organization, kind="public").percent == 54
    assert BookingRule.objects.get(organization=organization).limit_day == 9
    assert Pool.objects.filter(organization=organization).count() == len(Pool.Kind.values)
