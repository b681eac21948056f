"""What the heart says of a number moves the referral that came by it (R4): lost, kept after all, moved, used.

Each is called once per fact, late or long after; it looks at what is so now and never fails on what is over.
Locks: the referral.
"""

from datetime import datetime

from django.db import transaction

from appointments.models import Appointment, Schedule
from hospital.models import User
from referrals.models import Referral, ReferralEvent
from referrals.policies.moves import Act, Side, refusal

from . import numbers, trail

Status = Referral.Status
STANDS = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED)


def lost_with(*, appointments: list[int], schedule: int, by: User | None, now: datetime) -> int:
    """停诊: whoever is still booked in the stopped session. One that is open again, or left meanwhile, lost nothing."""
    rows = Appointment.objects.filter(
        pk__in=appointments,
        schedule=schedule,
        schedule__status=Schedule.Status.STOPPED,
        status=Appointment.Status.BOOKED,
    )
    held = rows.filter(referred_by__isnull=False, referred_by__ended_at=None).order_by("pk")
    found = [numbers.lost(appointment=pk, why="stopped", by=by, now=now) for pk in held.values_list("pk", flat=True)]
    return sum(1 for row in found if row)


@transaction.atomic
def kept(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """It moved, its session is open again or has a substitute, or who missed it came after all: where the referral
    lost this very number and has no other yet, it holds it again."""
    number = Appointment.objects.select_related("schedule").filter(pk=appointment, status__in=STANDS).first()
    if number is None or number.schedule.status == Schedule.Status.STOPPED:
        return None
    without = {"ended_at": None, "appointment": None, "status": Status.ACCEPTED}
    mine = Referral.objects.filter(patient=number.patient_id, **without)  # the patient's own few, by their index
    lost = ReferralEvent.objects.filter(
        referral__in=mine, kind=ReferralEvent.Kind.LOST, detail__appointment=appointment
    ).order_by("-pk")
    pk = lost.values_list("referral", flat=True).first()
    row = trail.locked(pk) if pk else None
    if row is None or row.appointment_id or row.status != Status.ACCEPTED:
        return None
    if Referral.objects.filter(appointment=number).exists():
        return None
    trail.step(
        row, trail.Kind.BOOKED, by=by, organization_id=None, now=now, status=Status.BOOKED, appointment=number,
        detail={"appointment": number.pk, "start": number.start.isoformat(), "why": "again"},
        due_at=None, escalated_at=None,
    )  # fmt: skip
    return row


def moved(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """改约: the same row has another number. One that was lost with its session is held again."""
    followed = numbers.moved(appointment=appointment, to=appointment, by=by, now=now)
    return followed or kept(appointment=appointment, by=by, now=now)


def checked_in(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """到院. Also of who had missed it and came late."""
    row = _of(appointment) or kept(appointment=appointment, by=by, now=now)
    return numbers.arrived(referral=row, by=by, now=now) if row and _may(row, Act.ARRIVE) else None


def check_in_undone(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    row = _of(appointment)
    return numbers.not_arrived(referral=row, by=by, now=now) if row else None


def left(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """Checked in and gone without being seen: back to the office's list. Who comes back the same day has arrived."""
    return numbers.lost(appointment=appointment, why="left", by=by, now=now)


def finished(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """就诊结束. What follows is a person's decision; one that was completed or sent back down meanwhile is over."""
    row = _of(appointment)
    return numbers.seen(referral=row, by=by, now=now) if row and _may(row, Act.SEE) else None


def _of(appointment: int) -> Referral | None:
    return Referral.objects.filter(appointment=appointment, ended_at=None).first()


def _may(row: Referral, act: Act) -> bool:
    return refusal(act, side=Side.RECEIVER, status=row.status, direction=row.direction) is None
