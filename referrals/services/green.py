"""绿色通道 (R5): rings at the receiver until somebody acknowledges it; what is kept free is asked for, not booked.

The call is written with the referral's own step, so that it rings though no worker runs. Locks: the referral, its call.
`now` is aware UTC.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from hospital import clock, outbox
from hospital.models import User
from referrals import errors
from referrals.models import OVER, GreenCall, Referral
from referrals.policies.moves import Act, Side, refusal
from referrals.selectors import rules

from . import trail

RANG, LATE, TAKEN, CAPACITY = "green.rang", "green.late", "green.taken", "green.capacity"
TOPICS = (RANG, LATE, TAKEN, CAPACITY)
BATCH = 200
Capacity, State = GreenCall.Capacity, GreenCall.State
NOT_AWAITED = (*OVER, Referral.Status.ARRIVED, Referral.Status.SEEN)


def ring(referral: Referral, *, now: datetime) -> GreenCall:
    """Called in the transaction that sends it, or passes it on to another hospital: there it rings anew."""
    rule = rules.referral_rule(referral.receiver_id, day=clock.today(now))
    call, made = GreenCall.objects.select_for_update(no_key=True, of=("self",)).get_or_create(
        referral=referral, defaults={"rung_at": now, "due_at": now + timedelta(minutes=rule.green_minutes)}
    )
    if not made:
        fresh = {
            "rung_at": now, "due_at": now + timedelta(minutes=rule.green_minutes), "escalated_at": None,
            "acknowledged_at": None, "acknowledged_by": None, "capacity": Capacity.NONE, "state": "", "note": "",
            "team_told": "", "expected_at": None, "closed_at": None,
        }  # fmt: skip
        for name, value in fresh.items():
            setattr(call, name, value)
        call.save(update_fields=list(fresh))
    _publish(RANG, referral, by=None, now=now)
    return call


@transaction.atomic
def acknowledge(*, referral: Referral, by: User, now: datetime) -> GreenCall:
    """确认: somebody has it in hand. It is taken in with that, and nothing rings any more. The second hears who was
    first. Raises NotTheirTurn, ReferralOver, GreenTakenAlready."""
    row, call = _open(referral)
    if call.acknowledged_at:
        if call.acknowledged_by_id == by.pk:
            return call  # pressed twice
        raise errors.GreenTakenAlready(who=str(call.acknowledged_by))
    call.acknowledged_at, call.acknowledged_by = now, by
    call.save(update_fields=["acknowledged_at", "acknowledged_by"])
    seconds = int((now - call.rung_at).total_seconds())
    after = _taken_in(row, now=now)
    trail.step(
        row, trail.Kind.GREEN, by=by, organization_id=row.receiver_id, now=now, detail={"seconds": seconds}, **after
    )
    _publish(TAKEN, row, by=by, now=now)
    return call


def _taken_in(row: Referral, *, now: datetime) -> dict:
    """One that was waiting is accepted; the clock of the call was the clock of the answer. Then the clock of coming
    runs: who neither arrives nor gets a number is asked for."""
    changes = {"answered_at": row.answered_at or now}
    if refusal(Act.ACCEPT, side=Side.RECEIVER, status=row.status, direction=row.direction) is None:
        changes["status"] = Referral.Status.BOOKED if row.appointment_id else Referral.Status.ACCEPTED
        minutes = timedelta(minutes=rules.referral_rule(row.receiver_id, day=clock.today(now)).urgent_minutes)
        changes |= {"due_at": None if row.appointment_id else now + minutes, "escalated_at": None}
    return changes


def _awaited(row: Referral, expected_at: datetime | None, *, now: datetime) -> dict:
    """Said to come at a time: missed soon after that, not before."""
    if expected_at is None or row.status != Referral.Status.ACCEPTED or row.appointment_id:
        return {}
    minutes = timedelta(minutes=rules.referral_rule(row.receiver_id, day=clock.today(now)).green_minutes)
    return {"due_at": max(now, expected_at) + minutes, "escalated_at": None}


@transaction.atomic
def arrange(
    *,
    referral: Referral,
    capacity: str,
    state: str,
    note: str,
    team_told: str,
    expected_at: datetime | None,
    by: User,
    now: datetime,
) -> GreenCall:
    """预留: what is asked for and how that stands, where to bring the patient, whom the office told. The sender hears
    each change of state. Raises GreenNotTaken, NotTheirTurn, ReferralOver."""
    row, call = _open(referral)
    if call.acknowledged_at is None:
        raise errors.GreenNotTaken()
    before, said_before = (call.capacity, call.state, call.note), (call.team_told, call.expected_at)
    call.capacity, call.state = capacity, "" if capacity == Capacity.NONE else state or State.ASKED
    call.note, call.team_told, call.expected_at = note.strip(), team_told.strip(), expected_at
    call.save(update_fields=["capacity", "state", "note", "team_told", "expected_at"])
    kept_free = before != (call.capacity, call.state, call.note)
    if not kept_free and said_before == (call.team_told, call.expected_at):
        return call
    said = {"capacity": call.capacity, "state": call.state}
    expected = {"expected": expected_at.isoformat()} if expected_at else {}
    trail.step(
        row, trail.Kind.GREEN, by=by, organization_id=row.receiver_id, now=now, text=_told(call),
        detail=said | expected, **_awaited(row, expected_at, now=now),
    )  # fmt: skip
    if kept_free:
        _publish(CAPACITY, row, by=by, now=now, **said)
    return call


def close(referral: int, *, now: datetime) -> int:
    """Arrived, or the referral ended: nothing is waited for any more."""
    rows = GreenCall.objects.filter(referral=referral, closed_at=None)
    return rows.filter(referral__status__in=NOT_AWAITED).update(closed_at=now)


def open_again(referral: Referral) -> int:
    """Somebody else was meant: the patient is still on the way."""
    return GreenCall.objects.filter(referral=referral).exclude(closed_at=None).update(closed_at=None)


def escalate(*, now: datetime) -> int:
    """Nobody acknowledged in time: the office again, its leaders, and the sender, who may call. Once each ringing."""
    waiting = GreenCall.objects.filter(
        acknowledged_at=None, closed_at=None, escalated_at=None, referral__ended_at=None, rung_at__lte=now
    )
    told = 0
    for pk, receiver, rung_at in list(waiting.values_list("referral", "referral__receiver", "rung_at")[:BATCH]):
        rule = rules.referral_rule(receiver, day=clock.today(now))
        if rung_at + timedelta(minutes=rule.green_escalate_minutes) <= now:
            told += _escalate(pk, now=now)
    return told


@transaction.atomic
def _escalate(pk: int, *, now: datetime) -> int:
    row = trail.locked(pk)
    call = GreenCall.objects.select_for_update(no_key=True).get(referral=row)
    if call.acknowledged_at or call.escalated_at or call.closed_at or row.ended_at:
        return 0
    call.escalated_at = now
    call.save(update_fields=["escalated_at"])
    trail.step(row, trail.Kind.ESCALATED, by=None, organization_id=None, now=now, detail={"why": "green"})
    _publish(LATE, row, by=None, now=now)
    return 1


def _open(referral: Referral) -> tuple[Referral, GreenCall]:
    """Both, locked."""
    row = trail.locked(referral.pk)
    if row.ended_at is not None:
        raise errors.ReferralOver(status=row.get_status_display())
    call = GreenCall.objects.select_for_update(no_key=True, of=("self",)).select_related("acknowledged_by").filter(
        referral=row
    ).first()  # fmt: skip
    if call is None or call.closed_at is not None:
        raise errors.NotTheirTurn(status=row.get_status_display())
    return row, call


def _told(call: GreenCall) -> str:
    """In words, for people alone: neither facts nor the audit speak of what was written."""
    team = _("已通知：%(team)s") % {"team": call.team_told} if call.team_told else ""
    return "；".join(filter(None, [call.note, team]))


def _publish(topic: str, row: Referral, *, by: User | None, now: datetime, **said) -> None:
    outbox.publish(topic=topic, key=f"referral:{row.pk}", payload={"referral": row.pk, **said}, actor=by, now=now)
