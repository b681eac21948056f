"""P1, P3-P7, B4: a change is a new dated row; what was decided stays decided."""

from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from appointments import errors
from appointments.models import BookingRule, ChannelRule, ConsultLevelRule, SupplyRule, SupplyShare
from appointments.policies import rules as policy
from appointments.selectors import rulebook, rules
from appointments.services import ruling
from appointments.services.defaults import ensure_defaults
from hospital.models import AuditEvent
from tests.booking.acts import take
from tests.factories import NOW, TODAY, DepartmentFactory, OrganizationFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOMORROW = TODAY + DAY


@pytest.fixture
def house():
    organization = OrganizationFactory()
    ensure_defaults(organization)
    return organization


def share(kind="public", percent=100, **fields):
    return SupplyShare(kind=kind, percent=percent, **{"opens_days": 7, "opens_time": time(7), **fields})


def supply(house, first=TOMORROW, *, shares=None, last=None, seen=None, **scope):
    rule = SupplyRule(organization=house, name="新规则", effective_from=first, effective_to=last, **scope)
    shares = [share()] if shares is None else shares
    return ruling.write(rule=rule, shares=shares, seen=seen, by=UserFactory(), why="试行", now=NOW)


def spans(model, **scope):
    rows = model.objects.filter(**scope).order_by("effective_from")
    return [(row.effective_from, row.effective_to) for row in rows]


def test_a_change_ends_the_old_rule_the_day_before_and_says_who_why_before_and_after(house):
    old = SupplyRule.objects.get()
    new = supply(house)

    old.refresh_from_db()
    assert old.effective_to == TODAY
    assert spans(SupplyRule)[1] == (TOMORROW, None)
    assert list(new.shares.values_list("kind", "percent")) == [("public", 100)]
    trace = AuditEvent.objects.get(action="rule.written", subject=f"supplyrule:{new.pk}")
    assert trace.detail["why"] == "试行"
    assert trace.detail["after"] == {"公共": "100%，D−7 07:00 开放"}
    assert trace.detail["before"]["诊间"].startswith("40%")
    (written,) = rulebook.trail_of(new)
    assert (written.who, written.why) == (str(trace.actor), "试行")
    assert rulebook.trail_of(old)[0].changes[0].after == f"{TODAY:%F}"


def test_a_rule_for_a_time_only_is_followed_by_the_old_one(house):
    supply(house, last=TOMORROW + 6 * DAY)

    assert spans(SupplyRule)[1:] == [(TOMORROW, TOMORROW + 6 * DAY), (TOMORROW + 7 * DAY, None)]
    resumed = SupplyRule.objects.last()
    assert sum(resumed.shares.values_list("percent", flat=True)) == 100
    assert resumed.shares.count() == 4


def test_a_rule_that_waits_for_its_day_goes_on_waiting(house):
    supply(house, TOMORROW + 10 * DAY)
    supply(house, TOMORROW)

    assert [span[0] for span in spans(SupplyRule)[1:]] == [TOMORROW, TOMORROW + 10 * DAY]
    assert spans(SupplyRule)[1][1] == TOMORROW + 9 * DAY
    with pytest.raises(errors.RuleDayTaken):
        supply(house, TOMORROW + 10 * DAY)


@pytest.mark.parametrize(
    ("first", "refusal"),
    [(TODAY - DAY, errors.RuleInThePast), (TODAY + 400 * DAY, errors.RuleTooFarAhead), (TODAY, None)],
    ids=["yesterday", "in 400 days", "today, nothing decided"],
)
def test_a_rule_begins_today_or_later_but_never_in_the_past(house, first, refusal):
    if refusal is None:
        supply(house, first)
        assert spans(SupplyRule)[-1][0] == first
        return
    with pytest.raises(refusal):
        supply(house, first)
    assert SupplyRule.objects.count() == 1


def test_a_rule_cannot_begin_today_where_something_of_today_was_decided_by_the_old_one(house):
    schedule = open_schedule(day=TODAY)
    with pytest.raises(errors.RuleDecidedToday):
        supply(house, TODAY)
    supply(house, TODAY, department=DepartmentFactory())  # elsewhere nothing was

    booking = BookingRule(organization=house, effective_from=TODAY)
    take(schedule, channel="counter")
    with pytest.raises(errors.RuleDecidedToday):
        ruling.write(rule=booking, by=UserFactory(), why="试行", now=NOW)
    levels = ConsultLevelRule(organization=house, effective_from=TODAY, levels=["general"])
    ruling.write(rule=levels, by=UserFactory(), why="诊间今天还没约过", now=NOW)


def test_of_two_people_who_change_one_rule_the_second_hears_of_the_first(house):
    seen = ruling.latest(SupplyRule.objects.get())
    supply(house, seen=seen)
    with pytest.raises(errors.RuleChangedMeanwhile):
        supply(house, TOMORROW + DAY, seen=seen)


def test_a_department_s_rule_is_ended_and_the_house_s_only_replaced(house):
    rule = supply(house, department=DepartmentFactory())
    own = SupplyRule.objects.get(department=None)
    act = {"by": UserFactory(), "why": "试行结束", "now": NOW}

    with pytest.raises(errors.RuleOver):
        ruling.end(rule=own, last_day=TODAY + 30 * DAY, **act)
    with pytest.raises(errors.RuleUnsound):
        ruling.end(rule=rule, last_day=TODAY, **act)
    ruling.end(rule=rule, last_day=TOMORROW, **act)
    assert spans(SupplyRule, pk=rule.pk) == [(TOMORROW, TOMORROW)]
    with pytest.raises(errors.RuleUnsound):
        ruling.end(rule=rule, last_day=TOMORROW + DAY, **act)


def test_a_rule_that_has_not_begun_is_withdrawn_and_the_old_one_goes_on(house):
    rule = supply(house)
    old = ruling.withdraw(rule=rule, by=UserFactory(), why="写错了", now=NOW)

    assert (old.effective_from, old.effective_to) == (date(2020, 1, 1), None)
    assert SupplyRule.objects.count() == 1
    with pytest.raises(errors.RuleOver):
        ruling.withdraw(rule=old, by=UserFactory(), why="写错了", now=NOW)


def test_a_new_rule_holds_for_the_next_booking_at_once(house):
    rule = ChannelRule(organization=house, channel="web", kinds=["public", "consult"], effective_from=TODAY)
    assert len(rules.pools_for("web", organization_id=house.pk, day=TODAY).ids) == 1
    ruling.write(rule=rule, by=UserFactory(), why="试行", now=NOW)
    assert len(rules.pools_for("web", organization_id=house.pk, day=TODAY).ids) == 2


def test_the_database_refuses_shares_that_do_not_sum_to_a_hundred_whoever_writes_them(house):
    rule = SupplyRule.objects.create(organization=house, effective_from=TOMORROW)

    def write():
        for row in (share(percent=50), share("consult", percent=40)):
            row.rule = rule
            row.save()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="sum to 90"), transaction.atomic():
        write()


SHARES = [
    ([share(percent=60), share("consult", percent=41)], "超出 1%"),
    ([share(percent=60)], "还差 40%"),
    ([share(percent=101)], "1 到 100"),
    ([share(percent=-5), share("consult", percent=105)], "1 到 100"),
    ([share(percent=50), share(percent=50)], "第 1 行"),
    ([share(), share("consult", 0)], "1 到 100"),
    ([share("consult", opens_days=2, shared_days=7, shared_time=time(7))], "谁也约不上"),
    ([share("consult", opens_time=time(7), shared_days=7, shared_time=time(7))], "谁也约不上"),
    ([share("consult", opens_days=101)], "0 到 100"),
    ([share(shared_at_start=True)], "不用回收"),
]


@pytest.mark.parametrize(("shares", "sentence"), SHARES, ids=[sentence for _shares, sentence in SHARES])
def test_shares_that_no_hospital_means_are_refused_in_words(shares, sentence):
    assert any(sentence in problem.sentence for problem in policy.problems_of_shares(shares))


def test_default_shares_are_sound_and_open_ninety_percent_on_line(house):
    shares = list(SupplyShare.objects.all())
    assert policy.problems_of_shares(shares) == []
    assert policy.ever_on_line(shares) == 90
    assert policy.problems_of_booking(BookingRule()) == []
    assert all(not policy.problems_of_channel(row.channel, row.kinds) for row in ChannelRule.objects.all())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"web_hold_minutes": 0}, "web_hold_minutes"),
        ({"segment_minutes": 31}, "segment_minutes"),
        ({"limit_day": 9}, "limit_week"),
        ({"rest_minutes_min": 121}, "rest_minutes_max"),
        ({"extra_limit": 60000}, "extra_limit"),
        ({"cancel_days": -1}, "cancel_days"),
    ],
)
def test_booking_rules_that_no_hospital_means_are_refused_at_their_field(fields, field):
    assert [problem.field for problem in policy.problems_of_booking(BookingRule(**fields))] == [field]


def test_the_web_is_never_given_the_on_site_floor(house):
    """P7."""
    assert policy.problems_of_channel("web", ["public", "counter"])
    assert not policy.problems_of_channel("phone", ["public", "special"])
    rule = ChannelRule(organization=house, channel="app", kinds=["special"], effective_from=TOMORROW)
    with pytest.raises(errors.RuleUnsound):
        ruling.write(rule=rule, by=UserFactory(), why="试行", now=NOW)
