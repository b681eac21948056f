"""Run inside a hospital under test: `hold` makes a number that is being paid, prints its order; `look` is one round of
the job, as late as it says."""

import json
import sys
from datetime import timedelta

import django

django.setup()

from appointments import invariants  # noqa: E402
from appointments.models import Appointment  # noqa: E402
from billing.models import LedgerEntry, Payment  # noqa: E402
from billing.services import invoicing, jobs, paying  # noqa: E402
from hospital import clock  # noqa: E402
from tests.factories import (  # noqa: E402
    DepartmentFactory,
    PatientFactory,
    PractitionerFactory,
    RoomFactory,
    open_schedule,
)
from tests.factories.billing import held_number, pays_first  # noqa: E402


def hold() -> dict:
    now = clock.now()
    for made in (DepartmentFactory, PatientFactory, PractitionerFactory, RoomFactory):
        made.reset_sequence(9_000)  # beside what the stage, another process, has made
    pays_first()
    schedule = open_schedule(day=clock.today(now) + timedelta(days=20), opened=now - timedelta(days=1))
    row = held_number(schedule=schedule, now=now)
    invoice = invoicing.open_for_booking(booking=row, by=None, now=now)
    payment = paying.begin(invoice=invoice, means="wechat", way="consult", by=None, now=now)
    return {"order": payment.order, "appointment": row.pk}


def look(order: str, appointment: str) -> dict:
    """Two minutes after it was begun."""
    asked = Payment.objects.get(order=order)
    jobs.catch_up(now=asked.asked_at + timedelta(minutes=2))
    return {
        "before": asked.status,
        "payment": Payment.objects.get(order=order).status,
        "booking": Appointment.objects.get(pk=appointment).status,
        "violations": invariants.violations(now=clock.now()),
        "received": LedgerEntry.objects.filter(payment=asked, kind="received").count(),
    }


if __name__ == "__main__":
    print(json.dumps({"hold": hold, "look": look}[sys.argv[1]](*sys.argv[2:])))  # noqa: T201
