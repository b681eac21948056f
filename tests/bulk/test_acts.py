"""批量操作 (P1, P8): what a preview says is done, in one transaction, and can be taken back for ten minutes."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import BulkAct, BulkChange, Schedule
from appointments.services import bulk
from hospital.models import AuditEvent
from tests.bulk.acts import SOON
from tests.factories import NOW, open_schedule


def test_a_preview_says_what_would_change_and_writes_nothing(session):
    act = session.reallocate(3)

    assert act.status == "previewed"
    [line] = act.effect["lines"]
    assert line["says"] == [["诊间", 10, 7], ["公共", 4, 7]]
    assert (act.effect["numbers"], act.effect["patients"], act.effect["messages"]) == (3, 0, [])
    assert session.numbers(session.consult) == list(range(1, 11))


def test_what_was_previewed_is_done_with_its_changes_and_an_audit_event(session):
    act = session.apply(session.reallocate(3))

    assert session.numbers(session.public) == [1, 2, 3, 11, 12, 13, 14]
    assert (act.status, act.done_at, act.undo_until) == ("done", NOW, NOW + timedelta(minutes=10))
    assert BulkChange.objects.filter(act=act, table="slot").count() == 3
    [event] = AuditEvent.objects.filter(action="bulk.reallocate", subject=f"bulkact:{act.pk}")
    key = str(session.schedule.pk)
    assert event.actor == session.by
    assert (event.detail["before"][key], event.detail["after"][key]) == (
        {"诊间": 10, "公共": 4},
        {"诊间": 7, "公共": 7},
    )
    assert event.detail["why"] == "专家外出，调给公共"


def test_what_changed_meanwhile_is_refused_and_shown_afresh(session):
    seen_first, seen_second = session.reallocate(3), session.reallocate(4)
    session.apply(seen_first)

    with pytest.raises(errors.PreviewStale):
        session.apply(seen_second)
    fresh = bulk.look_again(act=seen_second, now=NOW)

    assert fresh.effect["lines"][0]["says"] == [["诊间", 7, 3], ["公共", 7, 11]]
    session.apply(fresh)
    assert len(session.numbers(session.public)) == 11


def test_a_booking_elsewhere_in_the_schedule_leaves_the_preview_as_it_was(session):
    act = session.reallocate(3)
    session.schedule.slots.filter(number=12).update(status="booked")

    assert session.apply(act).status == "done"


def test_an_act_is_done_once_however_often_it_is_confirmed(session):
    act = session.reallocate(3)
    session.apply(act)

    with pytest.raises(errors.ActSettled):
        session.apply(act)
    assert len(session.numbers(session.public)) == 7


def test_undo_puts_every_number_back_and_leaves_a_trace(session):
    act = session.apply(session.reallocate(3, target=session.partner))
    assert session.schedule.allotments.filter(pool=session.partner).exists()

    assert session.undo(act, now=NOW + timedelta(minutes=10)) == []

    assert session.numbers(session.consult) == list(range(1, 11))
    assert not session.schedule.allotments.filter(pool=session.partner).exists()
    act.refresh_from_db()
    assert (act.status, act.undone_by) == ("undone", session.by)
    assert AuditEvent.objects.filter(action="bulk.reallocate.undone", subject=f"bulkact:{act.pk}").exists()


def test_what_was_booked_meanwhile_stays_and_is_said_by_name(session):
    act = session.apply(session.reallocate(3))
    session.schedule.slots.filter(number=2).update(status="booked")

    kept = session.undo(act)

    assert kept == [{"table": "slot", "schedule": session.schedule.pk, "number": 2}]
    assert session.numbers(session.public) == [11, 12, 13, 14]
    assert session.numbers(session.public, status="booked") == [2]
    act.refresh_from_db()
    assert act.effect["kept"] == kept


def test_after_ten_minutes_nothing_is_taken_back(session):
    act = session.apply(session.reallocate(3))

    with pytest.raises(errors.UndoOver):
        session.undo(act, now=NOW + timedelta(minutes=10, seconds=1))


@pytest.mark.parametrize("times", [0, 2])
def test_only_what_is_done_can_be_undone_and_once(session, times):
    act = session.reallocate(3)
    if times:
        session.apply(act)
        session.undo(act)

    with pytest.raises(errors.ActSettled):
        session.undo(act)


def test_a_reason_is_part_of_every_act(session):
    with pytest.raises(errors.NeedsReason):
        session.reallocate(3, reason="  ")


def test_refused_sessions_are_named_and_left_while_the_others_are_done(session):
    stopped = open_schedule(day=SOON, pool="consult", status="stopped")
    over = open_schedule(day=SOON - timedelta(days=12), pool="consult")
    full = open_schedule(day=SOON, pool="consult")
    full.slots.update(status="booked")

    act = session.reallocate(2, schedules=[session.schedule, stopped, over, full])

    codes = {line["schedule"]: line["refusal"]["code"] for line in act.effect["lines"] if "refusal" in line}
    assert codes == {stopped.pk: "stopped", over.pk: "session_over", full.pk: "no_free_numbers"}
    assert (act.effect["refused"], act.effect["schedules"]) == (3, 1)
    session.apply(act)
    assert len(session.numbers(session.public)) == 6


def test_an_act_that_no_session_allows_is_not_done(session):
    Schedule.objects.update(status="stopped")

    with pytest.raises(errors.NothingToDo):
        session.apply(session.reallocate(2))


def test_a_session_that_was_laid_out_anew_makes_the_preview_stale(session):
    other = open_schedule(day=SOON, pool="consult")
    act = session.reallocate(2, schedules=[session.schedule, other])
    other.allotments.all().delete()
    other.slots.all().delete()
    other.delete()

    with pytest.raises(errors.PreviewStale):
        session.apply(act)


def test_previews_that_nobody_confirmed_are_thrown_away_after_a_day(session):
    old = session.reallocate(2, now=NOW - timedelta(days=2))

    fresh = session.reallocate(2)

    assert list(BulkAct.objects.values_list("pk", flat=True)) == [fresh.pk]
    assert old.pk != fresh.pk


def test_the_same_number_of_statements_for_one_session_and_for_twelve(session, django_assert_max_num_queries):
    schedules = [session.schedule, *(open_schedule(day=SOON, numbers=3, pool="consult") for _ in range(11))]

    with django_assert_max_num_queries(20):
        act = session.reallocate(1, schedules=schedules)
    with django_assert_max_num_queries(36):
        session.apply(act)
    with django_assert_max_num_queries(22):
        session.undo(act)
