"""Stopping, substituting and reopening one session (B13): who is told what, and what the database decides."""

from datetime import date, timedelta

import pytest

from appointments.errors import NothingToStop, PreviewStale
from appointments.models import Allotment, Appointment, ScheduleParticipant, Slot, StopCase, StopOffer, Substitution
from appointments.services import changes, extras, stops
from hospital.models import AuditEvent, Contract, Fact, Message
from tests.booking.acts import take
from tests.factories import (
    NOW,
    OrganizationFactory,
    RoomFactory,
    StaffFactory,
    TeamMemberFactory,
    appointment_row,
    open_schedule,
)

from .scenes import IN_A_WEEK, case_of, doctor, doctors_account, session, stop, substitute, told, wish, work

pytestmark = pytest.mark.django_db


def booked_of(schedule):
    return list(Appointment.objects.filter(schedule=schedule, status="booked").order_by("pk"))


def test_a_stop_asks_every_booked_patient_once_and_keeps_numbers_for_them():
    """B13"""
    role = doctor()
    stopped, later = session(role, booked=3), session(role, day=IN_A_WEEK + timedelta(days=2), booked=0, numbers=8)
    hold = take(stopped)

    order = stop(stopped)
    work()
    work()

    cases = StopCase.objects.filter(substitution__suspension=order)
    assert [case.answer for case in cases] == ["", "", ""]
    assert {case.deadline for case in cases} == {NOW + timedelta(hours=24)}
    assert [told(case.patient) for case in cases] == [["stop.asked"]] * 3
    hold.refresh_from_db()
    assert hold.status == "cancelled"
    offers = StopOffer.objects.filter(substitution__suspension=order)
    assert offers.count() == 5  # three patients and two to choose from
    assert set(offers.values_list("slot__schedule", "slot__pool__kind")) == {(later.pk, "rebook")}
    kept = Allotment.objects.get(schedule=later, pool__kind="rebook")
    assert (kept.opens_at, kept.shared_from) == (NOW, NOW + timedelta(hours=24))
    assert AuditEvent.objects.get(action="stop.ordered").detail["sessions"] == [stopped.pk]


def test_numbers_that_are_not_released_yet_are_kept_but_never_opened_early():
    role = doctor()
    stopped = session(role, booked=1)
    release = NOW + timedelta(days=3)
    later = session(role, day=IN_A_WEEK + timedelta(days=5), booked=0, numbers=4, opened=release)

    stop(stopped)

    assert Allotment.objects.get(schedule=later, pool__kind="rebook").shared_from == release


def test_stopping_twice_is_once():
    schedule = session(doctor())
    stop(schedule)
    work()

    with pytest.raises(NothingToStop):
        stop(schedule)
    work()

    assert StopCase.objects.count() == 3
    assert [told(row.patient) for row in booked_of(schedule)] == [["stop.asked"]] * 3
    assert Fact.objects.filter(topic="schedule.stopped").count() == 1


def test_a_session_that_begins_in_ten_minutes_is_to_be_called_at_once_and_still_comes_before_the_public():
    role = doctor()
    schedule = session(role, day=(NOW).date(), starts_at=NOW + timedelta(minutes=10), ends_at=NOW + timedelta(hours=3))
    later = session(role, booked=0, numbers=8)

    stop(schedule)

    assert {case.deadline for case in StopCase.objects.all()} == {NOW}
    assert Allotment.objects.get(schedule=later, pool__kind="rebook").shared_from == NOW + timedelta(hours=2)


def test_a_substitute_takes_over_and_the_booked_keep_number_time_and_fee():
    """B13: of a higher level and price, free of charge."""
    first = doctor()
    chief = doctor(first.department, of="chief")
    account = doctors_account(chief)
    schedule = session(first)
    before = [(row.slot_id, row.start, row.fee) for row in booked_of(schedule)]

    order = substitute(schedule, chief)
    work()

    schedule.refresh_from_db()
    assert (schedule.role, schedule.status) == (chief, "open")
    assert order.sessions.get().original == first
    assert [(row.slot_id, row.start, row.fee) for row in booked_of(schedule)] == before
    assert [told(row.patient) for row in booked_of(schedule)] == [["stop.substituted"]] * 3
    sits = ScheduleParticipant.objects.filter(schedule=schedule, active=True)
    assert [row.practitioner for row in sits] == [chief.practitioner]
    assert [row.template for row in Message.objects.filter(user=account)] == ["stop.step_in"]


def test_a_substitute_who_sits_elsewhere_is_named_and_nothing_is_changed():
    first = doctor()
    other = doctor(first.department)
    schedule, elsewhere = session(first), session(other, booked=0)

    order = substitute(schedule, other)

    [sentence] = order.problems.values()
    assert str(other.practitioner) in sentence
    assert str(elsewhere.room) in sentence
    schedule.refresh_from_db()
    assert (schedule.role, schedule.status) == (first, "open")
    assert not StopCase.objects.exists()


def test_a_room_that_is_taken_is_named():
    first = doctor()
    other, somebody = doctor(first.department), doctor(first.department)
    room = RoomFactory(name="9诊室")
    schedule, _taken = session(first), session(somebody, booked=0, room=room)
    more = wish(schedule, substitutes={schedule.pk: other.pk})
    more.substitutes[schedule.pk] = (other.pk, room.pk)

    order = stops.stop(wish=more, by=StaffFactory(roles="office"), now=NOW)

    assert "9诊室" in order.problems[str(schedule.pk)]


@pytest.mark.parametrize(
    ("of", "department", "leads"), [("general", True, False), ("associate", False, False), ("chief", True, True)]
)
def test_only_a_doctor_of_the_level_or_above_and_of_the_department_steps_in(of, department, leads):
    first = doctor()
    other = doctor(first.department if department else None, of=of)
    if leads:
        TeamMemberFactory(role=other, leader=True)

    order = substitute(session(first), other)

    assert len(order.problems) == 1


def test_a_substitute_of_another_house_without_a_contract_is_a_problem_by_name():
    """P12, B13."""
    schedule = session(doctor())
    guest = doctor(schedule.department, practitioner__organization=OrganizationFactory(code="B1", name="柳堤社区"))

    order = substitute(schedule, guest)

    assert str(guest.practitioner) in order.problems[str(schedule.pk)]
    assert not Substitution.objects.exists()


def test_a_first_doctor_whose_contract_has_ended_meanwhile_does_not_come_back_and_the_reason_says_so():
    """P12, B13."""
    role = doctor()
    schedule = session(role)
    order = stop(schedule)
    house = {"practitioner": role.practitioner, "organization": schedule.organization}
    Contract.objects.create(**house, effective_from=date(2020, 1, 1), effective_to=schedule.day - timedelta(days=1))

    stops.undo(order=order, by=StaffFactory(roles="office"), why="", now=NOW)

    assert "合约" in Substitution.objects.get(stands=True).problem


def test_undoing_a_stop_puts_everything_back_and_tells_only_who_had_been_told():
    """B13"""
    role = doctor()
    schedule, later = session(role), session(role, day=IN_A_WEEK + timedelta(days=1), booked=0, numbers=9)
    order = stop(schedule)
    work()
    moved, cancelled, waiting = booked_of(schedule)
    number = StopOffer.objects.order_by("slot__number").first().slot.number
    stops.move(case=case_of(moved), schedule=later.pk, number=number, by=None, request_key="m", now=NOW)
    stops.cancel(case=case_of(cancelled), by=None, now=NOW)

    stops.undo(order=order, by=StaffFactory(roles="office"), why="医生回来了", now=NOW)
    stops.undo(order=order, by=StaffFactory(roles="office"), why="再点一次", now=NOW)
    work()

    schedule.refresh_from_db()
    assert (schedule.status, schedule.stop_reason) == ("open", "")
    assert list(schedule.slots.order_by("number").values_list("status", flat=True)) == [
        "free",
        "free",
        "booked",
        "free",
        "free",
        "free",
    ]
    assert ScheduleParticipant.objects.get(schedule=schedule).active
    assert [case_of(row).answer for row in (moved, cancelled, waiting)] == ["move", "cancel", "gone"]
    assert told(waiting.patient) == ["stop.asked", "stop.undone"]
    assert told(moved.patient) == ["stop.asked", "appointment.moved"]
    assert told(cancelled.patient) == ["stop.asked", "stop.cancelled"]
    assert set(later.slots.values_list("pool__kind", flat=True)) == {"public", "rebook"}
    assert list(later.slots.filter(pool__kind="rebook").values_list("status", flat=True)) == ["booked"]


def test_a_stop_that_is_undone_before_anybody_heard_says_nothing_to_anybody():
    schedule = session(doctor())
    order = stop(schedule)

    stops.undo(order=order, by=StaffFactory(roles="office"), why="点错了", now=NOW)
    work()

    assert [told(row.patient) for row in booked_of(schedule)] == [[]] * 3


def test_a_session_whose_room_is_taken_by_now_stays_stopped_with_the_reason_until_it_is_free():
    role = doctor()
    schedule = session(role)
    order = stop(schedule)
    other = session(doctor(role.department), booked=0, room=schedule.room)
    office = StaffFactory(roles="office")

    stops.undo(order=order, by=office, why="", now=NOW)

    row = Substitution.objects.get(schedule=schedule)
    assert row.stands
    assert str(schedule.room) in row.problem
    schedule.refresh_from_db()
    assert schedule.status == "stopped"
    ScheduleParticipant.objects.filter(schedule=other).update(active=False)
    stops.undo(order=order, by=office, why="", now=NOW)
    schedule.refresh_from_db()
    assert schedule.status == "open"


def test_a_substitute_after_a_stop_opens_the_session_again_and_asks_anew():
    role = doctor()
    colleague = doctor(role.department)
    schedule = session(role)
    stop(schedule)
    work()

    substitute(schedule, colleague)
    work()

    schedule.refresh_from_db()
    assert (schedule.status, schedule.role) == ("open", colleague)
    assert schedule.slots.filter(status="free").count() == 3
    assert [told(row.patient) for row in booked_of(schedule)] == [["stop.asked", "stop.substituted"]] * 3
    assert sorted(StopCase.objects.values_list("answer", flat=True)) == ["", "", "", "gone", "gone", "gone"]


def test_a_stop_after_a_substitute_remembers_the_first_doctor_and_undoing_it_brings_the_substitute_back():
    role = doctor()
    colleague = doctor(role.department)
    schedule = session(role)
    substitute(schedule, colleague)

    order = stop(schedule)
    assert order.sessions.get().original == role
    stops.undo(order=order, by=StaffFactory(roles="office"), why="", now=NOW)

    schedule.refresh_from_db()
    assert (schedule.status, schedule.role) == ("open", colleague)
    assert [row.practitioner for row in ScheduleParticipant.objects.filter(schedule=schedule, active=True)] == [
        colleague.practitioner
    ]
    assert Substitution.objects.get(schedule=schedule, stands=True).substitute == colleague


def test_undoing_a_substitution_brings_the_first_doctor_back():
    role = doctor()
    schedule = session(role)
    order = substitute(schedule, doctor(role.department))
    stops.undo(order=order, by=StaffFactory(roles="office"), why="", now=NOW)

    schedule.refresh_from_db()
    assert (schedule.role, schedule.status) == (role, "open")
    assert ScheduleParticipant.objects.get(schedule=schedule, active=True).practitioner == role.practitioner


def test_a_session_that_two_stops_cover_stays_stopped_when_one_is_undone():
    role = doctor()
    schedule = session(role)
    days = {"practitioner": role.practitioner_id, "schedules": (), "first_day": IN_A_WEEK, "last_day": IN_A_WEEK}
    single = stop(schedule)
    later = session(
        role,
        day=IN_A_WEEK,
        booked=0,
        half="pm",
        starts_at=schedule.ends_at,
        ends_at=schedule.ends_at + timedelta(hours=3),
    )
    leave = stop(schedule, **days)

    stops.undo(order=single, by=StaffFactory(roles="office"), why="", now=NOW)

    schedule.refresh_from_db()
    assert schedule.status == "stopped"
    assert set(leave.sessions.values_list("schedule", flat=True)) == {schedule.pk, later.pk}


def test_a_doctors_fortnight_stops_what_is_laid_out_later_too():
    role = doctor()
    schedule = session(role)
    order = stop(
        schedule,
        practitioner=role.practitioner_id,
        schedules=(),
        first_day=IN_A_WEEK,
        last_day=IN_A_WEEK + timedelta(days=13),
    )
    later = session(role, day=IN_A_WEEK + timedelta(days=10), booked=0)

    stops.follow_up(now=NOW)

    later.refresh_from_db()
    assert later.status == "stopped"
    assert order.sessions.count() == 2


def test_a_departments_half_day_stops_only_that_half():
    role = doctor()
    morning = session(role)
    afternoon = session(
        doctor(role.department), half="pm", starts_at=morning.ends_at, ends_at=morning.ends_at + timedelta(hours=3)
    )

    stop(morning, schedules=(), department=role.department_id, half="am")

    morning.refresh_from_db(), afternoon.refresh_from_db()
    assert (morning.status, afternoon.status) == ("stopped", "open")


def test_a_stale_preview_is_refused_and_nothing_is_done():
    from appointments.selectors.stops import preview, scope

    schedule = session(doctor(), booked=1)
    rows = list(scope.Schedule.objects.filter(pk=schedule.pk).select_related(*scope.RELATED))
    seen = preview.digest_of(rows)
    appointment_row(schedule, booked_of(schedule)[0].patient, number=5, channel="counter")

    with pytest.raises(PreviewStale):
        stops.stop(wish=wish(schedule), by=StaffFactory(roles="office"), now=NOW, seen=seen)

    schedule.refresh_from_db()
    assert schedule.status == "open"


def test_a_bare_stop_of_another_system_still_tells_without_asking():
    schedule = session(doctor(), booked=1)

    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)
    work()

    assert told(booked_of(schedule)[0].patient) == ["schedule.stopped"]
    assert not StopCase.objects.exists()


def test_numbers_given_back_while_it_was_stopped_open_again_and_add_on_numbers_do_not():
    schedule = session(doctor(), booked=1)
    extra = extras.add_extra(
        schedule=schedule,
        patient=open_patient(),
        by=StaffFactory(roles="office"),
        reason="急",
        request_key="x",
        now=NOW,
    )
    order = stop(schedule)
    changes.cancel(appointment=extra, by=None, channel="web", now=NOW)

    stops.undo(order=order, by=StaffFactory(roles="office"), why="", now=NOW)

    assert Slot.objects.get(pk=extra.slot_id).status == "blocked"
    assert schedule.slots.filter(status="free").count() == 5


def open_patient():
    from tests.factories import PatientFactory

    return PatientFactory()


def test_a_team_and_a_plain_clinic_can_only_be_stopped():
    clinic = open_schedule(day=IN_A_WEEK, role=None, department=doctor().department, service=doctor().service)

    order = substitute(clinic, doctor(clinic.department))

    assert "团队" in order.problems[str(clinic.pk)]
    stops.retry(order=order, by=StaffFactory(roles="office"), now=NOW)
    clinic.refresh_from_db()
    assert clinic.status == "stopped"
