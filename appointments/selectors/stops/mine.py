"""A doctor's own sessions and requests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from appointments.models import Schedule, ScheduleParticipant, Substitution, Suspension
from appointments.selectors.office import monday_of
from hospital.models import CareTeamMember, Practitioner

from . import board, scope

Status = Suspension.Status


@dataclass(frozen=True)
class Mine:
    """One session. `asked`: a request for it waits; `given`: another doctor sees its patients."""

    schedule: Schedule
    booked: int
    own: bool  # booked under the doctor's own name, or of a team that the doctor sits for or leads
    asked: bool
    given: Substitution | None

    @property
    def stopped(self) -> bool:
        return self.schedule.status == Schedule.Status.STOPPED

    @property
    def may_ask(self) -> bool:
        return self.own and not (self.stopped or self.asked or self.given)


def weeks_of(doctor: Practitioner, *, first: date, last: date, now: datetime) -> list[tuple[date, list[Mine]]]:
    """(Monday, sessions) of each week that has some; those that another doctor took over are among them."""
    given = Substitution.objects.filter(stands=True, original__practitioner=doctor, schedule__day__range=(first, last))
    given = {row.schedule_id: row for row in given.select_related("substitute__practitioner")}
    taken = Q(appointments__status__in=["booked", "arrived", "fulfilled"])
    rows = Schedule.objects.filter(day__range=(first, last), ends_at__gt=now)
    rows = rows.filter(_sits(doctor) | askable(doctor) | Q(pk__in=given))
    rows = rows.annotate(taken=Count("appointments", filter=taken)).select_related(*scope.RELATED)
    rows = rows.annotate(askable=Exists(Schedule.objects.filter(askable(doctor), pk=OuterRef("pk")))).order_by(
        "starts_at", "pk"
    )
    asked = list(_asked(doctor, rows))
    found = [
        Mine(
            schedule=row,
            booked=row.taken,
            own=row.askable,
            asked=any(_covers(each, row) for each in asked),
            given=given.get(row.pk) if given.get(row.pk) and given[row.pk].substitute_id else None,
        )
        for row in rows
    ]
    return [(monday, list(group)) for monday, group in groupby(found, key=lambda each: monday_of(each.schedule.day))]


def _sits(doctor: Practitioner) -> Q:
    return Q(Exists(ScheduleParticipant.objects.filter(schedule=OuterRef("pk"), practitioner=doctor, active=True)))


def askable(doctor: Practitioner) -> Q:
    """Sessions whose stop this doctor may ask for: the own, and a team's where the doctor sits or which they lead."""
    leads = CareTeamMember.objects.filter(team=OuterRef("team"), role__practitioner=doctor, leader=True, active=True)
    return Q(role__practitioner=doctor) | Q(team__isnull=False) & (_sits(doctor) | Q(Exists(leads)))


def _asked(doctor: Practitioner, rows: QuerySet[Schedule]) -> Iterable[Suspension]:
    """By the doctor, or by a colleague for a team's session."""
    of_team = Q(schedules__overlap=[row.pk for row in rows if row.team_id])
    return Suspension.objects.filter(Q(practitioner=doctor) | of_team, status=Status.REQUESTED)


def _covers(stop: Suspension, row: Schedule) -> bool:
    if stop.schedules:
        return row.pk in stop.schedules
    if stop.organization_id != row.organization_id:
        return False
    return bool(row.role_id) and stop.first_day <= row.day <= stop.last_day and stop.half in ("", row.half)


def houses_of(doctor: Practitioner, *, first: date, last: date) -> list[int]:
    """Organizations that the doctor sees patients for, by a role or by a session on these days."""
    roles = doctor.roles.filter(active=True).values_list("department__organization", flat=True)
    sessions = Schedule.objects.filter(role__practitioner=doctor, day__range=(first, last))
    return sorted({*roles, *sessions.values_list("organization", flat=True)} or {doctor.organization_id})


def requests_of(doctor: Practitioner, *, now: datetime, most: int = 20) -> list[board.Line]:
    """The latest first, with how far each is."""
    rows = Suspension.objects.filter(practitioner=doctor).select_related("practitioner", "department", "decided_by")
    return board.lines_of(list(rows.order_by("-asked_at", "-pk")[:most]), now=now)
