"""What the simulation knows while it runs: clinics, people, who has booked what. The database is only written."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from appointments.demo import behaviour
from appointments.demo.behaviour import Persona
from appointments.demo.scale import Scale
from appointments.models import Schedule
from appointments.services import booking
from hospital import clock
from hospital.errors import Refused
from hospital.models import Practitioner, User

DAY = timedelta(days=1)
BOOKED_BY = {"phone": "dianhua", "ward": "bingqu", "partner": "shequ", "counter": "chuangkou"}
FAVOURITE = 5.0  # the demo doctor's name; his colleagues' are drawn around 1


@dataclass
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


class Ledger:
    """Clinics by department and day, bookings by day and clinic."""

    def __init__(self, *, scale: Scale, dice: random.Random, personas: list[Persona], users: dict[str, User],
                 favourite: int | None, now: datetime):  # fmt: skip
        self.scale, self.dice, self.personas, self.users = scale, dice, personas, users
        self.favourite, self.now, self.today = favourite, now, clock.today(now)
        self.person = {person.patient: person for person in personas}
        self.account = dict(Practitioner.objects.exclude(user=None).values_list("pk", "user"))
        self.booked: dict[date, dict[int, list[Booked]]] = defaultdict(lambda: defaultdict(list))
        self.pace = defaultdict(lambda: dice.uniform(0.75, 1.2))  # role → how slow that doctor is
        self.fame = defaultdict(lambda: dice.lognormvariate(0, 1.1))  # actor → how well known: some are always full
        self.refused: Counter = Counter()
        self._load()

    def _load(self) -> None:
        self.clinics: dict[tuple[str, date], list[Schedule]] = defaultdict(list)
        self.of_actor: dict[tuple, list[Schedule]] = defaultdict(list)  # ("role", id), ("team", id), ("gate", team id)
        rows = Schedule.objects.filter(day__gte=self.first_day).order_by("starts_at", "pk")
        for schedule in rows.select_related("service", "department", "role__practitioner"):
            if schedule.gate_team_id:
                self.of_actor["gate", schedule.gate_team_id].append(schedule)
                continue
            self.clinics[schedule.department.code, schedule.day].append(schedule)
            self.of_actor["role", schedule.role_id].append(schedule)
            self.of_actor["team", schedule.team_id].append(schedule)

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=self.scale.days_back)

    def choose(self, department: str, around: date, moment: datetime) -> Schedule | None:
        """A clinic of the department on that day or the next two: the better known the likelier."""
        for day in (around, around + DAY, around + 2 * DAY):
            coming = [one for one in self.clinics.get((department, day), ()) if one.starts_at > moment]
            if coming:
                return self.pick(coming)
        return None

    def pick(self, clinics: list[Schedule]) -> Schedule:
        return self.dice.choices(clinics, [self._appeal(one) for one in clinics])[0]

    def _appeal(self, schedule: Schedule) -> float:
        mine = schedule.role_id and schedule.role.practitioner_id == self.favourite
        fame = FAVOURITE if mine else self.fame[schedule.role_id, schedule.team_id, schedule.department_id]
        return behaviour.POPULARITY[schedule.service.level] * fame * (0.5 if schedule.half == "ev" else 1.0)

    def book(self, person: Persona, schedule: Schedule, channel: str, moment: datetime, **more) -> Booked | None:
        """Ask the booking service, as of `moment`. A refusal is an answer: the person may look elsewhere."""
        first = schedule.department.code not in person.seen
        clerk = BOOKED_BY.get(channel)
        asked = {"by": self.users[clerk] if clerk else None, "visit_type": "first" if first else "followup"} | more
        try:
            outcome = booking.give_number(
                schedule=schedule, patient_id=person.patient, channel=channel, request_key=None, confirm=True,
                now=moment, **asked,
            )  # fmt: skip
        except Refused as refusal:
            self.refused[refusal.code] += 1
            return None
        row = Booked(outcome.appointment, person.patient, schedule, outcome.start, channel, first, clock.today(moment))
        self.booked[schedule.day][schedule.pk].append(row)
        return row

    def forget(self, row: Booked) -> None:
        self.booked[row.schedule.day][row.schedule.pk].remove(row)

    def coming(self, after: date) -> list[Booked]:
        """Bookings for the days after that one, in a stable order."""
        days = sorted(day for day in self.booked if day > after)
        return [row for day in days for rows in self.booked[day].values() for row in rows]
