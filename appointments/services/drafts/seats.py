"""Who sits where on some days, kept in memory: finds the other clinic without asking the database per schedule."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from appointments.models import ScheduleParticipant
from hospital import clock

from .compare import Line

PARTS = (
    "practitioner_id", "room_id", "during", "schedule_id", "schedule__day", "practitioner__name", "room__name",
    "schedule__department__name", "schedule__role__practitioner__name", "schedule__team__name",
    "schedule__service__name",
)  # fmt: skip

Clash = tuple[str, str, str]
"""(code, who or which room, what is there)"""


@dataclass(frozen=True)
class Seat:
    starts_at: datetime
    ends_at: datetime
    schedule: int | None
    where: str  # the clinic that sits there

    def meets(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


class Seats:
    """The sittings of the doctors and rooms that some lines want, over all institutions. Two queries."""

    def __init__(self, lines: Collection[Line], *, first_day: date, last_day: date):
        self.taken: dict[tuple[str, int, date], list[Seat]] = defaultdict(list)
        self.names: dict[tuple[str, int], str] = {}
        self.sitters = _sitters(lines)
        doctors = {doctor for sitters in self.sitters.values() for doctor in sitters}
        rooms = {line.planned.schedule.room_id for line in self.sitters}
        rows = ScheduleParticipant.objects.filter(
            Q(practitioner__in=doctors) | Q(room__in=rooms), active=True, schedule__day__range=(first_day, last_day)
        )
        for doctor, room, during, schedule, day, name, room_name, *said in rows.order_by("pk").values_list(*PARTS):
            department, person, team, service = said
            where = f"{department} {person or team or service} {_hours(during.lower, during.upper)}"
            seat = Seat(during.lower, during.upper, schedule, where)
            for kind, pk, called in (("doctor", doctor, name), ("room", room, room_name)):
                if pk:
                    self.taken[kind, pk, day].append(seat)
                    self.names[kind, pk] = called

    def clashes(self, lines: Collection[Line]) -> dict[Line, Clash]:
        """All of these lines are done at once: whose end is in the way of what, each by name.

        What changes or goes leaves its old place, so that two may swap and three rotate. Whoever does not fit stays
        where he is, and may be in the way of another in turn.
        """
        refused: dict[Line, Clash] = {}
        while True:
            going = [line for line in lines if line not in refused]
            more = self._clashes(going)
            if not more:
                return refused
            refused |= more

    def _clashes(self, lines: list[Line]) -> dict[Line, Clash]:
        leaving = {line.schedule.pk for line in lines if line.schedule}
        coming: dict[tuple[str, int, date], list[Seat]] = defaultdict(list)
        found = {}
        for line in lines:
            if line.planned is None:
                continue
            if clash := self._clash(line, leaving, coming):
                found[line] = clash
                continue
            row = line.planned.schedule
            seat = Seat(row.starts_at, row.ends_at, None, f"{line.name} {_hours(row.starts_at, row.ends_at)}")
            for _code, kind, pk in self._wants(line):
                coming[kind, pk, row.day].append(seat)
        return found

    def _clash(self, line: Line, leaving: set[int], coming: dict[tuple[str, int, date], list[Seat]]) -> Clash | None:
        row = line.planned.schedule
        for code, kind, pk in self._wants(line):
            standing = [seat for seat in self.taken.get((kind, pk, row.day), ()) if seat.schedule not in leaving]
            for seat in [*standing, *coming.get((kind, pk, row.day), ())]:
                if seat.meets(row.starts_at, row.ends_at):
                    return code, self._name(line, kind, pk), seat.where
        return None

    def _wants(self, line: Line) -> list[tuple[str, str, int]]:
        asked = [("doctor_elsewhere", "doctor", doctor) for doctor in self.sitters[line]]
        return [*asked, ("room_taken", "room", line.planned.schedule.room_id)]

    def _name(self, line: Line, kind: str, pk: int) -> str:
        """One whom nothing that stands names yet is met by another new line."""
        template = line.planned.template
        if kind == "room":
            return self.names.get((kind, pk)) or str(template.room)
        return self.names.get((kind, pk)) or template.actor_name


def _sitters(lines: Collection[Line]) -> dict[Line, Collection[int]]:
    """Who will sit: whoever sits there now, of what moves as it is; else as planned."""
    found: dict[Line, Collection[int]] = {line: line.planned.sitters for line in lines if line.planned}
    moving = {line.schedule.pk: line for line in found if line.moves}
    rows = ScheduleParticipant.objects.filter(schedule__in=moving, practitioner__isnull=False, active=True)
    there = defaultdict(list)
    for schedule, doctor in rows.order_by("pk").values_list("schedule", "practitioner"):
        there[schedule].append(doctor)
    return found | {line: there[pk] for pk, line in moving.items()}


def _hours(starts_at: datetime, ends_at: datetime) -> str:
    return f"{starts_at.astimezone(clock.ZONE):%H:%M}–{ends_at.astimezone(clock.ZONE):%H:%M}"
