"""候补 for programs: join, look, leave, accept, each once however often it is sent (B9)."""

import pytest

from appointments.models import WaitlistEntry
from hospital.models import RelatedPerson
from tests.api.conftest import Program, issue
from tests.factories import AccountFactory, NoticeFactory, PatientFactory, open_schedule
from tests.waitlist.scenes import full, give_back, join, work

pytestmark = pytest.mark.django_db


def code(answer):
    return answer.status_code, answer.json().get("code")


def wait(program, schedule, patient):
    return program.post("/waitlist/", {"patient": patient.pk, "schedule": schedule.pk})


def leave(program, pk):
    return program.client.delete(f"/api/v1/waitlist/{pk}/", headers=program._headers({}))


def test_join_is_offered_a_number_accept(program, patient):
    """B9: the whole way; each step again is the same."""
    schedule = full()
    first, again = (wait(program, schedule, patient).json() for _n in range(2))
    assert first == again
    assert (first["status"], first["place"], first["offer"], first["schedule"]["id"]) == (
        "waiting", 1, None, schedule.pk,
    )  # fmt: skip
    assert WaitlistEntry.objects.get().channel == "app"

    give_back(schedule)
    work()
    [row] = program.rows("/waitlist/", {"status": "offered"})
    assert (row["offer"]["number"], row["place"]) == (1, None)
    assert row["offer"]["deadline"] == "2026-11-23T12:00:00+08:00"
    booked, twice = (program.post(f"/waitlist/{row['id']}/accept/").json() for _n in range(2))
    assert booked == twice
    assert (booked["id"], booked["status"], booked["number"]) == (row["offer"]["appointment"], "booked", 1)
    assert program.get(f"/waitlist/{row['id']}/").json()["status"] == "filled"


def test_leaving_twice_is_once_and_what_is_over_stays_over(program, patient):
    entry = wait(program, full(), patient).json()["id"]

    assert [leave(program, entry).json()["status"] for _n in range(2)] == ["withdrawn", "withdrawn"]
    assert code(program.post(f"/waitlist/{entry}/accept/")) == (409, "wait_over")


def test_only_what_is_full_has_a_line(program, patient):
    assert code(wait(program, open_schedule(numbers=3), patient)) == (409, "still_numbers")


def test_nobody_joins_for_anybody_elses_person_or_sees_their_entry(program, patient, account):
    schedule = full()
    theirs = join(schedule, PatientFactory(), by=AccountFactory())

    assert code(wait(program, schedule, theirs.patient)) == (404, "no_patient")
    assert program.rows("/waitlist/") == []
    assert [answer.status_code for answer in (program.get(f"/waitlist/{theirs.pk}/"), leave(program, theirs.pk))] == [
        404, 404,
    ]  # fmt: skip
    RelatedPerson.objects.update(proof="registered")
    mine = join(schedule, patient, by=AccountFactory())
    assert program.get(f"/waitlist/{mine.pk}/").status_code == 404
    everybody = Program(issue(AccountFactory(), "book_anyone", channel="counter"))
    assert everybody.rows("/waitlist/") == []
    assert [row["id"] for row in everybody.rows("/waitlist/", {"patient": patient.pk})] == [mine.pk]
    assert code(wait(everybody, schedule, PatientFactory()))[0] == 200


def test_the_notice_comes_first(program, patient):
    """O4."""
    NoticeFactory(kind="health", version=9)

    assert code(wait(program, full(), patient)) == (409, "consent_needed")


def test_the_list_asks_as_often_for_many_as_for_one(program, patient, django_assert_max_num_queries):
    for _n in range(3):
        wait(program, full(), patient)

    with django_assert_max_num_queries(8):
        assert len(program.rows("/waitlist/")) == 3
