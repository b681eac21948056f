import pytest
import time_machine

from appointments.services import booking
from hospital.models import Patient
from tests.factories import NOW, TODAY, PatientFactory, RoleFactory, UserFactory, open_schedule

from .ends import End
from .hooks import webhook
from .systems import System


@pytest.fixture
def stopped():
    """It is Monday, 10:00 at the hospital, for the views as well."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def his(db, client, stopped):
    return System(client)


@pytest.fixture
def end(tmp_path):
    end = End(tmp_path).start()
    yield end
    end.stop()


@pytest.fixture
def hook(db, end):
    return webhook(end.url)


@pytest.fixture
def booked(db):
    """A booking on this morning's schedule of doctor P-77, with its fact."""
    schedule = open_schedule(day=TODAY, role=RoleFactory(practitioner__code="P-77", department__code="CARD"))

    def book(**fields):
        return booking.book(
            schedule=schedule, patient=PatientFactory(name="周志明", **fields), channel="counter", by=UserFactory(),
            request_key=None, confirmed=True, now=NOW,
        )  # fmt: skip

    return book


@pytest.fixture
def clinic(his):
    """This morning 08:00–12:00 with ten numbers of 24 minutes, of doctor P-77; it is 10:00."""
    return open_schedule(day=TODAY, role=RoleFactory(practitioner__code="P-77"))


@pytest.fixture
def patient(his):
    his.patient("1001")
    return Patient.objects.get()
