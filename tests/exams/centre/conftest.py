"""A person of the 检查预约中心, one exam, and one booking of today."""

from datetime import timedelta

import pytest

from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def centre(client):
    user = StaffFactory(roles="exam")
    client.force_login(user)
    return user


@pytest.fixture
def variant():
    return exam_variant(item=ExamItemFactory(name="腹部超声", code="US01"))


@pytest.fixture
def today(variant):
    """A device that works today, with one exam in a quarter of an hour."""
    session = device_session(open_device(variant, days=()), day=TODAY)
    request = ExamRequestFactory(variant=variant, patient=PatientFactory(name="周小明"))
    return exam_booking_row(request=request, session=session, start=NOW + 15 * MINUTE)
