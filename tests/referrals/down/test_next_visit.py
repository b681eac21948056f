"""R3: the plan that went down says the day that its patient was given, and never that of a number that is gone."""

from datetime import timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment, Schedule
from appointments.services import changes
from hospital import outbox
from referrals.models import CarePlan
from referrals.policies.allergies import names_one
from referrals.selectors import follow_ups
from referrals.services import down
from tests.factories import NOW, AccountFactory, PatientFactory, RelatedPersonFactory, appointment_row, open_schedule

from .community import DAY, arrived, clinic, sent_down

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


def facts():
    outbox.fan_out(now=NOW)
    while outbox.deliver(now=NOW) or outbox.fan_out(now=NOW):
        pass


def another_day(first: Schedule, day) -> Schedule:
    """Of the same family doctor."""
    place = {name: getattr(first, name) for name in ("organization", "campus", "role", "room")}
    return open_schedule(**place, day=day, numbers=3, pool="consult")


def plan_now() -> tuple:
    row = CarePlan.objects.select_related("appointment").get()
    return row.follow_up_on, row.appointment and row.appointment.status


def test_the_plan_follows_its_number(client):
    patient, account = PatientFactory(), AccountFactory()
    RelatedPersonFactory(account=account, patient=patient, proof="window")
    first = clinic()
    row = sent_down(referral=arrived(patient=patient), number=down.Number(first, first.starts_at), deciding=NOW)
    facts()
    number = Appointment.objects.get()
    assert plan_now() == (DAY, "booked")

    later = DAY + timedelta(days=3)
    other = another_day(first, later)
    Appointment.objects.filter(pk=number.pk).update(slot=other.slots.get(number=2), schedule=other, day=later)
    outbox.publish(topic="appointment.moved", key=f"appointment:{number.pk}", payload={}, now=NOW)
    facts()
    assert plan_now() == (later, "booked")

    number.refresh_from_db()
    changes.cancel(appointment=number, by=None, channel="counter", now=NOW)
    facts()
    assert plan_now() == (later, "cancelled")
    line = follow_ups.line_of(row.follow_ups.get(), day=NOW.date())
    assert line.number_lost
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    assert "复诊提醒" in client.get(reverse("appointments:patient_home")).content.decode()

    appointment_row(another_day(first, later + timedelta(days=60)), patient)  # another matter
    again = appointment_row(
        another_day(first, later + timedelta(days=5)), patient, created_at=NOW + timedelta(minutes=1)
    )
    for each in Appointment.objects.filter(status="booked"):
        outbox.publish(topic="appointment.booked", key=f"appointment:{each.pk}", payload={}, now=NOW)
    facts()
    assert CarePlan.objects.get().appointment == again
    assert plan_now() == (later + timedelta(days=5), "booked")
    said = [event.detail.get("why") for event in row.events.filter(kind="noted")]
    assert said == ["plan_moved", "plan_cancelled", "plan_booked"]
    told = client.get(reverse("referrals:my_referral", args=[row.pk])).content.decode()
    assert "还没有约号" not in told


def test_whoever_takes_the_plan_back_says_what_becomes_of_its_number(client):
    """R3, R4: a withdrawn plan leaves no number behind unseen."""
    first = clinic()
    row = sent_down(number=down.Number(first, first.starts_at), deciding=NOW)
    client.force_login(row.by, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("referrals:referral_act", args=[row.pk, "withdraw"])
    silent = client.post(url, {"text": "改转康复医院"})
    assert (silent.status_code, "已约的号怎么办" in silent.content.decode()) == (422, True)
    client.post(url, {"text": "改转康复医院", "number": "give_back"})
    row.refresh_from_db()
    assert (row.status, Appointment.objects.get().status) == ("withdrawn", "cancelled")
    facts()
    assert plan_now() == (DAY, "cancelled")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("", False), ("无", False), ("无。", False), ("否认药物、食物过敏史", False), ("患者否认有药物过敏史", False),
        ("无已知药物过敏", False), ("NKDA", False), ("青霉素", True), ("否认过敏史，但磺胺皮疹", True), ("不详", True),
        ("无青霉素过敏", True),
    ],
)  # fmt: skip
def test_only_a_plain_denial_is_no_alarm(said, named):
    assert names_one(said) is named
