"""Which schedules the templates of an organization yield on which day. Reads rows, writes nothing."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Q

from appointments.models import Schedule, ScheduleTemplate
from appointments.policies import contract
from hospital import clock
from hospital.models import CalendarDay, CareTeamMember, Contract, HalfDayHours, Organization, Practitioner


@dataclass(frozen=True)
class Planned:
    """One schedule as the template wants it, not saved. `sitters`: practitioners who are taken by it."""

    schedule: Schedule
    template: ScheduleTemplate
    sitters: tuple[int, ...]


@dataclass(frozen=True)
class Conflict:
    """A schedule that was not laid out, and why. Names of staff and rooms only."""

    template: int
    day: date
    name: str
    code: str  # doctor_elsewhere, room_taken, no_hours, too_many_numbers, outside_contract
    reason: str
    names: tuple[str, ...] = ()  # whom and what the reason names, for pages that say it in their own words

    def __str__(self):
        return f"{self.day} {self.name}: {self.reason}"


@dataclass
class Plan:
    planned: list[Planned] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    skipped: int = 0  # templates of inactive doctors, departments, services, teams or rooms


class Timetable:
    """The templates with all that decides their days: calendar, dated hours, teams, who is active.

    A holiday has no clinics; a make-up workday runs the pattern of the weekday it follows, but odd and even
    weeks are always those of the date itself (ISO week).

    `published`: only templates that the office has published, which is what the nightly job lays out.
    """

    def __init__(
        self,
        *,
        organization: Organization,
        first_day: date,
        last_day: date,
        department: int | None = None,
        published: bool = True,
    ):
        self.organization = organization
        self.days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
        span = {"day__range": (first_day, last_day)}
        self.calendar = {row.day: row for row in CalendarDay.objects.filter(organization=organization, **span)}
        self.hours = defaultdict(list)
        for row in HalfDayHours.objects.filter(campus__organization=organization):
            self.hours[row.campus_id, row.half].append(row)
        self._read_teams()
        rows = ScheduleTemplate.objects.filter(organization=organization, active=True, effective_from__lte=last_day)
        rows = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=first_day))
        if published:
            rows = rows.filter(published_at__isnull=False)
        if department:
            rows = rows.filter(department=department)
        related = ("department", "service", "role__practitioner", "team", "room__campus")
        self.templates = list(rows.select_related(*related).order_by("id"))
        self.contracts = defaultdict(list)
        for row in Contract.objects.filter(organization=organization):
            self.contracts[row.practitioner_id].append((row.effective_from, row.effective_to))

    def _read_teams(self) -> None:
        """Who sits in which team's clinic, and which doctors lead a team."""
        members = CareTeamMember.objects.filter(active=True, team__active=True, team__organization=self.organization)
        self.sitters = defaultdict(list)
        self.led = defaultdict(list)  # practitioner → [(role, department of the team, team)]
        self.people: dict[int, Practitioner] = {}
        for row in members.select_related("role__practitioner", "team").order_by("team", "role__practitioner"):
            practitioner = row.role.practitioner
            self.people[practitioner.pk] = practitioner
            if row.leader:
                self.led[practitioner.pk].append((row.role_id, row.team.department_id, row.team_id))
            elif row.role.active and practitioner.active and practitioner.pk not in self.sitters[row.team_id]:
                self.sitters[row.team_id].append(practitioner.pk)

    def plan(self) -> Plan:
        """Every schedule of the days, in order of day and template."""
        plan = Plan()
        usable = [template for template in self.templates if is_usable(template)]
        plan.skipped = len(self.templates) - len(usable)
        by_weekday = defaultdict(list)
        for template in usable:
            by_weekday[template.weekday].append(template)
        for day in self.days:
            for template in by_weekday[self.weekday_of(day)]:
                if runs_on(template, day):
                    self._add(plan, template, day)
        return plan

    def weekday_of(self, day: date) -> int | None:
        """The ISO weekday whose pattern the day runs; None on a holiday."""
        special = self.calendar.get(day)
        if special is None:
            return day.isoweekday()
        return special.follows if special.kind == CalendarDay.Kind.WORKDAY else None

    def _add(self, plan: Plan, template: ScheduleTemplate, day: date) -> None:
        hours = self.hours_of(template, day)
        if hours is None:
            campus = str(template.room.campus)
            reason = f"{campus} {template.get_half_display()} has no hours on that day"
            plan.conflicts.append(refused(template, day, "no_hours", reason, campus, template.half))
            return
        starts_at, ends_at = (clock.at(day, wall) for wall in hours)
        total = minutes_between(starts_at, ends_at)
        if template.numbers * (template.minutes or 1) > total:
            counts = f"{template.numbers} × {template.minutes}" if template.minutes else str(template.numbers)
            reason = f"{counts} numbers in {total} minutes"
            plan.conflicts.append(refused(template, day, "too_many_numbers", reason, counts, str(total)))
            return
        planned = self._planned(template, day, starts_at, ends_at)
        outsider = next((one for one in planned.sitters if not self._may_sit(template, one, day)), None)
        if outsider is not None:
            names = (str(self._person(template, outsider)), self.organization.short_name or self.organization.name)
            reason = f"{names[0]} has no contract with {names[1]} on that day"
            plan.conflicts.append(refused(template, day, "outside_contract", reason, *names))
            return
        plan.planned.append(planned)

    def _person(self, template: ScheduleTemplate, practitioner: int) -> Practitioner:
        return template.role.practitioner if template.role_id else self.people[practitioner]

    def _may_sit(self, template: ScheduleTemplate, practitioner: int, day: date) -> bool:
        at_home = self._person(template, practitioner).organization_id == self.organization.pk
        return contract.may_sit(at_home=at_home, contracts=self.contracts.get(practitioner, ()), day=day)

    def hours_of(self, template: ScheduleTemplate, day: date) -> tuple[time, time] | None:
        """Own hours, or the campus's half-day hours in force on the day (summer, winter)."""
        if template.starts is not None:
            return template.starts, template.ends
        for row in self.hours[template.room.campus_id, template.half]:
            if row.effective_from <= day and (row.effective_to is None or day <= row.effective_to):
                return row.starts, row.ends
        return None

    def _planned(self, template: ScheduleTemplate, day: date, starts_at: datetime, ends_at: datetime) -> Planned:
        schedule = Schedule(
            organization=self.organization,
            campus=template.room.campus,
            department=template.department,
            service=template.service,
            role=template.role,
            team=template.team,
            gate_team_id=self.gate_of(template),
            room=template.room,
            template=template,
            day=day,
            half=template.half,
            starts_at=starts_at,
            ends_at=ends_at,
            capacity=template.numbers,
            minutes=template.minutes,
        )
        if template.role_id:
            sitters = (template.role.practitioner_id,)
        else:
            sitters = tuple(self.sitters[template.team_id]) if template.team_id else ()
        return Planned(schedule, template, sitters)

    def gate_of(self, template: ScheduleTemplate) -> int | None:
        """B11: whoever leads an active team has no first-visit numbers, in whatever role he sits.

        Of several teams that of this role opens him, else that of this department, else the oldest.
        """
        if not template.role_id:
            return None
        teams = self.led.get(template.role.practitioner_id, [])
        fit = [
            (role != template.role_id, department != template.department_id, team) for role, department, team in teams
        ]
        return min(fit)[2] if fit else None


def is_usable(template: ScheduleTemplate) -> bool:
    """Everything and everyone the template names is active."""
    parts = [template.department, template.service, template.room, template.room.campus]
    if template.role_id:
        parts += [template.role, template.role.practitioner]
    if template.team_id:
        parts.append(template.team)
    return all(part.active for part in parts)


def runs_on(template: ScheduleTemplate, day: date) -> bool:
    """Effective on the day, and its odd or even ISO week."""
    if day < template.effective_from or (template.effective_to and day > template.effective_to):
        return False
    odd = day.isocalendar().week % 2 == 1
    parity = template.parity
    return parity == ScheduleTemplate.Parity.EVERY or odd == (parity == ScheduleTemplate.Parity.ODD)


def minutes_between(starts_at: datetime, ends_at: datetime) -> int:
    return int((ends_at - starts_at).total_seconds()) // 60


def refused(template: ScheduleTemplate, day: date, code: str, reason: str, *names: str) -> Conflict:
    name = f"{template.department} {template}"
    return Conflict(template=template.pk, day=day, name=name, code=code, reason=reason, names=names)
