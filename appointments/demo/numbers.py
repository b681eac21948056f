"""A clinic's numbers in memory: which may be taken when, as booking_ground and booking_claim decide it in SQL."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from appointments.errors import NotOpen, PastNumber, SoldOut, TimeConflict
from appointments.models import Schedule
from appointments.selectors.rules import ChannelPools

MINUTE = timedelta(minutes=1)
A_DAY = timedelta(hours=24)

NUMBERS = """
SELECT schedule_id, array_agg(id ORDER BY number), array_agg(minutes::int ORDER BY number),
       array_agg(pool_id ORDER BY number)
  FROM appointments_slot WHERE schedule_id = ANY (%s) GROUP BY schedule_id
"""
OPENINGS = "SELECT schedule_id, pool_id, opens_at, shared_from FROM appointments_allotment WHERE schedule_id = ANY (%s)"


@dataclass(slots=True)
class Numbers:
    """Number n is at place n − 1. `taken` holds who has it now, `resting` until when a returned one rests."""

    schedule: Schedule
    public: int  # the public pool of its house
    ids: list[int]
    minutes: list[int]
    pools: list[int]
    openings: dict[int, tuple[datetime, datetime | None]] = field(default_factory=dict)
    starts: list[datetime] = field(default_factory=list)
    taken: dict[int, object] = field(default_factory=dict)
    resting: dict[int, datetime] = field(default_factory=dict)
    own: set[int] = field(default_factory=set)  # places that were taken when their own pool was shared, or before

    def __post_init__(self):
        start = self.schedule.starts_at
        for minutes in self.minutes:
            self.starts.append(start)
            start += minutes * MINUTE

    def end(self, place: int) -> datetime:
        return self.starts[place] + self.minutes[place] * MINUTE

    def open_pools(self, pools: ChannelPools, *, gated: bool, moment: datetime) -> set[int]:
        """From which the channel takes at that moment. A leading expert's numbers: from the team's pool alone."""
        allowed = (pools.team,) if gated else pools.ids
        public = not gated and pools.public is not None
        found = set()
        for pool, (opens_at, shared_from) in self.openings.items():
            if (pool in allowed and opens_at <= moment) or (public and shared_from and shared_from <= moment):
                found.add(pool)
        if not found:
            raise NotOpen
        return found

    def takeable(self, pools: set[int], *, moment: datetime, allow_past: bool) -> list[int]:
        """Places of the numbers that could be had, lowest first. Raises SoldOut, PastNumber."""
        free = [
            place
            for place, pool in enumerate(self.pools)
            if pool in pools and place not in self.taken and self.resting.get(place, moment) <= moment
        ]
        ahead = free if allow_past else [place for place in free if self.starts[place] > moment]
        if not ahead:
            raise PastNumber if free else SoldOut
        return ahead

    def first_fitting(self, places: list[int], busy: list[tuple]) -> int:
        """The lowest that the patient is not elsewhere at. `busy`: (start, end) of the patient's visits."""
        for place in places:
            if not any(first < self.end(place) and self.starts[place] < last for first, last in busy):
                return place
        raise TimeConflict

    def take(self, place: int, row, *, moment: datetime) -> None:
        shared = self.openings[self.pools[place]][1]
        if shared is None or moment < shared:
            self.own.add(place)
        self.resting.pop(place, None)
        self.taken[place] = row

    def give_back(self, place: int, *, rest: timedelta, moment: datetime) -> None:
        """A number of a clinic more than a day away that is sold out rests before it can be taken again (B14)."""
        current = self.pools[place] if place in self.own else self.public
        del self.taken[place]
        shared = self.openings[self.pools[place]][1]
        if place in self.own and (shared is None or moment < shared):
            self.own.discard(place)
        if self.schedule.starts_at > moment + A_DAY and not self._others_free(place, current, moment):
            self.resting[place] = moment + rest

    def _others_free(self, place: int, pool: int, moment: datetime) -> bool:
        for other, own in enumerate(self.pools):
            if other == place or other in self.taken or self.resting.get(other, moment) > moment:
                continue
            shared = self.openings[own][1]
            if own == pool or (shared is not None and shared <= moment):
                return True
        return False

    def moved(self) -> list[int]:
        """Places whose number went to the public pool: not taken yet when its own pool was shared."""
        return [
            place
            for place, pool in enumerate(self.pools)
            if place not in self.own and self.openings[pool][1] is not None
        ]


def read(schedules: list[Schedule], *, public: dict[int, int]) -> dict[int, Numbers]:
    """Of some clinics, as they were laid out. `public`: organization → its public pool."""
    by_id = {schedule.pk: schedule for schedule in schedules}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [list(by_id)])
        found = {
            pk: Numbers(by_id[pk], public[by_id[pk].organization_id], ids, minutes, pools)
            for pk, ids, minutes, pools in cursor.fetchall()
        }
        cursor.execute(OPENINGS, [list(by_id)])
        for schedule, pool, opens_at, shared_from in cursor.fetchall():
            found[schedule].openings[pool] = (opens_at, shared_from)
    return found
