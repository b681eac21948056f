"""Confirm, cancel, drop: what becomes of a number that was taken (B3, B14, X2)."""

from datetime import date, timedelta

import pytest

from appointments import errors
from appointments.models import Appointment, BookingRule, Slot
from appointments.services import booking, changes, supply
from hospital.models import Fact, PatientTime
from tests.booking.acts import A_SECOND, cancel, take, take_and_confirm, utc
from tests.factories import NOW, TODAY, PatientFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db

IN_A_WEEK = TODAY + timedelta(days=7)


def slot_of(appointment):
    return Slot.objects.get(pk=appointment.slot_id)


def test_confirming_a_hold_books_the_number_for_good():
    held = take(open_schedule())

    confirmed = changes.confirm(appointment=held, by=None, now=NOW + A_SECOND)

    assert (confirmed.status, confirmed.confirmed_at) == ("booked", NOW + A_SECOND)
    assert (slot_of(held).status, slot_of(held).hold_until) == ("booked", None)
    assert [fact.topic for fact in Fact.objects.order_by("id")] == ["appointment.held", "appointment.booked"]


def test_a_hold_is_confirmed_until_its_last_moment_and_not_at_it():
    first, second = take(open_schedule()), take(open_schedule())
    ends = NOW + timedelta(minutes=15)

    assert changes.confirm(appointment=first, by=None, now=ends - timedelta(microseconds=1)).status == "booked"
    with pytest.raises(errors.HoldLapsed):
        changes.confirm(appointment=second, by=None, now=ends)


def test_confirming_twice_is_once():
    held = take(open_schedule())

    first = changes.confirm(appointment=held, by=None, now=NOW)
    again = changes.confirm(appointment=held, by=None, now=NOW + timedelta(hours=1))

    assert again.confirmed_at == first.confirmed_at == NOW
    assert Fact.objects.filter(topic="appointment.booked").count() == 1


def test_what_was_dropped_cannot_be_confirmed():
    held = take(open_schedule())
    changes.drop(appointment=held, by=None, now=NOW)

    with pytest.raises(errors.HoldLapsed):
        changes.confirm(appointment=held, by=None, now=NOW)


# Cut-off: 15:00 at the hospital on the day before, which is 07:00 UTC.


@pytest.mark.parametrize("day", [IN_A_WEEK, date(2026, 12, 1), date(2027, 1, 1), date(2027, 3, 1)], ids=str)
def test_a_patient_cancels_until_15_00_of_the_day_before_in_the_hospitals_zone(day):
    """B14. Also over the end of a month and of a year."""
    schedule = open_schedule(day=day)
    early, late = take_and_confirm(schedule), take_and_confirm(schedule)
    day_before = day - timedelta(days=1)

    assert cancel(early, now=utc(day_before, 6, 59, 59)).status == "cancelled"
    with pytest.raises(errors.TooLateToCancel) as refusal:
        cancel(late, now=utc(day_before, 7, 0, 1))
    assert f"{day_before.month}月{day_before.day}日 15:00" in refusal.value.sentence
    assert Appointment.objects.get(pk=late.pk).status == "booked"


def test_the_hospitals_midnight_does_not_move_the_cut_off():
    """At 16:00 UTC it is the next day at the hospital: a cut-off computed on the UTC date would be a day late."""
    schedule = open_schedule(day=TODAY + timedelta(days=2))
    row, other = take_and_confirm(schedule), take_and_confirm(schedule)

    assert cancel(row, now=utc(TODAY, 15, 59, 59)).status == "cancelled"
    assert cancel(other, now=utc(TODAY, 16, 0, 0)).status == "cancelled"
    with pytest.raises(errors.TooLateToCancel):
        cancel(take_and_confirm(open_schedule(day=TODAY + timedelta(days=1))), now=utc(TODAY, 16, 0, 0))


@pytest.mark.parametrize("channel", ["counter", "consult", "ward"])
def test_after_the_cut_off_the_staff_still_cancel_and_it_is_marked_late(channel):
    row = take_and_confirm(open_schedule(day=TODAY + timedelta(days=1)))

    cancel(row, channel=channel, now=utc(TODAY, 9))

    assert Fact.objects.get(topic="appointment.cancelled").payload["late"] is True


def test_what_the_hospital_stopped_is_given_back_after_the_cut_off_too_and_never_late():
    """B13: the patient did not break the appointment."""
    schedule = open_schedule(day=TODAY + timedelta(days=1))
    row = take_and_confirm(schedule)
    schedule.status = "stopped"
    schedule.save()

    assert cancel(row, now=utc(TODAY, 9)).status == "cancelled"
    assert Fact.objects.get(topic="appointment.cancelled").payload["late"] is False


def test_the_cut_off_is_a_rule_of_the_office():
    schedule = open_schedule(day=TODAY + timedelta(days=1))
    BookingRule.objects.update(cancel_days=0, cancel_time="07:00")

    assert cancel(take_and_confirm(schedule), now=utc(TODAY, 22, 59)).status == "cancelled"
    with pytest.raises(errors.TooLateToCancel):
        cancel(take_and_confirm(schedule, now=utc(TODAY, 22)), now=utc(TODAY, 23, 1))


def test_a_hold_may_always_be_let_go():
    schedule = open_schedule(day=TODAY + timedelta(days=1))
    now = utc(TODAY, 9)

    assert cancel(take(schedule, now=now), now=now).status == "cancelled"


def test_a_patient_who_has_checked_in_cannot_be_cancelled():
    row = take_and_confirm(open_schedule(day=TODAY))
    Appointment.objects.update(status="arrived")

    with pytest.raises(errors.WrongState):
        cancel(row, channel="counter")


def test_cancelling_gives_the_number_and_the_patients_time_back():
    schedule, patient = open_schedule(), PatientFactory()
    row = take_and_confirm(schedule, patient)

    cancelled = cancel(row, reason="要出差")

    assert (cancelled.status, cancelled.cancelled_at, cancelled.note) == ("cancelled", NOW, "要出差")
    assert slot_of(row).status == "free"
    assert not PatientTime.objects.exists()
    assert take(schedule, patient).slot_id == row.slot_id


def test_cancelling_twice_is_once_and_keeps_the_first_reason():
    row = take_and_confirm(open_schedule())

    cancel(row, reason="要出差")
    again = cancel(row, reason="别的", now=NOW + timedelta(hours=1))

    assert (again.cancelled_at, again.note) == (NOW, "要出差")
    assert Fact.objects.filter(topic="appointment.cancelled").count() == 1


def test_a_second_cancel_does_not_free_the_number_of_who_has_it_now():
    schedule = open_schedule(numbers=1, day=TODAY + timedelta(days=1))
    row = take_and_confirm(schedule)
    cancel(row, channel="counter")
    now_mine = take_and_confirm(schedule)

    cancel(row, channel="counter")
    changes.drop(appointment=row, by=None, now=NOW)

    assert slot_of(now_mine).status == "booked"
    assert Appointment.objects.get(pk=now_mine.pk).status == "booked"


# B14: a returned number of a sold-out clinic rests.


@pytest.mark.parametrize("luck", [0, 0.5, 1], ids=["shortest", "middle", "longest"])
def test_a_number_of_a_sold_out_clinic_rests_60_to_120_minutes(monkeypatch, luck):
    monkeypatch.setattr(booking.random, "uniform", lambda low, high: low + luck * (high - low))
    schedule = open_schedule(numbers=1)
    row = take_and_confirm(schedule)

    cancel(row)

    reopens = NOW + timedelta(minutes=60 + luck * 60)
    assert (slot_of(row).status, slot_of(row).hold_until) == ("resting", reopens)
    with pytest.raises(errors.SoldOut):
        take(schedule, now=reopens - A_SECOND)
    assert take(schedule, now=reopens).slot_id == row.slot_id


def test_the_moment_cannot_be_guessed():
    moments = set()
    for _n in range(12):
        row = take_and_confirm(open_schedule(numbers=1))
        cancel(row)
        moments.add(slot_of(row).hold_until)

    assert len(moments) == 12
    assert NOW + timedelta(minutes=60) <= min(moments)
    assert max(moments) <= NOW + timedelta(minutes=120)


def test_a_number_is_free_at_once_while_its_pool_has_others():
    row = take_and_confirm(open_schedule(numbers=2))

    cancel(row)

    assert slot_of(row).status == "free"


def test_free_numbers_that_the_public_may_not_take_do_not_keep_a_public_number_from_resting():
    """Sold out for those who would take it: what the consult room has left is none of theirs, until it is shared."""
    schedule, shared = open_schedule(numbers=1), open_schedule(numbers=1)
    add_numbers(schedule, count=3, pool="consult", shared=NOW + A_SECOND)
    add_numbers(shared, count=3, pool="consult", shared=NOW)
    kept_from_them, open_to_them = take_and_confirm(schedule), take_and_confirm(shared)

    cancel(kept_from_them)
    cancel(open_to_them)

    assert slot_of(kept_from_them).status == "resting"
    assert slot_of(open_to_them).status == "free"


def test_a_number_is_free_at_once_when_little_time_is_left():
    tomorrow = open_schedule(numbers=1, day=TODAY + timedelta(days=1))  # 08:00, in 22 hours
    row = take_and_confirm(tomorrow)

    cancel(row)

    assert slot_of(row).status == "free"


def test_exactly_a_day_before_is_little_time():
    schedule = open_schedule(numbers=1, day=TODAY + timedelta(days=2))
    row = take_and_confirm(schedule)

    cancel(row, channel="counter", now=schedule.starts_at - timedelta(hours=24))

    assert slot_of(row).status == "free"


@pytest.mark.parametrize(
    "let_go",
    [
        lambda row, now: cancel(row, now=now),
        lambda row, now: changes.drop(appointment=row, by=None, now=now),
        lambda row, now: supply.lapse_holds(now=now + timedelta(minutes=15)),
    ],
    ids=["cancelled", "dropped", "lapsed"],
)
def test_a_number_that_self_service_held_rests_as_a_cancelled_one_does(let_go):
    """B14: else hold and give up is the way round the rest."""
    sold_out, with_others = open_schedule(numbers=1), open_schedule(numbers=2)
    rests, free = take(sold_out), take(with_others)

    let_go(rests, NOW)
    let_go(free, NOW)

    assert (slot_of(rests).status, slot_of(free).status) == ("resting", "free")
    until = slot_of(rests).hold_until
    assert NOW + timedelta(minutes=60) <= until <= NOW + timedelta(minutes=135)
    with pytest.raises(errors.SoldOut):
        take(sold_out, now=until - A_SECOND)
    assert take(sold_out, now=until).slot_id == rests.slot_id


def test_who_waits_for_a_hold_to_lapse_finds_its_number_at_rest():
    """B14: the moment that a hold ends is known; taking it over then would hand it on. For its holder, too."""
    schedule, others = open_schedule(numbers=1), open_schedule(numbers=2)
    mine, patient = take(schedule), PatientFactory()
    first, second = take(others, patient), take(others, channel="consult", number=2)
    later = NOW + timedelta(minutes=15)

    for who in (PatientFactory(), mine.patient):
        with pytest.raises(errors.SoldOut):
            take(schedule, who, now=later)
    assert (slot_of(mine).status, Appointment.objects.get(pk=mine.pk).note) == ("resting", "lapsed")
    assert take(others, now=later).slot_id == second.slot_id  # the consult room's goes on; the one that rests is passed
    assert slot_of(first).status == "resting"


def test_a_lapsed_hold_rests_as_long_as_the_rule_of_its_doctor_says():
    schedule = open_schedule(numbers=1)
    of_the_doctor = {"organization": BookingRule.objects.get().organization, "role": schedule.role}
    BookingRule.objects.create(effective_from=TODAY, rest_minutes_min=7, rest_minutes_max=7, **of_the_doctor)
    BookingRule.objects.create(effective_from=TODAY + timedelta(days=1), **of_the_doctor)  # not yet
    row, later = take(schedule), NOW + timedelta(minutes=16)

    supply.lapse_holds(now=later)

    assert slot_of(row).hold_until == later + timedelta(minutes=7)


def test_a_hold_of_the_consult_room_that_is_dropped_is_free_at_once():
    """It was made in front of the doctor, and the next patient is waiting."""
    row = take(open_schedule(numbers=1), channel="consult")

    dropped = changes.drop(appointment=row, by=None, now=NOW)

    assert (dropped.status, slot_of(row).status) == ("cancelled", "free")
    assert not PatientTime.objects.exists()


def test_dropping_twice_is_once_and_a_booked_number_is_not_dropped():
    held, booked = take(open_schedule()), take_and_confirm(open_schedule())
    changes.drop(appointment=held, by=None, now=NOW)

    changes.drop(appointment=held, by=None, now=NOW)
    with pytest.raises(errors.WrongState):
        changes.drop(appointment=booked, by=None, now=NOW)

    assert Fact.objects.filter(topic="appointment.dropped").count() == 1
