"""自助机 (B7, B20, B26): a document in, a slip out, and nobody sees who was there before."""

import re
from datetime import time, timedelta
from uuid import uuid4

import pytest
import time_machine

from appointments.models import Appointment, Encounter, PatientSuspension
from appointments.selectors import slips
from hospital import clock
from hospital.models import AuditEvent, RolePolicy
from tests.channels.conftest import DOCUMENT
from tests.factories import NOW, TODAY, IdentifierFactory, PatientFactory, StaffFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db

PAGES = ("/kiosk/me/", "/kiosk/mine/", "/kiosk/departments/")


def text(response) -> str:
    return response.content.decode()


def enter(client, code=DOCUMENT):
    return client.post("/kiosk/", {"code": code})


def key(client) -> str:
    """The visit's key as its forms carry it."""
    return re.search(r'name="visit" value="([^"]+)"', text(client.get("/kiosk/me/")))[1]


@pytest.fixture
def here(patient, wang):
    """This morning's number 5 at 10:24; it is 10:00."""
    schedule = open_schedule(role=wang, day=TODAY, numbers=10, minutes=24)
    return appointment_row(schedule, patient, number=7)


def test_a_document_opens_the_menu_masked_and_leaves_a_trace(kiosk, patient, here):
    assert enter(kiosk).url == "/kiosk/me/"
    page = kiosk.get("/kiosk/me/")

    assert "周*明" in text(page)
    assert "周志明" not in text(page)
    assert DOCUMENT not in text(page)
    assert "no-store" in page["Cache-Control"]
    assert [event.action for event in AuditEvent.objects.order_by("pk")][:2] == [
        "patient.searched.kiosk",
        "patient.seen.kiosk",
    ]


def test_the_code_of_a_booking_opens_it_as_well(kiosk, here):
    assert enter(kiosk, slips.code_of(here.basket)).url == "/kiosk/me/"


def test_a_medical_number_is_only_a_name_until_the_last_four_are_told(kiosk, patient):
    assert enter(kiosk, patient.medical_number).url == "/kiosk/last-four/"
    assert kiosk.get("/kiosk/me/").url == "/kiosk/"  # and the question is forgotten with it
    enter(kiosk, patient.medical_number)

    wrong = kiosk.post("/kiosk/last-four/", {"last4": "0000"})
    assert wrong.status_code == 422
    assert "对不上" in text(wrong)
    assert kiosk.post("/kiosk/last-four/", {"last4": "002x"}).url == "/kiosk/me/"


@pytest.mark.parametrize("code", ["110105194912310038", "zzm", "周志明", "13800136210", "", "x" * 81, "M99999999"])
def test_whoever_is_not_named_whole_goes_to_the_window(kiosk, patient, code):
    """Names, phones and unknown documents find nobody at a machine."""
    answer = enter(kiosk, code)
    assert answer.status_code == 422
    assert "周" not in text(answer)


def test_trying_numbers_out_stops_the_machine_for_a_while(kiosk, patient):
    for _each in range(8):
        enter(kiosk, "110105194912310038")
    assert enter(kiosk).status_code == 429
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        assert enter(kiosk).url == "/kiosk/me/"


def test_checking_in_prints_the_place_in_the_queue(kiosk, here):
    """B20: nobody saw the document; the desk still may."""
    enter(kiosk)
    done = kiosk.post(f"/kiosk/check-in/{here.pk}/", {"visit": key(kiosk)})

    assert "前面还有" in text(kiosk.get(done.url))
    assert "周*明" in text(kiosk.get(done.url))
    encounter = Encounter.objects.get()
    assert (encounter.appointment, encounter.document_seen, encounter.checked_in_by) == (here, False, kiosk.user)


def test_a_sitting_is_named_by_its_own_hours_not_by_the_half_day(kiosk, patient, wang):
    """One laid from 11:00 to 16:00 belongs to the morning in the plan; whoever stands here reads 14:00 below it."""
    hours = {"starts_at": clock.at(TODAY, time(11)), "ends_at": clock.at(TODAY, time(16))}
    late = open_schedule(role=wang, day=TODAY, half="am", numbers=10, minutes=30, **hours)
    enter(kiosk)

    page = text(kiosk.get(f"/kiosk/departments/{late.department_id}/"))

    assert "11:00–16:00" in page
    assert "上午" not in page


def test_a_number_of_today_or_later_is_booked_and_counts_as_self_service(kiosk, patient, clinic):
    enter(kiosk)
    department = clinic.department
    assert department.name in text(kiosk.get("/kiosk/departments/"))
    times = text(kiosk.get(f"/kiosk/departments/{department.pk}/"))
    [first, *_rest] = re.findall(r"slot=([^\"&]+)", times)
    asking = text(kiosk.get(f"/kiosk/departments/{department.pk}/?slot={first}"))
    assert "约这个号吗" in asking
    assert Appointment.objects.count() == 0
    slot = re.search(r'name="slot" value="([^"]+)"', asking)[1]
    said = {"visit": key(kiosk), "slot": slot, "department": department.pk, "request_key": uuid4()}

    first, second = (kiosk.post("/kiosk/book/", said) for _each in range(2))

    row = Appointment.objects.get()
    assert first.url == second.url == f"/kiosk/slip/{row.pk}/"
    assert (row.channel, row.counts, row.status, row.patient) == ("kiosk", True, "booked", patient)
    again = kiosk.post("/kiosk/book/", said | {"request_key": uuid4()})
    assert again.status_code == 409
    assert "同一天同一科室已有预约" in text(again)


def test_a_slice_at_the_end_of_the_calendar_is_no_slice(kiosk, patient, clinic):
    enter(kiosk)
    slot = f"{clinic.pk}@9999-12-31T23:59:00+00:00"
    said = {"visit": key(kiosk), "slot": slot, "department": clinic.department_id, "request_key": uuid4()}

    assert kiosk.post("/kiosk/book/", said).status_code < 500
    for asked in ({"slot": slot}, {"day": "9999-12-31"}):
        assert kiosk.get(f"/kiosk/departments/{clinic.department_id}/", asked).status_code == 200
    assert not Appointment.objects.exists()


def test_after_the_visit_nothing_of_it_opens_again(kiosk, here, clinic):
    """Back button, an old form, a reload: all lead to the start."""
    enter(kiosk)
    old = key(kiosk)
    kiosk.post("/kiosk/leave/")
    for page in (*PAGES, f"/kiosk/slip/{here.pk}/", f"/kiosk/departments/{clinic.department_id}/"):
        assert kiosk.get(page).url == "/kiosk/"

    other = PatientFactory(name="赵六")
    IdentifierFactory(patient=other, number="440524188001010014")
    enter(kiosk, "440524188001010014")
    assert kiosk.post(f"/kiosk/check-in/{here.pk}/", {"visit": old}).url == "/kiosk/"
    assert not Encounter.objects.exists()


def test_another_persons_number_is_not_there(kiosk, here):
    other = PatientFactory(name="赵六")
    IdentifierFactory(patient=other, number="440524188001010014")
    enter(kiosk, "440524188001010014")

    assert kiosk.get(f"/kiosk/slip/{here.pk}/").status_code == 404
    assert kiosk.post(f"/kiosk/check-in/{here.pk}/", {"visit": key(kiosk)}).status_code == 404


def test_idleness_ends_the_visit_and_a_touch_extends_it(kiosk, patient):
    enter(kiosk)
    mark = key(kiosk)
    for seconds, answer in ((80, 204), (160, 204), (255, 302)):
        with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
            assert kiosk.post("/kiosk/stay/", {"visit": mark}).status_code == answer


def test_the_machine_stays_signed_in_over_a_holiday_and_opens_nothing_else(client, patient):
    """No second factor, a fortnight of idleness."""
    RolePolicy.objects.create(role="kiosk", second_factor=False, idle_minutes=20160)
    client.force_login(StaffFactory(roles="kiosk"))
    enter(client)
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        assert client.get("/kiosk/").status_code == 200
        for page in ("/desk/", "/phone/", "/office/", "/consult/"):
            assert client.get(page).status_code == 403


@pytest.mark.parametrize("role", ["counter", "phone", "doctor"])
def test_nobody_else_opens_the_machines_pages(client, role, patient):
    client.force_login(StaffFactory(roles=role))
    for page in ("/kiosk/", *PAGES):
        assert client.get(page).status_code == 403


def test_a_suspended_person_hears_why_and_where_to_go(kiosk, patient, clinic):
    """B15."""
    PatientSuspension.objects.create(
        patient=patient, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=89), reason="爽约3次"
    )
    enter(kiosk)
    slot = f"{clinic.pk}@{clinic.starts_at.isoformat()}"
    said = {"visit": key(kiosk), "slot": slot, "department": clinic.department_id, "request_key": uuid4()}
    answer = kiosk.post("/kiosk/book/", said)
    assert answer.status_code == 409
    assert "自助预约已暂停" in text(answer)
    assert "到窗口" in text(answer)


def test_the_window_notes_that_somebody_is_of_the_special_group(client, young):
    """P7: with the document in hand; without it nothing changes."""
    client.force_login(StaffFactory(roles="counter"))
    said = {"name": young.name, "sex": young.sex, "birth_date": str(young.birth_date), "special": "disabled"}

    assert client.post(f"/desk/patients/{young.pk}/correct/", said).status_code == 422
    young.refresh_from_db()
    assert young.special == ""
    assert client.post(f"/desk/patients/{young.pk}/correct/", said | {"seen": "on"}).status_code == 302
    young.refresh_from_db()
    assert young.special == "disabled"
    assert AuditEvent.objects.get(action="patient.corrected").detail == {"fields": ["special"]}
    assert "残疾人" in text(client.get(f"/desk/patients/{young.pk}/"))
