"""调整号池 (P1), 加号 (B10), 回收 (P6): which numbers move, when their pool opens, what is refused and why."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import Allotment, BookingRule, Slot
from appointments.selectors import rules
from appointments.selectors.extras import count_extras
from appointments.services import booking, bulk, changes, extras, supply
from hospital.models import Fact
from tests.bulk.acts import SOON, act_on
from tests.factories import NOW, PatientFactory, PoolFactory, TeamFactory, UserFactory, open_schedule


def refusal(act):
    [line] = act.effect["lines"]
    return line.get("refusal", {}).get("code")


def test_all_free_numbers_move_and_taken_ones_stay(session):
    session.schedule.slots.filter(number__lte=4).update(status="booked")
    session.schedule.slots.filter(number=5).update(status="resting", hold_until=NOW + timedelta(hours=1))

    session.apply(session.reallocate(None))

    assert session.numbers(session.public) == [6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert session.numbers(session.consult, status="resting") == [5]


def test_fewer_free_numbers_than_asked_for_move_and_the_preview_says_so(session):
    session.schedule.slots.filter(number__lte=8).update(status="booked")

    [line] = session.reallocate(5).effect["lines"]

    assert line["numbers"] == 2
    assert "只有2个空号" in line["note"]


def test_the_on_site_floor_gets_the_last_numbers(session):
    """P7."""
    session.apply(session.reallocate(2, target=session.counter))

    assert session.numbers(session.counter) == [9, 10]


def test_a_pool_new_to_the_session_opens_by_the_supply_rule(session):
    """Lower institutions: D−10 07:00, recalled D−7; both have passed, so at once, and kept until the start."""
    session.apply(session.reallocate(2, target=session.partner))

    row = Allotment.objects.get(schedule=session.schedule, pool=session.partner)
    assert row.opens_at < NOW
    assert row.shared_from == session.schedule.starts_at
    assert row.opened_at == NOW


def test_a_pool_whose_rest_was_recalled_keeps_what_is_moved_there_now_and_undo_disarms_it(session):
    allotments = session.schedule.allotments.filter(pool=session.consult)
    was = NOW - timedelta(hours=2)
    allotments.update(shared_from=was, moved_at=was)

    act = session.apply(session.reallocate(2, source=session.public, target=session.consult))

    row = allotments.get()
    assert (row.shared_from, row.moved_at) == (session.schedule.starts_at, None)
    session.undo(act)
    row.refresh_from_db()
    assert (row.shared_from, row.moved_at) == (was, was)


def test_a_pool_that_is_being_recalled_this_minute_takes_nothing(session):
    session.schedule.allotments.filter(pool=session.consult).update(shared_from=NOW)

    assert refusal(session.reallocate(2, source=session.public, target=session.consult)) == "recall_under_way"


def test_a_leading_experts_numbers_stay(session):
    """B11."""
    team = TeamFactory()
    session.schedule.gate_team = team
    session.schedule.save()

    assert refusal(session.reallocate(2)) == "team_numbers_stay"
    assert refusal(session.recall()) == "team_numbers_stay"
    assert refusal(session.add(2, pool=session.public)) == "team_numbers_stay"
    assert refusal(session.add(2)) is None


def test_recall_moves_free_and_resting_numbers_tells_it_and_is_booked_on_line_at_once(session):
    session.schedule.slots.filter(number__lte=7).update(status="booked")
    session.schedule.slots.filter(number=8).update(status="resting", hold_until=NOW + timedelta(hours=1))
    session.schedule.slots.filter(pool=session.public).update(status="booked")
    act = session.recall()
    assert act.effect["lines"][0]["says"] == [["诊间", 10, 7], ["公共", 4, 7]]

    session.apply(act)

    fact = Fact.objects.get(topic="supply.shared")
    assert list(fact.payload.pop("numbers").values()) == [3]
    assert fact.payload == {"schedule": session.schedule.pk, "pools": {"consult": 3}, "act": act.pk}
    row = booking.book(
        schedule=session.schedule, patient=PatientFactory(), channel="web", by=UserFactory(), request_key="k", now=NOW
    )
    assert row.slot.number == 9


def test_a_recall_before_the_public_release_says_when_the_numbers_open(session):
    session.schedule.allotments.filter(pool=session.public).update(opens_at=NOW + timedelta(days=1))

    [line] = session.recall().effect["lines"]

    assert "公共号 11-24 10:00 开放" in line["note"]


def test_nothing_left_to_recall_is_said(session):
    assert refusal(session.recall(session.counter)) == "nothing_left"


def test_added_numbers_continue_after_the_last_minute_above_the_capacity(session):
    last = session.schedule.slots.order_by("-number").first()

    act = session.apply(session.add(2))

    one, two = session.schedule.slots.filter(number__gt=14).order_by("number")
    assert (one.number, one.start) == (15, last.start + timedelta(minutes=last.minutes))
    assert two.start == one.start + timedelta(minutes=one.minutes)
    assert Allotment.objects.filter(schedule=session.schedule, pool=session.extra, opens_at=NOW).exists()
    session.undo(act)
    assert set(session.schedule.slots.filter(number__gt=14).values_list("status", flat=True)) == {"blocked"}


def test_add_ons_that_were_undone_are_given_out_again_before_new_ones(session):
    """B10: however often an act is undone and done again, no number stays closed behind the limit."""
    for _again in range(3):
        session.undo(session.apply(session.add(2, pool=session.public)))
    session.apply(session.add(3))

    assert session.numbers(session.extra) == [15, 16, 17]
    assert session.schedule.slots.count() == 17


def test_a_number_that_a_patient_had_ends_with_them(session):
    session.apply(session.add(1))
    extras_of_the_room(session, 1, first=0)
    row = Slot.objects.get(schedule=session.schedule, number=15).appointments.get()
    changes.cancel(appointment=row, by=session.by, channel="counter", now=NOW)
    session.apply(session.add(1))

    above = session.schedule.slots.filter(number__gt=14).order_by("number")
    assert list(above.values_list("number", "status")) == [(15, "blocked"), (16, "free")]


def test_one_limit_for_the_office_and_the_consult_room(session):
    """B10: five a session, whoever adds them; a number taken back makes room again."""
    act = session.apply(session.add(3))
    extras_of_the_room(session, 3, first=0)  # takes the office's numbers first
    assert count_extras([session.schedule]) == {session.schedule.pk: 3}
    extras_of_the_room(session, 2, first=3)

    assert refusal(session.add(1)) == "extra_limit"
    with pytest.raises(errors.ExtraLimit):
        extras_of_the_room(session, 1, first=5)
    assert [kept["number"] for kept in session.undo(act)] == [15, 16, 17]


def extras_of_the_room(session, count, *, first):
    for n in range(first, first + count):
        extras.add_extra(
            schedule=session.schedule,
            patient=PatientFactory(),
            by=session.by,
            reason="复查",
            request_key=str(n),
            now=NOW,
        )


@pytest.mark.parametrize(
    ("ahead", "count", "code"), [(5, 6, "extra_limit"), (40, 1, "too_far"), (-1, 1, "past"), (5, 5, None)]
)
def test_add_ons_keep_to_the_limit_and_the_horizon(session, ahead, count, code):
    session.schedule = open_schedule(day=SOON + timedelta(days=ahead - 5))

    assert refusal(session.add(count)) == code


def test_the_limit_is_the_rule_in_force(session):
    BookingRule.objects.update(extra_limit=2)
    rules.forget()

    [line] = session.add(3).effect["lines"]

    assert line["refusal"]["text"].startswith("这个出诊单元还可加2个号（上限2个）。")


def test_numbers_added_to_the_public_pool_are_booked_like_any_other(session):
    session.schedule.slots.update(status="booked")
    session.apply(session.add(1, pool=session.public))

    row = booking.book(
        schedule=session.schedule, patient=PatientFactory(), channel="web", by=UserFactory(), request_key="k", now=NOW
    )

    assert (row.slot.number, row.extra) == (15, False)


def test_group_and_partner_pools_are_targets_like_the_others(session):
    own = PoolFactory(kind="partner", partner=session.schedule.organization, name="城东社区")

    session.apply(session.reallocate(1, target=own))

    assert Slot.objects.get(schedule=session.schedule, pool=own).number == 1


def test_what_an_undone_recall_gives_back_after_the_recall_job_is_shared_by_it_again(session):
    """P6: nothing is left in a pool whose time is over and that no job looks at any more."""
    soon = NOW + timedelta(minutes=2)
    session.schedule.allotments.filter(pool=session.consult).update(shared_from=soon)
    act = act_on(session.schedule, kind="recall", by=session.by, pools=[session.consult.pk])
    bulk.apply(act=act, by=session.by, now=NOW)
    supply.follow_up(now=soon + timedelta(minutes=1))
    bulk.undo(act=act, by=session.by, now=NOW + timedelta(minutes=5))

    supply.follow_up(now=NOW + timedelta(minutes=6))

    assert not session.schedule.slots.filter(pool=session.consult).exists()
