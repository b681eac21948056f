"""报到 at the desk: by document, phone or name; a slip for the hand (B20, M3)."""

from datetime import timedelta

import pytest

from appointments.models import Encounter
from appointments.services import visit
from hospital.models import AuditEvent
from tests.factories import NOW, PatientFactory, StaffFactory, appointment_row, open_schedule


def find(client, text):
    return client.post("/desk/", {"q": text})


@pytest.mark.parametrize("text", ["11010519491231002X", " 110105 19491231 002x ", "13800136210", "周志明"])
def test_a_patient_is_found_by_document_phone_or_name(counter, booked, patient, text):
    response = find(counter, text)

    if response.status_code == 302:
        response = counter.get(response.url)
        assert "周志明" in response.content.decode()
    else:
        assert f"/desk/patients/{patient.pk}/" in response.content.decode()


def test_a_document_opens_its_holder_at_once(counter, patient):
    assert find(counter, "11010519491231002X").url == f"/desk/patients/{patient.pk}/"


def test_a_list_shows_masked_names_and_todays_visit(counter, booked, patient):
    page = find(counter, "zzm").content.decode()

    assert "周*明" in page
    assert "周志明" not in page.replace('value="zzm"', "")
    assert "08:48 心血管内科 已预约" in page
    assert "002X" in page
    assert "11010519491231002X" not in page


def test_a_search_is_not_in_the_address_and_leaves_a_trail(counter, patient):
    find(counter, "zzm")

    event = AuditEvent.objects.get(action="patient.searched.desk")
    assert event.detail == {"by": "pinyin", "shown": [patient.pk]}
    assert counter.get("/desk/?q=zzm").context.get("results") is None


def test_opening_a_patient_leaves_a_trail(counter, patient):
    counter.get(f"/desk/patients/{patient.pk}/")

    assert AuditEvent.objects.get(action="patient.seen.desk").patient == patient


def test_nobody_found_leads_to_registration_with_the_text_kept(counter, db):
    page = find(counter, "张三丰").content.decode()
    assert "没有找到" in page

    form = counter.post("/desk/patients/new/", {"q": "张三丰"}).content.decode()
    assert 'value="张三丰"' in form


def test_check_in_with_the_document_seen_gives_a_slip(counter, booked):
    response = counter.post(f"/desk/appointments/{booked.pk}/check-in/", {"document_seen": "on", "priority": "1"})

    encounter = Encounter.objects.get()
    assert (encounter.document_seen, encounter.priority, encounter.checked_in_by) == (True, 1, counter.user)
    slip = counter.get(response.url).content.decode()
    assert "周*明" in slip
    assert "周志明" not in slip
    assert "<strong>3</strong>号" in slip


def test_the_slip_says_how_many_are_ahead(counter, booked, clinic):
    for number in (1, 2):
        visit.check_in(
            appointment=appointment_row(clinic, PatientFactory(), number=number),
            by=counter.user,
            now=NOW - timedelta(hours=2),
        )
    response = counter.post(f"/desk/appointments/{booked.pk}/check-in/")

    assert counter.get(response.url).context["ahead"] == 2


def test_a_wrong_day_is_refused_with_a_sentence(counter, patient):
    tomorrow = open_schedule(day=NOW.date() + timedelta(days=1))
    row = appointment_row(tomorrow, patient)

    response = counter.post(f"/desk/appointments/{row.pk}/check-in/")

    assert response.status_code == 409
    assert "这个预约是11-24的，今天不能报到。" in response.content.decode()


def test_check_in_can_be_undone(counter, booked):
    counter.post(f"/desk/appointments/{booked.pk}/check-in/")

    counter.post(f"/desk/appointments/{booked.pk}/undo-check-in/")

    booked.refresh_from_db()
    assert booked.status == "booked"


def test_the_page_takes_few_queries_however_many_visits(counter, clinic, patient, django_assert_max_num_queries):
    for number in range(1, 11):
        appointment_row(clinic, patient if number == 1 else PatientFactory(), number=number)
    counter.get(f"/desk/patients/{patient.pk}/")

    with django_assert_max_num_queries(14):
        counter.get(f"/desk/patients/{patient.pk}/")


@pytest.mark.parametrize("role", ["doctor", "auditor", "partner", "cashier"])
def test_other_roles_hear_that_the_desk_is_not_theirs(client, db, role):
    client.force_login(StaffFactory(roles=role))

    assert client.get("/desk/").status_code == 403


def test_strangers_go_to_the_sign_in_page(client, db):
    assert client.get("/desk/").url.startswith("/accounts/login/")


def test_a_nurse_of_one_department_checks_in_only_there(client, booked, heart):
    from hospital.models import RoleAssignment
    from tests.factories import DepartmentFactory

    nurse = StaffFactory()
    RoleAssignment.objects.create(
        user=nurse, role="triage", organization=heart.organization, department=DepartmentFactory()
    )
    client.force_login(nurse)

    assert client.post(f"/desk/appointments/{booked.pk}/check-in/").status_code == 403


def test_another_hospitals_patients_visits_are_out_of_reach(client, booked, db):
    from hospital.models import RoleAssignment
    from tests.factories import OrganizationFactory

    other = StaffFactory()
    RoleAssignment.objects.create(user=other, role="triage", organization=OrganizationFactory(code="H2", name="乙院"))
    client.force_login(other)

    assert client.post(f"/desk/appointments/{booked.pk}/check-in/").status_code == 404
