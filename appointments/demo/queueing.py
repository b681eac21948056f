"""One clinic, minute by minute: who is called when, by the rule of the real queue. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appointments.policies.visit import due_from

WALK = timedelta(seconds=40)  # from the call to the chair


@dataclass
class Turn:
    """One patient's day at the clinic. Times are None until they happen."""

    booked: object
    start: datetime
    checked_in_at: datetime
    length: timedelta
    called_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


def serve(turns: Iterable[Turn], *, opens_at: datetime) -> list[Turn]:
    """Fill in when each is called, starts and is finished: one doctor, nobody before the clinic opens."""
    coming = sorted(turns, key=lambda turn: turn.checked_in_at)
    waiting: list[tuple] = []
    free_at, place, served = opens_at, 0, []
    while place < len(coming) or waiting:
        if not waiting:
            free_at = max(free_at, coming[place].checked_in_at)
        while place < len(coming) and coming[place].checked_in_at <= free_at:
            turn = coming[place]
            due = due_from(start=turn.start, checked_in_at=turn.checked_in_at)
            heapq.heappush(waiting, (due, place, turn))
            place += 1
        _due, _place, turn = heapq.heappop(waiting)
        turn.called_at = free_at
        turn.started_at = turn.called_at + WALK
        turn.finished_at = turn.started_at + turn.length
        free_at = turn.finished_at
        served.append(turn)
    return served
