"""The sheets of a cutover file (切换数据, O2): people, bookings to come, running suspensions of the system before."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from hospital.workbook.cells import DIGITS, Choice, Code, Day, Text, TimeOfDay, WholeNumber
from hospital.workbook.problems import WrongCell
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Column, Sheet
from hospital.workbook.spec import ACTORS, starred

DOCUMENTS = {
    "居民身份证": "id_card", "港澳台居民居住证": "residence_permit", "外国人永久居留身份证": "foreign_permanent",
    "护照": "passport", "户口簿": "household", "来往内地（大陆）通行证": "travel_permit",
    "社会保障卡": "social_card", "电子健康卡": "health_card",
}  # fmt: skip
CHANNELS = {
    "诊间": "consult", "病区": "ward", "网页": "web", "手机": "app", "电话": "phone", "自助机": "kiosk",
    "窗口": "counter", "下级机构": "partner",
}  # fmt: skip
INSURANCES = {"职工医保": "employee", "居民医保": "resident", "自费": "none"}


@dataclass(frozen=True)
class Digits(Text):
    """A number that is a name: a document, a phone, a key of the other system. Excel must not have rounded it."""

    longest: int = 64

    def read(self, value: Any) -> str:
        if isinstance(value, float) or (isinstance(value, int) and value >= 10**15):
            raise WrongCell(
                _("这里被存成了数字，后几位可能已丢失。"), _("请把该列格式设为“文本”，再从旧系统重新导出。")
            )
        return super().read(value)

    def hint(self) -> str:
        return _("按文本填写")


@dataclass(frozen=True)
class BirthDay(Day):
    """A day of the last 150 years."""

    @staticmethod
    def _plausible(day: date) -> date:
        if not 1870 <= day.year <= 2100:
            raise WrongCell(_("日期 %(value)s 的年份不对。"), _("请核对出生日期。"), value=day)
        return day


@dataclass(frozen=True)
class Moment:
    """A day with a wall time of the hospital; kept without a zone until it is read at the hospital."""

    def read(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        if type(value) is date:
            return datetime.combine(value, time())
        if isinstance(value, str):
            parts = re.fullmatch(
                r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?", value.translate(DIGITS)
            )
            try:
                return datetime(*(int(part or 0) for part in parts.groups()))  # noqa: DTZ001 - Excel knows no zones
            except (AttributeError, ValueError):
                pass
        raise WrongCell(_("“%(value)s”不是日期时间。"), _("请按 2026-11-21 08:30 的样子填写。"), value=value)

    def hint(self) -> str:
        return _("日期时间，例如 2026-11-21 08:30")


NUMBER = Digits(longest=64)

PATIENTS = Sheet(
    "patient", "就诊人",
    (
        starred("旧系统编号", "code", NUMBER, example="100001", note=_("旧系统里这个人的编号，不能是证件号码。")),
        starred("姓名", "name", Text(40), example="李秀英", width=12),
        starred("证件类型", "kind", Choice(DOCUMENTS), example="居民身份证", width=18),
        starred("证件号码", "document", NUMBER, example="11010519491231002X", width=24,
                note=_("18 位证件核对校验位。同一个人只写一行。")),
        Column("性别", "sex", Choice({"男": "M", "女": "F", "未知": "U"}), example="女", width=8,
               note=_("身份证里有的可以空着。")),
        Column("出生日期", "birth_date", BirthDay(), example=date(1949, 12, 31), note=_("身份证里有的可以空着。")),
        Column("手机", "phone", Digits(longest=30), default="", example="13800136210", width=16),
        Column("医保", "insurance", Choice(INSURANCES), example="职工医保"),
    ),
    ("code",),
    note=_("每人一行。"),
)  # fmt: skip

BOOKINGS = Sheet(
    "booking", "未来预约",
    (
        starred("旧系统预约号", "code", NUMBER, example="Y20261123001", width=18),
        starred("就诊人编号", "patient", NUMBER, example="100001",
                note=_("“就诊人”表里的旧系统编号，或以前导入过的。")),
        Column("出诊者类型", "actor_kind", Choice(ACTORS), default="doctor", example="医生", note=_("空着算医生。")),
        starred("出诊者", "actor", Code(longest=20), example="10001",
                note=_("医生填工号，专家团队填团队编码，普通门诊填号别编码。")),
        Column("科室", "department", Code(longest=20), example="XNK", note=_("出诊者当天在几个科室出诊时必须填。")),
        Column("号别", "service", Code(longest=20), note=_("同一科室同时有几种号别时填。")),
        starred("日期", "day", Day(), example=date(2026, 12, 1)),
        Column("时间", "start", TimeOfDay(), example=time(8, 30), width=10,
               note=_("时间和序号至少填一个。只填时间的，取这个时段里第一个空号。")),
        Column("序号", "slot", WholeNumber(1, 999), width=8),
        starred("渠道", "channel", Choice(CHANNELS), example="网页", width=10),
        Column("预约时间", "booked_at", Moment(), example=datetime(2026, 11, 20, 9, 15),  # noqa: DTZ001
               note=_("当初约上的时间；空着算导入的时间。"), width=18),
    ),
    ("code",),
    optional=True,
)  # fmt: skip

SUSPENSIONS = Sheet(
    "suspension", "暂停预约",
    (
        starred("就诊人编号", "patient", NUMBER, example="100001"),
        starred("开始日期", "first", Day(), example=date(2026, 11, 1)),
        starred("结束日期", "last", Day(), example=date(2027, 1, 30), note=_("最后一天也算在内。")),
        starred("原因", "reason", Text(100), example="90 天内爽约 3 次", width=24),
    ),
    ("patient", "first", "last"),
    optional=True,
)  # fmt: skip

SHEETS = (PATIENTS, BOOKINGS, SUSPENSIONS)
"""In the order in which they are imported: a booking needs its person."""
