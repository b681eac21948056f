"""R7: the share of the kept numbers that was used before they were given up, by institution and of the house."""

from datetime import timedelta

import pytest

from appointments.models import Allotment
from appointments.stats import Rate
from hospital.models import Agreement, Fact
from referrals.selectors import pool_use
from tests.factories import NOW, TODAY, CommunityFactory, OrganizationFactory, PatientFactory, appointment_row
from tests.factories.supply import PoolFactory, open_schedule

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SPAN = {"first": TODAY - 9 * DAY, "last": TODAY, "now": NOW}


@pytest.fixture
def house():
    return OrganizationFactory()


def sitting(pool, *, taken=1, ago=3, recalled: dict | None = None, by=None):
    """Three numbers of a day past; `recalled`: what the fact of the recall says."""
    row = open_schedule(numbers=3, day=TODAY - ago * DAY, pool=pool)
    for number in range(1, taken + 1):
        appointment_row(row, PatientFactory(), number=number, status="fulfilled", channel="partner", partner=by)
    if recalled is not None:
        when = row.starts_at - 7 * DAY
        Allotment.objects.filter(schedule=row, pool=pool).update(shared_from=when, moved_at=when)
        payload = {"schedule": row.pk} | recalled
        Fact.objects.create(topic="supply.shared", key=f"schedule:{row.pk}", payload=payload, happened_at=when)
    return row


def used(house, *institutions):
    found = pool_use.use_at(house, institutions, **SPAN)
    return found.share, [(found.of[one.pk].own, found.of[one.pk].recalled) for one in institutions]


def test_what_the_recall_took_is_counted_by_pool_and_of_the_house_once(house):
    one, two = CommunityFactory(), CommunityFactory(code="SQ2")
    mine, theirs = (PoolFactory(organization=house, kind="partner", partner=who) for who in (one, two))
    row = sitting(mine, by=one, recalled={"pools": {"partner": 5}, "numbers": {f"{mine.pk}": 2, f"{theirs.pk}": 3}})
    Allotment.objects.create(
        schedule=row, pool=theirs, department=row.department, day=row.day, opens_at=NOW - 30 * DAY,
        shared_from=NOW - 10 * DAY, moved_at=NOW - 10 * DAY,
    )  # fmt: skip
    assert used(house, one, two) == (Rate(1, 6), [(1, 2), (0, 3)])


def test_a_fact_that_names_the_kind_only_is_counted_once(house):
    one = CommunityFactory()
    sitting(PoolFactory(organization=house, kind="partner", partner=one), by=one, recalled={"pools": {"partner": 2}})
    assert used(house, one) == (Rate(1, 3), [(1, 2)])


def test_what_is_never_recalled_was_given_up_when_its_sitting_began(house):
    """An unused pool is not one that was used in full."""
    one = CommunityFactory()
    pool = PoolFactory(organization=house, kind="partner", partner=one)
    sitting(pool, by=one)
    sitting(pool, by=one, taken=0, ago=-2)  # ahead: may still be taken
    assert used(house, one) == (Rate(1, 3), [(1, 2)])


def test_an_agreement_that_ended_meanwhile_does_not_take_its_figures_along(house):
    one = CommunityFactory()
    Agreement.objects.create(hospital=house, member=one, effective_from=TODAY - 300 * DAY, effective_to=TODAY - 2 * DAY)
    sitting(PoolFactory(organization=house, kind="partner", partner=one), by=one, recalled={"pools": {"partner": 2}})
    assert used(house, one) == (Rate(1, 3), [(1, 2)])


def test_eight_institutions_cost_no_more_questions_than_one(house, django_assert_max_num_queries):
    many = CommunityFactory.create_batch(8)
    for one in many:
        sitting(PoolFactory(organization=house, kind="partner", partner=one), by=one)
    pool_use.use_at(house, many[:1], **SPAN)  # what is remembered of the rules
    with django_assert_max_num_queries(4):
        pool_use.use_at(house, many, **SPAN)
