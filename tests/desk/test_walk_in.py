"""现场挂号 (B26): real name and document, the same inventory, one act."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from appointments.errors import SoldOut
from appointments.models import Appointment, Encounter, Slot
from appointments.selectors import desk as selectors
from appointments.services import walkin
from hospital.models import Patient, PatientIdentifier
from tests.factories import (
    NOW,
    TODAY,
    EncounterFactory,
    IdentifierFactory,
    PatientFactory,
    StaffFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)


def give(client, patient, schedule, **fields):
    said = {"schedule": schedule.pk, "request_key": uuid4(), "document_seen": "on", "priority": "0", **fields}
    return client.post(f"/desk/patients/{patient.pk}/give/", said)


PERSON = {
    "name": "欧阳修",
    "kind": "id_card",
    "number": "440524188001010014",
    "phone": "139 0013 6210",
    "sex": "U",
    "insurance": "resident",
    "seen": "on",
}


def test_a_new_patient_is_registered_with_what_the_card_says(counter):
    number = "11010519491231002X"

    response = counter.post("/desk/patients/new/", PERSON | {"number": number})

    person = Patient.objects.get()
    assert response.url == f"/desk/patients/{person.pk}/numbers/"
    assert (person.name, person.sex, str(person.birth_date), person.phone) == (
        "欧阳修",
        "F",
        "1949-12-31",
        "13900136210",
    )
    paper = PatientIdentifier.objects.get()
    assert (paper.last4, paper.checked, paper.seen_at) == ("002X", True, NOW)


@pytest.mark.parametrize("place", range(18))
def test_any_one_wrong_digit_of_an_identity_card_is_told(counter, place):
    """M3."""
    number = list("11010519491231002X")
    number[place] = "0" if number[place] != "0" else "1"

    response = counter.post("/desk/patients/new/", PERSON | {"number": "".join(number)})

    assert response.status_code == 422
    assert "证件号码不对" in response.content.decode()
    assert not Patient.objects.exists()


def test_a_known_document_leads_to_its_record_and_makes_no_second(counter, patient):
    response = counter.post("/desk/patients/new/", PERSON | {"number": "11010519491231002X"})

    page = response.content.decode()
    assert response.status_code == 422
    assert f'href="/desk/patients/{patient.pk}/"' in page
    assert Patient.objects.count() == 1


def test_the_window_gives_a_number_and_checks_in_in_one_act(counter, clinic, patient):
    response = give(counter, patient, clinic)

    row = Appointment.objects.get()
    assert response.url == f"/desk/appointments/{row.pk}/slip/"
    assert (row.status, row.channel, row.by) == ("arrived", "counter", counter.user)
    assert (row.encounter.status, row.encounter.document_seen) == ("waiting", True)


def test_a_number_whose_minute_has_passed_is_given_while_the_schedule_runs(counter, clinic, patient):
    """NOW is 10:00: number 1 was due at 08:00. It waits from the check-in like every late patient."""
    give(counter, patient, clinic)

    row = Appointment.objects.get()
    assert row.slot.number == 1
    assert row.start < NOW


def test_a_schedule_that_is_over_gives_none(counter, patient, heart):
    over = open_schedule(
        day=TODAY, starts_at=NOW - timedelta(hours=3), ends_at=NOW - timedelta(hours=1), numbers=3, pool="counter"
    )

    assert selectors.offers_of(over.department, day=TODAY, now=NOW) == []
    assert give(counter, patient, over).status_code == 409


def test_a_double_click_is_one_registration(counter, clinic, patient):
    key = uuid4()

    first, second = give(counter, patient, clinic, request_key=key), give(counter, patient, clinic, request_key=key)

    assert first.url == second.url
    assert (Appointment.objects.count(), Encounter.objects.count()) == (1, 1)


def test_what_the_window_takes_is_gone_for_everybody(counter, clinic, patient):
    give(counter, patient, clinic)

    assert Slot.objects.filter(schedule=clinic, status="booked").count() == 1
    assert selectors.left_at_the_window([clinic.pk], organization_id=clinic.organization_id, now=NOW)[clinic.pk][0] == 9


def test_a_refused_check_in_leaves_no_number_taken(counter, clinic, patient):
    clinic.status = "stopped"
    clinic.save()

    assert give(counter, patient, clinic).status_code == 409
    assert not Appointment.objects.exists()
    assert Slot.objects.filter(schedule=clinic, status="free").count() == 10


def test_the_window_books_a_later_day_without_check_in(counter, patient, heart):
    later = open_schedule(day=TODAY + timedelta(days=3), pool="public")

    response = give(counter, patient, later)

    row = Appointment.objects.get()
    assert (row.status, response.url) == ("booked", f"/desk/patients/{patient.pk}/")
    assert not Encounter.objects.exists()


def test_visit_type_follows_from_the_departments_own_records(counter, clinic, patient):
    old = open_schedule(day=TODAY - timedelta(days=30), role=clinic.role)
    seen = appointment_row(old, patient, status="fulfilled")
    EncounterFactory(appointment=seen, status="finished", started_at=NOW, finished_at=NOW)

    give(counter, patient, clinic)

    assert Appointment.objects.get(day=TODAY).visit_type == "followup"


def test_partner_and_consult_numbers_are_not_the_windows(heart, db):
    schedule = open_schedule(day=TODAY, numbers=4, pool="consult")
    add_numbers(schedule, count=2, pool="counter")

    left = selectors.left_at_the_window([schedule.pk], organization_id=schedule.organization_id, now=NOW)

    assert left[schedule.pk][0] == 2


def test_departments_are_found_by_pinyin_initials(counter, clinic, patient):
    page = counter.get(
        f"/desk/patients/{patient.pk}/numbers/", {"q": "xxg"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="departments"
    ).content.decode()
    none = counter.get(f"/desk/patients/{patient.pk}/numbers/", {"q": "gk"}).content.decode()

    assert "心血管内科" in page
    assert "<html" not in page
    assert "没有科室出诊" in none


def test_the_choice_of_numbers_takes_few_queries(counter, clinic, patient, django_assert_max_num_queries):
    for _more in range(12):
        open_schedule(day=TODAY, numbers=6, pool="counter", department=clinic.department)
    address = f"/desk/patients/{patient.pk}/numbers/?department={clinic.department_id}"
    counter.get(address)

    with django_assert_max_num_queries(16):
        page = counter.get(address)

    assert len(page.context["offers"]) == 13


def test_a_booking_is_cancelled_at_the_window_after_the_cut_off(counter, booked):
    """B14: later than 15:00 the day before, at the window only."""
    counter.post(f"/desk/appointments/{booked.pk}/cancel/", {"request_key": uuid4(), "reason": "发热"})

    booked.refresh_from_db()
    assert (booked.status, booked.note) == ("cancelled", "发热")


def test_a_booking_is_moved_at_the_window_in_one_step(counter, booked, clinic):
    later = open_schedule(day=TODAY + timedelta(days=2), role=clinic.role)

    counter.post(f"/desk/appointments/{booked.pk}/move/", {"schedule": later.pk, "request_key": uuid4()})

    booked.refresh_from_db()
    assert (booked.schedule, booked.day, booked.status) == (later, later.day, "booked")


def test_moving_keeps_the_department_and_offers_every_day_of_the_week(counter, booked, clinic):
    later = open_schedule(day=TODAY + timedelta(days=2), role=clinic.role)

    page = counter.get(f"/desk/patients/{booked.patient_id}/numbers/?move={booked.pk}&day={later.day}")

    assert [offer.schedule for offer in page.context["offers"]] == [later]
    assert f'action="/desk/appointments/{booked.pk}/move/"' in page.content.decode()
    assert "正在改约：11月23日 08:48" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_eight_windows_race_for_three_numbers():
    """X2: one inventory, never oversold, and nobody is checked in without a number."""
    schedule = open_schedule(day=TODAY, numbers=3, pool="counter")
    clerk = StaffFactory(roles="counter")
    people = PatientFactory.create_batch(8)

    def register(person):
        try:
            return walkin.register_walk_in(
                schedule=schedule, patient=person, by=clerk, request_key=str(uuid4()), now=NOW
            )
        except SoldOut:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as windows:
        won = [row for row in windows.map(register, people) if row]

    assert len({row.slot_id for row in won}) == 3
    assert Encounter.objects.count() == 3


def test_a_second_person_with_the_same_phone_is_a_list_not_a_guess(counter, patient):
    mother = PatientFactory(name="李秀英")
    IdentifierFactory(patient=mother, number="440524188001010014")

    response = counter.post("/desk/", {"q": "13800136210"})

    assert response.status_code == 200
    assert len(response.context["lines"]) == 2
