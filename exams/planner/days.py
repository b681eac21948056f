"""Which days go together: what two exams on two days allow each other at all."""

from .narrow import OUT_OF_REACH, Pairs
from .tables import DAY_STEPS, NEVER, Tables, first_step, last_step, members


class Days:
    """`of[j]`: the days that exam j can have, given that each other must find one too. `beside[j, day][i]`: the days
    that are then left to i. Masks. `hopeless`: no way at all."""

    def __init__(self, tables: Tables, pairs: Pairs):
        self.tables = tables
        self.pairs = pairs
        self.of = list(tables.days_of)
        self._edges()
        self.hopeless = self._in_a_circle() or not all(self.of)
        if not self.hopeless:
            every = range(tables.size)
            self.beside = {
                (j, day): [self._beside(j, day, i) for i in every] for j in every for day in members(self.of[j])
            }
            self._leave_out()

    def _edges(self):
        """Of each exam and day, from 00:00 of the first: when the device can be done first and last, and begin."""
        self.first_done, self.last_done, self.first_begin, self.last_begin = {}, {}, {}, {}
        for j in range(self.tables.size):
            for day in members(self.of[j]):
                places = self.tables.places[j][day]
                zero = day * DAY_STEPS
                begin = zero + self.tables.device_from[j]
                self.first_done[j, day] = zero + min(first_step(place.starts) + place.device_to for place in places)
                self.last_done[j, day] = zero + max(last_step(place.starts) + place.device_to for place in places)
                self.first_begin[j, day] = begin + min(first_step(place.starts) for place in places)
                self.last_begin[j, day] = begin + max(last_step(place.starts) for place in places)

    def _in_a_circle(self) -> bool:
        """A before B before C before A."""
        gap, every = self.tables.gap, range(self.tables.size)
        after = [sum(1 << j for j in every if j != i and gap[j][i] is NEVER) for i in every]
        for via in every:
            for i in every:
                if after[i] >> via & 1:
                    after[i] |= after[via]
        return any(after[i] >> i & 1 for i in every)

    def _beside(self, j: int, day: int, i: int) -> int:
        if i == j:
            return 1 << day
        return sum(1 << other for other in members(self.of[i]) if self._together(j, day, i, other))

    def _together(self, j: int, day: int, i: int, other: int) -> bool:
        if day == other:
            apart = self.pairs.on(day)
            return apart[i][j] < OUT_OF_REACH or apart[j][i] < OUT_OF_REACH
        return self._can_follow(j, day, i, other) if day < other else self._can_follow(i, other, j, day)

    def _can_follow(self, i: int, day_i: int, j: int, day_j: int) -> bool:
        """With i as early and j as late as their days allow."""
        gap = self.tables.gap[i][j]
        return gap is not NEVER and self.last_begin[j, day_j] - self.first_done[i, day_i] >= gap[0]

    def surely_follows(self, i: int, day_i: int, j: int, day_j: int) -> bool:
        gap = self.tables.gap[i][j]
        return gap is not NEVER and self.first_begin[j, day_j] - self.last_done[i, day_i] >= gap[0]

    def _leave_out(self):
        """Days on which some other exam would find none, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for j in range(self.tables.size):
                left = sum(
                    1 << day
                    for day in members(self.of[j])
                    if all(mask & self.of[i] for i, mask in enumerate(self.beside[j, day]))
                )
                if left != self.of[j]:
                    self.of[j] = left
                    changed = True
        self.hopeless = not all(self.of)
