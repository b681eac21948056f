"""Two at once (B13), on real connections: answers, an answer and the undo, an answer and the public at the deadline;
and a worker that is killed half-way through a large stop."""

import multiprocessing
import os
import signal
from datetime import timedelta
from functools import partial

import pytest
from django.db import connections, transaction

from appointments.models import Appointment, Schedule, StopCase, Suspension
from appointments.services import booking, stops
from appointments.services.stops import orders, sessions
from hospital.errors import Refused
from tests.booking.crowd import Crowd, await_waiting
from tests.factories import NOW, PatientFactory, StaffFactory, UserFactory

from .scenes import IN_A_WEEK, case_of, doctor, session, stop, substitute, told, wish, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_phones_answer_at_once_and_one_answer_counts():
    role = doctor()
    schedule = session(role, booked=1)
    later = session(role, day=IN_A_WEEK + timedelta(days=1), booked=0)
    substitute(schedule, doctor(role.department))
    case = StopCase.objects.get()
    number = later.slots.filter(pool__kind="rebook").first().number

    with Crowd(3) as crowd:
        answers = crowd.at_once(
            partial(stops.accept, case=case, by=None, now=NOW),
            partial(stops.cancel, case=case, by=None, now=NOW),
            partial(stops.move, case=case, schedule=later.pk, number=number, by=None, request_key="k", now=NOW),
        )

    assert sum(isinstance(each, Refused) for each in answers) == 2
    case.refresh_from_db()
    row = Appointment.objects.get()
    where = {"accept": ("booked", schedule.pk), "cancel": ("cancelled", schedule.pk), "move": ("booked", later.pk)}
    assert (row.status, row.schedule_id) == where[case.answer]
    taken = later.slots.filter(status="booked").count()
    assert taken == (case.answer == "move")


def test_an_answer_that_waits_for_the_undo_sees_it():
    schedule = session(doctor(), booked=1)
    order = stop(schedule)
    case = StopCase.objects.get()

    with Crowd(1) as crowd:
        with transaction.atomic():
            sessions.reopen(row=order.sessions.get(), by=None, now=NOW)
            waiting = crowd.begin(partial(stops.cancel, case=case, by=None, now=NOW))
            await_waiting(1)
        assert isinstance(waiting.result(), Refused)

    assert Appointment.objects.get().status == "booked"


def test_the_touched_patient_and_the_public_at_the_deadline_never_share_a_number():
    role = doctor()
    schedule = session(role, booked=1)
    later = session(role, day=IN_A_WEEK + timedelta(days=1), booked=0, numbers=3)
    stop(schedule)
    case = StopCase.objects.get()
    number = later.slots.filter(pool__kind="rebook").first().number
    public, user = PatientFactory(), UserFactory()
    book = partial(
        booking.book,
        schedule=later,
        patient=public,
        channel="web",
        by=user,
        request_key=None,
        number=number,
        confirmed=True,
        now=case.deadline,
    )
    move = partial(stops.move, case=case, schedule=later.pk, number=number, by=None, request_key="k", now=case.deadline)

    with Crowd(2) as crowd:
        answers = crowd.at_once(book, move)

    assert sum(isinstance(each, Refused) for each in answers) == 1
    assert Appointment.objects.filter(schedule=later, status="booked").count() == 1
    case.refresh_from_db()
    assert case.answer == ("" if isinstance(answers[1], Refused) else "move")


def _stop_and_die(role: int, office: int, after: int) -> None:
    """In a process of its own: killed in the middle of the session after `after`."""
    done = 0
    inside = sessions.cases.open_for

    def dies(*args, **kwargs):
        nonlocal done
        done += 1
        if done > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return inside(*args, **kwargs)

    for each in connections.all(initialized_only=True):
        each.connection = None
    sessions.cases.open_for = dies
    order = Suspension.objects.get()
    orders.carry_out(order=order, now=NOW)


def test_a_worker_killed_half_way_through_a_fortnight_loses_nothing_and_tells_nobody_twice():
    """B13: a real SIGKILL inside the third session's transaction; the next run does the rest."""
    role = doctor()
    fortnight = [session(role, day=IN_A_WEEK + timedelta(days=n), booked=2) for n in range(5)]
    office = StaffFactory(roles="office")
    asked = wish(*fortnight, practitioner=role.practitioner_id, schedules=())
    order = asked.row(by=office, status="active", now=NOW)
    orders.begin(order, seen=None, by=office, now=NOW)
    connections.close_all()

    child = multiprocessing.get_context("fork").Process(target=_stop_and_die, args=(role.pk, office.pk, 2))
    child.start()
    child.join(60)

    assert child.exitcode == -signal.SIGKILL
    assert Schedule.objects.filter(status="stopped").count() == 2
    assert StopCase.objects.count() == 4
    work()
    stops.follow_up(now=NOW)
    stops.follow_up(now=NOW)
    work()
    assert Schedule.objects.filter(status="stopped").count() == 5
    assert {told(row.patient)[0] for row in Appointment.objects.all()} == {"stop.asked"}
    assert {len(told(row.patient)) for row in Appointment.objects.all()} == {1}
    order.refresh_from_db()
    assert order.done_at == NOW


def test_an_undo_that_dies_between_two_sessions_is_finished_by_the_next_run(monkeypatch):
    role = doctor()
    days = [session(role, day=IN_A_WEEK + timedelta(days=n), booked=1) for n in range(3)]
    order = stop(*days)
    back, seen = orders._back, []

    def dies(row, **kwargs):
        seen.append(row)
        if len(seen) > 1:
            raise ConnectionResetError
        return back(row, **kwargs)

    monkeypatch.setattr(orders, "_back", dies)
    with pytest.raises(ConnectionResetError):
        stops.undo(order=order, by=StaffFactory(roles="office"), why="", now=NOW)
    monkeypatch.undo()
    assert Schedule.objects.filter(status="stopped").count() == 2

    stops.follow_up(now=NOW)

    assert not Schedule.objects.filter(status="stopped").exists()
    assert {case_of(row).answer for row in Appointment.objects.all()} == {"gone"}


def test_two_of_the_office_stop_the_same_session_at_once():
    schedule = session(doctor(), booked=2)
    one, two = StaffFactory(roles="office"), StaffFactory(roles="office")

    with Crowd(2) as crowd:
        crowd.at_once(
            partial(stops.stop, wish=wish(schedule), by=one, now=NOW),
            partial(stops.stop, wish=wish(schedule), by=two, now=NOW),
        )
    work()

    assert StopCase.objects.count() == 2
    assert [told(row.patient) for row in Appointment.objects.all()] == [["stop.asked"]] * 2
