"""作息时间调整 (O8): a period of a campus's half-day hours, and what is laid out already moved along with it.

act = retiming.look(period=..., by=user, now=now)      # a BulkAct of kind retime: what would move, who, who can not
retiming.start(act=act, by=user, now=now)              # the hours hold from now on; a worker moves session by session
retiming.continue_all(...)                             # what the worker calls, again after it died
retiming.undo(act=act, by=user, now=now)               # ten minutes, and only when nobody was told

Unlike other bulk acts this is not one transaction: a campus has thousands of sessions, and holding all of them would
stop every booking. Each session is one, with the record that it was moved, so that none is moved or told of twice.
"""

from .asking import Wanted, hours_now, look
from .outcome import Outcome, outcome_of
from .running import continue_all, go_on, look_again, start, undo

__all__ = [
    "Outcome",
    "Wanted",
    "continue_all",
    "go_on",
    "hours_now",
    "look",
    "look_again",
    "outcome_of",
    "start",
    "undo",
]
