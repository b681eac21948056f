"""Confirm, cancel, reschedule: once per key, for the account's own people, with the same rules as the pages."""

from datetime import timedelta

import pytest

from appointments.models import Appointment, PatientSuspension
from tests.api.conftest import Program, issue
from tests.factories import NOW, TODAY, AccountFactory, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule(db):
    return open_schedule(numbers=3)


@pytest.fixture
def held(program, patient, schedule):
    answer = program.post(f"/schedules/{schedule.pk}/appointments/", {"patient": patient.pk})
    assert answer.status_code == 201
    return Appointment.objects.get(pk=answer.json()["appointment"])


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_hold_confirm_reschedule_cancel(program, held, schedule):
    """B7, B14: the whole way, each step showing the booking as it then stands."""
    other = open_schedule(numbers=3, day=schedule.day + timedelta(days=1))

    confirmed = program.post(f"/appointments/{held.pk}/confirm/").json()
    moved = program.post(f"/appointments/{held.pk}/reschedule/", {"schedule": other.pk, "number": 2}).json()
    cancelled = program.post(f"/appointments/{held.pk}/cancel/", {"reason": "出差"}).json()

    assert (confirmed["status"], confirmed["hold_until"], confirmed["number"]) == ("booked", None, 1)
    assert (moved["id"], moved["status"], moved["number"], moved["schedule"]["id"]) == (held.pk, "booked", 2, other.pk)
    assert cancelled["status"] == "cancelled"
    assert Appointment.objects.get().note == "出差"


@pytest.mark.parametrize(
    ("verb", "body"), [("confirm", {}), ("cancel", {}), ("reschedule", {"number": 2})], ids=lambda part: str(part)
)
def test_a_verb_is_done_once_per_key_and_its_key_is_good_for_nothing_else(program, held, schedule, verb, body):
    body = {**body, "schedule": schedule.pk} if verb == "reschedule" else body
    path = f"/appointments/{held.pk}/{verb}/"

    first, again = program.post(path, body, key="same"), program.post(path, body, key="same")

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = program.post(f"/appointments/{held.pk}/{'cancel' if verb == 'confirm' else 'confirm'}/", key="same")
    assert code(other) == (422, "key_reused")


def test_a_booking_key_with_another_body_is_refused(program, patient, schedule):
    path = f"/schedules/{schedule.pk}/appointments/"
    program.post(path, {"patient": patient.pk}, key="same")

    assert code(program.post(path, {"patient": patient.pk, "number": 2}, key="same")) == (422, "key_reused")


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_confirmation_needs_no_body(program, held, body):
    answer = program.client.post(
        f"/api/v1/appointments/{held.pk}/confirm/",
        data=body,
        content_type="application/json",
        headers=program._headers({"Idempotency-Key": "k"}),
    )

    assert (answer.status_code, answer.json()["status"]) == (200, "booked")


def test_a_hold_whose_clock_has_run_out_is_not_confirmed(program, held, time_machine):
    time_machine.move_to(NOW + timedelta(minutes=16), tick=False)

    assert code(program.post(f"/appointments/{held.pk}/confirm/")) == (409, "lapsed")


def test_the_cut_off_holds_for_the_tokens_channel(program, account, patient):
    """B14: by 15:00 the day before on line; the phone desk's token is bound by it, the window's is not."""
    row = appointment_row(open_schedule(day=TODAY), patient)
    window = Program(issue(AccountFactory(), "book_anyone", channel="counter"))

    assert code(program.post(f"/appointments/{row.pk}/cancel/")) == (409, "too_late_to_cancel")
    assert code(program.post(f"/appointments/{row.pk}/reschedule/", {"schedule": open_schedule().pk})) == (
        409,
        "too_late_to_cancel",
    )
    assert window.post(f"/appointments/{row.pk}/cancel/").json()["status"] == "cancelled"


def test_a_refused_move_keeps_the_old_number(program, held):
    full = open_schedule(numbers=1, day=TODAY + timedelta(days=30))
    appointment_row(full, PatientFactory())

    assert code(program.post(f"/appointments/{held.pk}/reschedule/", {"schedule": full.pk})) == (409, "sold_out")
    held.refresh_from_db()
    assert (held.status, held.slot.status) == ("pending", "held")


def test_a_start_in_another_zone_is_the_same_moment(program, patient, schedule):
    """The hospital's 09:20 is 01:20 UTC, and 17:20 the evening before in California."""
    for number, start in ((2, "2026-12-21T01:20:00Z"), (3, "2026-12-20T18:40:00-08:00")):
        answer = program.post(
            f"/schedules/{schedule.pk}/appointments/",
            {"patient": PatientFactory(account=program_account(patient)).pk, "start": start},
        )
        assert (answer.status_code, answer.json()["number"]) == (201, number), answer.content


def program_account(patient):
    return patient.looked_after_by.get().account


@pytest.mark.parametrize("verb", ["confirm", "cancel", "reschedule"])
def test_anothers_booking_and_an_unknown_one_are_not_found(program, schedule, verb):
    row = appointment_row(schedule, PatientFactory())

    for pk in (row.pk, 0, 2**40, 2**63, 2**80):
        answer = program.post(f"/appointments/{pk}/{verb}/", {"schedule": schedule.pk} if verb == "reschedule" else {})
        assert code(answer) == (404, "not_found")
    row.refresh_from_db()
    assert row.status == "booked"


def test_one_of_the_family_booked_by_another_channel_may_be_moved(program, patient):
    """B22: what the doctor booked in the room is the patient's to move."""
    row = appointment_row(open_schedule(), patient, channel="consult")
    other = open_schedule(day=TODAY + timedelta(days=29))

    assert program.post(f"/appointments/{row.pk}/reschedule/", {"schedule": other.pk}).status_code == 200


def test_a_move_to_nowhere_is_not_found(program, held):
    for pk in (10**9, 2**63 - 1):
        answer = program.post(f"/appointments/{held.pk}/reschedule/", {"schedule": pk})
        assert code(answer) == (404, "not_found")


def test_a_suspended_patient_moves_nothing_to_another_schedule(program, held, schedule):
    """B16: with the day until when, as when booking."""
    PatientSuspension.objects.create(patient=held.patient, starts_at=NOW, ends_at=NOW + timedelta(days=30))
    other = open_schedule(numbers=3, day=schedule.day + timedelta(days=1))
    path = f"/appointments/{held.pk}/reschedule/"

    refused = program.post(path, {"schedule": other.pk})

    assert code(refused) == (409, "suspended")
    assert "12月23日" in refused.json()["message"]
    assert program.post(path, {"schedule": schedule.pk, "number": 2}).status_code == 200
