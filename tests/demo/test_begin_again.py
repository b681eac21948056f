"""Seeding that was cut off, and seeding where somebody else's hospital is."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from appointments.demo import seeding, wishes
from appointments.demo.scale import Scale
from appointments.models import Appointment
from hospital.models import AccountRule, AuditEvent, Notice, Organization, Patient, RetentionRule, RolePolicy
from tests.factories import OrganizationFactory

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)  # Sunday 10:30 at the hospital
TINY = Scale(name="small", patients=60, days_back=1, days_ahead=2, wishes=20)


def found(model):
    return sorted(model.objects.values_list("pk", flat=True))


class Killed(BaseException):
    """What the process dies of."""


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_killed_half_way_is_begun_anew(monkeypatch):
    def die(*_):
        raise Killed

    RolePolicy.objects.create(role="sysadmin", second_factor=True)
    Notice.objects.create(kind="privacy", version=99, title="t", text="t", published_on=NOW.date())
    RetentionRule.objects.get_or_create(subject="visits", defaults={"days": 6000, "source": "x"})
    laid_down = {kind: found(kind) for kind in (AccountRule, Notice, RetentionRule)}

    with monkeypatch.context() as patch:
        patch.setattr(wishes, "walk_in", die)
        with pytest.raises(Killed):
            seeding.seed(scale=TINY, now=NOW)
    assert Patient.objects.count() == 60  # something was left behind

    assert seeding.seed(scale=TINY, now=NOW)

    assert Patient.objects.count() == 60
    assert Appointment.objects.exists()
    assert RolePolicy.objects.get().second_factor  # a security setting of the house, not of the demo
    assert list(AuditEvent.objects.values_list("action", flat=True)).count("demo.seeded") == 1
    assert {kind: found(kind) for kind in laid_down} == laid_down  # what migrations wrote is no part of the demo
    with pytest.raises(CommandError, match="HOSPITAL_HOME=.*SCALE=large"):
        call_command("seed_demo", scale="large")


@pytest.mark.django_db
def test_a_hospital_that_is_not_the_demos_is_left_alone():
    OrganizationFactory()

    with pytest.raises(CommandError, match="empty one"):
        call_command("seed_demo")

    assert Organization.objects.count() == 1
    assert not AuditEvent.objects.exists()
