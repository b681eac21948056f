"""The rows of every export: from the same selectors and filters as the pages, people masked as there."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from appointments.forms.bulk import ActsForm
from appointments.forms.looking import LookedDay
from appointments.forms.office import WeekForm
from appointments.forms.releases import MonthForm, RunsForm
from appointments.models import DraftLine, ImportRun, Schedule, ScheduleTemplate, Slot, StopCase
from appointments.selectors import acts as act_rows
from appointments.selectors import drawer, rulebook
from appointments.selectors import office as weeks
from appointments.selectors import partners as partner_rows
from appointments.selectors import releases as release_days
from appointments.selectors import runs as run_rows
from appointments.selectors.stops import board
from appointments.services.importing.uploads import refuse_part_of_a_house
from hospital import clock, masking
from hospital.models import CalendarDay, Contract, HalfDayHours, Organization

from .reach import Reach, reach_of
from .sheets import MOST_ROWS
from .stop_reach import CALL_READERS

Rows = tuple[list[str], Iterable[Iterable[Any]]]
ACTOR = ("role__practitioner", "team", "service", "department", "campus")
HALVES = 2  # columns of a day in the week


def _asked(request: HttpRequest, name: str) -> int | None:
    said = request.GET.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 19 else None


def _day(request: HttpRequest, name: str, now: datetime) -> date:
    try:
        return LookedDay().clean(request.GET.get(name, ""))
    except ValidationError:
        return clock.today(now)


def house_asked(request: HttpRequest, mine: Reach) -> int:
    """The house that the page shows: the one asked for, else the first."""
    asked = _asked(request, "house")
    if asked in mine.organizations:
        return asked
    if not mine.organizations:
        raise Http404
    return min(mine.organizations)


def week(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    looked = WeekForm(request.GET).looked(
        organizations=mine.organizations, today=clock.today(now), within=mine.schedules
    )
    blocks = weeks.week(looked, now=now)
    headers = [
        _("科室"), _("院区"), _("出诊者"), _("职称或号别"), _("日期"), _("半日"), _("状态"), _("已约"), _("号数"),
        _("余"), _("其中加号"), _("替诊医生"),
    ]  # fmt: skip

    def rows():
        for block in blocks:
            for row in block.rows:
                for place, cells in enumerate(row.columns):
                    for cell in cells:
                        yield _cell(block, row, cell, looked.days[place // HALVES])

    return headers, rows()


def _cell(block, row, cell, day: date) -> list:
    half = weeks.half_words()[cell.half]
    state = _("停诊") if cell.stopped else _("未放号") if cell.unreleased else _("满号") if cell.full else _("开诊")
    said = [block.name, block.campus, row.name, row.note, day, half, state, cell.taken, cell.total, cell.left]
    return [*said, cell.extras, cell.substitute]


def numbers(request: HttpRequest, now: datetime) -> Rows:
    """Every number of a day (`day`), of one department or session where asked."""
    wanted = Q(reach_of(request).schedules)
    if pk := _asked(request, "schedule"):
        wanted &= Q(pk=pk)
    else:
        wanted &= Q(day=_day(request, "day", now))
    if department := _asked(request, "department"):
        wanted &= Q(department=department)
    schedules = Schedule.objects.filter(wanted).values("pk")
    related = ("pool", "schedule__room", *(f"schedule__{name}" for name in ACTOR))
    slots = Slot.objects.filter(schedule__in=schedules).select_related(*related)
    ordered = slots.order_by("schedule__department__order", "schedule__starts_at", "schedule", "number")
    headers = [
        _("科室"), _("出诊者"), _("号别"), _("诊室"), _("日期"), _("半日"), _("序号"), _("时间"), _("分钟"),
        _("号池"), _("状态"), _("加号"),
    ]  # fmt: skip

    def rows():
        for slot in ordered[: MOST_ROWS + 1].iterator(chunk_size=2000):
            one = slot.schedule
            yield [
                one.department.name, one.actor_name, one.service.name, str(one.room), one.day, one.get_half_display(),
                slot.number, slot.start.astimezone(clock.ZONE).time(), slot.minutes, slot.pool.name,
                slot.get_status_display(), _("是") if slot.number > one.capacity else "",
            ]  # fmt: skip

    return headers, rows()


def patients(request: HttpRequest, now: datetime) -> Rows:
    """就诊名单 of one session, masked as its page."""
    row = Schedule.objects.filter(reach_of(request).schedules, pk=_asked(request, "schedule")).first()
    if row is None:
        raise Http404
    headers = [_("号"), _("时间"), _("患者"), _("门诊号"), _("手机"), _("渠道"), _("初复诊"), _("状态"), _("报到")]
    return headers, (
        [
            one.slot.number,
            one.start.astimezone(clock.ZONE).time(),
            masking.name(one.patient.name),
            one.patient.medical_number,
            masking.phone(one.patient.phone),
            one.get_channel_display(),
            one.get_visit_type_display(),
            one.get_status_display(),
            one.encounter.checked_in_at if hasattr(one, "encounter") else None,
        ]
        for one in drawer.patients_of(row)
    )


def templates(request: HttpRequest, now: datetime) -> Rows:
    """In force or to come; `department` as on the page, else all within reach."""
    wanted = Q(reach_of(request).schedules, active=True)
    wanted &= Q(effective_to__isnull=True) | Q(effective_to__gte=clock.today(now))
    if department := _asked(request, "department"):
        wanted &= Q(department=department)
    rows = ScheduleTemplate.objects.filter(wanted)
    rows = rows.select_related("department", "service", "role__practitioner", "team", "room")
    headers = [
        _("科室"), _("出诊者"), _("号别"), _("诊室"), _("星期"), _("半日"), _("开始"), _("结束"), _("号数"),
        _("每号分钟"), _("单双周"), _("生效日"), _("失效日"), _("发布时间"),
    ]  # fmt: skip
    return headers, (
        [
            one.department.name, one.actor_name, one.service.name, str(one.room), one.get_weekday_display(),
            one.get_half_display(), one.starts, one.ends, one.numbers, one.minutes, one.get_parity_display(),
            one.effective_from, one.effective_to, one.published_at,
        ]
        for one in rows.order_by("department__order", "department__code", "weekday", "half", "pk")
    )  # fmt: skip


def drafts(request: HttpRequest, now: datetime) -> Rows:
    """The lines of one draft (`draft`), or of the latest ones."""
    mine = reach_of(request)
    rows = DraftLine.objects.filter(draft__organization__in=mine.organizations)
    if mine.departments is not None:
        rows = rows.filter(draft__department__in=mine.departments)
    if pk := _asked(request, "draft"):
        rows = rows.filter(draft=pk)
    headers = [
        _("草稿"), _("变动"), _("日期"), _("出诊"), _("不同之处"), _("已约"), _("采用"), _("结果"), _("原因"),
    ]  # fmt: skip
    return headers, (
        [
            line.draft_id, line.get_action_display(), line.day, line.name,
            _("；").join(" ".join(map(str, one)) for one in line.differences), line.patients,
            _("是") if line.take else _("否"), line.get_outcome_display(), line.reason,
        ]
        for line in rows.order_by("-draft", "day", "pk")[: MOST_ROWS + 1].iterator(chunk_size=2000)
    )  # fmt: skip


def calendar(request: HttpRequest, now: datetime) -> Rows:
    year = _asked(request, "year") or clock.today(now).year
    rows = CalendarDay.objects.filter(organization=house_asked(request, reach_of(request)), day__year=min(year, 9999))
    return [_("日期"), _("类型"), _("名称"), _("按周几出诊")], (
        [row.day, row.get_kind_display(), row.name, row.get_follows_display() if row.follows else ""]
        for row in rows.order_by("day")
    )


def hours(request: HttpRequest, now: datetime) -> Rows:
    rows = HalfDayHours.objects.filter(campus__organization__in=reach_of(request).organizations)
    return [_("院区"), _("半日"), _("开始"), _("结束"), _("生效日"), _("失效日")], (
        [row.campus.name, row.get_half_display(), row.starts, row.ends, row.effective_from, row.effective_to]
        for row in rows.select_related("campus").order_by("campus", "half", "effective_from")
    )


def contracts(request: HttpRequest, now: datetime) -> Rows:
    houses = reach_of(request).organizations
    rows = Contract.objects.filter(Q(organization__in=houses) | Q(practitioner__organization__in=houses))
    rows = rows.select_related("practitioner__organization", "organization")
    return [_("医生"), _("工号"), _("所在机构"), _("出诊机构"), _("生效日"), _("失效日"), _("备注")], (
        [
            row.practitioner.name, row.practitioner.code, row.practitioner.organization.name, row.organization.name,
            row.effective_from, row.effective_to, row.note,
        ]
        for row in rows.order_by("practitioner__pinyin", "effective_from")
    )  # fmt: skip


def rules(request: HttpRequest, now: datetime) -> Rows:
    """One kind (`kind`) as the page lists it."""
    mine, kind = reach_of(request), request.GET.get("kind", "supply")
    kind = kind if kind in rulebook.KINDS else "supply"
    department = _asked(request, "department")
    if mine.departments is not None and department not in mine.departments:
        department = min(mine.departments, default=None)
    found = rulebook.board(
        kind, organization_id=house_asked(request, mine), department=department, today=clock.today(now)
    )
    states = {"now": _("现行"), "coming": _("将来"), "past": _("已失效")}
    entries = [*found.now, *found.coming, *found.past]
    words = [entry.words for entry in entries]
    columns = list(dict.fromkeys(name for each in words for name in each))
    return [_("适用于"), _("状态"), _("生效日"), _("失效日"), *map(str, columns)], (
        [
            entry.scope, states[entry.state], entry.rule.effective_from, entry.rule.effective_to,
            *(said.get(name, "") for name in columns),
        ]
        for entry, said in zip(entries, words, strict=True)
    )  # fmt: skip


def partners(request: HttpRequest, now: datetime) -> Rows:
    house = Organization.objects.get(pk=house_asked(request, reach_of(request)))
    (common, common_signed), groups, single = partner_rows.partners_of(house, today=clock.today(now))

    def rows():
        yield [_("共用"), common.name, "", *_told(common), *_told(common_signed)]
        for one in groups:
            members = _("、").join(member.name for member in one.members)
            yield [_("协作单位组"), one.group.name, members, *_told(one.kept), *_told(one.signed)]
        for one in single:
            yield [
                _("下级机构"), one.organization.name, _("、").join(map(str, one.groups)), *_told(one.own),
                *_told(one.signed),
            ]  # fmt: skip

    signed = [_("签约居民：%(what)s") % {"what": what} for what in (_("已约"), _("号数"), _("余"))]
    return [_("类别"), _("名称"), _("成员或所在组"), _("已约"), _("号数"), _("余"), *signed], rows()


def _told(kept: partner_rows.Kept | None) -> tuple[int, int, int]:
    return (kept.taken, kept.total, kept.left) if kept else (0, 0, 0)


def releases(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    first, _open_day = MonthForm(request.GET).looked(clock.today(now))
    looked = release_days.looked_at(organizations=mine.organizations, departments=mine.departments)
    days = [day for line in release_days.month(first, looked=looked, now=now) for day in line if day.inside]

    def rows():
        for day in days:
            for portion in day.portions:
                yield [day.day, day.note, portion.at, str(portion.name), portion.numbers]

    return [_("日期"), _("节假日"), _("放号时间"), _("号池"), _("号数")], rows()


def stops(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    found = board.within(mine.organizations, mine.departments).order_by("-asked_at", "-pk")[:MOST_ROWS]
    headers = [
        _("对象"), _("事由"), _("说明"), _("从"), _("到"), _("状态"), _("申请人"), _("申请时间"), _("审批人"),
        _("审批时间"), _("出诊"), _("其中替诊"), _("患者"), _("已答复"), _("逾期未答复"),
    ]  # fmt: skip
    return headers, (
        [
            str(one.stop.practitioner or one.stop.department), one.stop.get_cause_display(), one.stop.reason,
            one.stop.first_day, one.stop.last_day, one.stop.get_status_display(), str(one.stop.asked_by),
            one.stop.asked_at, str(one.stop.decided_by or ""), one.stop.decided_at, one.sessions, one.substituted,
            one.cases, one.done, one.late,
        ]
        for one in board.lines_of(list(found), now=now)
    )  # fmt: skip


def calls(request: HttpRequest, now: datetime) -> Rows:
    """Masked as the page: the number itself is asked for one by one, and that leaves a trace."""
    mine = reach_of(request, *CALL_READERS)
    cases = StopCase.objects.filter(pk__in=board.to_call(mine.organizations, mine.departments, now=now).values("pk"))
    headers = [_("患者"), _("门诊号"), _("出诊"), _("原时间"), _("答复截止"), _("最近一次通话"), _("通话结果")]
    return headers, (
        [
            line.masked, line.case.patient.medical_number, str(line.case.substitution.schedule),
            line.case.appointment.start, line.case.deadline, line.last_call and line.last_call.at,
            line.last_call.get_outcome_display() if line.last_call else "",
        ]
        for line in board.case_lines(cases.order_by("appointment__start", "pk"), now=now)
    )  # fmt: skip


def acts(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    rows = act_rows.acts_within(organizations=mine.organizations, departments=mine.departments)
    rows = act_rows.narrowed(rows, **ActsForm(request.GET).said())
    headers = [
        _("时间"), _("操作"), _("状态"), _("出诊"), _("号"), _("患者"), _("未执行"), _("原因"), _("经办"),
        _("撤销时间"),
    ]  # fmt: skip
    return headers, (
        [
            act.done_at or act.created_at, act.get_kind_display(), act.get_status_display(),
            act.effect.get("schedules"), act.effect.get("numbers"), act.effect.get("patients"),
            act.effect.get("refused"), act.reason, str(act.by), act.undone_at,
        ]
        for act in rows[: MOST_ROWS + 1]
    )  # fmt: skip


def runs(request: HttpRequest, now: datetime) -> Rows:
    said = RunsForm(request.GET).looked()
    words = {run_rows.RUNNING: _("执行中"), run_rows.DIED: _("中断"), run_rows.DONE: _("完成")}

    def rows():
        page = run_rows.page_of(**said | {"number": 1}, now=now)
        for number in range(1, min(page.paginator.num_pages, MOST_ROWS // run_rows.PAGE) + 1):
            for line in run_rows.page_of(**said | {"number": number}, now=now).object_list:
                run = line.run
                yield [
                    run.get_job_display(), run.due_at, run.started_at, run.done_at, run.moved, line.late_minutes,
                    line.seconds, words[line.state],
                ]  # fmt: skip

    headers = [
        _("任务"), _("应执行"), _("开始"), _("完成"), _("处理数量"), _("晚了几分钟"), _("用时（秒）"), _("状态"),
    ]  # fmt: skip
    return headers, rows()


def imports(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    refuse_part_of_a_house(mine.departments)
    found = ImportRun.objects.filter(organization__in=mine.organizations).select_related("by", "applied_by")
    rows = found.defer("content", "report").order_by("-created_at", "-pk")[: MOST_ROWS + 1]
    return [_("上传时间"), _("文件"), _("类别"), _("行数"), _("状态"), _("经办"), _("执行时间"), _("执行人")], (
        [
            run.created_at, run.name, run.get_kind_display(), run.rows, run.get_status_display(), str(run.by),
            run.applied_at, str(run.applied_by or ""),
        ]
        for run in rows
    )  # fmt: skip
