"""May this be done with the referral now? Pure: the same answer greys a button and refuses an act."""

from enum import StrEnum

from hospital.errors import Refused
from referrals import errors
from referrals.models import OVER, WAITS_FOR_RECEIVER, Referral

Status = Referral.Status


class Side(StrEnum):
    """Whose hand: who sent it, or who got it. The referral goes between two, so nobody is both."""

    ORIGIN = "origin"
    RECEIVER = "receiver"


class Act(StrEnum):
    """What people do with a referral."""

    SEND = "send"
    WITHDRAW = "withdraw"
    ANSWER = "answer"
    ATTACH = "attach"
    ASK = "ask"
    ACCEPT = "accept"
    REDIRECT = "redirect"
    REJECT = "reject"
    BOOK = "book"
    ARRIVE = "arrive"
    SEE = "see"
    COMPLETE = "complete"
    RETURN = "return"


_UNDECIDED = frozenset(WAITS_FOR_RECEIVER)
_RECEIVED = _UNDECIDED | {Status.ACCEPTED, Status.BOOKED}
_OPEN = frozenset(status for status in Status if status not in OVER)

MAY: dict[Act, tuple[frozenset[Side], frozenset[Status]]] = {
    Act.SEND: (frozenset({Side.ORIGIN}), frozenset({Status.DRAFT})),
    Act.WITHDRAW: (frozenset({Side.ORIGIN}), _RECEIVED | {Status.DRAFT, Status.ASKED}),
    Act.ANSWER: (frozenset({Side.ORIGIN}), frozenset({Status.ASKED})),
    Act.ATTACH: (frozenset(Side), _OPEN),
    Act.ASK: (frozenset({Side.RECEIVER}), _UNDECIDED),
    Act.ACCEPT: (frozenset({Side.RECEIVER}), _UNDECIDED),
    Act.REDIRECT: (frozenset({Side.RECEIVER}), _RECEIVED),
    Act.REJECT: (frozenset({Side.RECEIVER}), _RECEIVED | {Status.ASKED}),
    Act.BOOK: (frozenset(Side), _RECEIVED),  # the sender from its pools, the office from its own
    Act.ARRIVE: (frozenset({Side.RECEIVER}), frozenset({Status.ACCEPTED, Status.BOOKED})),
    Act.SEE: (frozenset({Side.RECEIVER}), frozenset({Status.ARRIVED})),
    Act.COMPLETE: (
        frozenset({Side.RECEIVER}),
        frozenset({Status.ACCEPTED, Status.BOOKED, Status.ARRIVED, Status.SEEN}),
    ),
    Act.RETURN: (frozenset({Side.RECEIVER}), frozenset({Status.ARRIVED, Status.SEEN})),
}
"""Act → whose it is, and in which states. COMPLETE of a referral up needs that the patient was there (refusal)."""


def refusal(act: Act, *, side: Side | None, status: str, direction: str) -> Refused | None:
    """Why `side` may not do it now; None when it may. Without a side: nobody's business."""
    sides, states = MAY[act]
    label = Status(status).label
    if status in OVER:
        return errors.ReferralOver(status=label)
    early = act == Act.COMPLETE and direction == Referral.Direction.UP and status in (Status.ACCEPTED, Status.BOOKED)
    if side not in sides or status not in states or early:
        return errors.NotTheirTurn(status=label)
    return None


def allowed(*, side: Side | None, status: str, direction: str) -> frozenset[Act]:
    """What the page offers."""
    return frozenset(act for act in Act if refusal(act, side=side, status=status, direction=direction) is None)
