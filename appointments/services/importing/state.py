"""The present state as the workbook that would bring it about: to look at, to correct, to take along.

Importing it unchanged changes nothing (a test holds that). Doctors lent to another house are left out: contracts are
no part of a workbook, and an import leaves what rests on them alone. What is out of use is written with 启用 否.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from appointments.models import ScheduleTemplate
from appointments.services.importing import timetable
from appointments.services.importing.people import AT_HOME
from hospital.models import (
    CalendarDay,
    Campus,
    CareTeam,
    CareTeamMember,
    Department,
    HalfDayHours,
    HealthcareService,
    Organization,
    PractitionerRole,
    PriceItem,
    Room,
)
from hospital.workbook import spec
from hospital.workbook.cells import Choice
from hospital.workbook.sheet import Sheet

LIST_MARK = "、"


def rows_of(organizations: Iterable[int]) -> dict[str, list[dict[str, Any]]]:
    """Every sheet's rows of these institutions and their branches, as a person would type them."""
    mine = Q(pk__in=organizations) | Q(parent__in=organizations)
    homes = list(Organization.objects.filter(mine).select_related("parent").order_by("pk"))
    homes.sort(key=lambda home: (home.kind != Organization.Kind.HOSPITAL, home.pk))  # the hospital first
    return {
        "organization": [_plain(spec.ORGANIZATIONS, home, parent=home.parent and home.parent.code) for home in homes],
        "campus": [
            _plain(spec.CAMPUSES, row, organization=row.organization.code)
            for row in _of(Campus, homes, "organization").order_by("organization", "code")
        ],
        "department": [
            _plain(spec.DEPARTMENTS, row, campus=row.campus.code)
            for row in _of(Department, homes, "campus").order_by("organization", "order", "code")
            if row.campus_id
        ],
        "room": _rooms(homes),
        "service": _services(homes),
        "doctor": _doctors(homes),
        "team": _teams(homes),
        "template": _templates(homes),
        "calendar": _calendar(homes),
        "hours": _hours(homes),
    }  # fmt: skip


def _of(model, homes, *related):
    return model.objects.filter(organization__in=homes).select_related("organization", *related)


def _plain(sheet: Sheet, row, **more) -> dict[str, Any]:
    """The row's own columns, codes as words, and `more` for those that point elsewhere."""
    values = {column.name: more.get(column.name, getattr(row, column.name, None)) for column in sheet.columns}
    values |= more
    for column in sheet.columns:
        if isinstance(column.kind, Choice) and values[column.name] not in (None, ""):
            words = {code: word for word, code in column.kind.words.items()}
            values[column.name] = words.get(values[column.name], values[column.name])
    return {name: None if value == "" else value for name, value in values.items()}


def _rooms(homes) -> list[dict]:
    rows = Room.objects.filter(campus__organization__in=homes).select_related("campus", "department")
    return [
        _plain(spec.ROOMS, row, campus=row.campus.code, department=row.department and row.department.code)
        for row in rows.order_by("campus", "code")
    ]


def _services(homes) -> list[dict]:
    """One row per price; institutions that share a service with all its prices share its rows."""
    prices = defaultdict(list)
    for price in PriceItem.objects.filter(organization__in=homes).order_by("effective_from"):
        prices[price.organization_id, price.code].append((price.amount, price.effective_from))
    alike: dict[tuple, list[str]] = defaultdict(list)
    shown: dict[tuple, HealthcareService] = {}
    order = {home.pk: place for place, home in enumerate(homes)}
    services = sorted(_of(HealthcareService, homes), key=lambda row: (order[row.organization_id], row.code))
    for row in services:
        told = tuple(prices[row.organization_id, row.price_code])
        key = (row.code, row.name, row.kind, row.level, row.limits_exempt, row.active, told)
        alike[key].append(row.organization.code)
        shown.setdefault(key, row)
    return [
        _plain(spec.SERVICES, shown[key], organizations=LIST_MARK.join(codes), amount=amount, effective_from=day)
        for key, codes in alike.items()
        for amount, day in key[-1]
    ]


def _doctors(homes) -> list[dict]:
    rows = PractitionerRole.objects.filter(AT_HOME, practitioner__organization__in=homes)
    rows = rows.select_related("practitioner", "department", "service")
    found = []
    for role in rows.order_by("practitioner__organization", "practitioner__code", "pk"):
        person = role.practitioner
        found.append(
            _plain(
                spec.DOCTORS, person, department=role.department.code, service=role.service.code,
                active="是" if person.active and role.active else "否",
            )
        )  # fmt: skip
    return found


def _teams(homes) -> list[dict]:
    members = defaultdict(list)
    for member in CareTeamMember.objects.filter(active=True).select_related("role__practitioner").order_by("pk"):
        members[member.team_id].append(member)
    found = []
    for row in _of(CareTeam, homes, "department", "service").order_by("organization", "code"):
        codes = [one.role.practitioner.code for one in members[row.pk] if not one.leader]
        leader = next((one.role.practitioner.code for one in members[row.pk] if one.leader), None)
        found.append(
            _plain(
                spec.TEAMS, row, department=row.department.code, service=row.service.code, leader=leader,
                members=LIST_MARK.join(codes),
            )
        )  # fmt: skip
    return found


def _templates(homes) -> list[dict]:
    rows = _of(ScheduleTemplate, homes, "department", "service", "role__practitioner", "team", "room")
    named = timetable.named(rows.order_by("active", "pk"))
    found = []
    for row in sorted(named, key=lambda row: (row.department.order, row.department.code, row.pk)):
        kind = "doctor" if row.role_id else "team" if row.team_id else "service"
        actor = row.role.practitioner if row.role_id else row.team or row.service
        found.append(
            _plain(
                spec.TEMPLATES, row, actor_kind=kind, actor=actor.code, department=row.department.code,
                service=row.service.code, room=row.room.code,
            )
        )  # fmt: skip
    return found


def _calendar(homes) -> list[dict]:
    """One row for all institutions that keep a day alike; they are named unless it is all of them."""
    keepers: dict[tuple, list[CalendarDay]] = defaultdict(list)
    rows = CalendarDay.objects.filter(organization__in=homes).select_related("organization")
    for row in rows.order_by("day", "organization"):
        keepers[row.day, row.kind, row.name, row.follows].append(row)
    found = []
    for alike in keepers.values():
        named = LIST_MARK.join(row.organization.code for row in alike) if len(alike) < len(homes) else None
        found.append(_plain(spec.CALENDAR, alike[0], organizations=named))
    return found


def _hours(homes) -> list[dict]:
    rows = HalfDayHours.objects.filter(campus__organization__in=homes).select_related("campus")
    ordered = rows.order_by("campus", "half", "effective_from")
    return [_plain(spec.HOURS, row, campus=row.campus.code) for row in ordered]
