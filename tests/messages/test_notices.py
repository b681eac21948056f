"""B13, V1: facts about appointments become messages; reminders go out on the eve."""

from datetime import UTC, datetime, timedelta

import pytest

from appointments.models import Appointment, BookingRule
from appointments.services import booking, changes, extras, notices
from hospital import clock, messages, outbox
from hospital.models import GatewayReceipt, Message
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 18:00 at the hospital
TOMORROW = TODAY + timedelta(days=1)


def worker(now=NOW):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass
    messages.send_waiting(now=now)


def book(schedule, *, confirm=True, **more):
    row = booking.book(
        schedule=schedule,
        patient=PatientFactory(),
        channel="consult",
        by=UserFactory(),
        request_key=None,
        now=NOW,
        **more,
    )
    return changes.confirm(appointment=row, by=None, now=NOW) if confirm else row


def told():
    return list(Message.objects.filter(channel="sms").order_by("id").values_list("template", flat=True))


def test_a_confirmed_booking_is_told_and_a_hold_is_not():
    schedule = open_schedule(numbers=2)
    book(schedule)
    book(schedule, confirm=False)
    worker()

    assert told() == ["appointment.booked"]
    assert GatewayReceipt.objects.count() == 1


def test_cancelling_and_moving_are_told_in_their_order():
    first, second = open_schedule(numbers=2), open_schedule(numbers=2, day=TODAY + timedelta(days=29))
    row = book(first)
    booking.reschedule(appointment=row, schedule=second, by=None, channel="consult", request_key=None, now=NOW)
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    worker()

    assert told() == ["appointment.booked", "appointment.moved", "appointment.cancelled"]
    moved = Message.objects.get(template="appointment.moved", channel="sms")
    assert "不再保留" in messages.wording_of(moved).body


def test_everybody_with_a_number_is_told_when_a_clinic_is_stopped():
    schedule = open_schedule(numbers=3)
    rows = [book(schedule) for _n in range(2)]
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)
    worker()

    stopped = Message.objects.filter(template="schedule.stopped", channel="sms")
    assert set(stopped.values_list("patient", flat=True)) == {row.patient_id for row in rows}


def tomorrow(*, status="booked", **fields):
    schedule = open_schedule(numbers=2, day=TOMORROW)
    return appointment_row(schedule, PatientFactory(), status=status, **fields)


def test_tomorrows_visits_are_reminded_of_at_the_rules_hour_once():
    tomorrow()
    appointment_row(open_schedule(numbers=1, day=TODAY + timedelta(days=2)), PatientFactory())

    assert notices.remind(now=EVENING - timedelta(seconds=1)) == 0
    assert notices.remind(now=EVENING) == 1
    assert notices.remind(now=EVENING + timedelta(minutes=1)) == 0
    assert told() == ["appointment.reminder"]


def test_the_hour_is_a_rule_of_the_hospital():
    BookingRule.objects.update(reminder_time="19:00")
    row = tomorrow()
    BookingRule.objects.filter(organization=row.schedule.organization).update(reminder_time="19:00")

    assert notices.remind(now=EVENING) == 0
    assert notices.remind(now=EVENING + timedelta(hours=1)) == 1


def test_nobody_is_reminded_of_a_held_or_cancelled_number():
    tomorrow(status="pending")
    tomorrow(status="cancelled", cancelled_at=NOW)

    assert notices.remind(now=EVENING) == 0


def test_who_books_after_the_hour_has_just_been_told_and_is_not_reminded():
    tomorrow(confirmed_at=EVENING + timedelta(minutes=5))

    assert notices.remind(now=EVENING + timedelta(minutes=10)) == 0


def test_a_reminder_owed_by_a_dead_worker_is_said_in_the_morning_not_in_the_night():
    row = tomorrow()

    assert notices.remind(now=clock.at(TOMORROW, notices.QUIET_UNTIL) - timedelta(seconds=1)) == 0
    assert notices.remind(now=clock.at(TOMORROW, notices.QUIET_UNTIL)) == 1
    assert row.start > clock.at(TOMORROW, notices.QUIET_UNTIL)


def test_a_reminder_whose_visit_was_cancelled_meanwhile_is_dropped():
    row = tomorrow()
    notices.remind(now=EVENING)
    changes.cancel(appointment=row, by=None, channel="counter", now=EVENING)
    messages.send_waiting(now=EVENING)

    assert set(Message.objects.filter(template="appointment.reminder").values_list("status", flat=True)) == {"dropped"}


def test_a_moved_visit_is_reminded_of_again_at_its_new_time_only():
    row = tomorrow()
    notices.remind(now=EVENING)
    other = open_schedule(numbers=1, day=TODAY + timedelta(days=3))
    booking.reschedule(appointment=row, schedule=other, by=None, channel="counter", request_key=None, now=EVENING)
    messages.send_waiting(now=EVENING)

    assert set(Message.objects.filter(template="appointment.reminder").values_list("status", flat=True)) == {"dropped"}
    assert notices.remind(now=EVENING + timedelta(days=2)) == 1
    assert Appointment.objects.get().day == TODAY + timedelta(days=3)
