"""Which department: of every house that takes part, in groups, or found by what somebody typed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from appointments.models import Schedule
from appointments.policies.scarcity import State
from hospital import clock
from hospital.models import Campus, CareTeam, Department, PractitionerRole

from .days import state_of
from .openings import days_shown, openings_of, to_come

MOST = 12
"""Found things of one sort: more than that and the words were too few."""

LONGEST = 40
"""Characters of a search that are looked at."""

INSIDE = 3
"""Letters from which pinyin is also found inside a name: neike finds 心血管内科, but "an" doesn't find everything."""


def _house(path: str = "") -> tuple:
    """The hospital itself first, then its branches."""
    return F(f"{path}organization__parent_id").asc(nulls_first=True), f"{path}organization__code"


@dataclass
class Group:
    """Departments under one heading: a group of the hospital's, or a branch."""

    name: str
    short: str
    departments: list[Department] = field(default_factory=list)


def departments_shown(*, campus: int | None = None) -> QuerySet[Department]:
    rows = Department.objects.filter(active=True, organization__active=True).select_related("organization", "campus")
    rows = rows.filter(campus=campus) if campus else rows
    return rows.order_by(*_house(), "order", "code")


def grouped(departments: Iterable[Department]) -> list[Group]:
    """A hospital's departments by its own groups, a branch's under the branch's name."""
    groups: dict[tuple[int, str], Group] = {}
    for department in departments:
        house = department.organization
        name = str(house) if house.parent_id else department.group
        short = house.short_name or name if house.parent_id else name
        groups.setdefault((house.pk, name), Group(name, short)).departments.append(department)
    return list(groups.values())


def campuses() -> list[Campus]:
    """Where the houses are, the hospital itself first."""
    rows = Campus.objects.filter(active=True, organization__active=True).select_related("organization")
    return list(rows.order_by(*_house(), "code"))


@dataclass(frozen=True)
class Person:
    """A doctor or an expert team that was found, with the first day that has a number."""

    role: PractitionerRole | None
    team: CareTeam | None
    state: State
    day: date | None

    @property
    def department(self) -> Department:
        return (self.role or self.team).department


@dataclass(frozen=True)
class Found:
    departments: list[Department]
    people: list[Person]

    def __bool__(self) -> bool:
        return bool(self.departments or self.people)


def search(text: str, *, campus: int | None, now: datetime) -> Found:
    """By Chinese, pinyin or its initials, whole matches first; doctors also by what they are good at."""
    text = _squeezed(text[:LONGEST])
    if not text:
        return Found([], [])
    shown = departments_shown(campus=campus)
    departments = list(_matching(shown, text)[:MOST]) or _in_order(shown, text)
    here = {"department__active": True, "department__organization__active": True, "active": True}
    here |= {"department__campus": campus} if campus else {}
    related = ("department__campus", "department__organization", "service")
    roles = PractitionerRole.objects.filter(practitioner__active=True, service__active=True, **here)
    roles = roles.order_by(*_house("department__"), "practitioner__pinyin", "id")
    roles = _matching(roles, text, path="practitioner__", good="specialty_text")
    teams = _matching(CareTeam.objects.filter(**here).order_by(*_house(), "pinyin", "id"), text, good="introduction")
    people = [*teams.select_related(*related)[:MOST], *roles.select_related("practitioner", *related)[:MOST]]
    return Found(departments, _with_days(people, now=now))


def unsure(*, campus: int | None, now: datetime) -> list[Department]:
    """不知道看哪科: departments with a plain clinic to come, where whoever sits sees everybody."""
    plain = Schedule.objects.filter(role=None, team=None, day__gte=clock.today(now), status=Schedule.Status.OPEN)
    return list(departments_shown(campus=campus).filter(pk__in=plain.values("department"))[:MOST])


def _squeezed(text: str) -> str:
    """王 建国 is one name; the blanks of other scripts stand between words."""
    text = " ".join(text.strip("'").split())
    return text if text.isascii() else text.replace(" ", "")


def _in_order(rows: QuerySet, text: str) -> list[Department]:
    """The last resort, over departments only, which are few: 心内科 means 心血管内科, and so does xnk."""
    typed = text.lower().replace(" ", "")
    if len(typed) < (INSIDE if typed.isascii() else 2):
        return []
    path = "initials" if typed.isascii() else "name"
    return list(rows.filter(**{f"{path}__regex": ".*".join(map(re.escape, typed))})[:MOST])


def _matching(rows: QuerySet, text: str, *, path: str = "", good: str = "") -> QuerySet:
    """Ranked: the whole name, its beginning, inside it, what the person is good at."""
    typed = text.lower().replace(" ", "").replace("'", "")
    name, pinyin, initials = f"{path}name", f"{path}pinyin", f"{path}initials"
    whole = Q(**{name: text}) | Q(**{pinyin: typed}) | Q(**{initials: typed})
    begins = Q(
        **{f"{name}__startswith": text, f"{pinyin}__startswith": typed, f"{initials}__startswith": typed},
        _connector=Q.OR,
    )
    inside = Q(**{f"{name}__contains": text})
    if typed.isascii() and len(typed) >= INSIDE:
        inside |= Q(**{f"{pinyin}__contains": typed})
    skilled = Q(**{f"{path}{good}__contains": text}) if good else Q(pk=None)
    rank = Case(
        When(whole, then=0), When(begins, then=1), When(inside, then=2), default=Value(3), output_field=IntegerField()
    )
    return rows.filter(whole | begins | inside | skilled).annotate(rank=rank).order_by("rank", *rows.query.order_by)


def _with_days(people: list, *, now: datetime) -> list[Person]:
    """Three queries: their half-days, the numbers and the prices."""
    roles = [one for one in people if isinstance(one, PractitionerRole)]
    teams = [one for one in people if isinstance(one, CareTeam)]
    houses = {one.department.organization_id for one in people}
    if not people:
        return []
    days = max((days_shown(house, now=now) for house in houses), key=len, default=[clock.today(now)])
    openings = openings_of(to_come(days, now=now).filter(Q(role__in=roles) | Q(team__in=teams)), now=now)
    found = []
    for one in people:
        key = "role_id" if isinstance(one, PractitionerRole) else "team_id"
        mine = [each for each in openings if getattr(each.schedule, key) == one.pk]
        state, _left = state_of(mine)
        first = min((each.schedule.day for each in mine if each.left), default=None)
        found.append(
            Person(
                role=one if key == "role_id" else None,
                team=one if key == "team_id" else None,
                state=state,
                day=first,
            )
        )
    found.sort(key=lambda person: ((person.role or person.team).rank, person.department.organization.parent_id or 0))
    return found
