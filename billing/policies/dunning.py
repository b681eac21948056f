"""催缴 (M4): when an unpaid invoice on credit is due another message. Pure; days are the hospital's."""

from collections.abc import Collection
from datetime import date


def step_due(due_on: date, *, days: Collection[int], sent: int, today: date) -> int | None:
    """The step to be sent today: the last one whose day has come, counted from 1; None where it was sent. What a house
    missed (its worker was down) is not made up for by several messages at once."""
    come = sum(1 for each in sorted(set(days)) if (today - due_on).days >= each)
    return come if come > sent else None


def is_last(step: int, *, days: Collection[int]) -> bool:
    """After it a person of the office asks."""
    return step >= len(set(days))
