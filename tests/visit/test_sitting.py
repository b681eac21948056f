"""坐诊: whoever is on duty takes a room of a plain clinic; nobody sits in two places (B18, B21)."""

import pytest

from appointments.errors import OutsideContract, SeatTaken
from appointments.models import ScheduleParticipant
from appointments.services.sitting import sit_down
from hospital.models import Fact
from tests.factories import NOW, OrganizationFactory, PractitionerFactory, RoleFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat():
    """A plain clinic's room, no doctor yet."""
    department = RoleFactory().department
    clinic = ScheduleFactory(role=None, department=department, service=ServiceFactory())
    return ScheduleParticipant.objects.get(schedule=clinic)


def test_a_doctor_sits_down_once_and_a_repeat_changes_nothing(seat):
    doctor = PractitionerFactory()

    sit_down(seat=seat, practitioner=doctor, now=NOW)
    sit_down(seat=seat, practitioner=doctor, now=NOW)

    seat.refresh_from_db()
    assert seat.practitioner == doctor
    assert Fact.objects.filter(topic="sitting.taken").count() == 1


def test_a_taken_seat_is_refused_with_a_sentence(seat):
    sit_down(seat=seat, practitioner=PractitionerFactory(), now=NOW)

    with pytest.raises(SeatTaken) as refusal:
        sit_down(seat=seat, practitioner=PractitionerFactory(), now=NOW)
    assert refusal.value.sentence
    assert refusal.value.next


def test_the_seat_of_a_stopped_clinic_is_refused(seat):
    ScheduleParticipant.objects.update(active=False)

    with pytest.raises(SeatTaken):
        sit_down(seat=seat, practitioner=PractitionerFactory(), now=NOW)


def test_a_doctor_with_a_clinic_at_that_time_can_not_sit_down_elsewhere(seat):
    own = ScheduleFactory(day=seat.schedule.day)

    with pytest.raises(SeatTaken):
        sit_down(seat=seat, practitioner=own.role.practitioner, now=NOW)
    seat.refresh_from_db()
    assert seat.practitioner is None


def test_a_doctor_of_another_house_without_a_contract_is_told_so(seat):
    """P12."""
    guest = PractitionerFactory(organization=OrganizationFactory(code="B1", name="柳堤社区"))

    with pytest.raises(OutsideContract, match="执业合约"):
        sit_down(seat=seat, practitioner=guest, now=NOW)
    seat.refresh_from_db()
    assert seat.practitioner is None
