"""One step of a referral: its state, its trail, the fact and the audit row are written together or not at all."""

from datetime import datetime

from hospital import audit, outbox
from hospital.models import User
from referrals.models import OVER, Referral, ReferralEvent
from referrals.policies import moves

Kind = ReferralEvent.Kind


def locked(pk: int) -> Referral:
    """The row for this transaction. Locks go: schedule, numbers, patient, referral, appointment."""
    return Referral.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "origin", "receiver", "department", "role__practitioner", "team"
    ).get(pk=pk)  # fmt: skip


def may(referral: Referral, act: moves.Act, side: moves.Side | None) -> None:
    """Raises NotTheirTurn, ReferralOver."""
    refused = moves.refusal(act, side=side, status=referral.status, direction=referral.direction)
    if refused:
        raise refused


def step(
    referral: Referral,
    kind: str,
    *,
    by: User | None,
    organization_id: int | None,
    now: datetime,
    status: str | None = None,
    text: str = "",
    detail: dict | None = None,
    **changes,
) -> ReferralEvent:
    """Write one step; `status` is the state after it, `changes` other columns of the referral.

    The referral is locked by the caller. Publishes referral.<kind> {referral, status, origin, receiver, …detail}.
    """
    if status is not None:
        changes["status"] = status
        if status in OVER:
            changes |= {"ended_at": now, "due_at": None}
    for name, value in changes.items():
        setattr(referral, name, value)
    if changes:
        referral.save(update_fields=list(changes))
    event = ReferralEvent.objects.create(
        referral=referral, kind=kind, status=referral.status, organization_id=organization_id, by=by,
        text=text.strip()[:500], detail=detail or {}, at=now,
    )  # fmt: skip
    said = {"referral": referral.pk, "status": referral.status, "direction": referral.direction}
    said |= {"origin": referral.origin_id, "receiver": referral.receiver_id, **(detail or {})}
    outbox.publish(topic=f"referral.{kind}", key=f"referral:{referral.pk}", payload=said, actor=by, now=now)
    audit.record(
        action=f"referral.{kind}", actor=by, patient=referral.patient, subject=f"referral:{referral.pk}",
        detail={"after": referral.status, **(detail or {})}, now=now,
    )  # fmt: skip
    return event
