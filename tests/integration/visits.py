"""What their system says of a visit to doctor P-77 today, and what came of it here."""

from hospital.models import Fact
from tests.factories import TODAY

DAY = TODAY.isoformat()
TOPICS = ["appointment.booked", "encounter.checked_in", "encounter.called", "encounter.started", "encounter.finished"]


def at(wall: str) -> str:
    return f"{DAY}T{wall}:00+08:00"


def said(status="registered", **more):
    return {"patient": "1001", "status": status, "day": DAY, "doctor": "P-77", "changed_at": at("09:50"), **more}


def facts():
    return list(Fact.objects.order_by("pk").values_list("topic", flat=True))
