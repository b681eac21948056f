"""The clinics of the days that the simulation can see, read a fortnight at a time and forgotten when they are over."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from appointments.models import Schedule
from hospital.models import Department, HealthcareService, PractitionerRole

SPAN = timedelta(days=14)


class Clinics:
    """By department and day, and by who sits: ("role", id), ("team", id), ("gate", team id)."""

    def __init__(self, *, last_day: date):
        self.last_day = last_day
        self.services = HealthcareService.objects.in_bulk()
        self.departments = Department.objects.in_bulk()
        self.roles = PractitionerRole.objects.select_related("practitioner").in_bulk()
        self._days: dict[date, dict] = {}
        self._forgotten = date.min

    def on(self, day: date, code: str) -> list[Schedule]:
        """Of a department, those that anybody may book."""
        return self._day(day).get(code, [])

    def of(self, actor: tuple, day: date) -> list[Schedule]:
        return self._day(day).get(actor, [])

    def nearest(self, actor: tuple, wanted: date, after: date) -> Schedule | None:
        """The actor's clinic nearest to the wanted day, within five days of it."""
        for away in range(6):
            for day in sorted({wanted - timedelta(days=away), wanted + timedelta(days=away)}):
                if after < day <= self.last_day and (found := self.of(actor, day)):
                    return found[0]
        return None

    def all_on(self, day: date) -> list[Schedule]:
        return self._day(day).get("all", [])

    def forget(self, before: date) -> None:
        """Nobody asks for those days any more."""
        for day in [day for day in self._days if day < before]:
            del self._days[day]
        self._forgotten = before

    def _day(self, day: date) -> dict:
        if day not in self._days and self._forgotten <= day <= self.last_day:
            self._read(day)
        return self._days.get(day, {})

    def _read(self, first: date) -> None:
        days = [first + timedelta(days=n) for n in range(SPAN.days)]
        fresh = [day for day in days if day not in self._days]
        for day in fresh:
            self._days[day] = defaultdict(list)
        rows = Schedule.objects.filter(day__in=fresh).order_by("starts_at", "pk")
        for schedule in rows:
            schedule.service = self.services[schedule.service_id]
            schedule.department = self.departments[schedule.department_id]
            if schedule.role_id:
                schedule.role = self.roles[schedule.role_id]
            self._file(self._days[schedule.day], schedule)

    @staticmethod
    def _file(place: dict, schedule: Schedule) -> None:
        place["all"].append(schedule)
        if schedule.gate_team_id:
            place["gate", schedule.gate_team_id].append(schedule)
            return
        place[schedule.department.code].append(schedule)
        if schedule.role_id:
            place["role", schedule.role_id].append(schedule)
        if schedule.team_id:
            place["team", schedule.team_id].append(schedule)


def still_to_begin(clinics: list[Schedule], moment: datetime) -> list[Schedule]:
    return [one for one in clinics if one.starts_at > moment]
