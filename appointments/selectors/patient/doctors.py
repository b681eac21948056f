"""Whom to see in a department on a day: doctors, expert teams and plain clinics, with what is left of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from appointments.models import Schedule
from appointments.policies.scarcity import RANK, State
from hospital.models import Campus, CareTeam, CareTeamMember, Department, HealthcareService

from .days import state_of
from .openings import Opening, days_shown, openings_of, to_come

LEVELS = {level: place for place, level in enumerate(reversed(HealthcareService.Level.values))}
"""The most experienced first."""


@dataclass
class Line:
    """One doctor, team or plain clinic on one day."""

    kind: str  # role, team, clinic
    first: Schedule
    openings: list[Opening] = field(default_factory=list)
    state: State = State.NONE
    left: int = 0
    leader: str = ""  # of a team, or of the team whose referral opens a leading expert's numbers
    gate_team: CareTeam | None = None

    @property
    def name(self) -> str:
        if self.kind == "role":
            return self.first.role.practitioner.name
        return self.first.team.name if self.kind == "team" else self.first.service.name

    @property
    def led_by(self) -> int | None:
        """The team that this line is, or whose referral opens it."""
        return self.first.team_id or next((each.gate for each in self.openings if each.gate), None)

    @property
    def fee(self) -> Decimal | None:
        return next((each.fee for each in self.openings if each.fee is not None), None)

    @property
    def day(self) -> date:
        """The first day of this line with a number, else its first day."""
        return min((each.schedule.day for each in self.openings if each.left), default=self.first.day)

    @property
    def more_at(self) -> datetime | None:
        return min((each.more_at for each in self.openings if each.more_at), default=None)


def in_department(department: Department, *, days: list[date], now: datetime) -> list[Opening]:
    """The half-days of a department on the days that the public sees. Three queries however many there are."""
    rows = to_come(days, now=now).filter(department=department)
    return openings_of(rows, now=now)


def days_of(department: Department, *, now: datetime) -> list[date]:
    return days_shown(department.organization_id, now=now)


@dataclass(frozen=True)
class Wanted:
    """What a patient narrows the list to."""

    with_numbers: bool = False
    campus: int | None = None
    level: str = ""

    def admits(self, opening: Opening) -> bool:
        schedule = opening.schedule
        if self.campus and schedule.campus_id != self.campus:
            return False
        if self.level and schedule.service.level != self.level:
            return False
        return not self.with_numbers or opening.left > 0


@dataclass(frozen=True)
class Offered:
    """What there is to narrow the list by."""

    campuses: list[Campus]
    levels: list[tuple[str, str]]


def offered(openings: Iterable[Opening]) -> Offered:
    campuses = {each.schedule.campus_id: each.schedule.campus for each in openings}
    there = {each.schedule.service.level for each in openings}
    labels = dict(HealthcareService.Level.choices)
    levels = [(level, str(labels[level])) for level in LEVELS if level in there]
    return Offered(campuses=sorted(campuses.values(), key=lambda campus: campus.code), levels=levels)


def lines_of(openings: Iterable[Opening]) -> list[Line]:
    """One line an actor, in the order in which a patient wants them: with numbers first, then by level and name."""
    lines: dict[tuple, Line] = {}
    for each in openings:
        schedule = each.schedule
        key = key_of(schedule)
        line = lines.setdefault(key, Line(kind=key[0], first=schedule))
        line.openings.append(each)
    for line in lines.values():
        line.state, line.left = state_of(line.openings)
    return sorted(lines.values(), key=_order)


def key_of(schedule: Schedule) -> tuple:
    if schedule.role_id:
        return "role", schedule.role_id
    if schedule.team_id:
        return "team", schedule.team_id
    return "clinic", schedule.service_id


def _order(line: Line) -> tuple:
    spelled = line.first.role.practitioner.pinyin if line.kind == "role" else ""
    rank = 0 if line.state.bookable else RANK[line.state]
    return rank, LEVELS[line.first.service.level], spelled, line.name, line.first.pk


def name_leaders(lines: Iterable[Line]) -> None:
    """Who leads the teams, and which team opens a leading expert's numbers. One query."""
    lines = list(lines)
    teams = {team for line in lines if (team := line.led_by)}
    found = leaders(teams) if teams else {}
    for line in lines:
        if member := found.get(line.led_by):
            line.leader, line.gate_team = member.role.practitioner.name, member.team


def leaders(teams: Iterable[int]) -> dict[int, CareTeamMember]:
    rows = CareTeamMember.objects.filter(team__in=teams, leader=True, active=True)
    return {row.team_id: row for row in rows.select_related("team", "role__practitioner")}
