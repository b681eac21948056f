"""出诊模板 as the office reads them: a department's week, by who sits."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q

from appointments.models import ScheduleTemplate
from appointments.selectors.office import LEVELS
from hospital.models import Department, HalfDay, PractitionerRole
from hospital.models.time import Weekday

COLUMNS = [(day, half) for day in Weekday.values for half in (HalfDay.MORNING, HalfDay.AFTERNOON)]
"""Evening clinics stand in the afternoon's column, marked 夜间, as in the week."""

RELATED = ("department", "service", "role__practitioner", "team", "room")


@dataclass
class Row:
    """One actor; fourteen half-days with the patterns of each."""

    key: str  # what the form knows the actor by
    name: str
    note: str
    cells: list[list[ScheduleTemplate]] = field(default_factory=lambda: [[] for _column in COLUMNS])

    @property
    def columns(self) -> list[dict]:
        """Each half-day with where a new pattern would go."""
        return [
            {"day": Weekday(day), "half": HalfDay(half), "found": found}
            for (day, half), found in zip(COLUMNS, self.cells, strict=True)
        ]

    @property
    def numbers(self) -> int:
        return sum(one.numbers for cell in self.cells for one in cell)


def grid(department: Department, *, today: date, name: str = "") -> list[Row]:
    """What is in force on `today` or will be. Doctors without a pattern have an empty row. Two queries."""
    rows: dict[tuple, Row] = {}
    wanted = ScheduleTemplate.objects.filter(department=department, active=True)
    wanted = wanted.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=today)).select_related(*RELATED)
    for one in wanted.order_by("weekday", "effective_from", "pk"):
        key = _key(one)
        if key not in rows:
            rows[key] = _row(one)
        rows[key].cells[_column(one)].append(one)
    roles = PractitionerRole.objects.filter(department=department, active=True, practitioner__active=True)
    for role in roles.select_related("practitioner", "service"):
        empty = Row(f"role-{role.pk}", str(role.practitioner), role.practitioner.title)
        rows.setdefault(_role_key(role, role.service.level), empty)
    name = name.strip().lower()
    return [row for key, row in sorted(rows.items()) if not name or name in row.name.lower() or name in key[2]]


def _role_key(role: PractitionerRole, level: str) -> tuple:
    person = role.practitioner
    return (0, LEVELS.get(level, 9), f"{person.pinyin} {person.initials}", role.pk)


def _key(one: ScheduleTemplate) -> tuple:
    if one.role_id:
        return _role_key(one.role, one.service.level)
    if one.team_id:
        return (2, 0, one.team.pinyin, one.team_id)
    return (1, 0, one.service.name, one.service_id)


def _row(one: ScheduleTemplate) -> Row:
    if one.role_id:
        return Row(f"role-{one.role_id}", one.actor_name, one.role.practitioner.title)
    if one.team_id:
        return Row(f"team-{one.team_id}", one.actor_name, str(one.service))
    return Row("plain", one.actor_name, "")


def _column(one: ScheduleTemplate) -> int:
    return 2 * (one.weekday - 1) + (one.half != HalfDay.MORNING)


def departments(organizations, only) -> list[Department]:
    """What the office may choose from: of its houses, or only its own."""
    rows = Department.objects.filter(organization__in=organizations, active=True).select_related("organization")
    if only is not None:
        rows = rows.filter(pk__in=only)
    return list(rows.order_by("organization", "order", "code"))


def by_house(rows: list[Department]) -> dict[str, list[Department]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row.organization.short_name or row.organization.name].append(row)
    return dict(groups)


def waiting(department: Department) -> int:
    """Its patterns that no draft has published yet."""
    return ScheduleTemplate.objects.filter(department=department, active=True, published_at__isnull=True).count()


def others_of(template: ScheduleTemplate) -> list[ScheduleTemplate]:
    """What came before and after in the same half-day of the same actor, latest first."""
    same = {name: getattr(template, name) for name in ("department", "role", "team", "weekday", "half")}
    if not (template.role_id or template.team_id):
        same |= {"service": template.service, "room": template.room}
    rows = ScheduleTemplate.objects.filter(**same).exclude(pk=template.pk).select_related(*RELATED)
    return list(rows.order_by("-effective_from", "-pk")[:10])
