"""An account with its people, a clinic with numbers, and the clicks of step 4."""

import re
from contextlib import contextmanager
from datetime import time as wall
from datetime import timedelta
from urllib.parse import urlencode

import time_machine

from appointments.models import Appointment
from hospital import clock, consents
from hospital.models import RelatedPerson
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    CampusFactory,
    IdentifierFactory,
    PatientFactory,
    RelatedPersonFactory,
    open_schedule,
)

SOON = TODAY + timedelta(days=3)
DOCUMENTS = iter(f"E{n:08d}" for n in range(10**6))


def agree(account, patient) -> None:
    """All that step 4 asks to have been agreed to."""
    for notice in consents.missing(account, patient, clock.now()):
        consents.give(account=account, notice=notice, patient=patient, now=clock.now())


def add_person(account, name="周志明", *, agreed=True, relation=None, **fields):
    """One more of the account's people, with a document, consent given."""
    patient = PatientFactory(name=name, **fields)
    IdentifierFactory(patient=patient, kind="passport", number=next(DOCUMENTS))
    more = {"relation": relation} if relation else {}
    RelatedPersonFactory(account=account, patient=patient, **more)
    if agreed:
        agree(account, patient)
    return patient


def new_account():
    """Signed in before, and agreed to the privacy notice then."""
    account = AccountFactory()
    if notice := consents.privacy_missing(account, clock.now()):
        consents.give(account=account, notice=notice, now=clock.now())
    return account


def account_with(*names, **fields):
    account = new_account()
    for name in names or ["周志明"]:
        add_person(account, name, **fields)
    return account


def people(account):
    return [row.patient for row in RelatedPerson.objects.filter(account=account, ended_at=None).order_by("place")]


def clinic(*, day=SOON, numbers=4, minutes=15, **fields):
    """A morning from 08:00: two numbers a slice of 30 minutes, unless told otherwise."""
    CampusFactory(address="江州市人民路1号", transit="地铁2号线人民医院站B口")
    return open_schedule(day=day, numbers=numbers, minutes=minutes, **fields)


def where(schedule, start=None, **more) -> str:
    """The address of step 4 for a slice, its first unless told otherwise."""
    start = (start or schedule.starts_at).astimezone(clock.ZONE)
    return "/book/who/?" + urlencode({"slot": f"{schedule.pk}@{start.isoformat()}", **more})


def key_on(page) -> str:
    """The request key that the page carries."""
    return re.search(r'name="request_key" value="([0-9a-f-]{36})"', page.content.decode())[1]


def choose(client, schedule, patient, *, start=None, key=None):
    """Look at step 4 and press the button."""
    address = where(schedule, start)
    key = key or key_on(client.get(address))
    return client.post(address, {"patient": patient.pk, "request_key": key})


def booked(client, schedule, patient, **more) -> Appointment:
    """Booked through the page."""
    response = choose(client, schedule, patient, **more)
    assert response.status_code == 302, response.content.decode()
    return Appointment.objects.get(pk=int(re.search(r"/bookings/(\d+)/done/", response.url)[1]))


@contextmanager
def at(client, moment):
    """The same account at another time, signed in then."""
    with time_machine.travel(moment, tick=False):
        client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
        yield


def eve(schedule, **time):
    """A moment of the day before the visit, as the hospital's wall clock shows it."""
    return clock.at(schedule.day - timedelta(days=1), wall(**time))


__all__ = ["NOW", "SOON", "TODAY"]


def text_of(response) -> str:
    return response.content.decode()


def greyed(client, schedule) -> str:
    page = client.get(where(schedule))
    assert page.status_code == 200
    assert "disabled" in text_of(page)
    return text_of(page)
