"""三优先 in the queue (R5, R6): who comes by an urgent referral or the green channel is seen sooner."""

from datetime import datetime

from appointments.models import Encounter
from appointments.services import visit
from referrals.models import Referral

PRIORITY = {Referral.Urgency.URGENT: 1, Referral.Urgency.GREEN: 2}
"""The places that a nurse gives to people whom the house serves first, and to urgent ones (0008-queue-order.md)."""


def serve_sooner(*, appointment: int, now: datetime) -> Encounter | None:
    """Of who has just checked in with this number. None where it came by no such referral."""
    rows = Referral.objects.filter(appointment=appointment, ended_at=None, urgency__in=PRIORITY)
    urgency = rows.values_list("urgency", flat=True).first()
    if urgency is None:
        return None
    return visit.serve_sooner(appointment=appointment, priority=PRIORITY[urgency], by=None, why="referral", now=now)
