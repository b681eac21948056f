"""号少: when few numbers are left, and which word a half-day or a day gets. Pure, so one rule for all pages."""

from collections.abc import Iterable
from enum import StrEnum

FEW = 2
"""Numbers: two people in front of the same page and it is over."""

FEW_SHARE = 5
"""Or at most one in five of what is open to the public and still ahead."""


class State(StrEnum):
    """What the public finds: in the order in which a day with several half-days is named."""

    OPEN = "open"  # 有号
    FEW = "few"  # 号少
    UNRELEASED = "unreleased"  # 未放号
    FULL = "full"  # 满号
    STOPPED = "stopped"  # 停诊
    GATED = "gated"  # 由团队转诊 (B11)
    OFFLINE = "offline"  # 不在网上放号: its numbers are for other channels, or it has no price yet
    NONE = "none"  # 无出诊

    @property
    def bookable(self) -> bool:
        return self in (State.OPEN, State.FEW)


RANK = {state: place for place, state in enumerate(State)}


def is_few(left: int, *, of: int) -> bool:
    return left <= FEW or left * FEW_SHARE <= of


def state_of_all(states: Iterable[State], *, left: int, of: int) -> State:
    """The word for several half-days together: what can be booked counts, else the most hopeful of them."""
    if left:
        return State.FEW if is_few(left, of=of) else State.OPEN
    return min(states, key=RANK.__getitem__, default=State.NONE)
