"""Run inside a hospital under test: makes schedules in the real future and people, prints them as JSON."""

import json
import sys
from datetime import timedelta

import django

django.setup()

from hospital import clock  # noqa: E402
from hospital.models.token import ApiToken  # noqa: E402
from tests.factories import PatientFactory, UserFactory, open_schedule  # noqa: E402
from tests.faults.letters import partner  # noqa: E402


def main(schedules: int, numbers: int, patients: int, letters: int) -> dict:
    now = clock.now()
    _row, token = ApiToken.issue(
        name="test", user=UserFactory(), channel="web", scopes=["book_anyone"], expires_at=now + timedelta(days=1)
    )
    days = [clock.today(now) + timedelta(days=10 + n) for n in range(schedules)]
    made = [open_schedule(numbers=numbers, day=day, opened=now - timedelta(days=1)) for day in days]
    people = PatientFactory.create_batch(patients)
    return {
        "token": token,
        "schedules": [row.pk for row in made],
        "patients": [row.pk for row in people],
        "partner": partner(letters),
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))  # noqa: T201
