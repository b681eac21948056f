"""医保结算, step by step (M5): which follows which, what undoes what, when is asked again. Pure."""

from datetime import timedelta
from decimal import Decimal

from billing.models import InsuranceSettlement, InsuranceStep

from .splitting import NOTHING, Split

Step = InsuranceStep.Step
Status = InsuranceSettlement.Status

FORWARD = (Step.PERSON, Step.REGISTER, Step.VISIT, Step.UPLOAD, Step.PRESETTLE, Step.SETTLE)
BACKWARD = (Step.UNSETTLE, Step.TAKE_BACK, Step.UNREGISTER)
RUNS = frozenset({Status.RUNNING, Status.PRESETTLED})

FIRST_PAUSE = timedelta(seconds=3)
LONGEST_PAUSE = timedelta(minutes=5)
LEASE = timedelta(seconds=30)
"""So long a step belongs to who asks; longer than a call takes. Who died in between is followed by the next."""
STUCK_AFTER = 8
"""Tries without an answer before the office hears of it (about ten minutes); it is tried on."""
FORGOTTEN_AFTER = timedelta(minutes=30)
"""What a person looked at and never agreed to is taken back at the insurance."""


def next_forward(done: set[str], *, agreed: bool) -> str | None:
    """The step after those that are done. None: all done, or the person has not agreed to be settled yet."""
    for step in FORWARD:
        if step not in done:
            return step if step != Step.SETTLE or agreed else None
    return None


def next_backward(done: set[str]) -> str | None:
    """What is to be undone next of what was done and stands, the last first. A pre-settlement leaves nothing."""
    for step in BACKWARD:
        if InsuranceStep.REVERSES[step] in done and step not in done:
            return step
    return None


def pause(tries: int) -> timedelta:
    """After the n-th try without an answer."""
    return min(FIRST_PAUSE * 2 ** min(max(tries - 1, 0), 12), LONGEST_PAUSE)


def split_of(
    total: Decimal | None, fund: Decimal | None, account: Decimal | None, cash: Decimal | None, *, asked: Decimal
) -> Split | None:
    """What the insurance says who bears. None where it does not add up, to the fen, to what it was asked about: then
    nobody is settled by it."""
    if None in (total, fund, account, cash) or min(fund, account, cash) < NOTHING:
        return None
    split = Split(fund=fund, account=account, cash=cash)
    return split if split.total == total == asked else None
