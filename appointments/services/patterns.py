"""出诊模板 in the office: create, change from a day on, end, copy. No schedule is touched: a draft does that.

One writer of templates at a time in the whole house: two people of the office can't put the same doctor into two
rooms at the same moment, and the database refuses the rest (template_doctor_once_a_half_day).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from appointments.errors import TemplateRefused
from appointments.models import ScheduleTemplate
from appointments.policies import contract
from appointments.policies.template import NEVER, Asked, Pattern, Problem, Stretch, problems
from hospital import audit, clock
from hospital.models import CareTeamMember, Contract, HalfDayHours, User

LOCK = 7_313_021
DAY = timedelta(days=1)
KEPT = ("department", "service", "role", "team", "room", "weekday", "half", "starts", "ends", "numbers", "minutes",
        "parity", "effective_from", "effective_to")  # fmt: skip
"""What a pattern says; the rest is state."""

RELATED = ("organization", "department__campus", "service", "role__practitioner", "role__department", "role__service",
           "team__department", "team__service", "room__campus")  # fmt: skip


def problems_of(
    template: ScheduleTemplate, *, instead_of: ScheduleTemplate | None = None, today: date
) -> list[Problem]:
    """Everything that speaks against an unsaved pattern. `instead_of`: the one that ends where this begins."""
    doctors = _doctors([template])[None]
    rows = _rows_beside(template, doctors)
    if instead_of is not None:
        rows = rows.exclude(pk=instead_of.pk)
    others = list(rows)
    sitting = _doctors(others)
    hours = _hours({row.room.campus_id for row in [*others, template]})
    beside = [_pattern(row, sitting[row.pk], hours) for row in others]
    twins = _twins(template).filter(active=True).exclude(pk=instead_of and instead_of.pk)
    asked = _asked(template, doctors, hours, today=today, twin=twins.exists())
    return problems(asked, others=beside)


def _rows_beside(template: ScheduleTemplate, doctors: frozenset[int]):
    rows = ScheduleTemplate.objects.filter(active=True, weekday=template.weekday).select_related(*RELATED)
    rows = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=template.effective_from))
    if template.effective_to:
        rows = rows.filter(effective_from__lte=template.effective_to)
    teams = CareTeamMember.objects.filter(active=True, leader=False, role__practitioner__in=doctors).values("team")
    same = Q(room=template.room) | Q(role__practitioner__in=doctors) | Q(team__in=teams)
    if template.team_id:
        same |= Q(team=template.team_id)
    return rows.filter(same).order_by("pk")


def _doctors(templates: Iterable[ScheduleTemplate]) -> dict[int | None, frozenset[int]]:
    """Template → who sits: the doctor, or the team's members without its leader."""
    templates = list(templates)
    members = defaultdict(set)
    teams = {row.team_id for row in templates if row.team_id}
    if teams:
        rows = CareTeamMember.objects.filter(team__in=teams, active=True, leader=False, role__active=True)
        for team, doctor in rows.values_list("team", "role__practitioner"):
            members[team].add(doctor)
    return {
        row.pk: frozenset([row.role.practitioner_id] if row.role_id else members[row.team_id] if row.team_id else [])
        for row in templates
    }


def _hours(campuses: set[int]) -> dict[tuple[int, str], list[HalfDayHours]]:
    hours = defaultdict(list)
    for row in HalfDayHours.objects.filter(campus__in=campuses):
        hours[row.campus_id, row.half].append(row)
    return hours


def _pattern(row: ScheduleTemplate, doctors: frozenset[int], hours) -> Pattern:
    last = row.effective_to or NEVER
    if row.starts is not None and row.ends is not None:
        stretches = [Stretch(row.starts, row.ends, row.effective_from, last)]
    else:
        stretches = [
            Stretch(season.starts, season.ends, max(row.effective_from, season.effective_from), end)
            for season in hours[row.room.campus_id, row.half]
            if (end := min(last, season.effective_to or NEVER)) >= max(row.effective_from, season.effective_from)
        ]
    return Pattern(
        name=row.actor_name,
        place=f"{row.department} {row.room}",
        weekday=row.weekday,
        parity=row.parity,
        first=row.effective_from,
        last=last,
        room=row.room_id,
        doctors=doctors,
        stretches=tuple(stretches),
    )


def _asked(template: ScheduleTemplate, doctors: frozenset[int], hours, *, today: date, twin: bool) -> Asked:
    source = template.role or template.team
    people = [template.role, template.role.practitioner] if template.role_id else [template.team]
    active = all(one.active for one in [template.service, template.department, template.room, *people] if one)
    home = template.department.campus
    return Asked(
        pattern=_pattern(template, doctors, hours),
        today=today,
        numbers=template.numbers,
        minutes=template.minutes,
        starts=template.starts,
        ends=template.ends,
        ends_before_start=bool(template.effective_to and template.effective_to < template.effective_from),
        actor=template.actor_name,
        actor_active=active,
        actor_service=str(source.service) if source and source.service_id != template.service_id else None,
        actor_elsewhere=(str(source.department) if source and source.department_id != template.department_id else None),
        room_campus=_foreign_campus(template, home),
        outside_contract=_outside_contract(template, doctors),
        twin=twin,
    )


def _foreign_campus(template: ScheduleTemplate, home) -> str | None:
    """A department without a campus of its own may sit in any of its institution's."""
    campus = template.room.campus
    if home is not None:
        return None if campus.pk == home.pk else str(campus)
    return None if campus.organization_id == template.organization_id else str(campus)


def _outside_contract(template: ScheduleTemplate, doctors: frozenset[int]) -> tuple[str, str] | None:
    """The first and the last day must both be covered; what lies between is seen day by day when it is laid out."""
    house = template.organization
    rows = defaultdict(list)
    for row in Contract.objects.filter(practitioner__in=doctors, organization=house):
        rows[row.practitioner_id].append((row.effective_from, row.effective_to))
    people = [template.role.practitioner] if template.role_id else []
    for person in people:
        days = [template.effective_from, template.effective_to or NEVER]
        at_home = person.organization_id == house.pk
        if not all(contract.may_sit(at_home=at_home, contracts=rows[person.pk], day=day) for day in days):
            return str(person), house.short_name or house.name
    return None


@transaction.atomic
def create(*, template: ScheduleTemplate, by: User, now: datetime) -> ScheduleTemplate:
    """Keep an unsaved pattern. It waits for a draft. Raises TemplateRefused."""
    _one_writer()
    _must_be_sound(template, None, now=now)
    _save(template)
    _trace("template.created", template, by=by, now=now, after=_said(template))
    return template


@transaction.atomic
def change(*, template: ScheduleTemplate, wanted: ScheduleTemplate, by: User, now: datetime) -> ScheduleTemplate:
    """From `wanted.effective_from` on it is so; the old row ends the day before, so that the past stays readable.

    What no draft has published yet, and what would begin only then, is changed in place; if that was written before
    and put out of use, it is taken into use again instead. Raises TemplateRefused.
    """
    _one_writer()
    template = ScheduleTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    _must_be_sound(wanted, template, now=now)
    before = _said(template)
    in_place = template.published_at is None or wanted.effective_from <= template.effective_from
    retired = _twins(wanted).filter(active=False).exclude(pk=template.pk)
    if in_place and not retired.exists():
        for name in KEPT:
            setattr(template, name, getattr(wanted, name))
        template.published_at = None
        _save(template)
        _trace("template.changed", template, by=by, now=now, before=before, after=_said(template))
        return template
    last = wanted.effective_from - DAY
    if in_place:
        template.active = False
    elif template.effective_to is None or template.effective_to > last:
        template.effective_to = last
    template.save(update_fields=["active", "effective_to"])
    _save(wanted)
    _trace("template.changed", wanted, by=by, now=now, before=before, after=_said(wanted), instead_of=template.pk)
    return wanted


@transaction.atomic
def end(*, template: ScheduleTemplate, last_day: date, by: User, now: datetime) -> ScheduleTemplate:
    """The last day on which it runs. Before its first day: it never runs, and is put out of use. Raises TemplateRefused
    for a day after its end: that would make it longer, over what may follow it."""
    _one_writer()
    template = ScheduleTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    if template.effective_to and last_day > template.effective_to:
        said = {"last": template.effective_to}
        raise TemplateRefused(problem=_("它本来就到 %(last)s 为止。要延长，请改失效日。") % said)
    before = _said(template)
    if last_day < template.effective_from:
        template.active = False
    else:
        template.effective_to = last_day
    template.save(update_fields=["active", "effective_to"])
    _trace("template.ended", template, by=by, now=now, before=before, after=_said(template))
    return template


@transaction.atomic
def copy(
    *, template: ScheduleTemplate, places: Iterable[tuple[int, str]], first_day: date, by: User, now: datetime
) -> list[ScheduleTemplate]:
    """The same pattern on other half-days, all or none. Raises TemplateRefused with the half-day that does not fit."""
    made = []
    for weekday, half in places:
        twin = ScheduleTemplate(organization=template.organization, **{name: getattr(template, name) for name in KEPT})
        twin.weekday, twin.half = weekday, half
        twin.effective_from = max(first_day, template.effective_from)
        if half != template.half:
            twin.starts = twin.ends = None
        made.append(create(template=twin, by=by, now=now))
    return made


def _one_writer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _must_be_sound(template: ScheduleTemplate, instead_of: ScheduleTemplate | None, *, now: datetime) -> None:
    found = problems_of(template, instead_of=instead_of, today=clock.today(now))
    if found:
        when = f"{template.get_weekday_display()}{template.get_half_display()}"
        raise TemplateRefused(problem=f"{when}：{found[0].sentence}")


def _save(template: ScheduleTemplate) -> None:
    """A retired row with the very same name makes way: it is taken into use again."""
    if template.pk is None and (old := _twins(template).filter(active=False).first()):
        template.pk, template._state.adding = old.pk, False
    template.active = True
    template.save()


def _twins(template: ScheduleTemplate):
    """Rows that the constraint template_once takes for the same."""
    names = ("department", "service", "role", "team", "room", "weekday", "half", "parity", "effective_from")
    return ScheduleTemplate.objects.filter(**{name: getattr(template, name) for name in names})


def _said(template: ScheduleTemplate) -> dict:
    """For the trail: ids and plain values."""
    kept = {name: getattr(template, f"{name}_id", None) or getattr(template, name, None) for name in KEPT}
    return {name: value if isinstance(value, int) else str(value) for name, value in kept.items() if value is not None}


def _trace(action: str, template: ScheduleTemplate, *, by: User, now: datetime, **detail) -> None:
    audit.record(action=action, actor=by, now=now, subject=f"template:{template.pk}", detail=detail)
