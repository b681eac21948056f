"""What a page may cost: questions to the database, bytes on the way (V2)."""

import gzip
import re
from datetime import timedelta

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from appointments.views.patient.addresses import slots_page
from tests.factories import (
    TODAY,
    AccountFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    appointment_row,
)
from tests.messages.test_pages import signed_in

from .pages import department_page, read
from .scenes import doctor, half_day, team_with_leader

pytestmark = pytest.mark.django_db
MOST_BYTES = 60 * 1024


def grow(place, count):
    for _ in range(count):
        role = doctor(place)
        half_day(role=role, numbers=8)
        half_day(role=role, half="pm", day=TODAY + timedelta(days=3), numbers=8)


def test_no_page_asks_more_often_when_there_is_more(place, django_assert_num_queries):
    """Ceilings as a stranger; rules are kept in the process for a few seconds."""
    team, _led = team_with_leader(place)
    half_day(role=None, team=team, department=place, service=team.service)
    role = doctor(place)
    half_day(role=role)
    ceilings = {
        "/book/": 1,
        "/book/departments/": 2,
        "/book/departments/?q=xxg": 4,
        department_page(place): 5,
        f"/book/doctors/{role.pk}/": 5,
        f"/book/teams/{team.pk}/": 6,
    }
    client = Client()
    for path in ceilings:
        read(path, client)
    for path, most in ceilings.items():
        with django_assert_num_queries(most):
            read(path, client)

    grow(place, 6)
    for ahead in range(2, 7):
        half_day(role=role, day=TODAY + timedelta(days=ahead))
        DepartmentFactory()
    for path, most in ceilings.items():
        if "q=" in path:
            most = 4
        with django_assert_num_queries(most):
            read(path, client)


def test_a_signed_in_home_page_stays_below_its_ceiling(place, django_assert_max_num_queries):
    account = AccountFactory()
    client = signed_in(account)
    for n in range(3):
        person = PatientFactory(account=account)
        appointment_row(half_day(role=doctor(place), day=TODAY + timedelta(days=n + 1)), person, number=1)
    read("/book/", client)

    with django_assert_max_num_queries(10):
        read("/book/", client)


def assets(page):
    """Everything of ours that the page names: styles, scripts, icons, the sprite."""
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert named
    for path in named:
        with open(finders.find(path.removeprefix("/static/")), "rb") as file:
            yield path, file.read()


@pytest.mark.parametrize("edition", ["", "elderly"])
def test_every_page_weighs_less_than_sixty_kilobytes_compressed(place, edition):
    """V2: on a slow telephone the first view is there at once."""
    DepartmentFactory.create_batch(44)
    grow(place, 12)
    schedule = half_day(role=doctor(place), numbers=80, minutes=3)
    account = AccountFactory()
    appointment_row(half_day(day=TODAY + timedelta(days=2)), PatientFactory(account=account), number=1)
    client = signed_in(account)
    client.cookies["edition"] = edition
    for path in ("/book/", "/book/departments/", department_page(place), slots_page(schedule), "/messages/"):
        page = read(path, client)
        weight = len(gzip.compress(page.encode())) + sum(len(gzip.compress(body)) for _path, body in assets(page))
        assert weight < MOST_BYTES, (path, weight)


def test_nothing_is_inline(place):
    """CSP: no style and no script in the page itself."""
    half_day(role=doctor(place))
    OrganizationFactory()
    for path in ("/book/", "/book/departments/", department_page(place), f"/book/doctors/{doctor(place).pk}/"):
        page = read(path)
        assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=", page), path
