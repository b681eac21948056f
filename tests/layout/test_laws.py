"""What must never be, whoever writes it (P2, P12), and the arithmetic of slices (B3)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from appointments.errors import ContractRefused
from appointments.models import ScheduleParticipant
from appointments.services import contracts, shares
from hospital.models import Contract
from tests.factories import NOW, OrganizationFactory, PractitionerFactory, RoomFactory, ScheduleFactory, StaffFactory


@given(capacity=st.integers(1, 300), minutes=st.integers(1, 480), total=st.integers(1, 720))
def test_slices_of_one_length_follow_each_other_without_gap(capacity, minutes, total):
    found = shares.minutes_of(capacity=capacity, total=total, minutes=minutes)

    assert found == [(place * minutes, minutes) for place in range(capacity)]


def sit(schedule, doctor):
    ScheduleParticipant.objects.create(
        schedule=schedule, practitioner=doctor, room=RoomFactory(), during=(schedule.starts_at, schedule.ends_at)
    )


@pytest.mark.django_db
def test_a_doctor_of_another_house_sits_only_on_the_days_of_a_contract():
    """P12."""
    schedule = ScheduleFactory()
    guest = PractitionerFactory(organization=OrganizationFactory(code="B1", name="柳堤社区"))
    with pytest.raises(IntegrityError, match="no contract"), transaction.atomic():
        sit(schedule, guest)

    contract = Contract.objects.create(
        practitioner=guest, organization=schedule.organization, effective_from=schedule.day, effective_to=schedule.day
    )
    sit(schedule, guest)

    Contract.objects.filter(pk=contract.pk).update(effective_from=schedule.day + timedelta(days=1), effective_to=None)
    ScheduleParticipant.objects.filter(practitioner=guest).update(active=False)
    with pytest.raises(IntegrityError, match="no contract"), transaction.atomic():
        ScheduleParticipant.objects.filter(practitioner=guest).update(active=True)


@pytest.mark.django_db
def test_at_the_own_house_a_contract_that_ended_ends_the_sittings():
    schedule = ScheduleFactory()
    doctor = PractitionerFactory()
    sit(schedule, doctor)
    other = ScheduleFactory(day=schedule.day + timedelta(days=7))
    Contract.objects.create(
        practitioner=doctor, organization=other.organization, effective_from=date(2026, 1, 1), effective_to=schedule.day
    )

    with pytest.raises(IntegrityError, match="no contract"), transaction.atomic():
        sit(other, doctor)


@pytest.mark.django_db
def test_ending_a_contract_only_shortens_it():
    """P12."""
    house, guest = OrganizationFactory(code="B1", name="柳堤社区"), PractitionerFactory()
    days = {"practitioner": guest, "organization": house}
    first = Contract.objects.create(**days, effective_from=date(2026, 1, 1), effective_to=date(2026, 12, 31))
    Contract.objects.create(**days, effective_from=date(2027, 1, 1))

    with pytest.raises(ContractRefused, match="2026-12-31"):
        contracts.end(contract=first, last_day=date(2027, 1, 31), by=StaffFactory(roles="office"), now=NOW)

    contracts.end(contract=first, last_day=date(2026, 11, 30), by=StaffFactory(roles="office"), now=NOW)
    first.refresh_from_db()
    assert first.effective_to == date(2026, 11, 30)


WHOLE_INDEX = """
SELECT c.conrelid::regclass::text || '.' || a.attname FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f' AND c.confrelid IN ('appointments_slot'::regclass, 'appointments_schedule'::regclass)
   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                      AND i.indkey[0] = c.conkey[1])
"""


@pytest.mark.django_db
def test_what_hangs_on_a_session_or_a_number_is_found_by_an_index():
    """P2: a day that is laid anew asks for each number that goes, in every table that could name it."""
    with connection.cursor() as cursor:
        cursor.execute(WHOLE_INDEX)
        assert cursor.fetchall() == []
