"""What the hot endpoint and the usual way (bench/usual) both guarantee: a comparison is honest between equals only."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from appointments.models import Appointment, PatientSuspension, Slot
from hospital.models import ApiToken, Fact, PatientTime
from tests.factories import NOW, DepartmentFactory, PatientFactory, UserFactory, appointment_row, open_schedule

pytestmark = [
    pytest.mark.urls("bench.usual.urls"),
    pytest.mark.parametrize("way", ["/api/v1", "/api/usual"], ids=["ours", "usual"]),
]


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def post(db, way):
    account = UserFactory()
    _row, anyone = ApiToken.issue(
        name="bench", user=account, channel="app", scopes=["book_anyone"], expires_at=NOW + timedelta(days=1)
    )
    _row, own = ApiToken.issue(
        name="app", user=account, channel="app", scopes=["book"], expires_at=NOW + timedelta(days=1)
    )

    def send(schedule, body, *, key="k1", token=anyone):
        return Client().post(
            f"{way}/schedules/{schedule.pk}/appointments/",
            data=body if isinstance(body, (str, bytes)) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})},
        )

    send.account, send.own = account, own
    return send


def code(response):
    return response.json()["code"]


def test_a_number_is_held_and_a_repeat_hears_the_same(post):
    schedule, patient = open_schedule(numbers=2), PatientFactory()

    first, again = post(schedule, {"patient": patient.pk}), post(schedule, {"patient": patient.pk})

    assert (first.status_code, again.status_code) == (201, 200)
    row = Appointment.objects.get()
    assert (
        first.json()
        == again.json()
        == {
            "appointment": row.pk,
            "status": "pending",
            "number": 1,
            "start": "2026-12-21T08:00:00+08:00",
            "minutes": 120,
            "hold_until": "2026-11-23T10:15:00+08:00",
            "fee": "20.00",
        }
    )
    fact = Fact.objects.get()
    assert (row.channel, row.self_service, row.counts, row.by) == ("app", True, True, post.account)
    assert row.slot.status == "held"
    assert (fact.topic, fact.payload["appointment"], fact.account) == ("appointment.held", row.pk, post.account.pk)
    assert PatientTime.objects.get().source_id == row.pk


def test_a_named_number_and_a_named_slice(post):
    schedule = open_schedule(numbers=8)

    named = post(schedule, {"patient": PatientFactory().pk, "number": 3}, key="a")
    sliced = post(schedule, {"patient": PatientFactory().pk, "start": "2026-12-21T10:30:00+08:00"}, key="b")

    assert (named.json()["number"], sliced.json()["number"]) == (3, 6)


def test_the_same_key_with_another_body_is_refused(post):
    schedule, patient = open_schedule(numbers=2), PatientFactory()
    post(schedule, {"patient": patient.pk})

    response = post(schedule, {"patient": patient.pk, "number": 2})

    assert (response.status_code, code(response)) == (422, "key_reused")


def test_refusals_by_name(post):
    patient = PatientFactory()
    empty = open_schedule(numbers=1)
    post(empty, {"patient": PatientFactory().pk}, key="first")
    refused = {
        "sold_out": empty,
        "stopped": open_schedule(numbers=1, status="stopped"),
        "not_open": open_schedule(numbers=1, opened=NOW + timedelta(hours=1)),
        "past": open_schedule(numbers=1, day=(NOW - timedelta(days=1)).date()),
    }

    assert {name: code(post(schedule, {"patient": patient.pk}, key=name)) for name, schedule in refused.items()} == {
        name: name for name in refused
    }


def test_a_pool_that_is_not_the_channels_opens_when_it_is_shared(post):
    open_schedule(numbers=1)  # the hospital has a public pool
    kept = open_schedule(numbers=1, pool="consult", shared=NOW + timedelta(hours=1))
    shared = open_schedule(numbers=1, pool="consult", shared=NOW)

    assert code(post(kept, {"patient": PatientFactory().pk}, key="a")) == "not_open"
    assert post(shared, {"patient": PatientFactory().pk}, key="b").status_code == 201


def test_one_department_a_day_and_three_in_seven_days(post):
    patient, department = PatientFactory(), DepartmentFactory()
    first = open_schedule(numbers=1, department=department)
    same_day = open_schedule(numbers=1, department=department)
    others = [open_schedule(numbers=1, day=first.day + timedelta(days=n)) for n in (1, 2, 3)]
    post(first, {"patient": patient.pk}, key="first")

    assert code(post(same_day, {"patient": patient.pk}, key="same")) == "already_booked"
    answers = [post(schedule, {"patient": patient.pk}, key=f"other{schedule.pk}") for schedule in others]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert code(answers[-1]) == "limit"


def test_a_patient_is_not_in_two_places(post):
    patient = PatientFactory()
    post(open_schedule(numbers=1), {"patient": patient.pk}, key="a")

    assert code(post(open_schedule(numbers=1), {"patient": patient.pk}, key="b")) == "time_conflict"


def test_a_suspended_patient_is_refused(post):
    patient = PatientFactory()
    PatientSuspension.objects.create(patient=patient, starts_at=NOW, ends_at=NOW + timedelta(days=90), reason="x")

    assert code(post(open_schedule(numbers=1), {"patient": patient.pk})) == "suspended"


def test_a_hold_that_has_passed_is_taken_over_and_its_key_is_lapsed(post, time_machine):
    schedule = open_schedule(numbers=1, day=(NOW + timedelta(days=1)).date())  # too near for its number to rest
    former, patient = PatientFactory(), PatientFactory()
    post(schedule, {"patient": former.pk}, key="former")
    time_machine.move_to(NOW + timedelta(minutes=16), tick=False)

    assert post(schedule, {"patient": patient.pk}, key="new").status_code == 201
    assert code(post(schedule, {"patient": former.pk}, key="former")) == "lapsed"
    assert Appointment.objects.get(patient=former).status == "cancelled"
    assert [time.patient for time in PatientTime.objects.all()] == [patient]


def test_a_returned_number_rests_before_it_is_given_again(post, time_machine):
    schedule = open_schedule(numbers=1)
    Slot.objects.update(status="resting", hold_until=NOW + timedelta(seconds=1))

    assert code(post(schedule, {"patient": PatientFactory().pk}, key="a")) == "sold_out"
    time_machine.move_to(NOW + timedelta(seconds=1), tick=False)
    assert post(schedule, {"patient": PatientFactory().pk}, key="b").status_code == 201


def test_a_booked_number_is_never_sold_again(post):
    schedule = open_schedule(numbers=2)
    appointment_row(schedule, PatientFactory(), number=1)

    assert code(post(schedule, {"patient": PatientFactory().pk, "number": 1})) == "sold_out"


@pytest.mark.parametrize("body", ["{", "[]", {"patient": "x"}, {}, {"patient": 1, "channel": "counter"}])
def test_bad_input_is_refused_by_field(post, body):
    response = post(open_schedule(numbers=1), body)

    assert response.status_code == 422
    assert {"code", "message", "next"} <= set(response.json())  # ours names the field besides


def test_who_may_not_book(post):
    schedule, stranger = open_schedule(numbers=2), PatientFactory()
    own = PatientFactory(account=post.account)

    assert post(schedule, {"patient": stranger.pk}, token="nobody").status_code == 401
    assert post(schedule, {"patient": stranger.pk}, token=post.own).status_code == 404
    assert post(schedule, {"patient": own.pk}, token=post.own).status_code == 201
    schedule.pk = 0
    assert post(schedule, {"patient": stranger.pk}, key="k2").status_code == 404


def together(requests):
    """All at once, each on a connection of its own."""

    def send(request):
        try:
            return request()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as crowd:
        return list(crowd.map(send, requests))


@pytest.mark.django_db(transaction=True)
def test_twelve_patients_race_for_five_numbers(post):
    schedule = open_schedule(numbers=5)
    requests = [
        lambda patient=patient: post(schedule, {"patient": patient.pk}, key=f"k{patient.pk}")
        for patient in PatientFactory.create_batch(12)
    ]

    answers = [answer for answer in together(requests) if answer.status_code != 503]

    assert {answer.status_code for answer in answers} <= {201, 409}
    sold = [answer.json()["number"] for answer in answers if answer.status_code == 201]
    assert len(sold) == len(set(sold)) == Appointment.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_one_patient_at_ten_schedules_at_once_stays_within_the_limit(post):
    patient = PatientFactory()
    schedules = [open_schedule(numbers=1, day=(NOW + timedelta(days=20 + n % 5)).date()) for n in range(10)]
    requests = [
        lambda schedule=schedule: post(schedule, {"patient": patient.pk}, key=f"k{schedule.pk}")
        for schedule in schedules
    ]

    answers = together(requests)

    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 7}
