"""The demo's patients' accounts: a visitor signs in by phone, with the code that the page leads to (B22)."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from appointments.demo import accounts
from hospital import masking
from hospital.models import RelatedPerson
from tests.accounts.acts import sign_in
from tests.factories import NOW, TODAY, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


def somebody(name, *, years, n):
    return PatientFactory(name=name, birth_date=TODAY - timedelta(days=365 * years), phone=f"1990000000{n}")


def test_a_visitor_signs_in_as_one_of_the_demos_patients_and_finds_a_family_of_three(client, settings):
    settings.DEMO, out = True, StringIO()
    somebody("陈玉", years=40, n=1)
    booked = somebody("王志", years=35, n=2)
    for n, (name, years) in enumerate([("王子", 7), ("李小", 8), ("王秀英", 71), ("赵春", 80), ("刘静", 33)], 3):
        somebody(name, years=years, n=n)
    appointment_row(open_schedule(numbers=2), booked)
    accounts.make(now=NOW)

    call_command("demo_accounts", stdout=out)
    phones = [line.split()[0] for line in out.getvalue().splitlines()]
    assert phones == ["19900000002", "19900000001", "19900000005"]  # who comes soon is first

    with time_machine.travel(NOW, tick=False):
        assert sign_in(client, phones[0]).status_code == 302
        page = client.get("/me/")
    assert page.status_code == 200
    family = RelatedPerson.objects.filter(account_id=client.session["_auth_user_id"]).order_by("place")
    assert [(row.patient.name, row.relation, row.guardian) for row in family] == [
        ("王志", "self", False),
        ("王子", "child", True),
        ("赵春", "parent", False),
    ]
    assert all(masking.name(row.patient.name) in page.content.decode() for row in family)


def test_a_demo_without_people_has_no_patients_accounts():
    accounts.make(now=NOW)
    assert accounts.shown() == []
