"""One trip (E3): the plan, why it is as it is, and the token that books exactly what was shown."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.errors import AgainstTheOrder, BookedTogether, PlanGone, TooLateInTheDay, TooSoonForExam
from exams.models import OrderingRule, Preparation
from exams.selectors.free import segments
from exams.services import booking, planning
from exams.services.booking import Wanted
from exams.services.planning import Wishes
from hospital import clock
from hospital.models import Fact, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    UserFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

from .sound import unsound

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def at(day, hour, minute=0):
    return clock.at(TODAY + day * DAY, time(hour, minute))


def signed(by=None, **more):
    return {"source": "放射科规程", "approved_by": by or UserFactory(), "approved_at": NOW, **more}


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def house():
    house = OrganizationFactory()
    PoolFactory(organization=house)
    return house


def variant(house, name, **more):
    return exam_variant(organization=house, name=name, **more)


def ask(patient, *variants):
    return [ExamRequestFactory(variant=each, patient=patient) for each in variants]


def propose(requests, *, now=NOW, channel="consult", **wishes):
    return planning.propose(requests=requests, wishes=Wishes(**wishes), channel=channel, now=now)


def order(first, second, **more):
    return OrderingRule.objects.create(
        organization=first.item.organization, name="先后", first_item=first.item, second_item=second.item, **more
    )


def test_two_exams_come_into_one_trip_and_the_token_books_what_was_shown(patient, house):
    scan, blood = variant(house, "腹部超声", minutes=20), variant(house, "抽血", minutes=10)
    open_device(scan, organization=house, days=(1, 3))
    open_device(blood, organization=house, days=(2, 3))
    requests = ask(patient, scan, blood)
    proposal = propose(requests)
    assert proposal.best.trips == 1
    assert proposal.best.days == [TODAY + 3 * DAY]
    assert [plan.trips for plan in proposal.others] == [2, 2]
    assert (proposal.first_come_trips, proposal.reasons) == (2, [])

    lines = planning.lines_of(proposal.best.token, patient)
    plan = booking.hold_plan(
        patient=patient,
        lines=lines,
        channel="consult",
        by=None,
        basket=uuid4(),
        figures=planning.figures_of(proposal.best.token, patient),
        now=NOW,
    )
    held = {(row.request_id, row.device_id, row.start) for row in plan.bookings.all()}
    assert held == {(line.request.pk, line.device.pk, line.start) for line in proposal.best.lines}
    assert (plan.trips, plan.minutes, plan.first_come_trips) == (1, proposal.best.minutes, 2)
    with pytest.raises(PlanGone):
        planning.lines_of(proposal.best.token, PatientFactory())


def test_a_gap_that_costs_a_trip_is_told_with_the_time_that_is_left(patient, house):
    """The task's own example: MRI with contrast 4 h after CT contrast, and the only MRI that day is at 11:00."""
    ct, mri = variant(house, "增强CT", minutes=20), variant(house, "增强磁共振", minutes=30)
    open_device(ct, organization=house, days=(1,), starts=time(8), ends=time(9))
    device = open_device(mri, organization=house, days=(), starts=time(8))
    device_session(device, day=TODAY + DAY, starts=time(11), ends=time(11, 30))
    device_session(device, day=TODAY + 2 * DAY, starts=time(8), ends=time(12))
    order(
        ct,
        mri,
        forward="gap",
        forward_minutes=240,
        reverse="gap",
        reverse_minutes=240,
        why="碘对比剂和钆对比剂须间隔4小时。",
        **signed(),
    )
    proposal = propose(ask(patient, ct, mri))
    assert proposal.best.trips == 2
    assert [str(reason) for reason in proposal.reasons] == [
        "分2次来院：增强磁共振须在增强CT结束4小时后，而当天增强磁共振只在11:00有空。碘对比剂和钆对比剂须间隔4小时。"
    ]


def test_where_no_day_has_room_for_all_each_exams_days_are_named(patient, house):
    one, other = variant(house, "心脏超声", minutes=20), variant(house, "肺功能", minutes=20)
    open_device(one, organization=house, days=(1, 3))
    open_device(other, organization=house, days=(2,))
    proposal = propose(ask(patient, one, other))
    assert [str(reason) for reason in proposal.reasons] == [
        "分2次来院：没有哪一天各项都有空。肺功能：11-25；心脏超声：11-24、11-26。"
    ]


def test_a_wish_that_costs_a_trip_is_named_with_the_day_it_would_save(patient, house):
    one, other = variant(house, "心脏超声", minutes=20), variant(house, "肺功能", minutes=20)
    open_device(one, organization=house, days=(1,), ends=time(10))
    open_device(one, organization=house, days=(2,), starts=time(14), ends=time(16))
    open_device(other, organization=house, days=(1, 3), starts=time(14), ends=time(16))
    assert propose(ask(patient, one, other)).best.trips == 1
    proposal = propose(ask(patient, one, other), halves=("pm",))
    assert proposal.best.trips == 2
    assert {clock_of(line.start) >= time(12) for line in proposal.best.lines} == {True}
    assert [str(each) for each in proposal.one_trip_if] == ["如果上午、下午都可以来，可以一次完成（11-24）。"]


def clock_of(moment):
    return moment.astimezone(clock.ZONE).time()


def test_reserved_time_that_would_save_a_trip_is_told_to_staff_only(patient, house):
    one, other = variant(house, "心脏超声", minutes=20), variant(house, "肺功能", minutes=20)
    device = open_device(one, organization=house, days=(1, 2))
    session = device.sessions.get(day=TODAY + DAY)
    kept = PoolFactory(organization=house, kind="emergency")
    session.windows.create(pool=kept, during=session.during, opens_at=NOW - DAY)
    open_device(other, organization=house, days=(1,))
    asked = ask(patient, one, other)
    assert [str(each) for each in propose(asked).one_trip_if] == [
        "如果检查预约中心动用预留时段，可以一次完成（11-24）。"
    ]
    assert propose(asked, channel="web").one_trip_if == []


def test_exams_join_the_day_on_which_the_patient_comes_anyway(patient, house):
    """The return visit stands: a plan on its day is no further trip, results must be there by then, and the way from
    one zone to the visit is left."""
    scan = variant(house, "腹部超声", minutes=20, result_minutes=60)
    open_device(scan, organization=house, days=(1, 4))
    PatientTime.objects.create(
        patient=patient, during=DateTimeTZRange(at(4, 10), at(4, 10, 20)), source="appointment", source_id=1
    )
    best = propose(ask(patient, scan), return_day=TODAY + 4 * DAY).best
    assert (best.trips, best.extra_trips, best.days) == (1, 0, [TODAY + 4 * DAY])
    assert best.lines[0].end <= at(4, 9)
    [reason] = propose(
        ask(patient, scan), first_day=TODAY + 4 * DAY, return_day=TODAY + 4 * DAY, not_before=time(9, 30)
    ).impossible
    assert reason.code == "results"
    assert str(reason) == "腹部超声出结果要1小时，在11-27复诊前来不及。"
    assert reason.next_step


def test_one_sitting_is_one_piece_on_one_device(patient, house):
    """同一次麻醉: back to back, watched once afterwards; booked apart it is refused."""
    upper = variant(house, "无痛胃镜", minutes=20, kind="sedated", after=30)
    lower = variant(house, "无痛肠镜", minutes=40, kind="sedated", after=30)
    open_device(upper, organization=house)
    both = open_device(upper, lower, organization=house, days=(2,))
    order(upper, lower, one_sitting=True, reverse="gap", why="同一次麻醉完成。", **signed())
    asked = ask(patient, upper, lower)
    best = propose(asked).best
    first, second = best.lines
    assert (first.variant, second.variant, best.minutes) == (upper, lower, 90)
    assert first.device == second.device == both
    assert (first.end, first.stay_end, second.stay_start) == (second.start, second.start, second.start)
    plan = hold(patient, planning.lines_of(best.token, patient))
    assert plan.minutes == 90
    apart = [Wanted(asked[0].pk, both.pk, at(2, 8)), Wanted(asked[1].pk, both.pk, at(2, 10))]
    with pytest.raises(BookedTogether):
        hold(patient, apart)


def hold(patient, lines, *, now=NOW):
    return booking.hold_plan(patient=patient, lines=lines, channel="consult", by=None, basket=uuid4(), now=now)


def test_what_the_patient_had_before_keeps_its_distance(patient, house):
    """Barium three days ago: the ultrasound is planned after the rule's days, and refused before them."""
    meal, scan = variant(house, "钡餐", minutes=20), variant(house, "腹部超声", minutes=20)
    session = device_session(open_device(meal, organization=house, days=()), day=TODAY - DAY)
    device = open_device(scan, organization=house, days=range(1, 6))
    exam_booking_row(
        request=ExamRequestFactory(variant=meal, patient=patient),
        session=session,
        status="done",
        started_at=session.during.lower,
        finished_at=session.during.lower + timedelta(minutes=20),
    )
    order(
        scan, meal, forward="gap", reverse="other_day", reverse_minutes=3 * 1440, why="钡剂3天内影响超声。", **signed()
    )
    [request] = ask(patient, scan)
    best = propose([request]).best
    assert best.lines[0].start == at(2, 8, 20)
    with pytest.raises(AgainstTheOrder) as refusal:
        hold(patient, [Wanted(request.pk, device.pk, at(2, 8))])
    assert str(refusal.value) == "与已有检查的先后或间隔不符：钡剂3天内影响超声。"
    found = segments(request=request, channel="web", first_day=TODAY, days=7, now=NOW)
    assert found[0].first_start == at(2, 8, 20)
    plan = hold(patient, planning.lines_of(best.token, patient))
    with pytest.raises(AgainstTheOrder):
        booking.move(booking=plan.bookings.get(), device=device, start=at(1, 8), channel="counter", by=None, now=NOW)


def test_who_fasts_is_examined_by_the_latest_hour_and_who_prepares_has_time_to(patient, house):
    """A patient fasting from 08:00 with an exam at 16:00 does not happen."""
    fasting = Preparation.objects.create(
        organization=house, name="空腹", text="空腹8小时", fast_minutes=480, latest_start=time(10, 30), **signed()
    )
    scan = variant(house, "腹部超声", minutes=20, preparation=fasting)
    device = open_device(scan, organization=house, days=(0, 1), starts=time(8), ends=time(17))
    [request] = ask(patient, scan)
    assert propose([request]).best.lines[0].start == at(1, 8), "10:00 now: eight hours of fasting end after today's"
    starts = [each.first_start for each in segments(request=request, channel="web", first_day=TODAY, days=2, now=NOW)]
    assert (starts[0], starts[-1]) == (at(1, 8), at(1, 10, 30))
    for start, refusal in ((at(0, 17), TooSoonForExam), (at(1, 16), TooLateInTheDay)):
        with pytest.raises(refusal):
            hold(
                patient, [Wanted(request.pk, device.pk, start - timedelta(minutes=20) if start == at(0, 17) else start)]
            )
    [reason] = propose([request], halves=("pm",)).impossible
    assert (reason.code, bool(reason.next_step)) == ("wishes", True)
    [reason] = propose([request], last_day=TODAY).impossible
    assert str(reason) == "腹部超声要先准备8小时，11-23–11-23来不及。", (
        "before 10:30 there is time, but nobody is ready"
    )
    device.sessions.all().delete()
    device_session(device, day=TODAY + DAY, starts=time(14), ends=time(17))
    [reason] = propose([request], last_day=TODAY + DAY).impossible
    assert str(reason) == "腹部超声需要空腹，最晚10:30开始，而11-23–11-24此前都没有空闲时间。"


@pytest.mark.parametrize(
    ("minutes", "says"),
    [(300, "要连续5小时，而11-23–12-06最长的空档只有4小时。"), (20, "没有向本渠道开放的空闲时间。")],
)
def test_what_keeps_an_exam_from_any_time_is_named_with_the_next_step(patient, house, minutes, says):
    long = variant(house, "核医学", minutes=minutes)
    open_device(long, organization=house, days=(1,) if minutes > 60 else (40,))
    [reason] = propose(ask(patient, long)).impossible
    assert str(reason).endswith(says)
    assert reason.next_step
    without_device = variant(house, "肺功能", minutes=10)
    [reason] = propose(ask(patient, without_device)).impossible
    assert str(reason) == "目前没有设备可以做肺功能。"
    for wish in ({"last_day": TODAY - DAY}, {"first_day": date.max}):
        assert str(propose(ask(patient, long), **wish).impossible[0]) == "所选的日期里没有可以安排的日子。"


def test_the_number_of_queries_does_not_grow_with_exams_or_devices(patient, house, django_assert_max_num_queries):
    def asked(exams, devices):
        variants = [variant(house, f"检查{n}", minutes=20) for n in range(exams)]
        for _device in range(devices):
            open_device(*variants, organization=house, days=(1, 2))
        return ask(patient, *variants)

    for exams, devices in ((1, 1), (4, 6)):
        requests = asked(exams, devices)
        with django_assert_max_num_queries(20):
            assert propose(requests).best.trips == 1
        with django_assert_max_num_queries(15):
            assert segments(request=requests[0], channel="web", first_day=TODAY, days=28, now=NOW)


def test_exams_of_one_sitting_move_together(patient, house):
    upper = variant(house, "无痛胃镜", minutes=20, kind="sedated", after=30)
    lower = variant(house, "无痛肠镜", minutes=40, kind="sedated", after=30)
    both = open_device(upper, lower, organization=house, days=(1, 2))
    order(upper, lower, one_sitting=True, reverse="gap", why="同一次麻醉完成。", **signed())
    plan = hold(patient, planning.lines_of(propose(ask(patient, upper, lower)).best.token, patient))
    first, second = booking.confirm(basket=plan.basket, by=None, now=NOW)
    assert (first.start, second.start) == (at(1, 8), at(1, 8, 20))
    found = segments(request=second.request, channel="counter", first_day=TODAY, days=3, now=NOW, moving=second)
    assert found[0].first_start == at(1, 8, 20), "the first begins at 08:00 and not before"
    moved = booking.move(booking=second, device=both, start=at(1, 8, 40), channel="counter", by=None, now=NOW)
    first.refresh_from_db()
    assert (first.start, moved.start) == (at(1, 8, 20), at(1, 8, 40))
    assert (first.stay.upper, moved.stay.upper) == (moved.start, at(1, 9, 50))
    booking.cancel(booking=moved, by=None, channel="counter", now=NOW)
    first.refresh_from_db()
    assert first.stay.upper == at(1, 9, 10), "watched after its own anaesthesia"
    assert unsound() == {}


def blood_tests(house, count, **more):
    return [variant(house, f"化验{n}", modality="lab", minutes=5, **more) for n in range(count)]


def test_the_blood_tests_of_a_plan_are_one_draw_and_move_together(patient, house):
    """E3: one needle. Ten tests and two other exams are three things to plan, and the draw stays whole when moved."""
    tests, scan, chest = blood_tests(house, 10, after=5), variant(house, "腹部超声", minutes=20), variant(house, "胸片")
    station = open_device(*tests, organization=house, days=(1, 2))
    open_device(*tests[:9], organization=house, days=(1,))
    for each in (scan, chest):
        open_device(each, organization=house, days=(1,))
    best = propose(ask(patient, *tests, scan, chest)).best
    drawn = [line for line in best.lines if line.variant in tests]
    assert (best.trips, len(best.lines), best.proven) == (1, 12, True)
    assert {line.device for line in drawn} == {station}
    assert [line.start for line in drawn[1:]] == [line.end for line in drawn[:-1]]
    plan = hold(patient, planning.lines_of(best.token, patient))
    rows = [row for row in booking.confirm(basket=plan.basket, by=None, now=NOW) if row.variant in tests]
    middle = sorted(rows, key=lambda row: row.start)[4]
    moved = booking.move(booking=middle, device=station, start=at(2, 9), channel="counter", by=None, now=NOW)
    after = sorted(station.bookings.filter(holds=True), key=lambda row: row.start)
    assert moved.start == at(2, 9)
    told = {tuple(fact.payload["together"]) for fact in Fact.objects.filter(topic="exam.moved")}
    assert told == {tuple(sorted(row.pk for row in rows))}
    assert [row.start for row in after] == [at(2, 8, 40) + timedelta(minutes=5 * n) for n in range(10)]
    assert after[-1].stay.upper == after[-1].end + timedelta(minutes=5)
    assert unsound() == {}


def test_blood_tests_that_no_station_does_all_of_or_a_rule_sets_apart_are_several_draws(patient, house):
    first, second, third, fourth = blood_tests(house, 4)
    open_device(first, second, organization=house)
    open_device(third, fourth, organization=house)
    order(third, fourth, forward_minutes=120, reverse="gap", reverse_minutes=120, why="服糖后两小时再抽。", **signed())
    lines = {line.variant: line for line in propose(ask(patient, first, second, third, fourth)).best.lines}
    assert lines[first].end == lines[second].start
    assert abs(lines[third].start - lines[fourth].start) >= timedelta(hours=2)
    plan = hold(
        patient,
        [
            Wanted(r.pk, lines[r.variant].device.pk, lines[r.variant].start)
            for r in [line.request for line in lines.values()]
        ],
    )
    assert plan.exams == 4


def test_a_day_full_of_exams_does_not_hide_another_on_which_the_patient_comes_anyway(patient, house):
    """E3: nine exams on one day and one on the next; the new one goes beside them, not on the free day before."""
    quick, scan = variant(house, "心电图", minutes=5), variant(house, "腹部超声", minutes=20)
    station = open_device(quick, organization=house, days=(2, 3))
    open_device(scan, organization=house, days=(1, 3))
    places = [at(2, 8) + timedelta(minutes=15 * n) for n in range(9)] + [at(3, 10)]
    requests = ask(patient, *[quick] * len(places))
    hold(patient, [Wanted(row.pk, station.pk, start) for row, start in zip(requests, places, strict=True)])
    best = propose(ask(patient, scan)).best
    assert (best.days, best.extra_trips) == ([TODAY + 3 * DAY], 0)
