"""Is it them? The last four characters of a document, told to an operator who knows only a medical number (O4, B16).

A medical number is counted up and four characters are ten thousand guesses: wrong ones are counted over the hospital's
day, per patient and per operator, in the trail itself. A new session or a second browser begins no new count, and
without the count nobody is shown.
"""

from datetime import datetime, time
from enum import StrEnum

from django.db import transaction

from hospital import audit, clock, codes
from hospital.models import AuditEvent, User
from hospital.patients import Found

MISSED, REFUSED = "patient.last_four_missed", "patient.last_four_refused"

MISSES_OF_A_PATIENT = 5
"""A day, whoever asks: of ten thousand possible endings."""

MISSES_OF_AN_OPERATOR = 20
"""A day, whomever they ask for: slips of the finger at a busy window are fewer."""


class Proof(StrEnum):
    SHOWN = "shown"
    ASKED = "asked"  # nothing was said yet
    WRONG = "wrong"
    REFUSED = "refused"


@transaction.atomic
def last_four(*, people: list[Found], said: str | None, by: User, now: datetime) -> Proof:
    """Whether what was said is the end of a document of whom a medical number means (nobody, perhaps: that is asked the
    same). `said` None: not asked yet. Leaves a trace of each miss and of each refusal."""
    codes.one_at_a_time(f"last_four:operator:{by.pk}", *(f"last_four:patient:{each.pk}" for each in people))
    if _too_many(people, by=by, now=now):
        if said is not None:
            _trace(REFUSED, people, by=by, now=now)
        return Proof.REFUSED
    if said is None:
        return Proof.ASKED
    if said and any(said in each.documents for each in people):
        return Proof.SHOWN
    _trace(MISSED, people, by=by, now=now)
    return Proof.REFUSED if _too_many(people, by=by, now=now) else Proof.WRONG


def _too_many(people: list[Found], *, by: User, now: datetime) -> bool:
    since = datetime.combine(clock.today(now), time(), clock.ZONE)
    missed = AuditEvent.objects.filter(action=MISSED, at__gte=since)
    if missed.filter(actor=by).count() >= MISSES_OF_AN_OPERATOR:
        return True
    return any(missed.filter(patient=each.pk).count() >= MISSES_OF_A_PATIENT for each in people)


def _trace(action: str, people: list[Found], *, by: User, now: datetime) -> None:
    for person in [each.patient for each in people] or [None]:
        audit.record(action=action, actor=by, patient=person, now=now)
