"""Two of the office change the same session; a patient books while numbers move (P8): on real connections."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from appointments import errors
from appointments.services import booking, bulk
from tests.bulk.acts import Session
from tests.factories import NOW, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_confirmations_at_one_moment_one_is_done_and_the_other_sees_it():
    session, colleague = Session(), StaffFactory(roles="office")
    acts = [session.reallocate(6), session.reallocate(7)]
    together = Barrier(2)

    def confirm(act, by):
        try:
            together.wait(10)
            return bulk.apply(act=act, by=by, now=NOW).status
        except errors.PreviewStale as stale:
            return stale.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as office:
        answers = list(office.map(confirm, acts, [session.by, colleague]))

    assert sorted(answers) == ["done", "preview_stale"]
    moved = 6 if answers[0] == "done" else 7
    assert len(session.numbers(session.consult)) == 10 - moved
    loser = bulk.look_again(act=acts[answers.index("preview_stale")], now=NOW)
    assert loser.effect["lines"][0]["says"][0] == ["诊间", 10 - moved, max(0, 10 - moved - (13 - moved))]


def test_numbers_that_move_while_patients_book_them_are_given_once():
    session = Session()
    act = session.reallocate(None, source=session.public, target=session.consult)
    patients = PatientFactory.create_batch(4)
    together = Barrier(5)

    def book(patient):
        try:
            together.wait(10)
            row = booking.book(
                schedule=session.schedule, patient=patient, channel="web", by=session.by, request_key=None, now=NOW
            )
            return row.slot_id
        except (errors.SoldOut, errors.Busy, errors.NotOpen):
            return None
        finally:
            connection.close()

    def confirm():
        try:
            together.wait(10)
            return bulk.apply(act=act, by=session.by, now=NOW).status
        except errors.PreviewStale as stale:
            return stale.code
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as crowd:
        doing = crowd.submit(confirm)
        taken = [slot for slot in crowd.map(book, patients) if slot]
        answer = doing.result()

    assert answer in ("done", "preview_stale")
    assert len(taken) == len(set(taken))
    still_public = session.numbers(session.public)
    assert still_public == [] if answer == "done" else len(still_public) == 4 - len(taken)
    assert session.schedule.slots.filter(status="held").count() == len(taken)
