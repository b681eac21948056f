"""A community centre that works with the hospital, its family doctor, and what is kept for it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from appointments.selectors import rules
from tests.api.conftest import stopped_clock  # noqa: F401
from tests.factories import NOW, TODAY, CommunityFactory, PatientFactory, StaffFactory, open_schedule


@pytest.fixture
def alliance(db, stopped_clock):  # noqa: F811
    rules.forget()
    clinic = open_schedule(numbers=4, pool="partner", day=TODAY + timedelta(days=6), shared=NOW + timedelta(hours=1))
    centre = CommunityFactory()
    doctor = StaffFactory(roles="partner", roles__at=centre)
    patient = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm")
    return SimpleNamespace(clinic=clinic, hospital=clinic.organization, centre=centre, doctor=doctor, patient=patient)
