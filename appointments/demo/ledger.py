"""What the simulation knows while it runs: clinics, people, who has booked what. The database is only written."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Protocol

from appointments.demo import behaviour
from appointments.demo.behaviour import Persona
from appointments.demo.clinics import Clinics, still_to_begin
from appointments.demo.scale import Scale
from appointments.models import Schedule
from hospital import clock
from hospital.errors import Refused
from hospital.models import Practitioner, Role, RoleAssignment, User

DAY = timedelta(days=1)
BOOKED_BY = {"phone": "dianhua", "ward": "bingqu", "partner": "shequ", "counter": "chuangkou"}
FAVOURITE = 5.0  # the demo doctor's name; his colleagues' are drawn around 1


@dataclass(slots=True, eq=False)
class Booked:
    """One live booking."""

    appointment: int
    patient: int
    schedule: Schedule
    start: datetime
    channel: str
    first: bool
    made_on: date
    here_at: datetime | None = None  # a walk-in already stands at the window


class House(Protocol):
    """Who gives the numbers and writes what happened. Refusals are raised, with the names of appointments.errors."""

    def book(self, *, person: Persona, schedule: Schedule, channel: str, moment: datetime, **more) -> Booked: ...
    def cancel(self, row: Booked, *, channel: str, moment: datetime) -> None: ...
    def move(self, row: Booked, *, schedule: Schedule, channel: str, moment: datetime) -> None: ...
    def refer(self, visit, *, doctor: User, moment: datetime) -> int: ...
    def write_visits(self, visits: list) -> None: ...
    def end_day(self, day: date, *, at: datetime) -> None: ...


class Ledger:
    """Clinics by department and day, bookings by day and clinic. `house` is set by whoever lives the days."""

    house: House

    def __init__(self, *, scale: Scale, dice: random.Random, personas: list[Persona], users: dict[str, User],
                 favourite: int | None, now: datetime):  # fmt: skip
        self.scale, self.dice, self.personas, self.users = scale, dice, personas, users
        self.favourite, self.now, self.today = favourite, now, clock.today(now)
        self.person = {person.patient: person for person in personas}
        held = RoleAssignment.objects.filter(user=users[BOOKED_BY["partner"]], role=Role.PARTNER)
        self.partner = held.values_list("organization", flat=True).first()  # whose clerk books for the lower ones
        self.account = dict(Practitioner.objects.exclude(user=None).values_list("pk", "user"))
        self.booked: dict[date, dict[int, list[Booked]]] = defaultdict(lambda: defaultdict(list))
        self.pace = defaultdict(lambda: dice.uniform(0.75, 1.2))  # role → how slow that doctor is
        self.fame = defaultdict(lambda: dice.lognormvariate(0, 1.1))  # actor → how well known: some are always full
        self.refused: Counter = Counter()
        self.clinics = Clinics(last_day=self.today + timedelta(days=scale.days_ahead))
        self._appeals: dict[tuple[str, date], list[float]] = {}

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=self.scale.days_back)

    def choose(self, department: str, around: date, moment: datetime) -> Schedule | None:
        """A clinic of the department on that day or the next two: the better known the likelier."""
        for day in (around, around + DAY, around + 2 * DAY):
            clinics = self.clinics.on(day, department)
            if clinics and clinics[0].starts_at > moment:
                return self.pick(department, day)
            if coming := still_to_begin(clinics, moment):
                return self.dice.choices(coming, [self._appeal(one) for one in coming])[0]
        return None

    def pick(self, department: str, day: date) -> Schedule:
        """Any clinic of that department and day."""
        clinics = self.clinics.on(day, department)
        appeals = self._appeals.get((department, day))
        if appeals is None:
            appeals = self._appeals[department, day] = list(accumulate(self._appeal(one) for one in clinics))
        return self.dice.choices(clinics, cum_weights=appeals)[0]

    def _appeal(self, schedule: Schedule) -> float:
        mine = schedule.role_id and schedule.role.practitioner_id == self.favourite
        fame = FAVOURITE if mine else self.fame[schedule.role_id, schedule.team_id, schedule.department_id]
        return behaviour.POPULARITY[schedule.service.level] * fame * (0.5 if schedule.half == "ev" else 1.0)

    def book(self, person: Persona, schedule: Schedule, channel: str, moment: datetime, **more) -> Booked | None:
        """Ask for a number, as of `moment`. A refusal is an answer: the person may look elsewhere."""
        first = schedule.department.code not in person.seen
        clerk = BOOKED_BY.get(channel)
        asked = {"by": self.users[clerk] if clerk else None, "visit_type": "first" if first else "followup"} | more
        if channel == "partner":
            asked["partner"] = self.partner
        try:
            row = self.house.book(person=person, schedule=schedule, channel=channel, moment=moment, **asked)
        except Refused as refusal:
            self.refused[refusal.code] += 1
            return None
        self.booked[schedule.day][schedule.pk].append(row)
        return row

    def forget(self, row: Booked) -> None:
        self.booked[row.schedule.day][row.schedule.pk].remove(row)

    def coming(self, after: date) -> list[Booked]:
        """Bookings for the days after that one, in a stable order."""
        days = sorted(day for day in self.booked if day > after)
        return [row for day in days for rows in self.booked[day].values() for row in rows]

    def close(self, day: date) -> None:
        """The day is over and written."""
        self.booked.pop(day, None)
        self.clinics.forget(day + DAY)
        for place in [place for place in self._appeals if place[1] <= day]:
            del self._appeals[place]
