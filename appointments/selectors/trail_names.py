"""Whom and what an event of 操作留痕 speaks of, by name: sessions, bulk acts and stops of one page, three queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from appointments.models import BulkAct, Schedule, Suspension
from hospital.models import AuditEvent

from .acts import sessions

SESSIONS = frozenset({"sessions", "schedules", "schedule"})
"""Keys of a detail whose numbers are sessions."""

LISTED = frozenset({"stop.retried", "stop.undone"})
"""Actions whose before and after are lists of sessions."""

OTHERS: dict[str, Callable[[set[int]], dict[int, str]]] = {}
"""Of apps above: a kind of subject, or a key of a detail that holds one's number → their names. One query each, and
only on a page that has some."""


@dataclass(frozen=True)
class Names:
    """What is not there any more keeps its number."""

    schedules: dict[int, Schedule] = field(default_factory=dict)
    acts: dict[int, BulkAct] = field(default_factory=dict)
    stops: dict[int, Suspension] = field(default_factory=dict)
    others: dict[str, dict[int, str]] = field(default_factory=dict)

    def other(self, kind: str, pk) -> str:
        return self.others.get(kind, {}).get(_number(pk), "")

    def session(self, pk) -> str:
        """心血管内科 王建国 2026-11-25 上午"""
        row = self.schedules.get(_number(pk))
        return f"{row.department.name} {row}" if row else _("出诊单元 %(pk)s") % {"pk": pk}

    def some(self, pks: list[int]) -> str:
        """The first by name, the others counted."""
        if not pks:
            return ""
        said = {"first": self.session(pks[0]), "count": len(pks)}
        return said["first"] if len(pks) == 1 else _("%(first)s 等 %(count)s 个半天") % said

    def about(self, subject: str) -> str:
        """Empty: it has no name of its own here."""
        kind, _colon, text = subject.partition(":")
        pk = _number(text)
        if kind == "schedule" and pk in self.schedules:
            return self.session(pk)
        if kind == "bulkact" and pk in self.acts:
            return self.some(self.acts[pk].schedules)
        if kind == "stop" and pk in self.stops:
            return self._stop(self.stops[pk])
        return self.other(kind, text)

    def _stop(self, row: Suspension) -> str:
        who = row.practitioner or row.department
        if not who:
            return self.some(row.schedules)
        half = row.get_half_display() if row.half else ""
        days = f"{row.first_day}" if row.first_day == row.last_day else f"{row.first_day}–{row.last_day}"
        return f"{who} {days} {half}".strip()


def names_of(events: Iterable[AuditEvent]) -> Names:
    events = list(events)
    asked = {"schedule": set(), "bulkact": set(), "stop": set()}
    for event in events:
        kind, _colon, text = event.subject.partition(":")
        if kind in asked and _number(text) is not None:
            asked[kind].add(_number(text))
        asked["schedule"] |= _sessions_in(event)
    acts = BulkAct.objects.in_bulk(asked["bulkact"])
    stops = Suspension.objects.select_related("practitioner", "department").in_bulk(asked["stop"])
    for row in (*acts.values(), *stops.values()):
        asked["schedule"] |= set(row.schedules[:1])
    return Names(sessions(asked["schedule"]), acts, stops, _others(events))


def _others(events: Iterable[AuditEvent]) -> dict[str, dict[int, str]]:
    asked = defaultdict(set)
    for event in events:
        kind, _colon, text = event.subject.partition(":")
        detail = event.detail if isinstance(event.detail, dict) else {}
        for name, value in ((kind, text), *detail.items()):
            if name in OTHERS and (pk := _number(value)) is not None:
                asked[name].add(pk)
    return {name: OTHERS[name](pks) for name, pks in asked.items()}


def _sessions_in(event: AuditEvent) -> set[int]:
    detail = event.detail if isinstance(event.detail, dict) else {}
    found = [value for key, value in detail.items() if key in SESSIONS]
    if event.subject.startswith("bulkact:") or event.action in LISTED:
        found += [detail.get("before"), detail.get("after")]
    if event.action == "stop.ordered":
        found.append(detail.get("substitutes"))
    several = [one for each in found for one in (each if isinstance(each, list | dict) else [each])]
    return {pk for pk in map(_number, several) if pk is not None}


def _number(text) -> int | None:
    said = str(text)
    return int(said) if said.isdecimal() and len(said) < 19 else None
