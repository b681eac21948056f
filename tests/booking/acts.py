"""What the tests of booking do again and again."""

from datetime import UTC, datetime, timedelta

from appointments.services import booking, changes
from tests.factories import NOW, PatientFactory, UserFactory


def take(schedule, patient=None, *, channel="web", key=None, by=None, now=NOW, **more):
    return booking.book(
        schedule=schedule,
        patient=patient or PatientFactory(),
        channel=channel,
        by=by or UserFactory(),
        request_key=key,
        now=now,
        **more,
    )


def take_and_confirm(schedule, patient=None, *, by=None, now=NOW, **more):
    by = by or UserFactory()
    return changes.confirm(appointment=take(schedule, patient, by=by, now=now, **more), by=by, now=now)


def utc(day, hour, minute=0, second=0):
    """A moment as a server sees it."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


A_SECOND = timedelta(seconds=1)


def cancel(appointment, *, channel="web", by=None, key=None, now=NOW, **more):
    return changes.cancel(appointment=appointment, by=by, channel=channel, request_key=key, now=now, **more)
