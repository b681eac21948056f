"""The tables of exam booking: who may, when, in what order (E2–E5). Without a database."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import pytest

from exams.errors import (
    AlreadyBookedExam,
    HoldEnded,
    NotAnswered,
    NotBookedAlone,
    NotPossible,
    TooLateForExam,
    TooLateInTheDay,
    TooSoonForExam,
    WrongExamState,
)
from exams.models import ExamBooking, ExamItem, ExamRequest, ExamRule, ExamVariant, Preparation
from exams.planner import Gap, Rule
from exams.policies import booking as policy
from exams.policies import spans
from exams.policies.screening import Verdict
from hospital import clock

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 at the hospital
RULE = ExamRule()


def at(day, hour, minute=0):
    return clock.at(clock.today(NOW) + timedelta(days=day), time(hour, minute))


def request(*, simple=True, status="open", priority="routine", **preparation):
    item = ExamItem(name="腹部超声", simple=simple)
    variant = ExamVariant(item=item, minutes=20, preparation=Preparation(**preparation) if preparation else None)
    return ExamRequest(variant=variant, status=status, priority=priority)


@pytest.mark.parametrize(
    ("follow", "before", "after", "kept"),
    [
        (Gap(0), (at(1, 8), at(1, 9)), (at(1, 9), at(1, 10)), True),
        (Gap(60), (at(1, 8), at(1, 9)), (at(1, 9, 55), at(1, 10)), False),
        (Gap(60), (at(1, 8), at(1, 9)), (at(1, 10), at(1, 11)), True),
        (Gap(0, other_day=True), (at(1, 8), at(1, 9)), (at(1, 16), at(1, 17)), False),
        (Gap(0, other_day=True), (at(1, 23), at(1, 23, 30)), (at(2, 0), at(2, 1)), True),  # by the hospital's midnight
        (Gap(240, other_day=True), (at(1, 23), at(1, 23, 30)), (at(2, 0), at(2, 1)), False),
        (None, (at(1, 8), at(1, 9)), (at(9, 8), at(9, 9)), False),
    ],
)
def test_how_one_exam_may_follow_another(follow, before, after, kept):
    assert policy.kept(follow, before, after) is kept


def test_never_in_that_order_speaks_of_what_is_planned_not_of_what_is_over():
    rule = Rule("a", "b", gap=Gap(0), reverse=None, why="先甲后乙")
    times = {"b": (at(-3, 8), at(-3, 9)), "a": (at(1, 8), at(1, 9))}
    assert policy.broken_rule([rule], times, new={"a"}) is rule
    assert policy.broken_rule([rule], times, new={"a"}, over={"b"}) is None
    same_day = times | {"b": (at(1, 7), at(1, 7, 30))}
    assert policy.broken_rule([rule], same_day, new={"a"}, over={"b"}) is rule
    assert policy.broken_rule([rule], times, new=set()) is None, "what stands is not asked about"


@pytest.mark.parametrize(
    ("start", "preparation", "refusal"),
    [
        (at(0, 11), {"fast_minutes": 480, "latest_start": time(10)}, TooSoonForExam),
        (at(1, 16), {"fast_minutes": 480, "latest_start": time(10)}, TooLateInTheDay),
        (at(1, 10), {"fast_minutes": 480, "latest_start": time(10)}, None),
        (at(1, 8), {"lead_minutes": 2 * 1440}, TooSoonForExam),
        (at(2, 10), {"lead_minutes": 2 * 1440}, None),
        (at(0, 10), {}, None),
    ],
)
def test_preparation_takes_its_time_but_not_from_an_emergency(start, preparation, refusal):
    told = policy.refusal_by_preparation(request(**preparation), start=start, now=NOW)
    assert type(told) is (refusal or type(None))
    urgent = request(priority="emergency", **preparation)
    assert policy.refusal_by_preparation(urgent, start=start, now=NOW) is None


def test_who_prepares_already_keeps_any_later_time():
    prepared = request(lead_minutes=2 * 1440)
    later = {"start": at(1, 9), "now": NOW}
    assert policy.refusal_by_preparation(prepared, **later)
    assert policy.refusal_by_preparation(prepared, **later, prepared_for=at(1, 8)) is None
    assert policy.refusal_by_preparation(prepared, **later, prepared_for=at(1, 10))


CHECK = {"effect": "check", "sentences": ("须先查肾功能",)}


@pytest.mark.parametrize(
    ("verdict", "done", "note", "refusal"),
    [
        (Verdict(), (), "", None),
        (Verdict(effect="warn", sentences=("可能不适",)), (), "", None),
        (Verdict(effect="refuse", sentences=("体内有起搏器",)), (), "主任同意", NotPossible),
        (Verdict(**CHECK), (), "", NotPossible),
        (Verdict(**CHECK), (), "已评估", None),
        (Verdict(**CHECK, first=(SimpleNamespace(pk=7),)), (), "", NotPossible),
        (Verdict(**CHECK, first=(SimpleNamespace(pk=7),)), (7,), "", None),
        (Verdict(unanswered=("renal",)), (), "", NotAnswered),
    ],
)
def test_what_the_answers_let_through(verdict, done, note, refusal):
    asked = request()
    asked.cleared_note = note
    for channel in ("web", "consult"):
        told = policy.refusal_by_answers(asked, verdict=verdict, channel=channel, done_items=done)
        assert type(told) is (refusal or type(None))


def test_alone_only_what_is_simple():
    assert isinstance(policy.refusal_by_channel(request(simple=False), channel="app"), NotBookedAlone)
    assert policy.refusal_by_channel(request(simple=False), channel="counter") is None
    assert policy.refusal_by_channel(request(), channel="app") is None


@pytest.mark.parametrize("status", ExamBooking.Status.values)
def test_what_may_still_be_confirmed_given_back_or_moved(status):
    row = ExamBooking(status=status, during=spans_of(at(1, 8)), hold_until=NOW + timedelta(minutes=1))
    row.variant = request().variant
    about = {"rule": RULE, "now": NOW, "hospital": False}
    ended = policy.refusal_to_confirm(row, now=NOW)
    assert (ended is not None) == (status == "cancelled")
    for refusal in (policy.refusal_to_cancel, policy.refusal_to_move):
        by_staff = refusal(row, channel="counter", **about)
        assert (by_staff is None) == (status in {"pending", "booked", "arrived"})
        alone = refusal(row, channel="web", **about)
        assert (alone is None) == (status in {"pending", "booked"})
    late = {**about, "now": at(1, 6, 1)}
    if status == "booked":
        assert isinstance(policy.refusal_to_cancel(row, channel="web", **late), TooLateForExam)
        assert policy.refusal_to_cancel(row, channel="web", **{**late, "hospital": True}) is None


def spans_of(start):
    return SimpleNamespace(lower=start, upper=start + timedelta(minutes=20))


def test_a_hold_ends_at_its_minute():
    row = ExamBooking(status="pending", hold_until=NOW)
    assert isinstance(policy.refusal_to_confirm(row, now=NOW), HoldEnded)
    assert policy.refusal_to_confirm(row, now=NOW - timedelta(seconds=1)) is None
    assert policy.hold_for("web", RULE) < policy.hold_for("consult", RULE)


def test_no_exam_is_booked_twice_but_the_house_offers_one_for_a_lost_time():
    lost, held = ExamBooking(holds=False), ExamBooking(holds=True)
    booked = request(status="booked")
    assert isinstance(policy.refusal_to_hold(booked, live=[lost], offered=False), AlreadyBookedExam)
    assert policy.refusal_to_hold(booked, live=[lost], offered=True) is None
    assert isinstance(policy.refusal_to_hold(booked, live=[held], offered=True), AlreadyBookedExam)
    assert isinstance(policy.refusal_to_hold(request(status="done"), live=[], offered=False), WrongExamState)


def test_stretches_of_time():
    assert spans.merged([(5, 9), (1, 3), (3, 5), (7, 7)]) == [(1, 9)]
    assert spans.without([(0, 10), (20, 30)], [(5, 25)]) == [(0, 5), (25, 30)]
    assert spans.without([(0, 10)], [(-5, 2), (4, 5), (9, 20)]) == [(2, 4), (5, 9)]
    assert spans.common([(0, 10), (20, 30)], [(5, 25)]) == [(5, 10), (20, 25)]
    assert spans.crowded([(0, 10), (5, 15), (12, 20)], 2) == [(5, 10), (12, 15)]
    assert spans.whole_steps([(1, 14), (6, 9)], 5) == [(5, 10)]


def test_minutes_are_counted_from_the_hospitals_midnight_over_the_turn_of_a_month():
    counted = spans.Counted(clock.today(datetime(2026, 11, 29, 16, 30, tzinfo=UTC)))  # 00:30 on the 30th
    assert counted.minute(datetime(2026, 11, 29, 16, 30, tzinfo=UTC)) == 30
    assert counted.day(1440).isoformat() == "2026-12-01"
    assert counted.moment(1440 + 480) == datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    assert counted.of_day(counted.day(1440), time(8)) == 1920
    late = datetime(2026, 11, 30, 15, 50, tzinfo=UTC)  # 23:50 on the 30th
    assert spans.trips_of([(late, late + timedelta(minutes=30))]) == (1, 30)
