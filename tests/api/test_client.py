"""A second, independent client: it reads the document and nothing else, and books in a process of its own."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from appointments.models import Appointment
from hospital import clock
from tests.api.conftest import issue
from tests.factories import AccountFactory, DepartmentFactory, PatientFactory, RoleFactory, open_schedule

CLIENT = Path(__file__).parents[2] / "clients" / "book_by_document.py"


@pytest.mark.django_db(transaction=True)
def test_a_client_that_knows_only_the_document_books_confirms_moves_and_cancels(live_server):
    """B7, B14: over HTTP, on the real clock."""
    now = clock.now()
    account = AccountFactory()
    patient = PatientFactory(account=account)
    department = DepartmentFactory()
    first, second = (
        open_schedule(
            numbers=4,
            role=RoleFactory(department=department),
            day=clock.today(now) + timedelta(days=days),
            opened=now - timedelta(days=1),
        )
        for days in (3, 12)
    )
    first.slots.update(status="booked")
    first.slots.filter(number=2).update(status="free")
    secret = issue(account, "read", "book", expires_at=now + timedelta(hours=1))

    run = subprocess.run(
        [sys.executable, "-I", CLIENT, f"{live_server.url}/api/v1/schema/", "--department", department.name],
        env={"PATH": os.environ["PATH"], "TOKEN": secret, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    steps = [json.loads(line) for line in run.stdout.splitlines()]
    assert [step["step"] for step in steps] == ["found", "held", "confirmed", "moved", "cancelled", "listed"]
    assert (steps[1]["number"], steps[1]["fee"], steps[1]["status"]) == (2, "20.00", "pending")
    assert (steps[3]["schedule"], steps[3]["status"]) == (second.pk, "booked")
    row = Appointment.objects.get()
    assert (row.patient, row.status, row.channel, row.note) == (patient, "cancelled", "app", "trial")


def test_the_client_uses_the_standard_library_only():
    lines = CLIENT.read_text().splitlines()
    used = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}

    assert used <= sys.stdlib_module_names
