"""The hot endpoint: what a program sends and what it hears."""

import json
from datetime import timedelta

import pytest

from appointments.models import Appointment
from appointments.services import changes
from hospital.models import ApiToken
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def account():
    return UserFactory()


@pytest.fixture
def patient(account):
    return PatientFactory(account=account)


@pytest.fixture
def post(client, account):
    _row, secret = ApiToken.issue(
        name="app", user=account, channel="app", scopes=["book"], expires_at=NOW + timedelta(days=1)
    )

    def send(schedule, body, *, key="k1", token=secret):
        return client.post(
            f"/api/v1/schedules/{schedule.pk}/appointments/",
            data=body if isinstance(body, (str, bytes)) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})},
        )

    return send


def test_a_number_is_held_and_a_repeat_hears_the_same(post, patient):
    schedule = open_schedule(numbers=2)

    first, again = post(schedule, {"patient": patient.pk}), post(schedule, {"patient": patient.pk})

    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json()
        == again.json()
        == {
            "appointment": Appointment.objects.get().pk,
            "status": "pending",
            "number": 1,
            "start": "2026-12-21T08:00:00+08:00",
            "minutes": 120,
            "hold_until": "2026-11-23T10:15:00+08:00",
            "fee": "20.00",
        }
    )
    assert Appointment.objects.get().channel == "app"


def test_a_booking_takes_two_queries(post, patient, django_assert_num_queries):
    schedule = open_schedule(numbers=9)
    post(schedule, {"patient": patient.pk}, key="warm")  # rules and the schedule's facts are known from now on

    with django_assert_num_queries(2):
        response = post(schedule, {"patient": patient.pk}, key="second")

    assert response.json()["code"] == "already_booked"


def test_a_refusal_says_why_and_what_next(post, patient):
    schedule = open_schedule(numbers=1, status="stopped")

    response = post(schedule, {"patient": patient.pk})

    assert response.status_code == 409
    assert response.json() == {"code": "stopped", "message": "这个出诊单元已停诊。", "next": "请换一个出诊单元。"}


@pytest.mark.parametrize(
    "body",
    [
        "{",
        b"\xff",
        "[]",
        {"patient": "x"},
        {"patient": 2**64},
        {"patient": 1, "number": 2**31},
        {"patient": 1, "number": 0},
        {},
        {"patient": 1, "channel": "counter"},
        {"patient": 1, "number": 1, "start": "2026-12-21T08:00:00+08:00"},
        {"patient": 1, "start": "2026-12-21T08:00:00"},
    ],
)
def test_bad_input_is_refused_by_field_and_never_an_error_page(post, body):
    response = post(open_schedule(numbers=1), body)

    assert response.status_code == 422
    assert {"code", "message", "next"} <= set(response.json()) <= {"code", "message", "next", "fields"}


def test_a_request_without_a_key_is_refused(post, patient):
    assert post(open_schedule(numbers=1), {"patient": patient.pk}, key=None).status_code == 422


def test_another_accounts_patient_is_not_bookable(post):
    response = post(open_schedule(numbers=1), {"patient": PatientFactory().pk})

    assert response.status_code == 404
    assert Appointment.objects.count() == 0


def test_an_unknown_or_expired_token_is_refused(post, patient, time_machine):
    schedule = open_schedule(numbers=1)

    assert post(schedule, {"patient": patient.pk}, token="nobody").status_code == 401
    time_machine.move_to(NOW + timedelta(days=1), tick=False)
    assert post(schedule, {"patient": patient.pk}).status_code == 401


def test_an_unknown_schedule_is_not_found(post, patient):
    schedule = open_schedule(numbers=1)
    schedule.pk = 0

    assert post(schedule, {"patient": patient.pk}).status_code == 404


def test_a_loser_of_the_last_second_costs_no_claim_and_a_winner_is_still_answered(
    post, patient, account, django_assert_num_queries
):
    """P6: a process remembers for a second that a schedule was sold out; a repeated key is looked at all the same."""
    schedule = open_schedule(numbers=1)
    won = post(schedule, {"patient": patient.pk}, key="won")
    loser = PatientFactory(account=account)
    assert post(schedule, {"patient": loser.pk}, key="lost").json()["code"] == "sold_out"

    with django_assert_num_queries(2):  # the token, and whether this key has won
        assert post(schedule, {"patient": loser.pk}, key="again").json()["code"] == "sold_out"
    assert post(schedule, {"patient": patient.pk}, key="won").json() == won.json()


def test_what_is_remembered_as_sold_out_ends_with_its_second(post, patient, account, time_machine):
    """B14: a number that came back is found again (so near to its day, it does not rest)."""
    schedule = open_schedule(numbers=1, day=TODAY + timedelta(days=1))
    post(schedule, {"patient": patient.pk}, key="won")
    loser = PatientFactory(account=account)
    post(schedule, {"patient": loser.pk}, key="lost")
    changes.drop(appointment=Appointment.objects.get(), by=account, now=NOW)

    assert post(schedule, {"patient": loser.pk}, key="k2").json()["code"] == "sold_out"
    time_machine.move_to(NOW + timedelta(seconds=1), tick=False)
    assert post(schedule, {"patient": loser.pk}, key="k3").status_code == 201
