"""Taking a number: who gets it, who is refused and why (B1, B3, B16, P1, X2)."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import Allotment, Appointment, PatientSuspension, Slot
from appointments.services import booking, changes
from hospital.models import Fact, HealthcareService, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    PatientFactory,
    PoolFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


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


def test_the_lowest_free_number_is_held_with_the_patients_time_and_a_fact():
    """B3: each number has its own minute."""
    schedule, patient = open_schedule(numbers=4), PatientFactory()

    held = take(schedule, patient)

    assert (held.slot.number, held.start, held.status) == (1, schedule.starts_at, "pending")
    assert held.slot.hold_until == NOW + timedelta(minutes=15)
    assert held.fee == 20
    during = PatientTime.objects.get(patient=patient).during
    assert (during.lower, during.upper) == (held.start, held.start + timedelta(minutes=held.slot.minutes))
    assert Fact.objects.get().key == f"appointment:{held.pk}"


@pytest.mark.parametrize(("channel", "minutes"), [("web", 15), ("consult", 3), ("counter", 5)])
def test_a_hold_lasts_as_its_channels_rule_says(channel, minutes):
    schedule = open_schedule(numbers=2)

    assert take(schedule, channel=channel).slot.hold_until == NOW + timedelta(minutes=minutes)


def test_a_named_number_is_given_and_a_taken_one_is_sold_out():
    schedule = open_schedule(numbers=4)
    take(schedule, number=3)

    with pytest.raises(errors.SoldOut):
        take(schedule, number=3)


def test_a_slice_gives_the_lowest_free_number_that_starts_in_it():
    schedule = open_schedule(numbers=8)  # 30 minutes each from 08:00

    booked = take(schedule, start=schedule.starts_at + timedelta(minutes=60))

    assert booked.slot.number == 3


def test_nothing_is_sold_before_its_pool_opens_and_it_is_at_that_very_second():
    """P6: release to the second."""
    opens = NOW + timedelta(hours=1)
    schedule = open_schedule(numbers=2, opened=opens)

    with pytest.raises(errors.NotOpen):
        take(schedule, now=opens - timedelta(microseconds=1))
    assert take(schedule, now=opens).slot.number == 1


def test_a_pool_that_the_channel_may_not_take_is_closed_until_it_is_shared():
    """P1, P4: consult-room numbers are public from their recall on, without any job."""
    shared = NOW + timedelta(days=2)
    schedule = open_schedule(numbers=2, pool="consult", shared=shared)
    PoolFactory(kind="public")

    with pytest.raises(errors.NotOpen):
        take(schedule, channel="web", now=shared - timedelta(seconds=1))
    assert take(schedule, channel="web", now=shared).slot.number == 1
    assert take(schedule, channel="consult").slot.number == 2


def test_a_stopped_schedule_and_a_deactivated_doctor_are_refused():
    stopped, retired = open_schedule(status="stopped"), open_schedule()
    retired.role.practitioner.active = False
    retired.role.practitioner.save()

    with pytest.raises(errors.Stopped):
        take(stopped)
    with pytest.raises(errors.Inactive):
        take(retired)


def test_a_number_whose_minute_has_passed_goes_only_to_the_counter():
    schedule = open_schedule(numbers=8, day=TODAY)  # 08:00–12:00, it is 10:00

    with pytest.raises(errors.PastNumber):
        take(schedule, number=2)
    assert take(schedule, number=2, channel="counter").slot.number == 2


def test_one_person_one_department_one_day_is_one_self_service_booking():
    """B16."""
    schedule, patient = open_schedule(), PatientFactory()
    take(schedule, patient)

    with pytest.raises(errors.AlreadyBooked):
        take(schedule, patient)
    assert Slot.objects.filter(status="free").count() == 9


def test_a_self_service_booking_is_refused_beside_a_visit_that_the_doctor_booked():
    schedule, patient = open_schedule(), PatientFactory()
    take(schedule, patient, channel="consult")

    with pytest.raises(errors.AlreadyBooked):
        take(schedule, patient, channel="web")


def test_the_doctor_may_book_a_second_visit_on_the_same_day():
    schedule, patient = open_schedule(), PatientFactory()
    take(schedule, patient)

    assert take(schedule, patient, channel="consult").slot.number == 2


@pytest.mark.parametrize(
    ("days", "refused_on"),
    [
        ((0, 0), 0),  # two a day
        ((0, 3, 6), 5),  # three in any seven days
        ((0, 20, 40, 60, 80), 85),  # five in any ninety
    ],
)
def test_limits_hold_by_visit_day(days, refused_on):
    patient = PatientFactory()
    for day in days:
        take(open_schedule(day=TODAY + timedelta(days=7 + day)), patient)

    with pytest.raises(errors.LimitReached):
        take(open_schedule(day=TODAY + timedelta(days=7 + refused_on)), patient)


def test_the_doctor_is_neither_limited_nor_counted():
    patient = PatientFactory()
    for week in range(6):
        take(open_schedule(day=TODAY + timedelta(days=week + 1)), patient, channel="consult")

    assert take(open_schedule(day=TODAY + timedelta(days=8)), patient, channel="web")


def test_an_exempt_service_is_not_limited():
    patient = PatientFactory()
    HealthcareService.objects.update(limits_exempt=True)
    for day in range(6):
        schedule = open_schedule(day=TODAY + timedelta(days=day + 1))
        HealthcareService.objects.update(limits_exempt=True)
        schedule.service.refresh_from_db()
        take(schedule, patient)

    assert Appointment.objects.filter(counts=True).count() == 0


def test_a_suspended_patient_is_refused_on_the_web_and_served_in_the_consult_room():
    """B15."""
    schedule, patient = open_schedule(), PatientFactory()
    PatientSuspension.objects.create(
        patient=patient, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=89), reason="爽约"
    )

    with pytest.raises(errors.PatientSuspended) as refusal:
        take(schedule, patient)
    assert "2月20日" in refusal.value.sentence
    assert take(schedule, patient, channel="consult")


def test_a_patient_is_never_in_two_places_and_the_lowest_number_that_fits_is_given():
    patient = PatientFactory()
    first, second = open_schedule(numbers=4), open_schedule(numbers=4)
    take(first, patient, number=1)

    assert take(second, patient).slot.number == 2
    with pytest.raises(errors.TimeConflict):
        take(second, patient, channel="consult", number=1)


def test_an_expired_hold_is_taken_over_and_its_holder_hears_that_it_lapsed():
    schedule, early = open_schedule(numbers=1, day=TODAY + timedelta(days=1)), PatientFactory()  # too near to rest
    user = UserFactory()
    held = take(schedule, early, key="k", by=user)
    later = NOW + timedelta(minutes=15)

    taken = take(schedule, now=later)

    assert taken.slot_id == held.slot_id
    held.refresh_from_db()
    assert held.status == "cancelled"
    assert not PatientTime.objects.filter(patient=early).exists()
    with pytest.raises(errors.HoldLapsed):
        take(schedule, early, key="k", by=user, now=later)
    with pytest.raises(errors.HoldLapsed):
        changes.confirm(appointment=held, by=user, now=later)


def test_a_hold_is_nobody_elses_one_second_before_it_passes():
    schedule = open_schedule(numbers=1)
    take(schedule)

    with pytest.raises(errors.SoldOut):
        take(schedule, now=NOW + timedelta(minutes=15, seconds=-1))


def test_the_same_request_is_the_same_booking_and_its_key_opens_nothing_else():
    schedule, patient, user = open_schedule(numbers=2), PatientFactory(), UserFactory()

    first = take(schedule, patient, key="k", by=user)

    assert take(schedule, patient, key="k", by=user).pk == first.pk
    with pytest.raises(errors.KeyReused):
        take(schedule, PatientFactory(), key="k", by=user)
    assert Appointment.objects.count() == 1


def test_a_repeated_request_is_answered_even_when_all_is_sold_out():
    schedule, patient, user = open_schedule(numbers=1), PatientFactory(), UserFactory()

    first = take(schedule, patient, key="k", by=user)

    assert take(schedule, patient, key="k", by=user).pk == first.pk


def test_a_resting_number_reopens_at_its_moment():
    """B14."""
    schedule = open_schedule(numbers=1)
    Slot.objects.update(status="resting", hold_until=NOW + timedelta(minutes=70))

    with pytest.raises(errors.SoldOut):
        take(schedule, now=NOW + timedelta(minutes=69))
    assert take(schedule, now=NOW + timedelta(minutes=70))


def test_the_consult_room_books_only_the_levels_of_the_dated_setting():
    """B4."""
    from appointments.models import ConsultLevelRule

    schedule = open_schedule()
    ConsultLevelRule.objects.create(organization=schedule.organization, effective_from=TODAY, levels=["chief"])

    with pytest.raises(errors.LevelNotAllowed) as refusal:
        take(schedule, channel="consult")
    assert "主任医师" in refusal.value.sentence
    assert take(schedule, channel="web")


def test_a_booking_is_one_database_round_trip(django_assert_num_queries):
    """booking.md: the function, and nothing beside it once the rules are known."""
    schedule, patient, user = open_schedule(), PatientFactory(), UserFactory()
    take(schedule)

    with django_assert_num_queries(1):
        booking.give_number(schedule=schedule, patient_id=patient.pk, channel="web", by=user, request_key="k", now=NOW)


def test_a_partner_takes_from_its_own_pool_only():
    """P5."""
    from tests.factories import OrganizationFactory

    branch, other = OrganizationFactory(code="B1", name="东街社区"), OrganizationFactory(code="B2", name="西街社区")
    schedule = open_schedule(numbers=0)
    pool = PoolFactory(organization=schedule.organization, kind="partner", partner=branch)
    add_numbers(schedule, count=2, pool=pool)

    from appointments.selectors import rules

    mine = rules.pools_for("partner", organization_id=schedule.organization_id, day=TODAY, partner_id=branch.pk)
    theirs = rules.pools_for("partner", organization_id=schedule.organization_id, day=TODAY, partner_id=other.pk)
    assert pool.pk in mine.ids
    assert pool.pk not in theirs.ids


def test_a_finished_visits_number_is_never_sold_again():
    schedule = open_schedule(numbers=1)
    appointment_row(schedule, PatientFactory(), status="fulfilled")

    with pytest.raises(errors.SoldOut):
        take(schedule)
    assert Allotment.objects.count() == 1
