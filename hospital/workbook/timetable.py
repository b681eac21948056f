"""Nobody in two rooms at once and no room taken twice, over the whole weekly timetable and all its seasons."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

from hospital.workbook.problems import Problem
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Content, Row

NEVER = date.max


@dataclass(frozen=True)
class Sitting:
    """One stretch of a template row: wall times that hold over a span of days. Both days are included."""

    row: Row
    starts: time
    ends: time
    first: date
    last: date

    @property
    def minutes(self) -> int:
        return (self.ends.hour - self.starts.hour) * 60 + self.ends.minute - self.starts.minute

    def meets(self, other: "Sitting") -> bool:
        """At the same time of the same weekday, in weeks that both run."""
        return (
            self.starts < other.ends
            and other.starts < self.ends
            and self.first <= other.last
            and other.first <= self.last
            and {self.row.parity, other.row.parity} != {"odd", "even"}
        )


def broken_timetable(content: Content) -> Iterator[Problem]:
    """Hours that can't be, half-days without hours, minutes that don't suffice, and collisions."""
    hours = _hours_by_campus(content)
    campus_of = {row.code: row.campus for row in content["room"]}
    sittings: list[Sitting] = []
    for row in content["template"]:
        if row.wrong or not row.active:
            continue
        wrong = _wrong_dates(row)
        if wrong:
            yield wrong
            continue
        stretches = _sittings(row, hours[campus_of.get(row.room), row.half])
        if not stretches:
            yield row.problem(
                "half",
                _("这个院区在生效期内没有“%(half)s”的时间。"),
                _("请在“半日时间”表里加上，或在这一行填开始和结束。"),
                half={"am": "上午", "pm": "下午", "ev": "夜间"}[row.half],
            )
        elif min(sitting.minutes for sitting in stretches) < row.numbers * (row.minutes or 1):
            yield _too_many(row, min(sitting.minutes for sitting in stretches))
        sittings += stretches
    yield from _collisions(content, sittings)


def _too_many(row: Row, minutes: int) -> Problem:
    if row.minutes:
        wrong = _("%(numbers)s 个号每号 %(each)s 分钟，放不进 %(minutes)s 分钟。")
    else:
        wrong = _("%(numbers)s 个号放不进 %(minutes)s 分钟，每个号至少一分钟。")
    cure = _("请减少号数或延长时间。")
    return row.problem("numbers", wrong, cure, numbers=row.numbers, each=row.minutes, minutes=minutes)


def _hours_by_campus(content: Content) -> dict[tuple[str, str], list[Row]]:
    hours: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in content["hours"]:
        if not row.wrong and row.starts < row.ends:
            for campus in [row.campus] if row.campus else [place.code for place in content["campus"]]:
                hours[campus, row.half].append(row)
    return hours


def _wrong_dates(row: Row) -> Problem | None:
    if (row.starts is None) != (row.ends is None):
        return row.problem("starts", _("开始和结束只填了一个。"), _("请两个都填，或都空着按半日时间。"))
    if row.starts is not None and row.ends <= row.starts:
        return row.problem("ends", _("结束不晚于开始。"), _("请检查两个时间。"))
    if row.effective_to and row.effective_to < row.effective_from:
        return row.problem("effective_to", _("失效日早于生效日。"), _("请检查两个日期。"))
    return None


def _sittings(row: Row, hours: list[Row]) -> list[Sitting]:
    """The row's stretches: one with its own hours, or one for each season that its dates touch."""
    last = row.effective_to or NEVER
    if row.starts is not None:
        return [Sitting(row, row.starts, row.ends, row.effective_from, last)]
    return [
        Sitting(row, season.starts, season.ends, max(row.effective_from, season.effective_from), end)
        for season in hours
        if (end := min(last, season.effective_to or NEVER)) >= max(row.effective_from, season.effective_from)
    ]


def _collisions(content: Content, sittings: list[Sitting]) -> Iterator[Problem]:
    members = {team.code: team.members or () for team in content["team"]}
    people: dict[tuple, list[Sitting]] = defaultdict(list)
    rooms: dict[tuple, list[Sitting]] = defaultdict(list)
    for sitting in sittings:
        row = sitting.row
        rooms[row.room, row.weekday].append(sitting)
        busy = {"doctor": (row.actor,), "team": members.get(row.actor, ()), "service": ()}[row.actor_kind]
        for code in busy:
            people[code, row.weekday].append(sitting)
    for (code, _weekday), group in people.items():
        for sitting, other in _meetings(group):
            yield _collision(
                sitting, other, "actor", _("工号 %(code)s 同一时间已在 %(room)s 出诊，见%(where)s。"), code
            )
    for (code, _weekday), group in rooms.items():
        for sitting, other in _meetings(group):
            yield _collision(sitting, other, "room", _("诊室 %(code)s 同一时间已被占用，见%(where)s。"), code)


def _collision(sitting: Sitting, other: Sitting, column: str, wrong: str, code: str) -> Problem:
    """A row below 1 is no row of this workbook but one that the hospital still has."""
    if other.row.number > 0:
        cure, where = _("请改诊室、时间、单双周或生效日期。"), f"{other.row.sheet.title} {other.row.number}"
    elif other.row.values.get("lent"):
        cure, where = _("那是医生按合同在另一家机构出诊，工作簿里没有：请改诊室或时间。"), str(other.row.effective_from)
    else:
        cure, where = _("那一行工作簿里没有：请写回来，或在导入时选择同时停用缺少的行。"), str(other.row.effective_from)
    return sitting.row.problem(column, wrong, cure, code=code, room=other.row.room, where=where)


def _meetings(group: list[Sitting]) -> Iterator[tuple[Sitting, Sitting]]:
    """Each row that collides, once, with the first row above it that it collides with."""
    told: set[int] = set()
    settled: list[Sitting] = []  # these don't collide, so there are only as many as fit beside each other
    for sitting in sorted(group, key=lambda sitting: sitting.row.number):
        other = next((one for one in settled if one.row is not sitting.row and sitting.meets(one)), None)
        if other is None:
            settled.append(sitting)
        elif sitting.row.number not in told:
            told.add(sitting.row.number)
            yield sitting, other
