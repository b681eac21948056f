"""What the consult room knows of referrals (R2): whom they name in the queue, and the dossier of who sits there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from appointments.models import Appointment, Encounter
from hospital.models import Patient
from referrals.models import OVER, Referral
from referrals.policies.moves import Act, Side, allowed

from . import down, scope

Status = Referral.Status
LATELY = timedelta(days=90)
"""What ended before is found by its number; it is no news in the room."""

RELATED = ("origin", "receiver", "department", "doctor", "role__practitioner", "team", "appointment", "answers_to")


def named_in(visits: Iterable[Appointment], *, organization_id: int) -> dict[int, Referral]:
    """appointment id → the referral that its patient comes by: the one with this number; else one under way to this
    department, or down to this house. One query."""
    visits = list(visits)
    by_number = Q(appointment__in=[row.pk for row in visits])
    people = Q(patient__in={row.patient_id for row in visits}) & ~Q(status__in=OVER)
    rows = Referral.objects.filter(by_number | people, receiver=organization_id, sent_at__isnull=False)
    rows = list(rows.exclude(status__in=[Status.REJECTED, Status.WITHDRAWN]).select_related("origin").order_by("-pk"))
    return {visit.pk: row for visit in visits if (row := _of_visit(visit, rows))}


def _of_visit(visit: Appointment, rows: list[Referral]) -> Referral | None:
    with_number = (row for row in rows if row.appointment_id == visit.pk)
    theirs = [row for row in rows if row.patient_id == visit.patient_id and row.status not in OVER]
    here = (row for row in theirs if row.direction == Referral.Direction.DOWN or row.department_id in _place(visit))
    return next(with_number, None) or next(here, None)


def _place(visit: Appointment) -> set[int | None]:
    return {visit.department_id, None}


@dataclass(frozen=True)
class Dossier:
    """One referral in the room, with what may be done with it here."""

    referral: Referral
    here: bool  # the one that brought the patient to this visit
    acts: frozenset[Act]
    shown: down.Shown | None  # a plan that came down with it
    went: Referral | None = None  # sent back down
    went_shown: down.Shown | None = None

    @property
    def may_complete(self) -> bool:
        return Act.COMPLETE in self.acts and self.referral.direction == Referral.Direction.UP

    @property
    def may_go_down(self) -> bool:
        again = self.referral.status == Status.RETURNED and self.went is None
        return self.referral.direction == Referral.Direction.UP and (Act.RETURN in self.acts or again)


@dataclass(frozen=True)
class Known:
    """The patient's referrals at this house: the one of this visit first."""

    first: Dossier | None
    others: list[Referral] = field(default_factory=list)


def known(encounter: Encounter, *, patient: Patient, organization_id: int, now: datetime) -> Known:
    """At most seven queries."""
    rows = scope.referrals_at(frozenset({organization_id})).filter(patient=patient)
    rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=now - LATELY)).exclude(status=Status.DRAFT)
    found = list(rows.select_related(*RELATED).order_by("-pk")[:20])
    received = [row for row in found if row.receiver_id == organization_id]
    first = _of_visit(encounter.appointment, received) or next((row for row in received if row.ended_at is None), None)
    if first is None:
        return Known(None, found)
    return Known(_dossier(first, encounter), [row for row in found if row.pk != first.pk])


def _dossier(row: Referral, encounter: Encounter) -> Dossier:
    went = None if row.direction == Referral.Direction.DOWN else down.standing_down(row)
    return Dossier(
        referral=row,
        here=row.appointment_id == encounter.appointment_id,
        acts=allowed(side=Side.RECEIVER, status=row.status, direction=row.direction),
        shown=down.shown(row) if row.direction == Referral.Direction.DOWN else None,
        went=went,
        went_shown=down.shown(went) if went else None,
    )
