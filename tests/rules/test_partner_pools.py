"""P3, P5: what is kept for lower institutions: common to all, for one of them, for a group."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from appointments.models import Allotment, PartnerGroup, Pool, Schedule, SupplyRule, SupplyShare
from appointments.selectors import rules
from appointments.services.allocation import Allocation
from appointments.services.defaults import ensure_defaults
from hospital.models import HealthcareService, Organization
from tests.factories import (
    NOW,
    TODAY,
    OrganizationFactory,
    RoleFactory,
    ServiceFactory,
    TemplateFactory,
)
from tests.supply.scenes import MONDAY, hospital, lay_out  # noqa: F401 - the fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return OrganizationFactory()


def branch(house, code) -> Organization:
    return Organization.objects.create(code=code, name=f"{code}社区", short_name=code, kind="community", parent=house)


def group_of(house, *members, **fields) -> PartnerGroup:
    group = PartnerGroup.objects.create(organization=house, **{"name": "医联体", **fields})
    group.members.add(*members)
    return group


def pool(house, **whose) -> Pool:
    return Pool.objects.create(organization=house, kind="partner", name="留号", **whose)


def reached(house, partner=None, channel="partner") -> set[int]:
    rules.forget()
    pools = rules.pools_for(channel, organization_id=house.pk, day=TODAY, partner_id=partner and partner.pk)
    return set(pools.ids)


def test_a_lower_institution_reaches_the_common_pool_its_own_and_its_groups_but_nobody_elses(house):
    """P5."""
    east, west = branch(house, "E"), branch(house, "W")
    common, public = pool(house), Pool.objects.create(organization=house, kind="public", name="公共")
    own, theirs = pool(house, partner=east), pool(house, partner=west)
    group = pool(house, group=group_of(house, east))
    other = pool(house, group=group_of(house, west, name="西片"))

    assert reached(house, east) == {common.pk, public.pk, own.pk, group.pk}
    assert reached(house, west) == {common.pk, public.pk, theirs.pk, other.pk}
    assert reached(house) == {common.pk, public.pk}
    assert reached(house, east, channel="web") == {public.pk}


def test_a_group_that_was_ended_opens_its_pool_to_nobody(house):
    east = branch(house, "E")
    group = group_of(house, east)
    kept = pool(house, group=group)
    assert reached(house, east) == {kept.pk}

    PartnerGroup.objects.update(active=False)
    assert reached(house, east) == set()


def test_shares_for_one_institution_and_for_a_group_fill_pools_of_their_own(hospital):  # noqa: F811
    """P5: made when the first schedule needs them, once."""
    east = branch(hospital, "E")
    group = group_of(hospital, east)
    rule = SupplyRule.objects.create(organization=hospital, effective_from=date(2026, 1, 1))
    when = {"opens_days": 12, "opens_time": time(7), "shared_days": 7, "shared_time": time(7)}
    SupplyShare.objects.bulk_create(
        SupplyShare(rule=rule, kind=kind, percent=percent, **whose, **when)
        for kind, percent, whose in (
            ("partner", 20, {}),
            ("partner", 30, {"group": group}),
            ("partner", 10, {"partner": east}),
            ("public", 40, {}),
        )
    )
    TemplateFactory(numbers=10)
    TemplateFactory(numbers=10)
    lay_out(hospital)

    for schedule in Schedule.objects.all():
        got = [
            (number.pool.kind, number.pool.partner_id, number.pool.group_id)
            for number in schedule.slots.select_related("pool")
        ]
        assert {each: got.count(each) for each in got} == {
            ("partner", None, group.pk): 3,
            ("partner", None, None): 2,
            ("partner", east.pk, None): 1,
            ("public", None, None): 4,
        }
        assert schedule.allotments.count() == 4
    assert set(Pool.objects.filter(kind="partner").values_list("name", flat=True)) == {"下级机构", "E", "医联体"}


def test_a_hospital_with_branches_keeps_thirty_of_a_hundred_expert_numbers_for_them_five_days_before_the_public(
    hospital,  # noqa: F811
):
    """P3, P5: 30 for the named partners and 6 for every lower institution are 40 % of the 90 open on line."""
    SupplyRule.objects.all().delete()
    east = branch(hospital, "E")
    chief = ServiceFactory(organization=hospital, code="chief", name="主任医师门诊", level="chief")
    ensure_defaults(hospital)
    ensure_defaults(hospital)
    TemplateFactory(role=RoleFactory(service=chief), service=chief, numbers=100)
    TemplateFactory(numbers=100)
    lay_out(hospital)

    assert SupplyRule.objects.count() == 2
    assert list(PartnerGroup.objects.get().members.all()) == [east]
    of = {"chief": {}, "general": {}}
    for number in Schedule.objects.values_list("service__level", "slots__pool__kind", "slots__pool__group__name"):
        level, *place = number
        of[level][tuple(place)] = of[level].get(tuple(place), 0) + 1
    floor, consult, public = {("counter", None): 10}, {("consult", None): 40}, {("public", None): 14}
    assert of["general"] == {**floor, **consult, **public, ("partner", None): 36}
    assert of["chief"] == {**floor, **consult, **public, ("partner", None): 6, ("partner", "医联体"): 30}
    kept = Allotment.objects.get(pool__group__isnull=False)
    at = ZoneInfo("Asia/Shanghai")
    assert kept.opens_at == datetime(2026, 11, 18, 7, tzinfo=at)
    assert kept.shared_from == datetime(2026, 11, 23, 7, tzinfo=at)


def test_a_house_without_branches_or_without_experts_keeps_nothing_for_them(house):
    ServiceFactory(organization=house, code="chief", level="chief")
    ensure_defaults(house)
    assert SupplyRule.objects.count() == 1

    other = Organization.objects.create(code="H2", name="二院")
    branch(other, "S")
    assert not HealthcareService.objects.filter(organization=other).exists()
    ensure_defaults(other)
    assert SupplyRule.objects.count() == 2


def test_the_allocation_of_a_large_house_reads_rules_once(hospital, django_assert_num_queries):  # noqa: F811
    TemplateFactory(numbers=20)
    lay_out(hospital)
    schedule = Schedule.objects.get()
    allocation = Allocation(hospital)

    with django_assert_num_queries(0):
        for _n in range(3):
            allocation.pools_by_number(schedule)
            allocation.openings(schedule)
    assert schedule.day == MONDAY
    assert schedule.starts_at > NOW
