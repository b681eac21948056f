"""操作留痕: what the staff of the reader's houses did, newest first, with before and after in words. Read only.

An event belongs to the houses where its actor works or worked. What patients did in their own accounts and what the
machine did by itself is nobody's of the staff: the machine's runs have a page of their own, and the auditor finds the
rest in the administration.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import islice

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from appointments.models import BulkAct
from hospital import clock, masking
from hospital.models import AuditEvent, RoleAssignment, User

from . import drawer
from .trail_names import LISTED, SESSIONS, Names, names_of
from .trail_words import ACTIONS, APPS, BEGINNINGS, CODES, KEYS, MORE_KEYS, SUBJECTS, UNSAID

PAGE = 50
MOST_VALUES = 8
"""Of a list in one detail: the rest is counted."""


@dataclass(frozen=True)
class Asked:
    """`departments` None: of the whole houses. `subject` as it is stored (schedule:12), or its kind alone."""

    organizations: frozenset[int]
    departments: frozenset[int] | None
    who: str = ""
    action: str = ""
    subject: str = ""
    day: date | None = None
    after: tuple[datetime, int] | None = None


@dataclass(frozen=True)
class Change:
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    event: AuditEvent
    what: str
    about: str
    patient: str
    changes: list[Change]
    more: list[tuple[str, str]]
    url: str = ""  # of its page, for whoever shows it


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    more: AuditEvent | None  # the last one shown, when there are others after it


def events(asked: Asked) -> QuerySet[AuditEvent]:
    """Newest first, those within reach that were asked for."""
    rows = AuditEvent.objects.filter(actor__in=_staff(asked)).order_by("-at", "-pk")
    if asked.action:
        rows = rows.filter(action__startswith=asked.action)
    if asked.subject:
        kind, _colon, pk = asked.subject.partition(":")
        rows = rows.filter(subject=asked.subject) if pk else rows.filter(subject__startswith=f"{kind}:")
    if asked.day:
        first = clock.at(asked.day, time.min)
        rows = rows.filter(at__gte=first, at__lt=first + timedelta(days=1))
    if asked.after:
        at, pk = asked.after
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)
    return rows


def page(asked: Asked) -> Page:
    """One query for the events and three for what they name, however many there are."""
    rows = list(events(asked).select_related("actor", "patient")[: PAGE + 1])
    names = names_of(rows[:PAGE])
    lines = [line_of(row, names) for row in rows[:PAGE]]
    return Page(lines, rows[PAGE - 1] if len(rows) > PAGE else None)


def with_names(rows: Iterable[AuditEvent], size: int = 500) -> Iterable[tuple[AuditEvent, Names]]:
    """For long lists: what they name is read some hundred at a time."""
    rest = iter(rows)
    while some := list(islice(rest, size)):
        names = names_of(some)
        yield from ((event, names) for event in some)


def _staff(asked: Asked) -> QuerySet[User]:
    held = RoleAssignment.objects.filter(organization__in=asked.organizations)
    if asked.departments is not None:
        held = held.filter(department__in=asked.departments)
    people = User.objects.filter(pk__in=held.values("user"))
    if asked.who:
        people = people.filter(Q(full_name__icontains=asked.who) | Q(username__iexact=asked.who))
    return people.values("pk")


def line_of(event: AuditEvent, names: Names | None = None) -> Line:
    """`names` of the events around it, see trail_names.names_of."""
    names = names or Names()
    detail = _named(event, names)
    changes = _changes(detail.get("before"), detail.get("after"))
    rest = {key: value for key, value in detail.items() if key not in {"before", "after"} | UNSAID}
    more = [(name_of(key), value_of(value, key)) for key, value in rest.items() if value not in (None, "", [], {})]
    if len(changes) > MOST_VALUES:
        more.append((_("另有"), _("%(count)s 项改动") % {"count": len(changes) - MOST_VALUES}))
    patient = masking.name(event.patient.name) if event.patient_id else ""
    about = names.about(event.subject) or subject_of(event.subject)
    return Line(event, action_of(event.action), about, patient, changes[:MOST_VALUES], more)


def _named(event: AuditEvent, names: Names) -> dict:
    """The detail with sessions said by name instead of by number."""
    if not isinstance(event.detail, dict):
        return {"": event.detail}
    by_key = {"substitutes"} if event.action == "stop.ordered" else set()
    by_key |= {"before", "after"} if event.subject.startswith("bulkact:") else set()
    listed = SESSIONS | ({"before", "after"} if event.action in LISTED else set())
    said = {}
    for key, value in event.detail.items():
        if key in by_key and isinstance(value, dict):
            value = {names.session(pk): each for pk, each in value.items()}
        elif key in listed and isinstance(value, list):
            value = [names.session(pk) for pk in value]
        elif name := names.other(key, value):
            value = name
        said[key] = value
    if isinstance(said.get("substitutes"), dict):
        said["substitutes"] = list(said["substitutes"])  # who and where: the stop's own page
    return said


def action_of(action: str) -> str:
    """In the office's words; an action that nobody has named yet stays as it is stored."""
    known = ACTIONS.get(action) or drawer.TOPICS.get(action)
    known = known or next((word for begins, word in BEGINNINGS.items() if action.startswith(begins)), None)
    if known:
        return str(known)
    kind, _dot, undone = action.removeprefix("bulk.").partition(".")
    if action.startswith("bulk.") and kind in BulkAct.Kind.values:
        word = BulkAct.Kind(kind).label
        return _("撤销%(act)s") % {"act": word} if undone else str(word)
    return action


def subject_of(subject: str) -> str:
    kind, _colon, pk = subject.partition(":")
    word = SUBJECTS.get(kind) or _model_names().get(kind)
    return f"{word} {pk}" if word else subject


def _changes(before, after) -> list[Change]:
    """What differs, field by field; two plain values are one change."""
    if not isinstance(before or {}, dict) or not isinstance(after or {}, dict):
        return [Change("", value_of(before), value_of(after))] if before != after else []
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [Change(name_of(name), value_of(old.get(name), name), value_of(new.get(name), name)) for name in names]


def name_of(key: str) -> str:
    """A field by the name that its form has."""
    return str(KEYS.get(key) or _field_names().get(key) or MORE_KEYS.get(key) or key)


@cache
def _model_names() -> dict:
    """bookingrule → 预约规则."""
    models = (model for label in APPS for model in apps.get_app_config(label).get_models())
    return {model._meta.model_name: model._meta.verbose_name for model in models}


@cache
def _field_names() -> dict:
    """The first model that has the field names it; lazily translated."""
    names = {}
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.fields:
                if field.verbose_name != field.name.replace("_", " "):
                    names.setdefault(field.name, field.verbose_name)
                    names.setdefault(field.attname, field.verbose_name)
    return names


def value_of(value, key: str = "") -> str:
    """Short, for people: yes and no, moments as the staff writes them, long lists counted."""
    if value is None or value == "":
        return _("无")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, str) and value in CODES.get(key, {}):
        return str(CODES[key][value])
    if isinstance(value, dict):
        return _("，").join(f"{name_of(key)} {value_of(each, key)}" for key, each in value.items() if key not in UNSAID)
    if isinstance(value, list):
        said = _("、").join(value_of(each, key) for each in value[:MOST_VALUES])
        many = len(value) > MOST_VALUES
        return _("%(said)s 等 %(count)s 项") % {"said": said, "count": len(value)} if many else said or _("无")
    return _moment(value) if isinstance(value, str) else str(value)


def _moment(text: str) -> str:
    """2026-11-25T00:30:00+00:00 → 2026-11-25 08:30; everything else as it is."""
    try:
        moment = parse_datetime(text) if len(text) > len("2026-11-25") else None
        if moment and moment.tzinfo:
            return f"{moment.astimezone(clock.ZONE):%F %H:%M}"
        return str(parse_date(text) or text)
    except ValueError:
        return text
