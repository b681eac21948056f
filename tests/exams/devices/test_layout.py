"""From weekly hours to sessions: holidays, midnight, reserves, and hours that change afterwards (E1, E10)."""

from datetime import date, time, timedelta

import pytest
from django.db import transaction

from appointments.models import Pool
from exams.models import DeviceHours, DeviceReserve, DeviceSession
from exams.services import devices
from hospital import clock
from hospital.models import CalendarDay
from tests.factories import NOW, TODAY, DeviceFactory, ExamRequestFactory, exam_booking_row, exam_variant

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)  # a Tuesday


def hours(device, *, weekday=2, starts=time(8), ends=time(12), since=TODAY - timedelta(days=30)):
    return DeviceHours.objects.create(device=device, weekday=weekday, starts=starts, ends=ends, effective_from=since)


def lay(device, first=TODAY, last=TODAY + timedelta(days=6), now=NOW):
    return devices.lay_out(organization=device.organization, first_day=first, last_day=last, now=now)


def fit(device, now=NOW, **more):
    with transaction.atomic():
        return devices.fit(device=device, now=now, **more)


def spans(device):
    rows = DeviceSession.objects.filter(device=device, closed=False).order_by("during")
    return [(row.day, *(clock_of(moment) for moment in (row.during.lower, row.during.upper))) for row in rows]


def clock_of(moment):
    return moment.astimezone(clock.ZONE).strftime("%H:%M")


def test_sessions_follow_the_calendar_and_are_laid_once():
    """E1: a holiday has none, a make-up workday those of the weekday that it follows; again adds nothing."""
    device = DeviceFactory()
    hours(device, weekday=2)
    hours(device, weekday=3, starts=time(13), ends=time(17))
    saturday = TODAY + timedelta(days=5)
    for day, kind, follows in ((TOMORROW, "holiday", None), (saturday, "workday", 3)):
        CalendarDay.objects.create(organization=device.organization, day=day, kind=kind, follows=follows, name="调休")

    assert (lay(device), lay(device)) == (2, 0)
    assert spans(device) == [(TODAY + timedelta(days=2), "13:00", "17:00"), (saturday, "13:00", "17:00")]


def test_a_device_that_runs_to_midnight_goes_on_into_the_new_year():
    """E1: 23:59 is midnight, the night before and the night after touch and do not overlap; a day has its own year."""
    device = DeviceFactory()
    for weekday in (4, 5):  # Thursday 31 December, Friday 1 January
        hours(device, weekday=weekday, starts=time(0), ends=time(23, 59))
    lay(device, first=date(2026, 12, 31), last=date(2027, 1, 1))

    old, new = DeviceSession.objects.order_by("day")
    assert old.during.upper == new.during.lower == clock.at(date(2027, 1, 1), time(0))
    assert (old.day.year, new.day.year) == (2026, 2027)
    assert new.opens_at == clock.at(date(2026, 12, 4), time(0))  # 28 days, across the year


def test_a_reserve_becomes_a_window_that_everybody_may_book_from_its_moment_on():
    """E10: emergency time is the public's two hours before it begins, exact to the minute and without any job; two
    lower institutions have a pool each."""
    device = DeviceFactory()
    row, partner = hours(device), DeviceFactory().organization
    DeviceReserve.objects.create(hours=row, kind="emergency", starts=time(11), ends=time(12, 30), shared_minutes=120)
    DeviceReserve.objects.create(hours=row, kind="partner", partner=partner, starts=time(8), ends=time(9))
    lay(device)

    own, emergency = DeviceSession.objects.get().windows.order_by("during")
    assert (own.pool.kind, own.pool.partner, own.shared_from) == ("partner", partner, None)
    assert emergency.pool == Pool.objects.get(organization=device.organization, kind="emergency")
    assert emergency.during.upper == clock.at(TOMORROW, time(12))  # cut to the hours
    assert emergency.shared_from == clock.at(TOMORROW, time(9))


def test_changed_hours_move_empty_sessions_and_say_which_could_not():
    """E1: a session is shortened only around its bookings; what could not be done is told, the rest is done."""
    device, variant = DeviceFactory(), exam_variant()
    row = hours(device)
    lay(device, last=TODAY + timedelta(days=14))
    early, late = DeviceSession.objects.order_by("day")
    exam_booking_row(request=ExamRequestFactory(variant=variant), session=early)  # at 08:00
    DeviceHours.objects.filter(pk=row.pk).update(starts=time(9), ends=time(17))

    fitted = fit(device)

    assert [(one.session, one.booked) for one in fitted.left] == [(early.pk, 1)]
    assert spans(device)[:2] == [(TOMORROW, "08:00", "12:00"), (late.day, "09:00", "17:00")]
    DeviceHours.objects.filter(pk=row.pk).update(starts=time(7))
    assert fit(device).left == []
    assert spans(device)[0] == (TOMORROW, "07:00", "17:00")


def test_hours_that_ended_take_their_empty_sessions_along_and_come_back():
    """E1: what a cancelled booking names is kept, closed, and opened again when the hours are back. What the office
    closed by hand stays closed."""
    device, variant = DeviceFactory(), exam_variant()
    row = hours(device)
    fit(device)
    first, second, *rest = DeviceSession.objects.order_by("day")
    exam_booking_row(
        request=ExamRequestFactory(variant=variant), session=first, holds=False, status="cancelled", ended_at=NOW
    )
    DeviceHours.objects.filter(pk=row.pk).update(effective_to=TODAY)

    assert fit(device).removed == 2 + len(rest)
    assert list(DeviceSession.objects.values_list("pk", "closed")) == [(first.pk, True)]

    DeviceHours.objects.filter(pk=row.pk).update(effective_to=None)
    fit(device)
    assert not DeviceSession.objects.get(pk=first.pk).closed
    DeviceSession.objects.filter(pk=first.pk).update(closed=True)
    assert (fit(device).changed, DeviceSession.objects.get(pk=first.pk).closed) == (0, True)


def test_time_released_by_hand_is_not_taken_back_by_the_next_night():
    """E10."""
    device = DeviceFactory()
    DeviceReserve.objects.create(hours=hours(device), kind="inpatient", starts=time(8), ends=time(9))
    fit(device)
    session = DeviceSession.objects.order_by("day").first()
    session.windows.update(shared_from=NOW)

    assert [counts["changed"] for _house, counts in devices.lay_out_all(now=NOW)] == [0]
    assert session.windows.get().shared_from == NOW
