"""The referral follows what happens to its number and its patient (facts of the heart). Locks: the referral."""

from datetime import datetime

from appointments.models import Appointment
from hospital.models import User
from referrals.models import Referral, ReferralEvent
from referrals.policies.moves import Act, Side, refusal

from . import numbers, trail


def moved(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """改约: the same row at another time."""
    return numbers.moved(appointment=appointment, to=appointment, by=by, now=now)


def lost_with(*, appointments: list[int], schedule: int, by: User | None, now: datetime) -> list[Referral]:
    """A session stopped: each referral whose number is still one of that session."""
    still = Appointment.objects.filter(pk__in=appointments, schedule=schedule).order_by("pk")
    found = [numbers.lost(appointment=pk, why="stopped", by=by, now=now) for pk in still.values_list("pk", flat=True)]
    return [row for row in found if row]


def kept(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """The stopped number is the patient's after all: the referral that lost it holds it again, if nothing else came."""
    lost = ReferralEvent.objects.filter(kind=ReferralEvent.Kind.LOST, detail__appointment=appointment)
    pk = lost.filter(referral__status=Referral.Status.ACCEPTED, referral__appointment=None).values_list(
        "referral", flat=True
    ).last()  # fmt: skip
    number = Appointment.objects.filter(pk=appointment, status__in=numbers.STANDS).first()
    if pk is None or number is None:
        return None
    return numbers.take(referral=Referral(pk=pk), appointment=number, by=by, side=Side.RECEIVER, now=now)


def checked_in(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    return _if(Act.ARRIVE, numbers.arrived, appointment=appointment, by=by, now=now)


def check_in_undone(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    row = Referral.objects.filter(appointment=appointment, ended_at=None).first()
    return numbers.not_arrived(referral=row, by=by, now=now) if row else None


def finished(*, appointment: int, by: User | None, now: datetime) -> Referral | None:
    """就诊结束. One that was completed or sent back down meanwhile is left alone."""
    return _if(Act.SEE, numbers.seen, appointment=appointment, by=by, now=now)


def _if(act: Act, step, *, appointment: int, by: User | None, now: datetime) -> Referral | None:
    row = Referral.objects.filter(appointment=appointment, ended_at=None).first()
    if row is None:
        return None
    held = trail.locked(row.pk)
    if refusal(act, side=Side.RECEIVER, status=held.status, direction=held.direction):
        return None
    return step(referral=held, by=by, now=now)
