"""Their visits in (O1): linked to our booking, or booked on the same inventory."""

from datetime import timedelta

import pytest

from appointments import invariants
from appointments.models import Appointment, Schedule, Slot
from appointments.services import booking
from hospital.models import ExternalRecord, Organization
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    RoleFactory,
    ServiceFactory,
    appointment_row,
    open_schedule,
)
from tests.factories.billing import pays_first

from .systems import System
from .visits import at, said

pytestmark = pytest.mark.django_db


# ---- which booking ----


def test_a_registration_finds_the_only_booking_that_fits(his, clinic, patient):
    row = appointment_row(clinic, patient, number=4)
    answer = his.visit(**said())

    assert (answer.status_code, answer.json()["result"], answer.json()["appointment"]) == (201, "created", row.pk)
    assert ExternalRecord.objects.get(kind="visit").subject == f"appointment:{row.pk}"
    assert Appointment.objects.count() == 1


def test_a_registration_names_our_booking(his, clinic, patient):
    appointment_row(clinic, patient, number=4)
    row = appointment_row(clinic, patient, number=8, channel="consult")

    assert his.visit("V1", **said()).json()["code"] == "several_bookings"
    answer = his.visit("V1", **said(appointment=row.pk))
    assert (answer.status_code, answer.json()["appointment"], answer.json()["queue_number"]) == (201, row.pk, 8)


def test_the_time_on_the_slip_tells_two_bookings_apart(his, clinic, patient):
    appointment_row(clinic, patient, number=4)
    row = appointment_row(clinic, patient, number=8, channel="consult")

    assert his.visit(**said(start=row.start.isoformat())).json()["appointment"] == row.pk


def test_another_time_on_the_slip_is_another_visit_and_its_cancel_leaves_the_online_booking(his, clinic, patient):
    """Booked online for 08:00; their window registers the afternoon."""
    mine = appointment_row(clinic, patient, number=1)
    hours = {"starts_at": NOW + timedelta(hours=4), "ends_at": NOW + timedelta(hours=8)}
    afternoon = open_schedule(day=TODAY, half="pm", role=clinic.role, **hours)
    start = afternoon.slots.order_by("start").first().start.isoformat()

    assert his.visit("V7", **said(start=start)).json()["schedule"] == afternoon.pk
    assert his.visit("V7", **said("cancelled", start=start, changed_at=at("09:55"))).json()["status"] == "cancelled"
    mine.refresh_from_db()
    assert mine.status == "booked"


def test_the_time_on_the_slip_may_be_that_of_the_public_slice(his, clinic, patient):
    row = appointment_row(clinic, patient, number=2)  # 08:24, in the slice from 08:00
    assert his.visit(**said(start=at("08:00"))).json()["appointment"] == row.pk


@pytest.mark.parametrize("status", ["cancelled", "left", "finished"])
@pytest.mark.parametrize("told", [{}, {"start": at("08:00")}], ids=["no time", "the slice"])
def test_what_ended_before_we_heard_of_it_touches_no_booking_that_may_be_another_s(his, clinic, patient, status, told):
    """V7 came and went while the link was down; the patient's own booking, made online, is another visit."""
    row = appointment_row(clinic, patient, number=2)
    answer = his.visit("V7", **said(status, **told))

    assert (answer.status_code, answer.json()["appointment"]) == (201, None)
    assert list(Appointment.objects.values_list("pk", "status")) == [(row.pk, "booked")]
    assert his.visit("V1", **said()).json()["appointment"] == row.pk


@pytest.mark.parametrize("how", ["appointment", "start"])
def test_what_ended_is_linked_when_it_names_the_booking_or_its_very_time(his, clinic, patient, how):
    row = appointment_row(clinic, patient, number=2)
    named = {"appointment": row.pk} if how == "appointment" else {"start": row.start.isoformat()}

    answer = his.visit("V7", **said("cancelled", **named)).json()
    assert (answer["appointment"], answer["status"]) == (row.pk, "cancelled")


def test_a_second_visit_is_never_the_same_booking(his, clinic, patient):
    row = appointment_row(clinic, patient, number=4)
    his.visit("V1", **said())

    refused = his.visit("V2", **said(appointment=row.pk))
    assert (refused.status_code, refused.json()["code"]) == (409, "linked_elsewhere")
    assert his.visit("V2", **said()).json()["appointment"] != row.pk


def test_a_booking_of_somebody_else_or_of_another_house_is_not_linked(his, clinic, patient):
    another = appointment_row(clinic, PatientFactory(), number=4)
    house = OrganizationFactory(code="H2", name="第二医院")
    away = open_schedule(organization=house, campus=CampusFactory(organization=house), day=TODAY, role=RoleFactory())
    elsewhere = appointment_row(away, patient)

    refused = his.visit(**said(appointment=another.pk))
    assert (refused.status_code, refused.json()["code"]) == (409, "visit_of_another")
    unknown = his.visit(**said(appointment=elsewhere.pk))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert his.visit(**said(appointment=2**62)).status_code == 404
    assert not ExternalRecord.objects.filter(kind="visit").exists()


def test_a_visit_does_not_change_hands(his, clinic, patient):
    his.visit(**said())
    his.patient("1002", name="李秀英", birth_date=..., sex="F", documents=[{"kind": "passport", "number": "E7654321"}])

    answer = his.visit(**said(patient="1002", changed_at=at("09:55")))
    assert (answer.status_code, answer.json()["code"]) == (409, "visit_of_another")


def test_a_booking_that_was_moved_to_another_day_is_not_taken_for_today_s(his, clinic, patient):
    row = appointment_row(clinic, patient, number=4)
    his.visit(**said())
    ahead = open_schedule(day=TODAY + timedelta(days=1), role=clinic.role)
    booking.reschedule(appointment=row, schedule=ahead, by=None, channel="counter", request_key=None, now=NOW)

    refused = his.visit(**said("arrived", changed_at=at("09:55")))
    assert (refused.status_code, refused.json()["code"]) == (409, "visit_moved")
    assert his.visit(**said(day=ahead.day.isoformat(), changed_at=at("09:56"))).json()["appointment"] == row.pk
    assert his.visit(**said("cancelled", changed_at=at("09:57"))).json()["status"] == "cancelled"


def test_a_visit_of_somebody_unknown_says_to_send_the_patient_first(his, clinic):
    answer = his.visit(**said(patient="9999"))
    assert (answer.status_code, answer.json()["code"]) == (409, "unknown_patient")


# ---- registered at their window ----


def test_a_registration_without_a_booking_takes_a_number_of_ours(his, clinic, patient):
    answer = his.visit(**said())
    row = Appointment.objects.get()

    assert (answer.status_code, answer.json()["status"], answer.json()["queue_number"]) == (201, "booked", 1)
    assert (row.channel, row.patient, row.visit_type, row.slot.status) == ("counter", patient, "first", "booked")
    assert his.visit(**said()).json() | {"result": ""} == answer.json() | {"result": ""}
    assert Appointment.objects.count() == 1


def test_what_is_registered_at_their_window_is_paid_there(his, clinic, patient):
    """Also where our own window wants the money first."""
    pays_first()
    assert his.visit(**said()).status_code == 201
    assert Appointment.objects.get().status == "booked"
    assert invariants.violations(now=NOW) == []


def test_what_waits_for_its_money_here_is_not_registered_there(his, clinic, patient):
    pays_first()
    row = booking.book(
        schedule=clinic, patient=patient, channel="web", by=None, request_key=None, number=8, confirmed=True, now=NOW
    )
    answer = his.visit(**said(appointment=row.pk))
    assert (answer.status_code, answer.json()["code"]) == (409, "must_pay")
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_registration_takes_the_time_on_the_slip_or_nothing(his, clinic, patient):
    start = clinic.slots.get(number=7).start
    assert his.visit(**said(start=start.isoformat())).json()["queue_number"] == 7

    clinic.slots.filter(number=8).update(status=Slot.Status.BLOCKED)  # the other number of that half hour
    his.patient("1002", name="李秀英", birth_date=..., sex="F", documents=[{"kind": "passport", "number": "E7654321"}])
    refused = his.visit("V2", **said(patient="1002", start=start.isoformat()))
    assert (refused.status_code, refused.json()["code"]) == (409, "no_number_left")


def test_a_registration_beyond_our_inventory_is_refused_with_what_to_do(his, clinic, patient):
    clinic.slots.update(status=Slot.Status.BLOCKED)
    answer = his.visit(**said())

    assert (answer.status_code, answer.json()["code"]) == (409, "no_number_left")
    assert "加号" in answer.json()["next"]
    assert not ExternalRecord.objects.filter(kind="visit").exists()


def test_the_plain_clinic_is_registered_by_department_and_service(his, patient):
    department, service = DepartmentFactory(code="CARD"), ServiceFactory()
    open_schedule(
        day=TODAY, role=RoleFactory(department=department, service=service)
    )  # a named doctor's: not by chance
    plain = open_schedule(day=TODAY, role=None, department=department, service=service)

    answer = his.visit(**said(doctor=None, department="CARD", service="general"))
    assert answer.json()["schedule"] == plain.pk


def test_a_day_without_a_session_and_a_session_that_is_over_are_refused(his, clinic, patient):
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    assert his.visit(**said(day=tomorrow)).json()["code"] == "no_session"
    Schedule.objects.update(ends_at=NOW)
    assert his.visit(**said()).json()["code"] == "no_session"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"doctor": "nobody"}, "doctor"),
        ({"doctor": None}, "doctor"),
        ({"doctor": None, "department": "D"}, "department"),
        ({"room": "nowhere"}, "room"),
        ({"status": "lost"}, "status"),
        ({"day": "today"}, "day"),
        ({"start": "2026-11-23T08:30:00"}, "start"),
        ({"appointment": "7"}, "appointment"),
        ({"appointment": True}, "appointment"),
        ({"appointment": 2**63}, "appointment"),
        ({"changed_at": "2027-01-01T00:00:00+08:00"}, "changed_at"),
        ({"name": "周志明"}, "name"),
    ],
)
def test_what_is_wrong_is_named_by_field(his, clinic, patient, changes, field):
    answer = his.visit(**said(**changes))

    assert answer.status_code == 422, answer.content
    assert field in answer.json()["fields"]
    assert not Appointment.objects.exists()


def test_codes_of_another_house_mean_nothing(his, clinic, patient):
    Organization.objects.filter(pk=clinic.organization_id).update(code="H2")
    other = System(his.client, name="lis", organization=OrganizationFactory(code="H3", name="第三医院"))

    assert list(other.visit(**said()).json()["fields"]) == ["doctor"]
