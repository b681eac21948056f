"""A referral and its number: taken, moved, lost, used. What happens to the number itself is the heart's; its facts
move the referral (handlers). Locks: the referral, then its appointment.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Appointment, Schedule
from hospital import clock
from hospital.models import User
from referrals import errors
from referrals.models import Referral
from referrals.policies.moves import Act, Side

from . import green, trail, writing

Status = Referral.Status
NOT_HERE = ("left", "unmerged")
"""Why who had arrived with the number is not here, or it was somebody else."""
STANDS = (Appointment.Status.BOOKED, Appointment.Status.PENDING, Appointment.Status.ARRIVED)


@transaction.atomic
def take(*, referral: Referral, appointment: Appointment, by: User, side: Side, now: datetime) -> Referral:
    """The referral holds this number from now on: a live one of the patient at the receiver, of no other referral.

    A number of the sender's own pool needs nobody's answer; it is in the office's sight all the same.
    Publishes referral.booked {appointment, start}.
    Raises NumberOfAnother, NumberChanged, NotTheirTurn, ReferralOver.
    """
    row = trail.locked(referral.pk)
    if row.appointment_id == appointment.pk and row.status == Status.BOOKED:
        return row
    trail.may(row, Act.BOOK, side)
    number = Appointment.objects.select_for_update(no_key=True, of=("self",)).select_related("schedule").get(
        pk=appointment.pk
    )  # fmt: skip
    if (now_held := standing(row)) and now_held.pk != number.pk:
        raise errors.NumberChanged(number=moment_of(now_held))
    _check(row, number)
    changes = {"appointment": number, "due_at": None, "escalated_at": None}
    if side == Side.RECEIVER:
        changes["answered_at"] = row.answered_at or now
    here = row.receiver_id if side == Side.RECEIVER else row.origin_id
    trail.step(
        row, trail.Kind.BOOKED, by=by, organization_id=here, now=now, status=Status.BOOKED,
        detail={"appointment": number.pk, "start": number.start.isoformat()}, **changes,
    )  # fmt: skip
    return row


@transaction.atomic
def lost(*, appointment: int, why: str, by: User | None, now: datetime) -> Referral | None:
    """Its number was stopped, cancelled or missed: back to the office's list with a new deadline (nothing disappears).

    `why`: "cancelled", "stopped", "noshow", "unmerged", or "left": came, and went unseen. None where no open referral
    held it. Publishes referral.lost.
    held it. Publishes referral.lost.
    """
    row = _holding(appointment)
    if row is None:
        return None
    changes = {"appointment": None}
    if row.status == Status.BOOKED or (
        why in NOT_HERE and row.status == Status.ARRIVED
    ):  # who came by the green channel's door needs it no more
        changes |= {"status": Status.ACCEPTED, "due_at": writing.due(row, now=now), "escalated_at": None}
    trail.step(
        row, trail.Kind.LOST, by=by, organization_id=None, now=now,
        detail={"appointment": appointment, "why": why}, **changes,
    )  # fmt: skip
    return row


@transaction.atomic
def parted(*, referral: int, by: User | None, now: datetime) -> Referral:
    """Two records were separated, and its number is the other person's: one that waits for the day needs another, of
    one that went on the number is only taken off. Twice is once."""
    row = trail.locked(referral)
    if row.status == Status.BOOKED:
        return lost(appointment=row.appointment_id, why="unmerged", by=by, now=now) or row
    if row.appointment_id is None:
        return row
    trail.step(
        row, trail.Kind.NOTED, by=by, organization_id=None, now=now,
        detail={"appointment": row.appointment_id, "why": "unmerged"}, appointment=None,
    )  # fmt: skip
    return row


@transaction.atomic
def moved(*, appointment: int, to: int, by: User | None, now: datetime) -> Referral | None:
    """Rescheduled: the referral follows its patient to the new row, if it is another one."""
    row = _holding(appointment)
    if row is None:
        return None
    number = Appointment.objects.get(pk=to)
    detail = {"appointment": to, "start": number.start.isoformat()}
    if not _says_so_already(row, detail):
        trail.step(row, trail.Kind.MOVED, by=by, organization_id=None, now=now, detail=detail, appointment=number)
    return row


@transaction.atomic
def arrived(*, referral: Referral, by: User | None, now: datetime) -> Referral:
    """到院: the patient checked in, or a green one is at the door. Twice is once. Publishes referral.arrived."""
    row = trail.locked(referral.pk)
    if row.status == Status.ARRIVED:
        return row
    trail.may(row, Act.ARRIVE, Side.RECEIVER)
    trail.step(
        row, trail.Kind.ARRIVED, by=by, organization_id=row.receiver_id, now=now, status=Status.ARRIVED,
        due_at=None, answered_at=row.answered_at or now,
    )  # fmt: skip
    return row


@transaction.atomic
def seen(*, referral: Referral, by: User | None, now: datetime) -> Referral:
    """就诊: the consultation is over; what follows is completing it or sending the patient back down."""
    row = trail.locked(referral.pk)
    if row.status == Status.SEEN:
        return row
    trail.may(row, Act.SEE, Side.RECEIVER)
    trail.step(row, trail.Kind.SEEN, by=by, organization_id=row.receiver_id, now=now, status=Status.SEEN)
    return row


@transaction.atomic
def not_arrived(*, referral: Referral, by: User | None, now: datetime) -> Referral:
    """The check-in was undone: somebody else was meant."""
    row = trail.locked(referral.pk)
    if row.status != Status.ARRIVED:
        return row
    back = Status.BOOKED if row.appointment_id else Status.ACCEPTED
    trail.step(
        row, trail.Kind.NOTED, by=by, organization_id=None, now=now, status=back, detail={"why": "check_in_undone"}
    )
    green.open_again(row)
    return row


def _holding(appointment: int) -> Referral | None:
    """The open referral that holds it, locked."""
    pk = Referral.objects.filter(appointment=appointment, ended_at=None).values_list("pk", flat=True).first()
    row = trail.locked(pk) if pk else None
    return row if row and row.appointment_id == appointment and row.ended_at is None else None


def standing(referral: Referral) -> Appointment | None:
    """The number that it holds and that could be given back or moved."""
    rows = Appointment.objects.filter(referred_by=referral, status__in=STANDS).exclude(status="arrived")
    return rows.select_related("slot").first()


def to_settle(referral: Referral) -> Appointment | None:
    """Of which whoever ends it or passes it on says what becomes: the number that it holds, or of one down the number
    of its plan's next visit."""
    if referral.direction == Referral.Direction.UP:
        return standing(referral)
    plans = Appointment.objects.filter(follow_up_of__referral=referral, status=Appointment.Status.BOOKED)
    return standing(referral) or plans.select_related("slot").first()


def stopped(referral: Referral) -> Appointment | None:
    """The number that it lost with its session while nobody has moved it or given it back: still the patient's, so
    that the next one takes its place and nobody is booked twice."""
    if referral.appointment_id:
        return None
    lost = referral.events.filter(kind=trail.Kind.LOST, detail__why="stopped").values_list("detail__appointment")
    rows = Appointment.objects.filter(
        pk__in=[pk for (pk,) in lost],
        patient=referral.patient_id,
        status=Appointment.Status.BOOKED,
        schedule__status=Schedule.Status.STOPPED,
        referred_by=None,
    )
    return rows.select_related("slot").order_by("-pk").first()


def changed_since(referral: Referral, *, seen: int | None) -> None:
    """`seen`: the number that whoever acts knows of. Raises NumberChanged."""
    now = standing(referral) or stopped(referral)
    if (now.pk if now else None) != seen:
        raise errors.NumberChanged(number=moment_of(now) if now else _("现在没有号"))


def moment_of(number: Appointment) -> str:
    return f"{number.start.astimezone(clock.ZONE):%m-%d %H:%M}"


def _says_so_already(row: Referral, detail: dict) -> bool:
    """Whoever moved it for the referral wrote that down in the same step."""
    last = row.events.filter(kind__in=[trail.Kind.BOOKED, trail.Kind.MOVED]).order_by("-pk").first()
    return last is not None and {name: last.detail.get(name) for name in detail} == detail


def _check(row: Referral, number: Appointment) -> None:
    right = number.patient_id == row.patient_id and number.schedule.organization_id == row.receiver_id
    right = right and number.schedule.status != Schedule.Status.STOPPED
    other = Referral.objects.filter(appointment=number).exclude(pk=row.pk).exists()
    if not right or number.status not in STANDS or other:
        raise errors.NumberOfAnother()
