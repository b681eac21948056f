"""schemathesis over every operation of the document: no 500, nothing undocumented, every answer of its shape."""

from datetime import timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from appointments.services import waitlist
from hospital.api import schema
from tests.api.conftest import issue
from tests.factories import (
    NOW,
    IdentifierFactory,
    OrganizationFactory,
    ReferralFactory,
    TeamFactory,
    appointment_row,
    open_schedule,
)
from tests.waitlist.scenes import full

pytestmark = pytest.mark.django_db
EXAMPLES = 8
"""Of each operation and mode. Always the same ones: a finding is found on every machine or on none."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
described = schemathesis.openapi.from_dict(schema.document())
described.app = get_wsgi_application()
OPERATIONS = {each.ok().label: each.ok() for each in described.get_all_operations()}


@pytest.fixture(autouse=True)
def _one_transaction():
    """As Django's test client does: a request through the bare WSGI application doesn't end the test's connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def ground(account, patient, stopped_clock, settings):
    """Something to find behind the numbers in addresses and bodies, and a token that may do everything."""
    settings.API_RATE = (100_000, 60)
    schedule = open_schedule(numbers=60)
    other = open_schedule(numbers=60, day=schedule.day + timedelta(days=1))
    team = TeamFactory()
    IdentifierFactory(patient=patient)
    booking = appointment_row(schedule, patient, number=60, status="pending")
    wait = waitlist.join(schedule_id=full().pk, patient_id=patient.pk, by=account, channel="app", now=NOW)
    secret = issue(
        account, "read", "book", "integrate", "refer", organization=OrganizationFactory(), system="HIS", name="all"
    )
    return {
        "headers": {"Authorization": f"Bearer {secret}"},
        "patient": patient.pk,
        "schedule": other.pk,
        "path": {
            "schedules": schedule.pk,
            "departments": schedule.department_id,
            "doctors": schedule.role_id,
            "teams": team.pk,
            "appointments": booking.pk,
            "waitlist": wait.pk,
            "referrals": ReferralFactory(patient=patient).pk,
        },
    }


def places(operation, ground) -> dict:
    """Path parameters that lead to a row."""
    kind = operation.path.removeprefix("/api/v1/").split("/")[0]
    names = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    return {name: ground["path"][kind] for name in names if kind in ground["path"]}


def run(operation, ground, *, mode, checks, path_parameters=None):
    strategy = operation.as_strategy(generation_mode=mode, path_parameters=path_parameters)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case):
        if path_parameters is not None and isinstance(case.body, dict):
            for name in ("patient", "schedule"):
                if name in case.body:
                    case.body[name] = ground[name]
        answer = case.call(headers=ground["headers"])
        case.validate_response(answer, checks=checks, headers=ground["headers"])

    ask()


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_as_described_is_answered_as_described(ground, label):
    operation = OPERATIONS[label]

    run(operation, ground, mode=GenerationMode.POSITIVE, checks=CHECKS, path_parameters=places(operation, ground))


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_not_as_described_is_refused_as_described(ground, label):
    run(OPERATIONS[label], ground, mode=GenerationMode.NEGATIVE, checks=[*CHECKS, negative_data_rejection])
