"""Who sits where on some days, kept in memory: finds the other clinic without asking the database per schedule."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from appointments.models import ScheduleParticipant
from appointments.services.timetable import Planned
from hospital import clock

PARTS = (
    "practitioner_id", "room_id", "during", "schedule_id", "schedule__day", "practitioner__name", "room__name",
    "schedule__department__name", "schedule__role__practitioner__name", "schedule__team__name",
    "schedule__service__name",
)  # fmt: skip


@dataclass(frozen=True)
class Seat:
    starts_at: datetime
    ends_at: datetime
    schedule: int | None
    where: str  # the clinic that sits there

    def meets(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


class Seats:
    def __init__(self):
        self.taken: dict[tuple[str, int, date], list[Seat]] = defaultdict(list)
        self.names: dict[tuple[str, int], str] = {}

    @classmethod
    def read(cls, planned: list[Planned], *, first_day: date, last_day: date, without: set[int]) -> "Seats":
        """The sittings of the doctors and rooms that are planned for. One query, over all institutions."""
        seats = cls()
        doctors = {doctor for each in planned for doctor in each.sitters}
        rooms = {each.schedule.room_id for each in planned}
        rows = ScheduleParticipant.objects.filter(
            Q(practitioner__in=doctors) | Q(room__in=rooms), active=True, schedule__day__range=(first_day, last_day)
        )
        for doctor, room, during, schedule, day, name, room_name, *said in rows.order_by("pk").values_list(*PARTS):
            if schedule in without:
                continue
            department, person, team, service = said
            where = f"{department} {person or team or service} {_hours(during.lower, during.upper)}"
            seat = Seat(during.lower, during.upper, schedule, where)
            if doctor:
                seats._sit("doctor", doctor, day, seat, name)
            if room:
                seats._sit("room", room, day, seat, room_name)
        return seats

    def _sit(self, kind: str, pk: int, day: date, seat: Seat, name: str) -> None:
        self.taken[kind, pk, day].append(seat)
        self.names[kind, pk] = name

    def clash(self, planned: Planned, *, own: int | None) -> tuple[str, str, str] | None:
        """(code, who or which room, what is there), or nothing. `own`: the schedule that changes its place."""
        row = planned.schedule
        asked = [("doctor_elsewhere", "doctor", doctor) for doctor in planned.sitters]
        for code, kind, pk in [*asked, ("room_taken", "room", row.room_id)]:
            for seat in self.taken.get((kind, pk, row.day), ()):
                if seat.meets(row.starts_at, row.ends_at) and (own is None or seat.schedule != own):
                    return code, self.names[kind, pk], seat.where
        return None

    def take(self, planned: Planned, name: str) -> None:
        row = planned.schedule
        seat = Seat(row.starts_at, row.ends_at, None, f"{name} {_hours(row.starts_at, row.ends_at)}")
        person = planned.template.role.practitioner if planned.template.role_id else None
        for doctor in planned.sitters:
            self._sit("doctor", doctor, row.day, seat, person.name if person else planned.template.actor_name)
        self._sit("room", row.room_id, row.day, seat, str(planned.template.room))


def _hours(starts_at: datetime, ends_at: datetime) -> str:
    return f"{starts_at.astimezone(clock.ZONE):%H:%M}–{ends_at.astimezone(clock.ZONE):%H:%M}"
