"""What happens here is told to the systems that asked (O1): by ids and codes, as it was, to the house that asked."""

import json
import subprocess
from pathlib import Path

import pytest

from appointments.selectors import events
from appointments.services import booking, changes, extras, stops, visit
from appointments.services.stops.orders import Wish
from hospital import clock
from hospital.integration import signing, webhooks
from hospital.models import ApiToken, Delivery, ExternalRecord, Fact, WebhookDelivery
from tests.factories import (
    NOW,
    CampusFactory,
    OrganizationFactory,
    PatientFactory,
    RoleFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

from .documented import write_examples
from .ends import SECRET
from .hooks import fan_out, happened, send, webhook

pytestmark = [pytest.mark.django_db, pytest.mark.of_today]


# ---- from the fact to the event ----


def test_a_booking_is_told_by_ids_and_codes_and_never_by_name(hook, end, booked):
    row = booked(phone="13800136210")
    fan_out()

    assert send() == 1
    [note] = end.heard()
    event = json.loads(note["body"])
    fact = Fact.objects.get(topic="appointment.booked")
    assert note["genuine"]
    assert (note["path"], note["headers"]["X-Event-Id"], event["id"]) == ("/events", str(fact.pk), str(fact.pk))
    assert (event["topic"], event["organization"]) == ("appointment.booked", "H1")
    assert event["happened_at"] == "2026-11-23T10:00:00+08:00"
    said = event["data"]
    assert (said["appointment"], said["status"], said["visit_status"]) == (row.pk, "booked", None)
    assert (said["doctor"], said["department"], said["service"], said["day"]) == (
        "P-77", "CARD", "general", "2026-11-23",
    )  # fmt: skip
    assert (said["channel"], said["fee"], said["number"]) == ("counter", "20.00", row.slot.number)
    assert said["start"] == row.start.astimezone(clock.ZONE).isoformat()
    for word in ("周", "13800136210", row.patient.medical_number):
        assert word not in note["body"]


def test_their_own_numbers_are_told_and_nobody_else_s(hook, end, booked):
    row = booked()
    house = {"user": UserFactory(), "channel": "counter", "scopes": ["integrate"], "expires_at": NOW}
    ApiToken.issue(name="his", organization=OrganizationFactory(), system="his", **house)
    ApiToken.issue(name="away", organization=OrganizationFactory(code="H2", name="第二医院"), system="away", **house)
    for system in ("his", "away"):
        for kind, number, subject in (("patient", "1001", ""), ("visit", "V1", f"appointment:{row.pk}")):
            ExternalRecord.objects.create(system=system, kind=kind, number=number, patient=row.patient,
                subject=subject, digest="", changed_at=NOW, received_at=NOW)  # fmt: skip
    fan_out()
    send()

    [event] = end.events()
    assert event["data"]["patients"] == [{"system": "his", "number": "1001"}]
    assert event["data"]["visits"] == [{"system": "his", "number": "V1"}]


def test_every_step_of_a_visit_is_told_as_it_was_not_as_it_is_now(hook, end, booked):
    row = booked()
    encounter = visit.check_in(appointment=row, by=None, now=NOW)
    encounter = visit.start(encounter=encounter, by=None, now=NOW)
    visit.finish(encounter=encounter, by=None, now=NOW)
    fan_out()

    assert send() == 5
    told = [(event["topic"], event["data"]["status"], event["data"]["visit_status"]) for event in end.events()]
    assert told == [
        ("appointment.booked", "booked", None),
        ("encounter.checked_in", "arrived", "waiting"),
        ("encounter.called", "arrived", "called"),
        ("encounter.started", "arrived", "in_room"),
        ("encounter.finished", "fulfilled", "finished"),
    ]


def test_a_change_and_a_cancellation_name_the_place_of_their_own_moment(hook, end, booked):
    row = booked()
    other = open_schedule(role=RoleFactory(practitioner__code="P-88"))
    booking.reschedule(appointment=row, schedule=other, by=None, channel="counter", request_key=None, now=NOW)
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    fan_out()
    send()

    told = [(event["topic"], event["data"]["doctor"], event["data"]["fee"]) for event in end.events()]
    assert told == [
        ("appointment.booked", "P-77", None),  # the fee belongs to where it is now
        ("appointment.moved", "P-88", "20.00"),
        ("appointment.cancelled", "P-88", "20.00"),
    ]


def test_a_stopped_clinic_names_the_bookings_that_need_another_time(hook, end, booked):
    row = booked()
    extras.suspend(schedule=row.schedule, by=None, reason="临时停诊", now=NOW)
    fan_out()
    send()

    stopped = end.events()[-1]
    assert (stopped["topic"], stopped["data"]["appointments"]) == ("schedule.stopped", [row.pk])
    assert "临时停诊" not in json.dumps(stopped, ensure_ascii=False)


def test_a_substitution_and_its_undoing_say_who_sits_there_and_whose_numbers_stand(hook, end, booked):
    """O1, B13."""
    row = booked()
    schedule = row.schedule
    instead = RoleFactory(practitioner__code="P-88", department=schedule.department, service=schedule.service)
    order = stops.stop(
        wish=Wish(
            organization=schedule.organization_id, first_day=schedule.day, last_day=schedule.day, cause="illness",
            reason="发热", schedules=(schedule.pk,), substitutes={schedule.pk: (instead.pk, None)},
        ),
        by=UserFactory(),
        now=NOW,
    )  # fmt: skip
    stops.undo(order=order, by=UserFactory(), why="", now=NOW)
    fan_out()
    send()

    told = [(event["topic"], event["data"]) for event in end.events() if event["topic"].startswith("schedule.")]
    assert [(topic, said["doctor"], said["instead_of"], said["appointments"]) for topic, said in told] == [
        ("schedule.substituted", "P-88", "P-77", [row.pk]),
        ("schedule.reopened", "P-77", "P-88", [row.pk]),
    ]
    assert [note["genuine"] for note in end.heard()] == [True] * len(end.heard())
    assert "发热" not in json.dumps(told, ensure_ascii=False)


def test_the_document_names_every_topic_of_a_schedule():
    text = (Path(__file__).parents[2] / "docs" / "integration.md").read_text()
    assert [topic for topic in events.TOPICS if topic.startswith("schedule.") and f"`{topic}`" not in text] == []


@pytest.mark.parametrize("topic", events.APPOINTMENT_TOPICS)
def test_every_topic_that_is_offered_can_be_told(hook, end, topic):
    row = appointment_row(open_schedule(), PatientFactory(), status="booked")
    payload = {} if topic in {"appointment.lapsed", "appointment.noshow"} else {"schedule": row.schedule_id}
    body = webhooks.body_of(happened(f"appointment:{row.pk}", topic, **payload), organization="H1")

    data = json.loads(body)["data"]
    assert (data["appointment"], data["start"]) == (row.pk, row.start.astimezone(clock.ZONE).isoformat())


def test_only_the_house_that_asked_hears_and_only_what_it_asked_for(end, booked):
    mine = webhook(end.url, topics=["appointment.booked"])
    webhook(end.url, topics=["appointment.cancelled"])
    webhook(end.url, active=False)
    webhook(end.url, organization=OrganizationFactory(code="H2", name="第二医院"))
    row = booked()
    visit.check_in(appointment=row, by=None, now=NOW)
    fan_out()

    assert list(WebhookDelivery.objects.values_list("webhook", "fact__topic")) == [(mine.pk, "appointment.booked")]


def test_without_webhooks_a_fact_makes_no_work(db, booked):
    booked()
    fan_out()
    assert not Delivery.objects.filter(handler="appointments.handlers.push").exists()


def test_another_house_s_fact_is_found_by_its_schedule(db):
    house = OrganizationFactory(code="H2", name="第二医院")
    schedule = open_schedule(organization=house, campus=CampusFactory(organization=house))
    row = appointment_row(schedule, PatientFactory())

    assert events.organization_of(happened(f"appointment:{row.pk}", "appointment.lapsed")) == house.pk
    assert events.organization_of(happened("schedule:9", "schedule.stopped", schedule=schedule.pk)) == house.pk


# ---- the document's own examples ----


def test_the_shell_example_signs_as_we_do(tmp_path):
    script = write_examples(tmp_path)["verify.sh"]
    body = tmp_path / "body"
    body.write_bytes('{"a":"中文"}'.encode())
    command = ["sh", str(script), SECRET, "1795485012", str(body)]

    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    assert out == signing.event_signature(secret=SECRET, timestamp="1795485012", body=body.read_bytes())


def test_the_python_example_refuses_what_was_changed_or_is_old(tmp_path):
    scope = {}
    exec(write_examples(tmp_path)["verify.py"].read_text(), scope)
    body = b'{"id":"1"}'
    headers = {
        "X-Timestamp": "1795485012",
        "X-Signature": signing.event_signature(secret=SECRET, timestamp="1795485012", body=body),
    }
    genuine = scope["is_genuine"]

    assert genuine(SECRET, headers, body, now=1795485012 + 299)
    assert not genuine(SECRET, headers, body, now=1795485012 + 301)
    assert not genuine(SECRET, headers, body + b" ", now=1795485012)
    assert not genuine("other", headers, body, now=1795485012)
    assert not genuine(SECRET, {**headers, "X-Timestamp": "1795485013"}, body, now=1795485013)
