"""P1, P9: numbers that were laid out before a rule changed, shared out anew; only free ones move."""

from collections import Counter
from datetime import date, time, timedelta

import pytest

from appointments.models import Allotment, BulkAct, Schedule, SupplyRule, SupplyShare
from appointments.selectors import rulebook
from appointments.services import bulk, ruling
from hospital import clock
from hospital.models import Fact, Organization
from tests.booking.acts import take_and_confirm
from tests.factories import NOW, TODAY, TemplateFactory, UserFactory, add_numbers
from tests.supply.scenes import MONDAY, hospital, lay_out  # noqa: F401 - the fixture

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FAR = MONDAY + timedelta(days=14)  # partners and public not open yet


@pytest.fixture
def scene(hospital):  # noqa: F811
    """100 numbers, D−21 from now, by the default rule: 10 on site, 36 partners, 40 consult room, 14 public."""
    TemplateFactory(numbers=100)
    lay_out(hospital, FAR, FAR)
    return Schedule.objects.get()


def new_rule(house, *terms, first=TODAY + DAY):
    """(kind, percent, opens_days, recalled days before or None, group)"""
    shares = [
        SupplyShare(kind=kind, percent=percent, opens_days=opens, opens_time=time(7), shared_days=shared,
                    shared_time=None if shared is None else time(7), shared_at_start=kind == "counter", **more)
        for kind, percent, opens, shared, more in terms
    ]  # fmt: skip
    rule = SupplyRule(organization=house, name="新规则", effective_from=first)
    return ruling.write(rule=rule, shares=shares, by=UserFactory(), why="试行", now=NOW)


def reshare(rule, now=NOW):
    schedules = list(rulebook.laid_out(rule, now=now))
    return bulk.preview(
        kind=BulkAct.Kind.RESHARE, organization=rule.organization, schedules=schedules, params={"rule": rule.pk},
        reason="规则变了", by=UserFactory(), now=now,
    )  # fmt: skip


def by_pool(schedule, **only):
    return dict(Counter(schedule.slots.filter(**only).values_list("pool__name", flat=True)))


HALF = (("counter", 10, 0, None, {}), ("consult", 20, 92, 2, {}), ("public", 70, 14, None, {}))


def test_the_preview_counts_by_pool_and_changes_nothing_until_it_is_confirmed(scene):
    act = reshare(new_rule(scene.organization, *HALF))

    before = {"窗口": 10, "下级机构": 36, "诊间": 40, "公共": 14}
    assert by_pool(scene) == before
    (line,) = act.effect["lines"]
    assert {tuple(each) for each in line["says"]} >= {("下级机构", 36, 0), ("诊间", 40, 20), ("公共", 14, 70)}
    assert act.effect["numbers"] == 56

    bulk.apply(act=act, by=act.by, now=NOW)
    assert by_pool(scene) == {"窗口": 10, "诊间": 20, "公共": 70}
    floor = scene.slots.filter(pool__kind="counter").values_list("number", flat=True)
    assert min(floor) > 66
    public = Allotment.objects.get(pool__kind="public")
    assert public.opens_at == clock.at(FAR - 14 * DAY, time(7))

    assert bulk.undo(act=act, by=act.by, now=NOW + timedelta(minutes=10)) == []
    assert by_pool(scene) == before
    public.refresh_from_db()
    assert public.opens_at == clock.at(FAR - 7 * DAY, time(7))


def test_a_booked_number_stays_where_it_is_and_counts_there(scene):
    for _n in range(30):
        take_and_confirm(scene, channel="consult")
    act = reshare(new_rule(scene.organization, *HALF))
    bulk.apply(act=act, by=act.by, now=NOW)

    assert by_pool(scene, status="booked") == {"诊间": 30}
    assert by_pool(scene) == {"窗口": 9, "诊间": 30, "公共": 61}  # 70 free ones by 10 to 70


def test_a_pool_that_is_open_keeps_its_opening_and_learns_only_its_recall(scene):
    act = reshare(new_rule(scene.organization, ("consult", 40, 30, 5, {}), ("public", 60, 7, None, {})))
    bulk.apply(act=act, by=act.by, now=NOW)

    consult = Allotment.objects.get(pool__kind="consult")
    assert consult.opens_at == clock.at(FAR - 92 * DAY, time(0))
    assert consult.shared_from == clock.at(FAR - 5 * DAY, time(7))


def test_a_group_of_the_new_rule_gets_its_pool_and_opening(scene):
    """P5."""
    branch = Organization.objects.create(code="S1", name="东街社区", parent=scene.organization)
    terms = [("partner", 30, 12, 7, {"partner": branch}), ("public", 70, 7, None, {})]
    act = reshare(new_rule(scene.organization, *terms))
    bulk.apply(act=act, by=act.by, now=NOW)

    assert by_pool(scene)["东街社区"] == 30
    opening = Allotment.objects.get(pool__partner=branch)
    assert (opening.opens_at, opening.shared_from) == (
        clock.at(FAR - 12 * DAY, time(7)),
        clock.at(FAR - 7 * DAY, time(7)),
    )


def test_what_would_be_recalled_already_goes_to_the_public_at_once_and_says_so(scene):
    now = clock.at(FAR - 5 * DAY, time(9))
    SupplyRule.objects.update(effective_to=date(2026, 11, 1))
    rule = SupplyRule.objects.create(organization=scene.organization, effective_from=date(2026, 11, 2))
    when = {"opens_time": time(7), "shared_time": time(7)}
    SupplyShare.objects.bulk_create(
        [
            SupplyShare(rule=rule, kind="partner", percent=80, opens_days=20, shared_days=7, **when),
            SupplyShare(rule=rule, kind="public", percent=20, opens_days=7, opens_time=time(7)),
        ]
    )
    act = reshare(rule, now)
    bulk.apply(act=act, by=act.by, now=now)

    assert by_pool(scene) == {"公共": 100}
    assert Fact.objects.filter(topic="supply.shared", payload__act=act.pk).count() == 1


def test_a_schedule_that_is_as_the_rule_wants_it_is_left_alone(scene):
    rule = SupplyRule.objects.get()
    (line,) = reshare(rule).effect["lines"]
    assert line["refusal"]["code"] == "shared_as_ruled"


def test_nothing_is_shared_before_the_public_pool_that_opens_later(scene):
    """P8, P9: not of pools either that stand apart or that the new rule knows nothing of."""
    early = clock.at(FAR - 7 * DAY, time(7))
    public = Allotment.objects.get(pool__kind="public")
    for kind in ("rebook", "special"):
        add_numbers(scene, count=1, pool=kind, shared=early)
    shared = Allotment.objects.filter(pool__kind="consult")
    shared.update(shared_from=NOW - DAY, moved_at=NOW - DAY)

    act = reshare(new_rule(scene.organization, ("counter", 10, 0, None, {}), ("public", 90, 2, None, {})))
    bulk.apply(act=act, by=act.by, now=NOW)

    public.refresh_from_db()
    assert public.opens_at == clock.at(FAR - 2 * DAY, time(7))
    waiting = Allotment.objects.filter(schedule=scene, shared_from__isnull=False, moved_at=None)
    assert waiting.filter(pool__kind__in=["rebook", "special"]).count() == 2
    assert not waiting.filter(shared_from__lt=public.opens_at).exists()
    assert shared.get().shared_from == NOW - DAY


def test_undo_leaves_what_has_opened_meanwhile_alone(scene):
    act = reshare(new_rule(scene.organization, *HALF))
    bulk.apply(act=act, by=act.by, now=NOW)
    public = Allotment.objects.get(pool__kind="public")
    Allotment.objects.filter(pk=public.pk).update(opened_at=NOW)

    kept = bulk.undo(act=act, by=act.by, now=NOW + timedelta(minutes=5))

    assert {"table": "allotment", "schedule": scene.pk, "number": None} in kept
    assert Allotment.objects.get(pk=public.pk).opens_at == public.opens_at
