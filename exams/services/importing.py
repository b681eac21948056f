"""设备和项目 as a workbook: all or nothing, nothing when nothing differs (E1). Reader, matching and report are those of
the hospital's workbook; rows that the file lacks stay as they are.

Hours and reserves are given for a device as a whole: where the file says another week than the one that holds, it holds
from today on, as if the office had typed it.
"""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

import pghistory
from django.db import transaction

from appointments.services.importing.matching import Import, Wanted, bring
from appointments.services.importing.report import CHANGED, Change, Report
from exams.errors import HoursRefused
from exams.models import (
    Device,
    DeviceHours,
    ExamItem,
    ExamVariant,
    ExamZone,
    Modality,
    StaffTeam,
)
from exams.services.devices import keeping
from exams.services.devices.layout import fit
from hospital import audit, clock, pinyin
from hospital.models import Campus, Organization, PriceItem, Room, User
from hospital.workbook.cells import YES_NO, Choice, Code, Text, TimeOfDay, WholeNumber
from hospital.workbook.problems import Problem, WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.reader import in_order
from hospital.workbook.sheet import Column, Content, Row, Sheet
from hospital.workbook.spec import ACTIVE, CODE, WEEKDAYS, starred

KINDS = {str(label): value for value, label in ExamVariant.Kind.choices}
MODALITIES = {str(label): value for value, label in Modality.choices}
POOLS = {"急诊": "emergency", "住院": "inpatient", "诊间": "consult", "窗口": "counter", "下级机构": "partner"}

ZONES = Sheet(
    "zone", "检查区",
    (starred("名称", "name", Text(40), example="医技楼2层"), starred("院区", "campus", CODE, example="BB"),
     Column("位置", "location", Text(60), default="", example="门诊楼东侧")),
    ("campus", "name"), optional=True,
)  # fmt: skip
TEAMS = Sheet(
    "team", "班组",
    (starred("名称", "name", Text(40), example="超声组"),
     starred("可同时检查", "size", WholeNumber(1, 50), example=2)),
    ("name",), optional=True,
)  # fmt: skip
ITEMS = Sheet(
    "item", "检查项目",
    (starred("编码", "code", CODE, example="US01"), starred("名称", "name", Text(80), example="腹部超声", width=22),
     starred("类别", "modality", Choice(MODALITIES), example="超声"),
     Column("部位", "body_part", Text(40), default="", example="腹部"),
     Column("互认代码", "equivalence", Text(30), default=""),
     Column("结果有效天数", "valid_days", WholeNumber(0, 3650), default=0, example=30),
     Column("出报告分钟", "result_minutes", WholeNumber(0, 100_000), default=60, example=60),
     Column("患者可自行预约", "simple", YES_NO, default=False, example="是"), ACTIVE),
    ("code",), optional=True,
)  # fmt: skip
VARIANTS = Sheet(
    "variant", "检查方式",
    (starred("项目编码", "item", CODE, example="US01"), starred("方式", "kind", Choice(KINDS), example="常规"),
     starred("检查分钟", "minutes", WholeNumber(5, 480), example=15),
     Column("检查前分钟", "before", WholeNumber(0, 240), default=0),
     Column("检查后分钟", "after", WholeNumber(0, 480), default=0),
     starred("价目代码", "price_code", Code(20), example="US01"), ACTIVE),
    ("item", "kind"), optional=True,
)  # fmt: skip
DEVICES = Sheet(
    "device", "设备",
    (starred("编码", "code", CODE, example="D01"), starred("名称", "name", Text(80), example="彩超1号机", width=22),
     starred("类别", "modality", Choice(MODALITIES), example="超声"), starred("院区", "campus", CODE, example="BB"),
     starred("检查室", "room", CODE, example="BB-0312"), starred("检查区", "zone", Text(40), example="医技楼2层"),
     Column("班组", "team", Text(40), example="超声组"), ACTIVE),
    ("code",), optional=True,
)  # fmt: skip
ABILITIES = Sheet(
    "ability", "可做检查",
    (starred("设备编码", "device", CODE, example="D01"), starred("项目编码", "item", CODE, example="US01"),
     starred("方式", "kind", Choice(KINDS), example="常规"),
     Column("本机分钟", "minutes", WholeNumber(5, 480), note=_("空着按检查方式的分钟数。"))),
    ("device", "item", "kind"), optional=True,
)  # fmt: skip
HOURS = Sheet(
    "hours", "开机时间",
    (starred("设备编码", "device", CODE, example="D01"), starred("周几", "weekday", Choice(WEEKDAYS), example="周一"),
     starred("开始", "starts", TimeOfDay(), example="08:00"), starred("结束", "ends", TimeOfDay(), example="12:00",
             note=_("23:59 表示到午夜。"))),
    ("device", "weekday", "starts"), optional=True,
)  # fmt: skip
RESERVES = Sheet(
    "reserve", "预留",
    (starred("设备编码", "device", CODE, example="D01"), starred("周几", "weekday", Choice(WEEKDAYS), example="周一"),
     starred("开始", "starts", TimeOfDay(), example="11:00"), starred("结束", "ends", TimeOfDay(), example="12:00"),
     starred("留给", "kind", Choice(POOLS), example="急诊"),
     Column("提前放开分钟", "shared_minutes", WholeNumber(0, 100_000), example=120, note=_("空着不自动放开。"))),
    ("device", "weekday", "starts"), optional=True,
)  # fmt: skip
SHEETS = (ZONES, TEAMS, ITEMS, VARIANTS, DEVICES, ABILITIES, HOURS, RESERVES)


def bring_in(
    *, content: Content, organization: Organization, apply: bool, by: User, now: datetime, expected: str | None = None
) -> Report:
    """Make the house's items and devices what the workbook says, or only say what would change: the very same steps,
    taken back. Raises WrongWorkbook with every problem."""
    report = Report()
    with transaction.atomic(), pghistory.context(command="import_exams", user=by.pk):
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)  # one import of a house at a time
        _Bringing(content, organization, report, by=by, now=now).all()
        report.applied = apply and expected in (None, report.digest)
        if not report.applied:
            transaction.set_rollback(True)
        elif report.changes:
            detail = report.counts()
            audit.record(
                action="exams.imported", actor=by, now=now, subject=f"organization:{organization.pk}", detail=detail
            )
    return report


def _stay(_row) -> bool:
    """What the file lacks stays, and is not spoken of: files of one kind of device are usual."""
    return False


class _Bringing:
    """One run, from the ground up: each step finds what it points at in place."""

    def __init__(self, content: Content, organization: Organization, report: Report, *, by: User, now: datetime):
        self.content, self.house, self.by, self.now = content, organization, by, now
        self.run = Import(report=report, retire_missing=False, now=now, hospital=organization.code)
        self.problems: list[Problem] = []

    def all(self) -> None:
        self._doubles()
        campuses = {row.code: row for row in Campus.objects.filter(organization=self.house)}
        self.zones = self._zones(campuses)
        self.teams = self._simple(TEAMS, StaffTeam, ("name", "size"), key="name")
        self.items = self._simple(ITEMS, ExamItem, tuple(c.name for c in ITEMS.columns), key="code", sounds=True)
        self.variants = self._variants()
        self.devices = self._devices(campuses)
        self._stop_if_wrong()
        self._abilities()
        self._weeks()
        self._stop_if_wrong()
        for device in self.devices.values():
            fit(device=device, now=self.now)

    def _stop_if_wrong(self) -> None:
        if self.problems:
            raise WrongWorkbook(in_order(self.problems, SHEETS))

    def _doubles(self) -> None:
        for sheet in SHEETS:
            seen: dict[tuple, Row] = {}
            for row in self.content[sheet.key]:
                if row.key in seen:
                    wrong, cure = _("和第 %(row)s 行重复。"), _("请删去其中一行。")
                    self.problems.append(row.problem(sheet.known_by[-1], wrong, cure, row=seen[row.key].number))
                seen.setdefault(row.key, row)
        self._stop_if_wrong()

    def _find(self, row: Row, name: str, known: dict, key: Any):
        """What a cell points at; a problem of that cell where it is not there."""
        found = known.get(key)
        if found is None:
            wrong, cure = _("找不到“%(value)s”。"), _("请改成系统里已有的，或先在本工作簿里加上。")
            self.problems.append(row.problem(name, wrong, cure, value=row.values[name]))
        return found

    def _whole_steps(self, row: Row, *names: str) -> None:
        for name in names:
            if row.values[name] and row.values[name] % 5:
                wrong, cure = _("%(value)s 不是 5 的倍数。"), _("请填 5 的倍数。")
                self.problems.append(row.problem(name, wrong, cure, value=row.values[name]))

    def _zones(self, campuses: dict) -> dict:
        rows = ExamZone.objects.filter(campus__organization=self.house).select_related("campus")
        existing, wanted = {(row.campus.code, row.name): row for row in rows}, []
        for row in self.content["zone"]:
            if campus := self._find(row, "campus", campuses, row.campus):
                values = {"name": row.name, "location": row.location, "campus": campus}
                wanted.append(Wanted(row.key, row.number, row.name, values))
        self._stop_if_wrong()
        return existing | bring(self.run, model=ExamZone, sheet=ZONES, existing=existing, wanted=wanted, retire=_stay)

    def _simple(self, sheet: Sheet, model, names: tuple[str, ...], *, key: str, sounds: bool = False) -> dict:
        existing = {(getattr(row, key),): row for row in model.objects.filter(organization=self.house)}
        wanted = []
        for row in self.content[sheet.key]:
            values = {name: row.values[name] for name in names} | {"organization": self.house}
            wanted.append(Wanted(row.key, row.number, row.name, values | (_sounds(row, existing) if sounds else {})))
        return existing | bring(self.run, model=model, sheet=sheet, existing=existing, wanted=wanted, retire=_stay)

    def _variants(self) -> dict:
        rows = ExamVariant.objects.filter(item__organization=self.house).select_related("item")
        existing, wanted = {(row.item.code, row.kind): row for row in rows}, []
        prices = set(PriceItem.objects.filter(organization=self.house).values_list("code", flat=True))
        for row in self.content["variant"]:
            self._whole_steps(row, "minutes", "before", "after")
            if row.active and row.price_code not in prices:
                wrong, cure = _("价目里没有“%(value)s”，没有价格不能预约。"), _("请改成已有的价目代码，或先补上价目。")
                self.problems.append(row.problem("price_code", wrong, cure, value=row.price_code))
            if item := self._find(row, "item", self.items, (row.item,)):
                names = ("kind", "minutes", "before", "after", "price_code", "active")
                values = {name: row.values[name] for name in names} | {"item": item}
                wanted.append(Wanted(row.key, row.number, f"{item} {row.kind}", values))
        self._stop_if_wrong()
        return existing | bring(
            self.run, model=ExamVariant, sheet=VARIANTS, existing=existing, wanted=wanted, retire=_stay
        )

    def _devices(self, campuses: dict) -> dict:
        rooms = Room.objects.filter(campus__organization=self.house).select_related("campus")
        rooms = {(row.campus.code, row.code): row for row in rooms}
        rows = Device.objects.filter(organization=self.house).select_related("room", "zone", "team", "organization")
        existing, wanted = {(row.code,): row for row in rows}, []
        for row in self.content["device"]:
            room = self._find(row, "room", rooms, (row.campus, row.room))
            zone = self._find(row, "zone", self.zones, (row.campus, row.zone))
            team = self._find(row, "team", self.teams, (row.team,)) if row.team else None
            values = {"code": row.code, "name": row.name, "modality": row.modality, "room": room, "zone": zone}
            values |= {"team": team, "active": row.active, "organization": self.house, **_sounds(row, existing)}
            wanted.append(Wanted(row.key, row.number, row.name, values))
        self._stop_if_wrong()
        self._refuse_what_is_booked(wanted, existing)
        placed = bring(self.run, model=Device, sheet=DEVICES, existing=existing, wanted=wanted, retire=_stay)
        return existing | placed

    def _refuse_what_is_booked(self, wanted: list[Wanted], existing: dict) -> None:
        """Out of use, or another team: only on the device's own page, where its bookings are looked at."""
        rows = {row.key: row for row in self.content["device"]}
        for want in wanted:
            old = existing.get(want.key)
            if old is None or not old.bookings.filter(holds=True, during__endswith__gt=self.now).exists():
                continue
            for name, changed in (
                ("active", old.active != want.values["active"]),
                ("team", old.team != want.values["team"]),
            ):
                if changed:
                    wrong, cure = _("这台设备还有已约的检查。"), _("请在设备页面修改，或先登记停机。")
                    self.problems.append(rows[want.key].problem(name, wrong, cure))
        self._stop_if_wrong()

    def _abilities(self) -> None:
        said: dict[tuple, dict[int, int | None]] = defaultdict(dict)
        first: dict[tuple, Row] = {}
        for row in self.content["ability"]:
            self._whole_steps(row, "minutes")
            device = self._find(row, "device", self.devices, (row.device,))
            variant = self._find(row, "item", self.variants, (row.item, row.kind))
            if device and variant:
                said[row.device,][variant.pk] = row.minutes
                first.setdefault((row.device,), row)
        self._stop_if_wrong()
        for key, wanted in said.items():
            device = self.devices[key]
            before = dict(device.abilities.values_list("variant_id", "minutes"))
            if before != wanted:
                keeping.keep_abilities(device, wanted)
                self._changed(ABILITIES, first[key], device, "可做检查", len(before), len(wanted))

    def _weeks(self) -> None:
        hours, reserves, first = defaultdict(list), defaultdict(list), {}
        for row in self.content["hours"]:
            if self._find(row, "device", self.devices, (row.device,)):
                hours[row.device,].append(keeping.Weekly(row.weekday, row.starts, row.ends))
                first.setdefault((row.device,), row)
        for row in self.content["reserve"]:
            if self._find(row, "device", self.devices, (row.device,)):
                reserves[row.device,].append(
                    keeping.Reserve(row.weekday, row.kind, row.starts, row.ends, row.shared_minutes)
                )
                first.setdefault((row.device,), row)
        self._stop_if_wrong()
        today = clock.today(self.now)
        for key, row in first.items():
            self._week(self.devices[key], row, hours[key], reserves[key], today=today)

    def _week(self, device: Device, row: Row, hours: list, reserves: list, *, today: date) -> None:
        old_hours, old_reserves = week_of(device, day=today)
        own = [each for each in old_reserves if each.partner or each.group]  # named owners stand in no workbook
        if set(hours) == set(old_hours) and set(reserves) == set(old_reserves) - set(own):
            return
        try:
            keeping.keep_hours(
                device=device, first_day=today, hours=hours, reserves=[*reserves, *own], by=self.by, now=self.now
            )
        except HoursRefused as refusal:
            wrong, cure = _("%(why)s。"), _("请改这台设备的开机时间和预留。")
            self.problems.append(row.problem("device", wrong, cure, why=refusal.details["why"]))
            return
        self._changed(HOURS, row, device, "开机时间", len(old_hours), len(hours))

    def _changed(self, sheet: Sheet, row: Row, device: Device, header: str, before: int, after: int) -> None:
        said = {header: (f"{before} 行", f"{after} 行")}
        self.run.report.changes.append(Change(CHANGED, sheet.title, row.number, device.name, said))


def _sounds(row: Row, existing: dict) -> dict[str, str]:
    """Of a new name; what somebody corrected by hand stays."""
    old = existing.get(row.key)
    if old is not None and old.name == row.name:
        return {}
    full, initials = pinyin.of_thing(row.name)
    return {"pinyin": full[:200], "initials": initials[:40]}


def week_of(device: Device, *, day: date) -> tuple[list[keeping.Weekly], list[keeping.Reserve]]:
    """The week that holds on `day`."""
    rows = DeviceHours.objects.filter(device=device, effective_from__lte=day).exclude(effective_to__lt=day)
    hours, reserves = [], []
    for row in rows.prefetch_related("reserves").order_by("weekday", "starts"):
        hours.append(keeping.Weekly(row.weekday, row.starts, row.ends))
        reserves += [
            keeping.Reserve(
                row.weekday, each.kind, each.starts, each.ends, each.shared_minutes, each.partner_id, each.group_id
            )
            for each in row.reserves.all()
        ]
    return hours, reserves


# ---- the present state as the workbook that would bring it about ----


def rows_of(organization: Organization, *, today: date) -> dict[str, list[dict[str, Any]]]:
    """Importing it unchanged changes nothing (a test holds that)."""
    devices = list(
        Device.objects.filter(organization=organization).select_related("room__campus", "zone", "team").order_by("code")
    )
    items = ExamItem.objects.filter(organization=organization).order_by("code")
    variants = ExamVariant.objects.filter(item__organization=organization).select_related("item")
    zones = ExamZone.objects.filter(campus__organization=organization).select_related("campus")
    found = {
        "zone": [_plain(ZONES, row, campus=row.campus.code) for row in zones.order_by("campus", "name")],
        "team": [_plain(TEAMS, row) for row in StaffTeam.objects.filter(organization=organization).order_by("name")],
        "item": [_plain(ITEMS, row) for row in items],
        "variant": [_plain(VARIANTS, row, item=row.item.code) for row in variants.order_by("item__code", "pk")],
        "device": [
            _plain(DEVICES, row, campus=row.room.campus.code, room=row.room.code, zone=row.zone.name,
                   team=row.team and row.team.name)
            for row in devices
        ],
        "ability": [], "hours": [], "reserve": [],
    }  # fmt: skip
    for device in devices:
        able = device.abilities.select_related("variant__item").order_by("variant__item__code", "pk")
        found["ability"] += [
            _plain(ABILITIES, row, device=device.code, item=row.variant.item.code, kind=row.variant.kind)
            for row in able
        ]
        hours, reserves = week_of(device, day=today)
        found["hours"] += [_plain(HOURS, row, device=device.code) for row in hours]
        common = [row for row in reserves if not (row.partner or row.group)]
        found["reserve"] += [_plain(RESERVES, row, device=device.code) for row in common]
    return found


def _plain(sheet: Sheet, row, **more) -> dict[str, Any]:
    """The row's own columns, codes as words."""
    said = {column.name: more.get(column.name, getattr(row, column.name, None)) for column in sheet.columns}
    for column in sheet.columns:
        if isinstance(column.kind, Choice) and said[column.name] not in (None, ""):
            words = {code: word for word, code in column.kind.words.items()}
            said[column.name] = words.get(said[column.name], said[column.name])
    return {name: None if value == "" else value for name, value in said.items()}
