"""Templates, schedules with their numbers, and what follows a booking."""

from datetime import date, time, timedelta
from decimal import Decimal
from uuid import uuid4

import factory

from appointments.models import (
    Allotment,
    Appointment,
    Encounter,
    Pool,
    Schedule,
    ScheduleParticipant,
    ScheduleTemplate,
    Slot,
)
from hospital import clock
from hospital.models import Contract

from .base import NOW, TODAY, Factory
from .house import CampusFactory, OrganizationFactory, RoleFactory, RoomFactory


class PoolFactory(Factory):
    class Meta:
        model = Pool
        django_get_or_create = ("organization", "kind", "partner")

    organization = factory.SubFactory(OrganizationFactory)
    kind = "public"
    partner = None
    name = factory.LazyAttribute(lambda pool: str(Pool.Kind(pool.kind).label))


class TemplateFactory(Factory):
    class Meta:
        model = ScheduleTemplate

    organization = factory.SubFactory(OrganizationFactory)
    role = factory.SubFactory(RoleFactory)
    department = factory.LazyAttribute(lambda template: template.role.department)
    service = factory.LazyAttribute(lambda template: template.role.service)
    room = factory.SubFactory(RoomFactory)
    weekday = 1
    half = "am"
    numbers = 16
    effective_from = date(2026, 1, 1)
    published_at = NOW - timedelta(days=30)


class ScheduleFactory(Factory):
    """A morning 08:00–12:00 four weeks ahead, its doctor and room taken, without numbers: see open_schedule()."""

    class Meta:
        model = Schedule

    organization = factory.SubFactory(OrganizationFactory)
    campus = factory.SubFactory(CampusFactory)
    role = factory.SubFactory(RoleFactory)
    department = factory.LazyAttribute(lambda schedule: schedule.role.department)
    service = factory.LazyAttribute(lambda schedule: schedule.role.service)
    room = factory.SubFactory(RoomFactory)
    day = TODAY + timedelta(days=28)
    half = "am"
    starts_at = factory.LazyAttribute(lambda schedule: clock.at(schedule.day, time(8)))
    ends_at = factory.LazyAttribute(lambda schedule: clock.at(schedule.day, time(12)))
    capacity = 10

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        schedule = super()._create(model_class, *args, **kwargs)
        during = (schedule.starts_at, schedule.ends_at)
        practitioner = schedule.role.practitioner if schedule.role_id else None
        if practitioner and practitioner.organization_id != schedule.organization_id:  # P12: not without a contract
            house = {"practitioner": practitioner, "organization": schedule.organization}
            Contract.objects.get_or_create(**house, defaults={"effective_from": date(2020, 1, 1)})
        ScheduleParticipant.objects.create(
            schedule=schedule, practitioner=practitioner, room=schedule.room, during=during
        )
        return schedule


def add_numbers(schedule, *, count, pool="public", opened=None, shared=None, minutes=None):
    """Give a schedule `count` more numbers of a pool, and the pool's allotment."""
    pool = PoolFactory(organization=schedule.organization, kind=pool) if isinstance(pool, str) else pool
    first = schedule.slots.count()
    if pool.kind != Pool.Kind.EXTRA and schedule.capacity < first + count:
        schedule.capacity = first + count  # numbers above it are add-ons
        schedule.save(update_fields=["capacity"])
    minutes = minutes or max(1, int((schedule.ends_at - schedule.starts_at).total_seconds() // 60 // max(count, 1)))
    Slot.objects.bulk_create(
        Slot(
            schedule=schedule,
            number=first + n + 1,
            start=schedule.starts_at + timedelta(minutes=minutes * (first + n)),
            minutes=minutes,
            pool=pool,
        )
        for n in range(count)
    )
    Allotment.objects.get_or_create(
        schedule=schedule,
        pool=pool,
        defaults={
            "department": schedule.department,
            "day": schedule.day,
            "opens_at": opened or NOW - timedelta(days=1),
            "shared_from": shared,
        },
    )
    return pool


def open_schedule(*, numbers=10, pool="public", opened=None, shared=None, minutes=None, **schedule):
    """A schedule with numbers, ready to be booked."""
    row = ScheduleFactory(capacity=numbers, **schedule)
    add_numbers(row, count=numbers, pool=pool, opened=opened, shared=shared, minutes=minutes)
    return row


def appointment_row(schedule, patient, *, number=1, status="booked", channel="web", **fields):
    """A row as if booked earlier, written directly: for tests of what follows a booking, not of booking."""
    slot = schedule.slots.get(number=number)
    slot.status = "held" if status == "pending" else "booked"
    slot.hold_until = NOW + timedelta(minutes=3) if status == "pending" else None
    slot.save()
    defaults = {
        "department": schedule.department,
        "day": schedule.day,
        "start": slot.start,
        "self_service": channel in {"web", "app", "phone", "kiosk"},
        "fee": Decimal("20.00"),
        "created_at": NOW - timedelta(days=2),
        "confirmed_at": None if status == "pending" else NOW - timedelta(days=2),
        "basket": uuid4(),
    }
    return Appointment.objects.create(
        slot=slot, schedule=schedule, patient=patient, status=status, channel=channel, **{**defaults, **fields}
    )


class EncounterFactory(Factory):
    class Meta:
        model = Encounter

    appointment = None
    schedule = factory.SelfAttribute("appointment.schedule")
    department = factory.SelfAttribute("appointment.department")
    patient = factory.SelfAttribute("appointment.patient")
    checked_in_at = NOW - timedelta(minutes=20)
