"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""

from hospital import outbox

from .services import queueing


@outbox.handles("encounter.checked_in")
def serve_sooner(fact, now):
    """R5, R6: an urgent referral's patient and the green channel's come first in the queue."""
    queueing.serve_sooner(appointment=int(fact.key.partition(":")[2]), now=now)
