"""出诊模板, 节假日与调休 and 半日时间. Planning lays out anew what is free; an import touches no number."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import Any

from appointments.models import ScheduleTemplate
from appointments.services.importing.matching import Import, Wanted, bring, deactivate, delete
from hospital.models import CalendarDay, HalfDayHours
from hospital.workbook import spec, timetable
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Content, Row


def calendar(run: Import, content: Content) -> None:
    """A day is every institution's of the workbook, or only theirs whom its row names."""
    homes = run.places["organization"]
    existing = {
        (row.organization_id, row.day): row for row in CalendarDay.objects.filter(organization__in=homes.values())
    }
    wanted = [
        Wanted((home.pk, row.day), row.number, f"{home.short_name or home} {row.day} {row.name}",
               {name: row.values[name] for name in ("day", "kind", "name", "follows")} | {"organization": home})
        for row in content["calendar"]
        for home in [homes[code] for code in row.organizations or homes]
    ]  # fmt: skip
    bring(run, model=CalendarDay, sheet=spec.CALENDAR, existing=existing, wanted=wanted, retire=delete(run))


def hours(run: Import, content: Content) -> None:
    campuses = run.places["campus"]
    known = HalfDayHours.objects.filter(campus__in=campuses.values()).select_related("campus")
    existing = {(row.campus.code, row.half, row.effective_from): row for row in known}
    names = ("half", "starts", "ends", "effective_from", "effective_to")
    wanted = [
        Wanted((code, row.half, row.effective_from), row.number,
               f"{campuses[code]} {row.starts:%H:%M}–{row.ends:%H:%M}",
               {name: row.values[name] for name in names} | {"campus": campuses[code]})
        for row in content["hours"]
        for code in ([row.campus] if row.campus else campuses)
    ]  # fmt: skip
    if not run.retire_missing:
        _refuse_overlaps(existing, {want.key: (want, content) for want in wanted})
    bring(run, model=HalfDayHours, sheet=spec.HOURS, existing=existing, wanted=wanted, retire=delete(run))


def _refuse_overlaps(existing: dict[tuple, HalfDayHours], wanted: dict[tuple, tuple[Wanted, Content]]) -> None:
    """Hours that the workbook no longer has still hold; new ones may not overlap them."""
    problems = []
    for key, old in existing.items():
        if key in wanted:
            continue
        for other, (want, content) in wanted.items():
            last = want.values["effective_to"] or date.max
            if other[:2] == key[:2] and other[2] <= (old.effective_to or date.max) and old.effective_from <= last:
                row = next(row for row in content["hours"] if row.number == want.row)
                problems.append(row.problem(
                    "effective_from",
                    _("和系统中已有而工作簿里没有的半日时间重叠（%(first)s 起）。"),
                    _("请把那一行写回工作簿，或在导入时选择同时停用缺少的行。"),
                    first=old.effective_from,
                ))  # fmt: skip
    if problems:
        raise WrongWorkbook(problems)


def templates(run: Import, content: Content) -> None:
    """The weekly plan. A doctor's or team's row is known by when it is, a plain clinic's by its room as well."""
    homes = run.places["organization"]
    known = ScheduleTemplate.objects.filter(organization__in=homes.values()).order_by("active", "pk")
    known = known.select_related("role__practitioner", "team", "service", "department", "room__campus")
    lent = [row for row in known if is_lent(row)]
    said = [(row, _values(run, row)) for row in content["template"]]
    twice = _twice(map(vars_of, known)) | _twice(values for _row, values in said)
    existing = _by_key(known, twice)
    wanted = []
    for row, values in said:
        label = f"{ScheduleTemplate(**values)} {values['department']}"
        fresh = {"published_at": run.now}  # a whole workbook is looked through before: no draft is waited for
        wanted.append(Wanted(_key(values, twice), row.number, label, values, fresh))
    names = {want.key for want in wanted}
    staying = [] if run.retire_missing else [row for key, row in existing.items() if key not in names]
    _refuse_collisions(content, [row for row in (*lent, *staying) if row.active])
    bring(run, model=ScheduleTemplate, sheet=spec.TEMPLATES, existing=existing, wanted=wanted, retire=deactivate(run))


def named(templates: Iterable[ScheduleTemplate]) -> list[ScheduleTemplate]:
    """What a workbook names, of rows in the order of `active`: of retired twins one, and none beside one in use."""
    rows = list(templates)
    return list(_by_key(rows, _twice(map(vars_of, rows))).values())


def _by_key(templates: Iterable[ScheduleTemplate], twice: set[tuple]) -> dict[tuple, ScheduleTemplate]:
    return {_key(vars_of(row), twice): row for row in templates if not is_lent(row)}


def _twice(rows: Iterable[dict[str, Any]]) -> set[tuple]:
    """Keys of several rows in use: a doctor who sits in two rooms by turns, in one half-day."""
    return {key for key, count in Counter(_key(row) for row in rows if row["active"]).items() if count > 1}


def is_lent(template: ScheduleTemplate) -> bool:
    """A doctor of another house sits here by contract (P12)."""
    return bool(template.role_id) and template.role.practitioner.organization_id != template.organization_id


FIELDS = (
    "organization", "department", "service", "role", "team", "room", "weekday", "half", "starts", "ends", "numbers",
    "minutes", "parity", "effective_from", "effective_to", "active",
)  # fmt: skip


def vars_of(template: ScheduleTemplate) -> dict[str, Any]:
    return {name: getattr(template, name) for name in FIELDS}


def _values(run: Import, row: Row) -> dict[str, Any]:
    department = run.places["department"][row.department]
    same = (
        "weekday", "half", "starts", "ends", "numbers", "minutes", "parity", "effective_from", "effective_to", "active",
    )  # fmt: skip
    doctor, team = row.actor_kind == "doctor", row.actor_kind == "team"
    return {name: row.values[name] for name in same} | {
        "organization": department.organization,
        "department": department,
        "service": run.places["service"][department.organization.code, row.service],
        "role": run.places["role"][row.actor, row.department, row.service] if doctor else None,
        "team": run.places["team"][row.actor] if team else None,
        "room": run.places["room"][row.room],
    }


def _key(values: dict[str, Any], twice: Container[tuple] = ()) -> tuple:
    role, team = values["role"], values["team"]
    plain_room = values["room"].pk if role is None and team is None else None
    who = (role and role.pk, team and team.pk, values["department"].pk, values["service"].pk, plain_room)
    key = (*who, *(values[name] for name in ("weekday", "half", "parity", "effective_from")))
    return (*key, values["room"].pk) if key in twice else key


def _refuse_collisions(content: Content, remaining: list[ScheduleTemplate]) -> None:
    """Templates that are lent, or that the workbook no longer has, run on: new ones may not collide with them."""
    if remaining:
        old = list(_as_rows(remaining, content))
        both = Content(content.rows | {"template": old + content["template"]})
        problems = [problem for problem in timetable.broken_timetable(both) if problem.row and problem.row > 0]
        if problems:
            raise WrongWorkbook(problems)


def _as_rows(remaining: list[ScheduleTemplate], content: Content) -> Iterator[Row]:
    """Rows of the database in the workbook's own words, numbered below zero to stand before all others."""
    for place, template in enumerate(remaining):
        kind = "doctor" if template.role_id else "team" if template.team_id else "service"
        actor = template.role.practitioner if template.role_id else template.team or template.service
        values = vars_of(template) | {
            "actor_kind": kind, "actor": actor.code, "department": template.department.code,
            "service": template.service.code, "room": template.room.code,
            "lent": is_lent(template),
        }  # fmt: skip
        yield Row(spec.TEMPLATES, place - len(remaining), {}, values)
