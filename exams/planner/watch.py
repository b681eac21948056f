"""The time there is to think. The only place of the planner that reads a clock, and only one that counts seconds."""

from time import monotonic

LOOKS = 256
"""Between two glances at the clock: a glance costs as much as a small step of the search."""


class OutOfTime(Exception):
    """Never leaves the planner."""


class Watch:
    def __init__(self, seconds: float | None):
        self.until = None if seconds is None else monotonic() + seconds
        self.looks = 0

    def look(self):
        if self.until is not None and self.looks % LOOKS == 0 and monotonic() >= self.until:
            raise OutOfTime
        self.looks += 1

    def left(self) -> float | None:
        return None if self.until is None else max(self.until - monotonic(), 0)
