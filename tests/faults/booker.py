"""A web process in small: the real settings, middleware and endpoint. Run as `python -m tests.faults.booker`."""

import json
import sys
import time
from statistics import median

import django

django.setup()

from django.test import Client  # noqa: E402

from appointments.models import Appointment  # noqa: E402
from appointments.services import changes  # noqa: E402


def main(schedule: str, token: str, *patients: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")
    client.get("/healthz/live")  # warm
    answers, seconds = [], []
    for patient in patients:
        began = time.perf_counter()
        answer = client.post(
            f"/api/v1/schedules/{schedule}/appointments/",
            {"patient": int(patient)},
            content_type="application/json",
            headers={"Idempotency-Key": f"key-{patient}"},
        )
        if answer.status_code == 201:
            changes.confirm(appointment=Appointment.objects.get(pk=answer.json()["appointment"]), by=None)
        seconds.append(time.perf_counter() - began)
        answers.append(answer.status_code)
        time.sleep(0.05)
    page = client.get("/accounts/login/").status_code
    print(json.dumps({"answers": answers, "slowest": max(seconds), "usual": median(seconds), "page": page}))  # noqa: T201


main(*sys.argv[1:])
