"""PostgreSQL crashes under load, the web is killed in the middle of bookings: nothing confirmed is lost (X2).

Real processes: a PostgreSQL of its own, gunicorn with two workers, people who ask over HTTP and ask again.
"""

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from tests.faults.house import Clients, House, await_that

pytestmark = pytest.mark.faults

PATIENTS = 100
CLIENTS = 8
LETTERS = 12


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker):
    """Its database is a copy of the tests' own, which the settings still name."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
            patch.delenv(name, raising=False)
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        built = House(port)
        try:
            built.open()
            yield built
        finally:
            built.close()


@pytest.fixture(scope="module")
def whole(house):
    return house.stage(schedules=6, numbers=60, patients=2 * PATIENTS, letters=LETTERS)


@pytest.fixture(scope="module")
def stages(whole):
    """One stretch of the hospital for each test of booking."""
    return [
        {"token": whole["token"], "schedules": whole["schedules"][n::2], "patients": whole["patients"][n::2]}
        for n in range(2)
    ]


@pytest.fixture
def stage(house, stages):
    house.start_web()
    yield stages.pop()
    house.kill_web()


def rows(house, query: str, stage: dict) -> list[tuple]:
    """On a fresh connection."""
    with contextlib.closing(psycopg2.connect(house.environment["DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute(query, [stage["schedules"]])
        return cursor.fetchall()


def assert_rows_are_what_the_clients_were_told(house, stage, clients):
    """Each booked once; held number, patient's time and fact beside each; nothing that nobody was told of."""
    assert len(clients.booked) == PATIENTS
    booked = rows(
        house,
        """SELECT a.patient_id, a.id FROM appointments_appointment a
             JOIN appointments_slot s ON s.id = a.slot_id AND s.status = 'held'
             JOIN hospital_patienttime t ON t.source = 'appointment' AND t.source_id = a.id
             JOIN hospital_fact f ON f.key = 'appointment:' || a.id AND f.topic = 'appointment.held'
            WHERE a.schedule_id = ANY (%s)""",
        stage,
    )
    assert len(booked) == PATIENTS
    assert dict(booked) == clients.booked
    taken = "SELECT count(*) FROM appointments_slot WHERE schedule_id = ANY (%s) AND status <> 'free'"
    assert rows(house, taken, stage) == [(PATIENTS,)]
    assert "invariants hold" in house.manage("check_invariants")


def test_while_postgres_is_away_everybody_is_told_to_come_back_and_nothing_is_lost(house, stage):
    with Clients(house, stage, CLIENTS) as clients:
        clients.await_booked(PATIENTS // 4)
        house.crash_postgres()
        away = len(clients.answers)
        await_that(lambda: len(clients.answers) > away + CLIENTS)  # everybody has heard something meanwhile
        house.start_postgres()

    refused = [answer for answer in clients.answers if answer.status not in (200, 201)]
    assert refused
    assert {answer.status for answer in refused} == {503}
    assert {answer.json["code"] for answer in refused} == {"unavailable"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert_rows_are_what_the_clients_were_told(house, stage, clients)


def test_kill_9_of_the_web_in_the_middle_of_bookings_leaves_no_half_booking(house, stage):
    with Clients(house, stage, CLIENTS) as clients:
        for part in (1, 2):
            clients.await_booked(part * PATIENTS // 3)
            house.kill_web()
            house.start_web()

    assert {answer.status for answer in clients.answers} <= {0, 200, 201}
    assert_rows_are_what_the_clients_were_told(house, stage, clients)


def test_postgres_restarts_between_hold_and_send_and_each_referral_takes_its_own_number_along_once(house, whole):
    """R1: a program of a community centre holds a number for each letter, and sends it under a key of its own."""
    partner, held = whole["partner"], {}
    sent, refused = {}, []

    def send(letter):
        while (answer := house.act(
            partner, f"referrals/{letter}/send/", body={"appointment": held[letter]}, key=f"send-{letter}"
        )).status != 200:  # fmt: skip
            refused.append(answer)
        sent[letter] = answer.json

    house.start_web()
    for letter, patient in partner["letters"]:
        answer = house.book(partner, schedule=partner["schedule"], patient=patient, key=f"hold-{letter}")
        held[letter] = answer.json["appointment"]
    with ThreadPoolExecutor(4) as crowd:
        done = [crowd.submit(send, letter) for letter in held]
        await_that(lambda: len(sent) >= 2)
        house.crash_postgres()
        before = len(sent)
        await_that(lambda: refused)
        house.start_postgres()
    house.kill_web()

    assert before < LETTERS, "restarted too late to prove anything"
    assert [each.exception() for each in done] == [None] * LETTERS
    assert {answer.status for answer in refused} == {503}
    with contextlib.closing(psycopg2.connect(house.environment["DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute(
            """SELECT r.id, r.appointment_id, r.status, a.status,
                      (SELECT array_agg(e.kind::text ORDER BY e.id) FROM referrals_referralevent e
                        WHERE e.referral_id = r.id)
                 FROM referrals_referral r JOIN appointments_appointment a ON a.id = r.appointment_id"""
        )
        found = cursor.fetchall()
    assert {row[0]: row[1] for row in found} == held
    assert {(row[2], row[3], *row[4]) for row in found} == {("booked", "booked", "created", "sent", "booked")}
    assert "invariants hold" in house.manage("check_invariants")


SLOW_PAYMENT = """
CREATE FUNCTION a_slow_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;
CREATE TRIGGER a_slow_disk AFTER UPDATE OF reference ON billing_payment FOR EACH ROW EXECUTE FUNCTION a_slow_disk();
"""
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND %s IS NOT NULL"


def test_postgres_restarts_between_the_gateways_success_and_our_commit_and_the_query_finds_it(house, payment_gateway):
    """M8: the callback was cut off in the middle, and does not come again: found within two minutes."""
    house.environment["PAYMENT_MERCHANTS"] = payment_gateway.merchants
    payment_gateway.calls_back_to(f"http://127.0.0.1:{house.port}")
    payment_gateway.behave(retries=[])
    house.start_web()
    held = json.loads(house._run("-m", "tests.faults.money", "hold"))
    with contextlib.closing(psycopg2.connect(house.environment["DATABASE_URL"])) as connection:
        connection.autocommit = True
        connection.cursor().execute(SLOW_PAYMENT)
    payment_gateway("pay", order=held["order"])
    await_that(lambda: rows(house, ASLEEP, {"schedules": 1}) == [(1,)], because=lambda: house.log("web.log"))
    house.crash_postgres()
    await_that(lambda: [row["state"] for row in payment_gateway.notices()] == ["given up"])
    house.start_postgres()
    with contextlib.closing(psycopg2.connect(house.environment["DATABASE_URL"])) as connection:
        connection.autocommit = True
        connection.cursor().execute("DROP FUNCTION a_slow_disk CASCADE")

    found = json.loads(house._run("-m", "tests.faults.money", "look", held["order"], str(held["appointment"])))
    house.kill_web()
    assert found == {
        "before": "pending", "payment": "succeeded", "booking": "booked", "received": 1, "violations": []
    }  # fmt: skip
