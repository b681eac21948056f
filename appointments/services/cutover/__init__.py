"""切换 (O2): people, bookings to come and running suspensions of the system before, row by row.

run = cutover.look(upload=..., system="", by=user, now=now)    # a line per row: waiting, already there or refused
cutover.start(run=run, by=user, now=now)                      # from here on a worker goes on until no line waits
cutover.go_on(run=run, ...)                                   # what the worker calls, again after it died
cutover.reconciliation(run)                                   # counted from the lines: the sums always add up

Each row is one transaction with its line, so that a row is never imported without its line saying so, nor twice.
"""

from .report import Sums, reconciliation, refused_lines
from .running import continue_all, go_on
from .starting import came_by_cutover, look, start
from .verdicts import sentences

__all__ = [
    "Sums",
    "came_by_cutover",
    "continue_all",
    "go_on",
    "look",
    "reconciliation",
    "refused_lines",
    "sentences",
    "start",
]
