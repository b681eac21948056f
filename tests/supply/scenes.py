"""A hospital with one campus and the default rules, and its next Monday."""

from datetime import date, time

import pytest

from appointments.services import planning
from appointments.services.defaults import ensure_defaults
from hospital.models import HalfDayHours
from tests.factories import NOW, CampusFactory, OrganizationFactory

MONDAY = date(2026, 11, 30)


@pytest.fixture
def hospital():
    """One campus with winter hours and the default rules."""
    organization = OrganizationFactory()
    ensure_defaults(organization)
    campus = CampusFactory(organization=organization)
    for half, starts, ends in (("am", time(8), time(12)), ("pm", time(13, 30), time(17))):
        HalfDayHours.objects.create(
            campus=campus, half=half, starts=starts, ends=ends, effective_from=date(2026, 10, 1)
        )
    return organization


def lay_out(organization, first=MONDAY, last=MONDAY, now=NOW):
    return planning.lay_out(organization=organization, first_day=first, last_day=last, now=now)
