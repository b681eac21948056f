"""Is a line given back when its booking ends (M6)? Pure."""

from billing.errors import NoShowKeepsFee, NotRefundable
from billing.models import ChargeItem, Refund

Reason = Refund.Reason


def reason_of(topic: str, payload: dict, *, late_refund: bool) -> Reason | None:
    """None: it stays paid (a cancellation after the cut-off, where the house keeps the fee then)."""
    if topic == "exam.not_done":
        return Reason.NOT_DONE
    if payload.get("hospital"):
        return Reason.STOPPED
    if topic.endswith(".lapsed"):
        return Reason.LAPSED
    return None if payload.get("late") and not late_refund else Reason.CANCELLED


def refusal_by_staff(line: ChargeItem, *, keeps: bool, excused: bool) -> NotRefundable | NoShowKeepsFee | None:
    """Of a service, or of a booking that is over, paid or owed on credit. `keeps`: the house's rule keeps the fee of
    who did not come; not where the no-show was excused."""
    paid = line.status in (ChargeItem.Status.PAID, ChargeItem.Status.CONFIRMED)
    owed = line.status == ChargeItem.Status.OPEN and line.earned_at is not None
    state = line.booking.status if line.booking else ""
    if not (paid or owed) or (state and state not in OVER):
        return NotRefundable()
    return NoShowKeepsFee() if state == "noshow" and keeps and not excused else None


OVER = frozenset({"cancelled", "noshow", "not_done"})
"""States in which nobody may come with the booking any more."""
