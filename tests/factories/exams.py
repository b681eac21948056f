"""检查: items, devices with open sessions, requests and bookings."""

from datetime import time, timedelta
from decimal import Decimal

import factory
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import (
    Device,
    DeviceAbility,
    DeviceSession,
    ExamBooking,
    ExamItem,
    ExamRequest,
    ExamVariant,
    ExamZone,
)
from hospital import clock
from hospital.models import PatientTime, PriceItem

from .base import NOW, TODAY, Factory
from .house import CampusFactory, OrganizationFactory, RoomFactory
from .people import PatientFactory

PRICE = Decimal("180.00")


class ExamItemFactory(Factory):
    """An item without a way to do it: see exam_variant() and open_device()."""

    class Meta:
        model = ExamItem

    organization = factory.SubFactory(OrganizationFactory)
    code = factory.Sequence(lambda n: f"E{n}")
    name = factory.Sequence(lambda n: f"腹部超声{n}")
    pinyin = "fubuchaosheng"
    initials = "fbcs"
    modality = "us"
    simple = True


def exam_variant(*, minutes=20, kind="plain", groups=(), item=None, before=0, after=0, preparation=None, **of_item):
    """A way to be examined, with a price of 180 yuan."""
    item = item or ExamItemFactory(**of_item)
    PriceItem.objects.get_or_create(
        organization=item.organization,
        code="EX",
        defaults={"name": "检查费", "amount": PRICE, "effective_from": TODAY - timedelta(days=400)},
    )
    variant = ExamVariant.objects.create(
        item=item, kind=kind, minutes=minutes, before=before, after=after, price_code="EX", preparation=preparation
    )
    variant.groups.set(groups)
    return variant


class ExamZoneFactory(Factory):
    class Meta:
        model = ExamZone

    campus = factory.SubFactory(CampusFactory)
    name = factory.Sequence(lambda n: f"检查区{n}")


class DeviceFactory(Factory):
    class Meta:
        model = Device

    organization = factory.SubFactory(OrganizationFactory)
    code = factory.Sequence(lambda n: f"DV{n}")
    name = factory.Sequence(lambda n: f"彩超{n}号机")
    modality = "us"
    room = factory.SubFactory(RoomFactory)
    zone = factory.SubFactory(ExamZoneFactory)


def device_session(device, *, day=TODAY + timedelta(days=1), starts=time(8), ends=time(12), opens_at=None):
    """The device can be booked on that day between these wall times."""
    return DeviceSession.objects.create(
        device=device,
        day=day,
        during=DateTimeTZRange(clock.at(day, starts), clock.at(day, ends)),
        opens_at=opens_at or NOW - timedelta(days=1),
    )


def open_device(*variants, days=(1,), starts=time(8), ends=time(12), **of_device):
    """A device that can do these, open on the days after TODAY."""
    device = DeviceFactory(**of_device)
    DeviceAbility.objects.bulk_create(DeviceAbility(device=device, variant=variant) for variant in variants)
    for ahead in days:
        device_session(device, day=TODAY + timedelta(days=ahead), starts=starts, ends=ends)
    return device


class ExamRequestFactory(Factory):
    class Meta:
        model = ExamRequest

    patient = factory.SubFactory(PatientFactory)
    variant = factory.LazyFunction(exam_variant)
    organization = factory.LazyAttribute(lambda request: request.variant.item.organization)
    asked_at = NOW - timedelta(hours=1)


def exam_booking_row(*, request=None, device=None, session=None, start=None, status="booked", **more):
    """A booking written past the service, for tests of what is below or behind it."""
    request = request or ExamRequestFactory()
    session = session or device_session(device or open_device(request.variant, days=()))
    start = start or session.during.lower
    variant = request.variant
    during = DateTimeTZRange(start, start + timedelta(minutes=variant.minutes))
    stay = DateTimeTZRange(start - timedelta(minutes=variant.before), during.upper + timedelta(minutes=variant.after))
    row = ExamBooking.objects.create(
        **{
            "request": request,
            "patient": request.patient,
            "variant": variant,
            "device": session.device,
            "team": session.device.team,
            "session": session,
            "day": session.day,
            "during": during,
            "stay": stay,
            "status": status,
            "hold_until": NOW + timedelta(minutes=10) if status == "pending" else None,
            "confirmed_at": None if status == "pending" else NOW - timedelta(minutes=30),
            "channel": "consult",
            "fee": PRICE,
            "created_at": NOW - timedelta(minutes=30),
            **more,
        }
    )
    if row.holds:
        PatientTime.objects.create(patient=request.patient, during=stay, source="exam", source_id=row.pk)
        ExamRequest.objects.filter(pk=request.pk).update(status=ExamRequest.Status.BOOKED)
    return row
