"""加号 and 停诊 (B10, B13)."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import Appointment, BookingRule, Pool, Schedule, ScheduleParticipant, Slot
from appointments.services import changes, extras
from hospital.models import Fact, PatientTime
from tests.booking.acts import take, take_and_confirm, utc
from tests.factories import NOW, TODAY, PatientFactory, ScheduleFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db

IN_A_WEEK = TODAY + timedelta(days=7)


def add(schedule, patient=None, *, by=None, reason="术后复查", key="e", now=NOW, **more):
    return extras.add_extra(
        schedule=schedule,
        patient=patient or PatientFactory(),
        by=by or UserFactory(),
        reason=reason,
        request_key=key,
        now=now,
        **more,
    )


def test_an_add_on_continues_the_numbers_is_booked_at_once_and_traced():
    schedule, doctor = open_schedule(numbers=4, day=IN_A_WEEK), UserFactory()

    first, second = add(schedule, by=doctor, key="1"), add(schedule, by=doctor, key="2")

    assert [first.slot.number, second.slot.number] == [5, 6]
    assert (first.status, first.extra, first.note, first.by) == ("booked", True, "术后复查", doctor)
    assert first.start == schedule.ends_at
    assert first.slot.pool.kind == Pool.Kind.EXTRA
    assert PatientTime.objects.filter(source_id=first.pk).exists()
    assert Fact.objects.get(key=f"appointment:{first.pk}").payload["extra"] is True


def test_an_add_on_to_a_clinic_without_numbers_is_its_first():
    schedule = ScheduleFactory(day=IN_A_WEEK)

    row = add(schedule)

    assert (row.slot.number, row.start) == (1, schedule.starts_at)


def test_add_ons_stop_at_the_limit_and_a_cancelled_one_makes_room_again():
    schedule = open_schedule(day=IN_A_WEEK)
    rows = [add(schedule, key=str(n)) for n in range(5)]

    with pytest.raises(errors.ExtraLimit) as refusal:
        add(schedule, key="6")
    assert "5个" in refusal.value.sentence
    changes.cancel(appointment=rows[0], by=None, channel="counter", now=NOW)
    assert add(schedule, key="7").slot.number == 16


def test_the_number_of_a_cancelled_add_on_is_closed_and_never_given_to_the_public():
    schedule = open_schedule(day=IN_A_WEEK, numbers=1)
    take_and_confirm(schedule)
    row = add(schedule)

    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)

    assert Slot.objects.get(pk=row.slot_id).status == "blocked"
    with pytest.raises(errors.SoldOut):
        take(schedule)


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_add_on_needs_a_reason(reason):
    with pytest.raises(errors.NeedsReason):
        add(open_schedule(day=IN_A_WEEK), reason=reason)


def test_the_horizon_is_a_month_and_the_offices_to_change():
    assert add(open_schedule(day=TODAY + timedelta(days=31)))
    further = open_schedule(day=TODAY + timedelta(days=32))

    with pytest.raises(errors.TooFarAhead):
        add(further)
    BookingRule.objects.update(extra_horizon_days=32)
    from appointments.selectors import rules

    rules.forget()
    assert add(further, key="f")


def test_the_horizon_counts_from_the_hospitals_day():
    """At 16:00 UTC it is tomorrow at the hospital."""
    schedule = open_schedule(day=TODAY + timedelta(days=32))

    with pytest.raises(errors.TooFarAhead):
        add(schedule, now=utc(TODAY, 15, 59, 59))
    assert add(schedule, now=utc(TODAY, 16, 0, 0))


def test_an_add_on_may_be_given_while_the_clinic_runs_and_not_when_it_is_over():
    schedule = open_schedule(day=TODAY)

    assert add(schedule, now=schedule.ends_at - timedelta(seconds=1))
    with pytest.raises(errors.PastNumber):
        add(schedule, key="late", now=schedule.ends_at)


def test_no_add_on_to_a_stopped_clinic():
    with pytest.raises(errors.Stopped):
        add(open_schedule(day=IN_A_WEEK, status="stopped"))


def test_no_add_on_to_a_clinic_that_was_laid_out_anew_meanwhile():
    """The page still shows the schedule that the office's new template replaced."""
    with pytest.raises(errors.NoSuchNumber):
        add(Schedule(pk=0))


def test_the_same_add_on_again_is_the_same_number_and_its_key_opens_nothing_else():
    schedule, patient, doctor = open_schedule(day=IN_A_WEEK), PatientFactory(), UserFactory()
    row = add(schedule, patient, by=doctor)

    assert add(schedule, patient, by=doctor).pk == row.pk
    with pytest.raises(errors.KeyReused):
        add(schedule, PatientFactory(), by=doctor)
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    with pytest.raises(errors.HoldLapsed):
        add(schedule, patient, by=doctor)
    assert Slot.objects.filter(pool__kind="extra").count() == 1


def test_a_refused_add_on_leaves_no_number_behind():
    """The patient is elsewhere at that minute."""
    schedule, patient = open_schedule(day=IN_A_WEEK, numbers=4), PatientFactory()
    afternoon = open_schedule(day=IN_A_WEEK, starts_at=schedule.ends_at, ends_at=schedule.ends_at + timedelta(hours=4))
    take_and_confirm(afternoon, patient)

    with pytest.raises(errors.TimeConflict):
        add(schedule, patient)
    assert schedule.slots.count() == 4


# Stop.


def test_a_stopped_clinic_gives_nothing_lets_holds_go_and_names_who_is_affected():
    schedule = open_schedule(numbers=4)
    booked, held = take_and_confirm(schedule), take(schedule)

    affected = extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    assert affected == [booked.pk]
    assert list(schedule.slots.order_by("number").values_list("status", flat=True)) == ["booked", *["blocked"] * 3]
    held.refresh_from_db()
    assert held.status == "cancelled"
    assert Fact.objects.get(topic="schedule.stopped").payload["affected"] == [booked.pk]
    with pytest.raises(errors.Stopped):
        take(schedule)
    with pytest.raises(errors.HoldLapsed):
        changes.confirm(appointment=held, by=None, now=NOW)


def test_stopping_twice_is_once():
    schedule = open_schedule()
    booked = take_and_confirm(schedule)

    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    assert extras.suspend(schedule=schedule, by=None, reason="别的", now=NOW) == [booked.pk]
    assert Fact.objects.filter(topic="schedule.stopped").count() == 1
    schedule.refresh_from_db()
    assert schedule.stop_reason == "会议"


def test_what_comes_back_to_a_stopped_clinic_stays_closed():
    schedule = open_schedule()
    booked = take_and_confirm(schedule)
    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    changes.cancel(appointment=booked, by=None, channel="web", now=NOW)

    assert set(schedule.slots.values_list("status", flat=True)) == {"blocked"}


def test_a_stop_frees_the_doctor_and_the_room():
    schedule = open_schedule()

    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    assert not ScheduleParticipant.objects.filter(schedule=schedule, active=True).exists()


def test_a_stop_takes_nothing_from_the_booked_patients():
    schedule = open_schedule()
    booked = take_and_confirm(schedule)

    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    assert Appointment.objects.get(pk=booked.pk).status == "booked"
    assert PatientTime.objects.filter(source_id=booked.pk).exists()
