"""PostgreSQL itself lets an appointment take only the moves of MOVES, and keeps what happened (X2)."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import DatabaseError, transaction

from appointments.models import Appointment
from hospital.models import AuditEvent, Delivery, Fact
from tests.factories import NOW, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db

Status = Appointment.Status


def put(row, status) -> None:
    """Write a status past every service."""
    Appointment.objects.filter(pk=row.pk).update(
        status=status, cancelled_at=NOW if status == Status.CANCELLED else None, confirmed_at=NOW
    )


def in_status(status):
    cancelled = NOW if status == Status.CANCELLED else None
    return appointment_row(open_schedule(numbers=1), PatientFactory(), status=status, cancelled_at=cancelled)


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old, news in Appointment.MOVES.items() for new in sorted(news)]
)
def test_an_allowed_move_passes(old, new):
    row = in_status(old)

    put(row, new)

    assert Appointment.objects.get().status == new


@pytest.mark.parametrize(
    ("old", "new"),
    [(old, new) for old, new in product(Status, Status) if old != new and new not in Appointment.MOVES[old]],
)
def test_any_other_move_is_refused_by_postgresql(old, new):
    row = in_status(old)

    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        put(row, new)
    assert Appointment.objects.get().status == old


@pytest.mark.parametrize("status", Status)
def test_staying_is_no_move(status):
    put(in_status(status), status)


def test_every_state_has_its_moves_written_down():
    assert set(Appointment.MOVES) == set(Status)


def refused(act, *, words):
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        act()


def test_an_appointment_is_never_deleted():
    in_status(Status.CANCELLED)

    refused(Appointment.objects.all().delete, words="Cannot delete")
    assert Appointment.objects.count() == 1


def test_a_fact_is_never_changed_or_deleted_only_marked_as_fanned_out():
    fact = Fact.objects.create(topic="t", key="k", payload={"appointment": 1}, happened_at=NOW)
    changes = {
        "topic": "u",
        "key": "l",
        "payload": {},
        "happened_at": NOW + timedelta(days=1),
        "request_key": "r",
        "account": 1,
        "body": "b",
    }

    for name, value in changes.items():
        refused(lambda name=name, value=value: Fact.objects.update(**{name: value}), words="Cannot update")
    refused(Fact.objects.all().delete, words="Cannot delete")
    Fact.objects.update(fanned_out=True)

    assert Fact.objects.values("topic", "fanned_out").get(pk=fact.pk) == {"topic": "t", "fanned_out": True}
    assert not Delivery.objects.exists()


def test_the_trail_is_never_changed_or_deleted():
    AuditEvent.objects.create(at=NOW, action="patient.viewed")

    refused(lambda: AuditEvent.objects.update(action="nothing"), words="Cannot update or delete")
    refused(AuditEvent.objects.all().delete, words="Cannot update or delete")
    assert AuditEvent.objects.get().action == "patient.viewed"
