"""P5: a lower institution's programme takes from the common pool, its own, and its groups'; nobody else's."""

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment, PartnerGroup, Pool
from appointments.selectors import rules, soldout
from hospital.models import ApiToken, Organization
from tests.factories import NOW, PatientFactory, UserFactory, add_numbers, open_schedule

from .conftest import Program, issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return open_schedule(numbers=1, pool="team")


@pytest.fixture
def two(clinic):
    """Two institutions, one of them in a group that has the session's only numbers for partners."""
    house = clinic.organization
    one, other = (
        Organization.objects.create(code=code, name=code, kind="community", parent=house) for code in ("SQ1", "SQ2")
    )
    group = PartnerGroup.objects.create(organization=house, name="医联体")
    group.members.add(one)
    pool = Pool.objects.create(organization=house, kind="partner", name="医联体", group=group)
    add_numbers(clinic, count=2, pool=pool)
    rules.forget()
    soldout.forget()
    return one, other


def program(house) -> Program:
    return Program(issue(UserFactory(), "read", "book_anyone", channel="partner", organization=house))


def test_a_groups_numbers_are_its_members(stopped_clock, clinic, two):
    mine, theirs = (program(house) for house in two)
    patient = PatientFactory()
    rows = f"/departments/{clinic.department_id}/availability/?from={clinic.day}"
    path = f"/schedules/{clinic.pk}/appointments/"

    assert [each["left"] for each in mine.get(rows).json()["schedules"]] == [2]
    assert [each["left"] for each in theirs.get(rows).json()["schedules"]] == [0]
    assert [row["id"] for row in mine.rows("/schedules/", {"free": "true"})] == [clinic.pk]
    assert theirs.rows("/schedules/", {"free": "true"}) == []
    assert sum(each["left"] for each in mine.get(f"/schedules/{clinic.pk}/slices/").json()["slices"]) == 2
    assert theirs.post(path, {"patient": patient.pk}).status_code == 409
    booked = mine.post(path, {"patient": patient.pk})
    assert booked.status_code == 201  # what the other could not take is not sold out for this one
    row = Appointment.objects.get(pk=booked.json()["appointment"])
    assert row.partner == two[0]
    start = clinic.slots.exclude(pk=row.slot_id).filter(pool__group__isnull=False).get().start.isoformat()
    moved = mine.post(f"/appointments/{row.pk}/reschedule/", {"schedule": clinic.pk, "start": start})
    assert moved.status_code == 200, moved.content


def test_a_partners_token_names_its_institution(db):
    fields = {"name": "app", "user": UserFactory(), "channel": "partner", "scopes": ["read"], "expires_at": NOW}
    with pytest.raises(IntegrityError, match="apitoken_partner_is_an_institution"), transaction.atomic():
        ApiToken.issue(**fields)
    ApiToken.issue(**fields, revoked_at=NOW)  # what ended before it had to
