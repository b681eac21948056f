"""为什么约不上: the claim walked step by step for one patient, channel, clinic and number, without taking anything.

The same policies, rule rows and database functions as the claim (services.booking, sql/book_slot.sql), asked in its
order; the first step that does not hold is what booking answers. A test holds the two equal.
"""

from datetime import datetime

from .look import Answer, Asked, Look, PoolLine, Step, fitting
from .steps import STEPS, extra

__all__ = ["Answer", "Asked", "PoolLine", "Step", "explain"]


def explain(asked: Asked, *, now: datetime) -> Answer:
    """Every step with its reason; about 15 queries."""
    look = Look(asked, now)
    steps = [ask(look) for ask in STEPS]
    refusal = next((step.refusal for step in steps if step.refusal), None)
    given = fitting(look) if refusal is None and asked.patient else []
    return Answer(steps, refusal, given[0] if given else None, extra(look) if refusal else None)
