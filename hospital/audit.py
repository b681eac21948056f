"""操作留痕: who did what, when, and whose data they looked at. Rows are append-only; PostgreSQL refuses the rest."""

from datetime import datetime, timedelta

import structlog

from .addresses import client_address
from .models import AuditEvent, Patient, User

SAME_LOOK = timedelta(minutes=10)
"""Looking at one patient's page again within this time is one look: a page that refreshes leaves one row."""


def record(
    *,
    action: str,
    actor: User | None,
    now: datetime,
    patient: Patient | None = None,
    subject: str = "",
    detail: dict | None = None,
    request=None,
) -> AuditEvent:
    """Leave a trace in the caller's transaction. `detail` holds ids and codes, never personal data."""
    return AuditEvent.objects.create(
        at=now,
        actor=actor if actor is not None and actor.pk else None,
        action=action,
        patient=patient,
        subject=subject,
        detail=detail or {},
        address=client_address(request) if request is not None else _bound("ip") or None,
        request_id=request_id(),
    )


def saw_patient(*, patient: Patient, actor: User, where: str, now: datetime, request=None) -> None:
    """Somebody opened a patient's data on a page (`where`: "consult", "desk", …)."""
    action = f"patient.seen.{where}"
    looks = AuditEvent.objects.filter(patient=patient, actor=actor, action=action, at__gt=now - SAME_LOOK)
    if not looks.exists():
        record(action=action, actor=actor, patient=patient, now=now, request=request)


def searched_patients(*, actor: User, how: str, found: list[int], where: str, now: datetime, request=None) -> None:
    """A search for people: by what kind of text and whom it showed, never the text itself."""
    record(
        action=f"patient.searched.{where}", actor=actor, now=now, detail={"by": how, "shown": found}, request=request
    )


def request_id() -> str:
    """The id that this request's log lines carry; empty outside a request."""
    return _bound("request_id")


def _bound(name: str) -> str:
    """What the middleware keeps of the request that is being answered, for services that never see it."""
    return structlog.contextvars.get_contextvars().get(name) or ""
