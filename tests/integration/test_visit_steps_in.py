"""Their visits in (O1): moved as far as theirs, never back; what is over; many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from appointments.models import Appointment, Encounter
from appointments.services import visit
from hospital import clock
from hospital.models import ExternalRecord
from tests.factories import NOW, TODAY, RoomFactory, appointment_row, open_schedule

from .systems import System
from .visits import TOPICS, at, facts, said

pytestmark = pytest.mark.django_db


# ---- as far as theirs ----


def test_a_message_far_ahead_walks_every_move_in_order_with_their_times(his, clinic, patient):
    answer = his.visit(
        **said("finished", arrived_at=at("08:05"), started_at=at("08:40"), finished_at=at("08:52"), document_seen=True)
    )
    encounter = Encounter.objects.get()

    assert (answer.json()["status"], answer.json()["visit_status"]) == ("fulfilled", "finished")
    walls = [
        f"{moment.astimezone(clock.ZONE):%H:%M}"
        for moment in (encounter.checked_in_at, encounter.called_at, encounter.started_at, encounter.finished_at)
    ]
    assert walls == ["08:05", "08:40", "08:40", "08:52"]
    assert encounter.document_seen
    assert facts() == TOPICS


def test_times_ahead_of_ours_are_now_and_never_out_of_order(his, clinic, patient):
    his.visit(**said("finished", arrived_at=at("09:40"), started_at=at("09:20"), finished_at=at("11:00")))
    encounter = Encounter.objects.get()

    assert encounter.finished_at == NOW
    assert encounter.checked_in_at <= encounter.called_at <= encounter.started_at <= encounter.finished_at


def test_step_by_step_and_each_twice_is_the_same_as_once(his, clinic, patient):
    for minute, status in enumerate(["registered", "arrived", "in_progress", "finished"]):
        message = said(status, changed_at=at(f"09:5{minute}"))
        assert his.visit(**message).status_code in {200, 201}
        assert his.visit(**message).json()["result"] == "unchanged"

    assert facts() == TOPICS


def test_messages_that_overtake_each_other_move_nothing_back(his, clinic, patient):
    his.visit(**said("finished", changed_at=at("09:55")))
    for status in ("registered", "arrived", "in_progress"):
        assert his.visit(**said(status, changed_at=at("09:50"))).json()["result"] == "ignored"
    answer = his.visit(**said("arrived", changed_at=at("09:58")))  # newer, yet behind

    assert (answer.json()["result"], answer.json()["visit_status"]) == ("updated", "finished")
    assert facts() == TOPICS


def test_a_visit_that_we_moved_ourselves_is_taken_up_where_it_is(his, clinic, patient):
    row = appointment_row(clinic, patient)
    visit.call(encounter=visit.check_in(appointment=row, by=None, now=NOW), by=None, now=NOW)

    answer = his.visit(**said("finished", appointment=row.pk))
    assert answer.json()["visit_status"] == "finished"
    assert Encounter.objects.get().calls == 1


def test_a_patient_called_to_one_room_and_seen_in_another_is_seen_there(his, clinic, patient):
    row = appointment_row(clinic, patient)
    visit.call(encounter=visit.check_in(appointment=row, by=None, now=NOW), by=None, now=NOW)
    other = RoomFactory(code="R-9")

    his.visit(**said("in_progress", room="R-9"))
    assert Encounter.objects.get().room == other


def test_while_somebody_is_in_the_room_the_next_waits_for_the_finish(his, clinic, patient):
    his.patient("1002", name="李秀英", birth_date=..., sex="F", documents=[{"kind": "passport", "number": "E7654321"}])
    his.visit("V1", **said("in_progress"))
    second = said("in_progress", patient="1002", changed_at=at("09:55"))

    refused = his.visit("V2", **second)
    assert (refused.status_code, refused.json()["code"]) == (409, "room_taken")
    assert not ExternalRecord.objects.filter(number="V2").exists()
    his.visit("V1", **said("finished", changed_at=at("09:56")))
    assert his.visit("V2", **second).json()["visit_status"] == "in_room"


def test_a_hold_that_they_registered_is_confirmed(his, clinic, patient):
    row = appointment_row(clinic, patient, status="pending")
    assert his.visit(**said(appointment=row.pk)).json()["status"] == "booked"


def test_a_visit_on_another_day_is_not_checked_in(his, clinic, patient):
    ahead = open_schedule(day=TODAY + timedelta(days=1), role=clinic.role)
    appointment_row(ahead, patient)

    answer = his.visit(**said("arrived", day=ahead.day.isoformat()))
    assert (answer.status_code, answer.json()["code"]) == (409, "another_day")


# ---- over ----


@pytest.mark.parametrize("before", ["registered", "arrived"])
def test_a_cancelled_visit_gives_the_number_back(his, clinic, patient, before):
    his.visit(**said(before))
    answer = his.visit(**said("cancelled", changed_at=at("09:55")))

    assert (answer.json()["status"], answer.json()["visit_status"]) == ("cancelled", None)
    assert clinic.slots.filter(status__in=["free", "resting"]).count() == 10
    assert his.visit(**said("cancelled", changed_at=at("09:56"))).json()["result"] == "unchanged"
    refused = his.visit(**said("arrived", changed_at=at("09:57")))
    assert (refused.status_code, refused.json()["code"]) == (409, "visit_cancelled")


def test_a_visit_in_the_room_is_not_cancelled(his, clinic, patient):
    his.visit(**said("in_progress"))
    answer = his.visit(**said("cancelled", changed_at=at("09:55")))

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_what_was_over_before_we_heard_of_it_takes_no_number_not_even_by_a_late_message(his, clinic, patient):
    answer = his.visit(**said("cancelled", changed_at=at("09:55")))
    assert (answer.status_code, answer.json()["appointment"]) == (201, None)

    late = his.visit(**said("registered", changed_at=at("09:50")))
    assert (late.json()["result"], late.json()["appointment"]) == ("ignored", None)
    assert not Appointment.objects.exists()


def test_one_who_left_comes_back(his, clinic, patient):
    his.visit(**said("arrived"))
    assert his.visit(**said("left", changed_at=at("09:52"))).json()["visit_status"] == "left"
    assert his.visit(**said("arrived", changed_at=at("09:54"))).json()["visit_status"] == "waiting"
    assert his.visit(**said("finished", changed_at=at("09:56"))).json()["visit_status"] == "finished"


# ---- load and keys ----


@pytest.mark.parametrize("scopes", [["read"], ["book_anyone"]])
def test_a_token_of_another_scope_writes_nothing(client, stopped, scopes):
    assert System(client, scopes=scopes).visit(**said()).status_code == 403


def test_a_message_costs_few_queries_and_a_repeat_fewer(his, clinic, patient, django_assert_max_num_queries):
    with django_assert_max_num_queries(75):
        his.visit(**said("finished"))
    with django_assert_max_num_queries(9):
        his.visit(**said("finished"))


@pytest.mark.django_db(transaction=True)
def test_the_same_registration_twice_at_once_takes_one_number(his, clinic, patient):
    def send(_n):
        try:
            return his.visit(**said("arrived")).status_code
        finally:
            connection.close()

    his.client = Client()
    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(send, range(6)))

    assert sorted(answers) == [200] * 5 + [201]
    assert (Appointment.objects.count(), Encounter.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_registrations_at_once_never_oversell(his, clinic):
    for n in range(14):
        his.patient(f"10{n:02}", name=f"王{n}", sex="U", birth_date=..., documents=[
            {"kind": "passport", "number": f"E76543{n:02}"}])  # fmt: skip

    def send(n):
        try:
            return his.visit(f"V{n}", **said(patient=f"10{n:02}")).status_code
        finally:
            connection.close()

    his.client = Client()
    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(send, range(14)))

    assert sorted(answers) == [201] * 10 + [409] * 4
    assert Appointment.objects.values("slot").distinct().count() == 10
