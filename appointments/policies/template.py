"""May a weekly half-day be so, and why not (P2). Pure: the caller brings the hours, the people and the other patterns.

Every problem names the field it belongs to, so that a form shows it in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import ScheduleTemplate
from hospital.models.time import Weekday

from .workday import FURTHEST

MOST_NUMBERS, MOST_MINUTES = 300, 480
NEVER = date.max
PARITIES = dict(ScheduleTemplate.Parity.choices)


@dataclass(frozen=True)
class Stretch:
    """Wall times that hold over some days; both days included. A half-day has one for each season."""

    starts: time
    ends: time
    first: date
    last: date = NEVER

    @property
    def minutes(self) -> int:
        return (self.ends.hour - self.starts.hour) * 60 + self.ends.minute - self.starts.minute

    def meets(self, other: "Stretch") -> bool:
        in_time = self.starts < other.ends and other.starts < self.ends
        return in_time and self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Pattern:
    """When and where somebody sits each week. `doctors`: who is taken, a team's members all."""

    name: str  # 王建国
    place: str  # 心血管内科 3层 1诊室
    weekday: int
    parity: str
    first: date
    last: date
    room: int
    doctors: frozenset[int]
    stretches: tuple[Stretch, ...]

    def meets(self, other: "Pattern") -> bool:
        if self.weekday != other.weekday or {self.parity, other.parity} == {"odd", "even"}:
            return False
        return any(mine.meets(theirs) for mine in self.stretches for theirs in other.stretches)

    def said(self) -> str:
        """心血管内科 3层 1诊室，周三 08:00–12:00，2026-01-01 起"""
        hours = "、".join(sorted({f"{one.starts:%H:%M}–{one.ends:%H:%M}" for one in self.stretches}))
        weeks = "" if self.parity == ScheduleTemplate.Parity.EVERY else f"（{PARITIES[self.parity]}）"
        since = _("%(first)s 起") % {"first": self.first}
        until = since if self.last == NEVER else _("%(first)s 至 %(last)s") % {"first": self.first, "last": self.last}
        return f"{self.name} {self.place}，{Weekday(self.weekday).label}{weeks} {hours}，{until}"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to keep, with what the house knows about it."""

    pattern: Pattern
    today: date
    numbers: int
    minutes: int | None = None
    starts: time | None = None
    ends: time | None = None
    ends_before_start: bool = False  # of the dates
    actor: str = ""
    actor_active: bool = True
    actor_service: str | None = None  # the service that the actor's role or team has, when another was chosen
    actor_elsewhere: str | None = None  # the department that the actor's role belongs to, when it is another
    room_campus: str | None = None  # the room's campus, when it is not the department's
    outside_contract: tuple[str, str] | None = None  # doctor, institution
    twin: bool = False  # the same half-day in the same room from the same day on is there, at other hours


@dataclass(frozen=True)
class Problem:
    field: str | None
    code: str
    details: dict = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.code]) % self.details


SENTENCES: dict[str, Promise] = {
    "no_numbers": gettext_lazy("号数至少是 1 个。请填 1 到 %(most)s 之间的数。"),
    "many_numbers": gettext_lazy("一个半天最多 %(most)s 个号。请减少号数，或分成两个出诊。"),
    "no_minutes": gettext_lazy("每号至少 1 分钟。不按固定时长时请留空，系统会把半天平均分给各号。"),
    "many_minutes": gettext_lazy("每号最多 %(most)s 分钟。请检查是否填错。"),
    "one_hour": gettext_lazy("开始和结束只填了一个。请两个都填，或都留空，按院区的半日时间。"),
    "hours_reversed": gettext_lazy("结束时间不晚于开始时间。请检查两个时间。"),
    "dates_reversed": gettext_lazy("失效日早于生效日。请检查两个日期。"),
    "in_the_past": gettext_lazy("生效日已经过去。请从 %(today)s 或之后开始。"),
    "too_far": gettext_lazy("这一天太远，像是填错了年份。最远登记到两年以内。"),
    "no_hours": gettext_lazy("这个院区在生效期内没有这个半日的时间。请填自己的起止时间，或先在“作息时间”里加上。"),
    "too_long": gettext_lazy(
        "%(numbers)s 个号、每号 %(minutes)s 分钟共 %(sum)s 分钟，放不进 %(total)s 分钟。请减少号数或缩短每号时间。"
    ),
    "too_many": gettext_lazy("%(numbers)s 个号放不进 %(total)s 分钟，每号不足一分钟。请减少号数或延长时间。"),
    "other_campus": gettext_lazy("这间诊室在%(campus)s，不在本科室的院区。请选本院区的诊室。"),
    "inactive": gettext_lazy("%(actor)s已停用或不在岗，不能排班。请先恢复，或换一位。"),
    "other_service": gettext_lazy("%(actor)s在这个科室的号别是%(service)s。请改用这个号别，或先给他加上新的出诊身份。"),
    "other_department": gettext_lazy("%(actor)s的出诊身份属于%(department)s。请换一位，或到那个科室排班。"),
    "outside_contract": gettext_lazy(
        "%(doctor)s在这段日期里没有%(house)s的执业合约。请先在“执业合约”里登记，或缩短生效期。"
    ),
    "twin": gettext_lazy("从同一天起，这个半日同一诊室已有一条模板。请改那一条，或换一个生效日。"),
    "doctor_twice": gettext_lazy("医生在这个时间已有出诊：%(other)s。请改时间、单双周或生效日期。"),
    "room_twice": gettext_lazy("诊室在这个时间已被占用：%(other)s。请换诊室或改时间。"),
}


def problems(asked: Asked, *, others: Iterable[Pattern] = ()) -> list[Problem]:
    """Everything that is wrong, each at its field. `others`: patterns of the same doctors or the same room."""
    found = [*_counts(asked), *_times(asked), *_fit(asked)]
    if asked.twin:
        found.append(Problem("effective_from", "twin"))
    wrong_time = {"one_hour", "hours_reversed", "dates_reversed"}
    if not wrong_time & {problem.code for problem in found}:
        found += [*_lengths(asked), *_collisions(asked.pattern, others)]
    return found


def _counts(asked: Asked) -> Iterable[Problem]:
    if asked.numbers < 1:
        yield Problem("numbers", "no_numbers", {"most": MOST_NUMBERS})
    elif asked.numbers > MOST_NUMBERS:
        yield Problem("numbers", "many_numbers", {"most": MOST_NUMBERS})
    if asked.minutes is not None and asked.minutes < 1:
        yield Problem("minutes", "no_minutes")
    elif asked.minutes is not None and asked.minutes > MOST_MINUTES:
        yield Problem("minutes", "many_minutes", {"most": MOST_MINUTES})


def _times(asked: Asked) -> Iterable[Problem]:
    if (asked.starts is None) != (asked.ends is None):
        yield Problem("ends" if asked.ends is None else "starts", "one_hour")
    elif asked.starts is not None and asked.ends <= asked.starts:
        yield Problem("ends", "hours_reversed")
    if asked.ends_before_start:
        yield Problem("effective_to", "dates_reversed")
    if asked.pattern.first < asked.today:
        yield Problem("effective_from", "in_the_past", {"today": asked.today})
    elif asked.pattern.first > asked.today + FURTHEST:
        yield Problem("effective_from", "too_far")


def _fit(asked: Asked) -> Iterable[Problem]:
    if not asked.actor_active:
        yield Problem("actor", "inactive", {"actor": asked.actor})
    if asked.actor_elsewhere:
        yield Problem("actor", "other_department", {"actor": asked.actor, "department": asked.actor_elsewhere})
    if asked.actor_service:
        yield Problem("service", "other_service", {"actor": asked.actor, "service": asked.actor_service})
    if asked.room_campus:
        yield Problem("room", "other_campus", {"campus": asked.room_campus})
    if asked.outside_contract:
        doctor, house = asked.outside_contract
        yield Problem("actor", "outside_contract", {"doctor": doctor, "house": house})


def _lengths(asked: Asked) -> Iterable[Problem]:
    """The shortest season decides."""
    if not asked.pattern.stretches:
        yield Problem("half", "no_hours")
        return
    total = min(one.minutes for one in asked.pattern.stretches)
    said = {"numbers": asked.numbers, "total": total, "minutes": asked.minutes}
    if asked.minutes is not None and asked.numbers * asked.minutes > total:
        yield Problem("minutes", "too_long", said | {"sum": asked.numbers * asked.minutes})
    elif asked.minutes is None and asked.numbers > total:
        yield Problem("numbers", "too_many", said)


def _collisions(pattern: Pattern, others: Iterable[Pattern]) -> Iterable[Problem]:
    meeting = [other for other in others if pattern.meets(other)]
    busy = next((other for other in meeting if pattern.doctors & other.doctors), None)
    if busy:
        yield Problem("actor", "doctor_twice", {"other": busy.said()})
    taken = next((other for other in meeting if other.room == pattern.room), None)
    if taken and taken is not busy:
        yield Problem("room", "room_twice", {"other": taken.said()})
