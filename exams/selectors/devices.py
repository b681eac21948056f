"""设备周表: the devices' week, counted in a fixed number of queries however many devices there are (E1, E10).

Minutes of a day split into booked, held back for a pool, free, down, and unused; they add up to what is open. What is
over by now is neither free nor held back: nobody can book it any more.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Min, Q
from django.db.models.functions import Coalesce

from exams.models import (
    Device,
    DeviceAbility,
    DeviceSession,
    Downtime,
    DowntimeCase,
    ExamBooking,
    ExamZone,
    Modality,
    SessionWindow,
)
from exams.planner import STEP
from exams.policies import spans
from exams.policies.spans import Counted, Span
from exams.selectors.free import holding, lower, upper
from hospital import clock
from hospital.models import Campus

HEAT = ((100, 4), (80, 3), (60, 2), (40, 1))
"""Booked or held in percent of what is open, from which step of the heat on (as the week of consultations)."""

ORDER = {value: place for place, value in enumerate(Modality.values)}


@dataclass(frozen=True)
class Looked:
    """What is looked at; `within` is the reader's own reach, as a Q on Device."""

    monday: date
    organizations: frozenset[int]
    within: Q = field(default_factory=Q)
    modality: str = ""
    campus: int | None = None
    zone: int | None = None
    who: str = ""  # part of the device's name or code, or the first letters of its pinyin

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=n) for n in range(7)]

    @property
    def devices(self) -> Q:
        wanted = Q(organization__in=self.organizations, active=True) & self.within
        if self.modality:
            wanted &= Q(modality=self.modality)
        if self.campus:
            wanted &= Q(zone__campus=self.campus)
        if self.zone:
            wanted &= Q(zone=self.zone)
        if self.who:
            wanted &= (
                Q(name__icontains=self.who)
                | Q(code__istartswith=self.who)
                | Q(pinyin__istartswith=self.who)
                | Q(initials__istartswith=self.who)
            )
        return wanted


@dataclass(slots=True)
class Cell:
    """A device's day, in minutes. `asked` and `answered`: displaced patients of that day."""

    device: int
    day: date
    open: int = 0
    booked: int = 0
    held: int = 0
    free: int = 0
    down: int = 0
    unused: int = 0  # over without an exam
    exams: int = 0
    sessions: int = 0
    closed: int = 0  # sessions that the office closed
    asked: int = 0
    answered: int = 0

    @property
    def key(self) -> str:
        return f"{self.device}-{self.day:%Y%m%d}"

    @property
    def usable(self) -> int:
        return self.open - self.down

    @property
    def percent(self) -> int:
        """How much of what is open is booked."""
        return round(100 * self.booked / self.usable) if self.usable else 0

    @property
    def state(self) -> str:
        if not self.sessions:
            return "none"
        if self.open and not self.usable:
            return "down"
        return "open" if self.open else "closed"

    @property
    def tone(self) -> str:
        if self.state in ("down", "closed"):
            return "cell--off"
        heat = next((step for least, step in HEAT if self.percent >= least), 0)
        return f"heat-{heat} cell--sub" if self.down else f"heat-{heat}"


@dataclass
class Row:
    device: Device
    cells: list[Cell]


@dataclass
class Block:
    """The devices of one kind at one campus."""

    name: str
    campus: str
    rows: list[Row] = field(default_factory=list)

    def sum(self, name: str) -> int:
        return sum(getattr(cell, name) for row in self.rows for cell in row.cells)

    @property
    def open(self) -> int:
        return self.sum("usable")

    @property
    def booked(self) -> int:
        return self.sum("booked")

    @property
    def free(self) -> int:
        return self.sum("free")

    @property
    def unused(self) -> int:
        return self.sum("unused")


def week(looked: Looked, *, now: datetime) -> list[Block]:
    """The week's blocks by kind and campus. Six queries."""
    rows = Device.objects.filter(looked.devices).select_related("room", "zone__campus", "team")
    devices = sorted(rows, key=lambda row: (ORDER[row.modality], row.zone.campus.code, row.zone_id, row.code))
    cells = count(devices, days=looked.days, now=now)
    blocks: dict[tuple, Block] = {}
    for device in devices:
        key = (device.modality, device.zone.campus_id)
        block = blocks.setdefault(key, Block(device.get_modality_display(), device.zone.campus.name))
        block.rows.append(Row(device, [cells[device.pk, day] for day in looked.days]))
    return list(blocks.values())


def count(devices: Iterable[Device], *, days: list[date], now: datetime) -> dict[tuple[int, date], Cell]:
    """(device, day) → its minutes. Five queries."""
    ids = [device.pk for device in devices]
    cells = {(device, day): Cell(device, day) for device in ids for day in days}
    counted = Counted(days[0])
    opened, windows = _opened(ids, days, cells, counted=counted, now=now)
    booked = _booked(ids, days, cells, counted=counted, now=now)
    down = _down(ids, days, counted=counted)
    for key, cell in cells.items():
        over = counted.up(now)
        _divide(cell, spans.merged(opened[key]), spans.merged(windows[key]), booked[key], down[cell.device], over=over)
    _count_cases(ids, days, cells)
    return cells


def _divide(cell: Cell, opened: list[Span], held: list[Span], booked: list[Span], down: list[Span], *, over: int):
    """`over`: the minute that it is now."""
    cell.open = total(opened)
    usable = spans.without(opened, down)
    cell.down = cell.open - total(usable)
    left = spans.without(usable, booked)
    cell.booked = cell.open - cell.down - total(left)
    coming = spans.cut(left, [(min(0, over), over)])
    cell.unused = total(left) - total(coming)
    cell.held = total(spans.common(coming, held))
    cell.free = total(coming) - cell.held


def total(stretches: Iterable[Span]) -> int:
    return sum(end - start for start, end in stretches)


def _opened(ids: list[int], days: list[date], cells: dict, *, counted: Counted, now: datetime):
    """Sessions that are not closed, and what of them is kept for a pool at `now`."""
    opened, windows, place = defaultdict(list), defaultdict(list), {}
    rows = DeviceSession.objects.filter(device__in=ids, day__range=(days[0], days[-1]))
    rows = rows.annotate(since=lower(), until=upper()).order_by("since", "pk")
    for pk, device, day, closed, since, until in rows.values_list("pk", "device_id", "day", "closed", "since", "until"):
        cells[device, day].sessions += 1
        cells[device, day].closed += closed
        if not closed:
            opened[device, day].append(minutes(counted, since, until))
            place[pk] = (device, day)
    kept = SessionWindow.objects.filter(session__in=place)
    kept = kept.filter(Q(shared_from__isnull=True) | Q(shared_from__gt=now)).annotate(since=lower(), until=upper())
    for session, since, until in kept.values_list("session_id", "since", "until"):
        windows[place[session]].append(minutes(counted, since, until))
    return opened, windows


def _booked(ids: list[int], days: list[date], cells: dict, *, counted: Counted, now: datetime):
    booked = defaultdict(list)
    rows = ExamBooking.objects.filter(holding(now), device__in=ids, day__range=(days[0], days[-1]))
    rows = rows.annotate(since=lower(), until=upper())
    for device, day, since, until in rows.values_list("device_id", "day", "since", "until"):
        booked[device, day].append(minutes(counted, since, until))
        cells[device, day].exams += 1
    return booked


def _down(ids: list[int], days: list[date], *, counted: Counted):
    """Device → when it is down, of the days and the nights that belong to them."""
    around = (counted.zero, counted.moment((len(days) + 1) * spans.DAY))
    down = defaultdict(list)
    rows = Downtime.objects.filter(device__in=ids, stands=True, during__overlap=around)
    for device, since, until in rows.annotate(since=lower(), until=upper()).values_list("device_id", "since", "until"):
        down[device].append(minutes(counted, since, until))
    return down


def _count_cases(ids: list[int], days: list[date], cells: dict) -> None:
    """Who was displaced from the device on the day; who has moved to another day since, on the downtime's first day.
    Nobody need answer who was put back."""
    rows = DowntimeCase.objects.filter(downtime__device__in=ids, downtime__stands=True)
    rows = rows.filter(downtime__during__overlap=_around(days)).exclude(answer=DowntimeCase.Answer.GONE)
    for device, during, answer, day in rows.values_list(
        "downtime__device", "downtime__during", "answer", "booking__day"
    ):
        first, last = clock.today(during.lower), clock.today(during.upper)
        on = day if first <= day <= last else max(first, days[0])
        if (device, on) in cells:
            cells[device, on].asked += 1
            cells[device, on].answered += answer != ""


def _around(days: list[date]) -> tuple[datetime, datetime]:
    counted = Counted(days[0])
    return counted.zero, counted.moment((len(days) + 1) * spans.DAY)


def minutes(counted: Counted, since: int, until: int | None) -> Span:
    """Of seconds since 1970, widened to whole minutes; without an end it lasts."""
    zero = int(counted.zero.timestamp())
    return (since - zero) // 60, 10**9 if until is None else -((zero - until) // 60)


def shortest_exam(device: Device) -> int:
    """Minutes of the shortest that it does; a step where nothing is said. One query."""
    able = DeviceAbility.objects.filter(device=device, variant__active=True, variant__item__active=True)
    return able.aggregate(least=Min(Coalesce("minutes", "variant__minutes")))["least"] or STEP


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    campuses: list[Campus]
    zones: list[ExamZone]
    modalities: list[tuple[str, str]]


def choices(organizations: Iterable[int]) -> Choices:
    """Three queries. Only kinds that the house has a device of."""
    campuses = Campus.objects.filter(organization__in=organizations, active=True, exam_zones__isnull=False)
    zones = ExamZone.objects.filter(campus__organization__in=organizations).select_related("campus")
    has = set(Device.objects.filter(organization__in=organizations, active=True).values_list("modality", flat=True))
    return Choices(
        campuses=list(campuses.distinct().order_by("organization", "code")),
        zones=list(zones.order_by("campus", "name")),
        modalities=[(value, label) for value, label in Modality.choices if value in has],
    )
