"""绿色通道 (R5): rings at the receiver until somebody acknowledges it; what is kept free is asked for, not booked.

The call is written with the referral's own step, so that it rings though no worker runs. Locks: the referral, its call.
`now` is aware UTC.
"""

from datetime import datetime, timedelta

from django.db import transaction

from hospital import audit, clock, outbox
from hospital.models import User
from referrals import errors
from referrals.models import GreenCall, Referral
from referrals.policies.moves import Act, Side, refusal
from referrals.selectors import rules

from . import trail

RANG, LATE, TAKEN, CAPACITY = "green.rang", "green.late", "green.taken", "green.capacity"
TOPICS = (RANG, LATE, TAKEN, CAPACITY)
BATCH = 200
Capacity, State = GreenCall.Capacity, GreenCall.State


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
            "team_told": "", "closed_at": None,
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
    """One that was waiting is accepted; the clock of the call was the clock of the answer."""
    changes = {"answered_at": row.answered_at or now, "due_at": None, "escalated_at": None}
    if refusal(Act.ACCEPT, side=Side.RECEIVER, status=row.status, direction=row.direction) is None:
        changes["status"] = Referral.Status.BOOKED if row.appointment_id else Referral.Status.ACCEPTED
    return changes


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
    before = (call.capacity, call.state, call.note)
    call.capacity, call.state = capacity, "" if capacity == Capacity.NONE else state or State.ASKED
    call.note, call.team_told, call.expected_at = note.strip(), team_told.strip(), expected_at
    call.save(update_fields=["capacity", "state", "note", "team_told", "expected_at"])
    if before == (call.capacity, call.state, call.note):
        _trace(row, call, by=by, now=now)
        return call
    said = {"capacity": call.capacity, "state": call.state}
    text = "：".join(filter(None, [" ".join(_words(call)), call.note]))
    trail.step(row, trail.Kind.GREEN, by=by, organization_id=row.receiver_id, now=now, text=text, detail=said)
    _publish(CAPACITY, row, by=by, now=now, **said)
    return call


def close(referral: int, *, now: datetime) -> int:
    """Arrived, or the referral ended: nothing is waited for any more."""
    return GreenCall.objects.filter(referral=referral, closed_at=None).update(closed_at=now)


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


def _words(call: GreenCall) -> list[str]:
    return [str(call.get_capacity_display()), str(call.get_state_display())] if call.state else []


def _trace(row: Referral, call: GreenCall, *, by: User, now: datetime) -> None:
    audit.record(
        action="referral.green", actor=by, patient=row.patient, subject=f"referral:{row.pk}",
        detail={"after": row.status, "capacity": call.capacity, "state": call.state}, now=now,
    )  # fmt: skip


def _publish(topic: str, row: Referral, *, by: User | None, now: datetime, **said) -> None:
    outbox.publish(topic=topic, key=f"referral:{row.pk}", payload={"referral": row.pk, **said}, actor=by, now=now)
