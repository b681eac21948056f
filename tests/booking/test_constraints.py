"""What must never be false is refused by the database, by name: each bad row is inserted once (X2)."""

from datetime import date, time, timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from appointments.models import (
    Allotment,
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    PatientSuspension,
    Pool,
    Slot,
    SupplyRule,
    SupplyShare,
    TeamReferral,
)
from hospital.models import Fact, PatientTime
from tests.booking.office_rows import OFFICE_ROWS
from tests.factories import (
    NOW,
    EncounterFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    TeamFactory,
    TemplateFactory,
    appointment_row,
    open_schedule,
)
from tests.waitlist.rows import WAITLIST_ROWS

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
BACKWARDS = {"effective_from": date(2026, 2, 1), "effective_to": date(2026, 1, 31)}


def house():
    return OrganizationFactory()


def twice(make, **fields):
    make(**fields)
    make(**fields)


def visit(schedule=None, patient=None, **fields):
    return appointment_row(schedule or open_schedule(), patient or PatientFactory(), **fields)


def one_number_twice():
    schedule = open_schedule(numbers=1)
    visit(schedule, status="fulfilled")
    visit(schedule, status="pending")


def one_department_and_day_twice():
    schedule, patient = open_schedule(numbers=2), PatientFactory()
    visit(schedule, patient, number=1)
    visit(schedule, patient, number=2)


def referral(**fields):
    encounter = fields.pop("encounter", None) or EncounterFactory(appointment=visit(status="arrived"))
    times = {"created_at": NOW, "valid_until": NOW + HOUR}
    TeamReferral.objects.create(
        **{
            "team": TeamFactory(),
            "patient": encounter.patient,
            "encounter": encounter,
            "by": RoleFactory().practitioner,
            "reason": "复杂",
            **times,
            **fields,
        }
    )


def in_the_room(**fields):
    inside = {"status": "in_room", "started_at": NOW, "room": RoomFactory()}
    EncounterFactory(appointment=visit(status="arrived"), **{**inside, **fields})


def two_in_a_room():
    twice(in_the_room, room=RoomFactory())


def two_with_a_doctor():
    twice(in_the_room, practitioner=RoleFactory().practitioner)


def a_doctor_twice():
    twice(ScheduleFactory, role=RoleFactory())


def a_room_twice():
    twice(ScheduleFactory, room=RoomFactory())


def number(**fields):
    Slot.objects.create(
        **{
            "schedule": ScheduleFactory(),
            "number": 1,
            "start": NOW,
            "minutes": 10,
            "pool": PoolFactory(),
            **fields,
        }
    )


def allotment(schedule):
    Allotment.objects.create(
        schedule=schedule, pool=PoolFactory(), department=schedule.department, day=schedule.day, opens_at=NOW
    )


def share(rule, **fields):
    terms = {"kind": "public", "percent": 10, "opens_days": 7, "opens_time": time(7), **fields}
    SupplyShare.objects.create(rule=rule, **terms)


def supply_rule(**fields):
    return SupplyRule.objects.create(**{"organization": house(), "effective_from": date(2026, 1, 1), **fields})


def booking_rule(**fields):
    BookingRule.objects.create(**{"organization": house(), "effective_from": date(2026, 1, 1), **fields})


def at(patient, minute, source_id):
    start = NOW + timedelta(minutes=minute)
    PatientTime.objects.create(
        patient=patient, during=(start, start + timedelta(minutes=10)), source="exam", source_id=source_id
    )


def in_two_places():
    patient = PatientFactory()
    at(patient, 0, 1)
    at(patient, 9, 2)


def one_source_twice():
    at(PatientFactory(), 0, 1)
    at(PatientFactory(), 20, 1)


def key_twice():
    for topic in ("one", "two"):
        Fact.objects.create(topic=topic, key="k", account=7, request_key="r", happened_at=NOW)


BAD_ROWS = {
    "template_sensible_count": lambda: TemplateFactory(numbers=0),
    "template_weekday": lambda: TemplateFactory(weekday=8),
    "template_one_actor": lambda: TemplateFactory(team=TeamFactory()),
    "template_hours_in_order": lambda: TemplateFactory(starts=time(9), ends=time(9)),
    "template_dates_in_order": lambda: TemplateFactory(**BACKWARDS),
    "template_once": lambda: twice(TemplateFactory, role=RoleFactory(), room=RoomFactory()),
    "schedule_hours_in_order": lambda: ScheduleFactory(ends_at=NOW, starts_at=NOW),
    "schedule_one_actor": lambda: ScheduleFactory(team=TeamFactory()),
    "schedule_once_per_template_and_day": lambda: twice(ScheduleFactory, template=TemplateFactory()),
    "a_doctor_is_in_one_place": a_doctor_twice,
    "a_room_has_one_clinic": a_room_twice,
    "pool_once_per_kind_and_partner": lambda: twice(Pool.objects.create, organization=house(), kind="public", name="a"),
    "pool_only_partner_pools_have_a_partner": lambda: Pool.objects.create(
        organization=house(), kind="public", partner=house(), name="a"
    ),
    "slot_one_number": lambda: twice(number, schedule=ScheduleFactory()),
    "slot_sensible_minutes": lambda: number(minutes=0),
    "slot_hold_has_a_clock": lambda: number(status="held"),
    "slot_hold_has_a_clock ": lambda: number(status="resting"),
    "slot_hold_has_a_clock  ": lambda: number(status="free", hold_until=NOW),
    "allotment_once": lambda: twice(allotment, schedule=ScheduleFactory()),
    "supplyrule_dates_in_order": lambda: supply_rule(**BACKWARDS),
    "supplyshare_once": lambda: twice(share, rule=supply_rule()),
    "supplyshare_percent": lambda: share(supply_rule(), percent=101),
    "supplyshare_one_way_to_share": lambda: share(supply_rule(), shared_days=2),
    "supplyshare_one_way_to_share ": lambda: share(
        supply_rule(), shared_days=2, shared_time=time(22), shared_at_start=True
    ),
    "bookingrule_dates_in_order": lambda: booking_rule(**BACKWARDS),
    "bookingrule_segment": lambda: booking_rule(segment_minutes=31),
    "bookingrule_signed_priority": lambda: booking_rule(signed_priority=2),
    "bookingrule_rest_in_order": lambda: booking_rule(rest_minutes_min=90, rest_minutes_max=60),
    "consultlevelrule_dates_in_order": lambda: ConsultLevelRule.objects.create(
        organization=house(), levels=["general"], **BACKWARDS
    ),
    "channelrule_dates_in_order": lambda: ChannelRule.objects.create(
        organization=house(), channel="web", kinds=["public"], **BACKWARDS
    ),
    "appointment_one_live_per_slot": one_number_twice,
    "appointment_one_self_service_per_day_and_department": one_department_and_day_twice,
    "appointment_fee_not_negative": lambda: visit(fee=-1),
    "appointment_confirmed_has_a_time": lambda: visit(confirmed_at=None),
    "appointment_cancelled_has_a_time": lambda: visit(status="cancelled"),
    "appointment_cancelled_has_a_time ": lambda: visit(cancelled_at=NOW),
    "teamreferral_has_a_reason": lambda: referral(reason=""),
    "teamreferral_in_order": lambda: referral(valid_until=NOW),
    "teamreferral_once_per_encounter": lambda: twice(
        referral, team=TeamFactory(), encounter=EncounterFactory(appointment=visit(status="arrived"))
    ),
    "suspension_in_order": lambda: PatientSuspension.objects.create(
        patient=PatientFactory(), starts_at=NOW, ends_at=NOW, reason="爽约"
    ),
    "one_patient_with_a_doctor": two_with_a_doctor,
    "one_patient_in_a_room": two_in_a_room,
    "encounter_in_room_has_start_and_room": lambda: in_the_room(room=None),
    "encounter_in_room_has_start_and_room ": lambda: in_the_room(started_at=None),
    "encounter_finished_has_times": lambda: in_the_room(status="finished"),
    "patienttime_not_in_two_places": in_two_places,
    "patienttime_one_per_source": one_source_twice,
    "fact_request_once": key_twice,
} | OFFICE_ROWS
BAD_ROWS |= WAITLIST_ROWS


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused(name):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        BAD_ROWS[name]()

    assert refusal.value.__cause__.diag.constraint_name == name.strip()


def test_every_constraint_of_the_heart_is_tried():
    ours = {
        constraint.name
        for model in apps.get_app_config("appointments").get_models()
        for constraint in model._meta.constraints
    }

    assert ours - {name.strip() for name in BAD_ROWS} == set()


def test_touching_times_are_no_overlap():
    patient = PatientFactory()

    at(patient, 0, 1)
    at(patient, 10, 2)

    assert PatientTime.objects.count() == 2


def test_a_cancelled_visit_leaves_room_for_another():
    schedule = open_schedule(numbers=1)
    visit(schedule, status="cancelled", cancelled_at=NOW)

    assert visit(schedule)


def test_a_doctor_books_the_second_visit_that_a_patient_may_not():
    """The unique day is for self-service alone."""
    schedule, patient = open_schedule(numbers=3), PatientFactory()
    visit(schedule, patient, number=1)

    assert visit(schedule, patient, number=2, channel="consult")


def test_the_same_key_of_two_accounts_is_two_requests():
    for account in (1, 2):
        Fact.objects.create(topic="t", key="k", account=account, request_key="r", happened_at=NOW)

    assert Fact.objects.count() == 2
