"""候诊: boards before the rooms and the screen in the hall, which shows no full name (B20)."""

import pytest

from appointments.models import Encounter
from appointments.services import visit
from tests.factories import NOW, PatientFactory, appointment_row, open_schedule


@pytest.fixture
def waiting(clinic, counter):
    """Two who wait: numbers 1 and 2."""
    names = ("诸葛亮明", "赵云")
    rows = [appointment_row(clinic, PatientFactory(name=name), number=n) for n, name in enumerate(names, 1)]
    return [visit.check_in(appointment=row, by=counter.user, now=NOW) for row in rows]


def test_the_nurse_calls_the_next_to_a_room(counter, clinic, waiting):
    seat = clinic.participants.get()

    counter.post(f"/desk/schedules/{clinic.pk}/call-next/", {"seat": seat.pk, "next": "/desk/board/"})

    first = Encounter.objects.get(pk=waiting[0].pk)
    assert (first.status, first.room, first.calls) == ("called", clinic.room, 1)


@pytest.mark.parametrize(("act", "status"), [("start", "in_room"), ("pass", "waiting"), ("left", "left")])
def test_a_called_patient_comes_in_is_passed_over_or_left(counter, waiting, act, status):
    visit.call(encounter=waiting[0], by=counter.user, now=NOW)

    response = counter.post(f"/desk/encounters/{waiting[0].pk}/{act}/", {"next": "/desk/board/?department=1"})

    assert response.url == "/desk/board/?department=1"
    assert Encounter.objects.get(pk=waiting[0].pk).status == status


def test_the_way_back_is_never_a_foreign_address(counter, waiting):
    response = counter.post(f"/desk/encounters/{waiting[0].pk}/call/", {"next": "https://evil.example/"})

    assert response.url == "/desk/board/"


def test_the_board_masks_names(counter, waiting):
    page = counter.get("/desk/board/").content.decode()

    assert "诸**明" in page
    assert "诸葛亮明" not in page


def test_the_board_refreshes_alone(counter, clinic, waiting):
    fragment = counter.get("/desk/board/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="boards").content.decode()

    assert "<html" not in fragment
    assert 'id="boards"' in fragment


def test_the_screen_needs_no_sign_in_and_shows_no_full_name(client, clinic, waiting, counter):
    visit.call(encounter=waiting[0], by=counter.user, now=NOW)
    client.logout()

    page = client.get(f"/screen/department/{clinic.department_id}/").content.decode()

    assert "诸**明" in page
    assert "赵*" in page
    assert "诸葛亮明" not in page
    assert "赵云" not in page
    assert "13800136210" not in page
    assert client.get(f"/screen/campus/{clinic.campus_id}/").status_code == 200


def test_the_screen_takes_few_queries_however_many_rooms(client, clinic, waiting, django_assert_num_queries):
    for _room in range(10):
        open_schedule(day=clinic.day, department=clinic.department)
    client.logout()

    with django_assert_num_queries(3):
        client.get(f"/screen/department/{clinic.department_id}/")


def test_a_clinic_that_is_over_leaves_the_board_when_nobody_waits(counter, clinic, waiting):
    for encounter in waiting:
        visit.left(encounter=encounter, by=counter.user, now=NOW)
    clinic.ends_at = NOW
    clinic.save()

    assert counter.get("/desk/board/").context["boards"] == []


def test_many_rooms_take_turns_on_the_screen_and_a_calling_one_stays(client, clinic, waiting, counter):
    visit.call(encounter=waiting[0], by=counter.user, now=NOW)
    for _room in range(20):
        open_schedule(day=clinic.day, department=clinic.department)
    client.logout()
    address = f"/screen/department/{clinic.department_id}/"

    pages = [client.get(f"{address}?turn={turn}").context["boards"] for turn in (0, 2, 4)]

    assert [len(page) for page in pages] == [9, 9, 5]
    assert all(page[0]["board"].schedule == clinic for page in pages)
    assert len({one["board"].schedule.pk for page in pages for one in page}) == 21
    assert client.get(f"{address}?turn=abc").status_code == 200
