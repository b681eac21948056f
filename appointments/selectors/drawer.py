"""One schedule for the office: its pools, what the rules will do and when, and what has happened to it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import Allotment, Appointment, BulkAct, Pool, Schedule, Slot, Substitution, WaitlistEntry
from appointments.policies import booking as policy
from hospital import clock
from hospital.models import AuditEvent, Fact

from . import rules, waitlist

MOST_TRAIL = 30
"""Newest lines of the trail; the rest is in the audit pages."""


@dataclass(frozen=True)
class PoolFill:
    kind: str
    name: str
    taken: int
    held: int
    resting: int
    total: int


@dataclass(frozen=True)
class Coming:
    """What the machine will do to this schedule by itself."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Trace:
    at: datetime
    who: str
    text: str


def pools_of(schedule: Schedule, *, now: datetime) -> list[PoolFill]:
    """Numbers by pool, in the order of the kinds. A hold or rest whose time has passed is free."""
    slots = Slot.objects.filter(schedule=schedule).exclude(status=Slot.Status.BLOCKED).order_by()
    rows = slots.values_list("pool__kind", "pool__name").annotate(
        taken=Count("id", filter=Q(status=Slot.Status.BOOKED)),
        held=Count("id", filter=Q(status=Slot.Status.HELD, hold_until__gt=now)),
        resting=Count("id", filter=Q(status=Slot.Status.RESTING, hold_until__gt=now)),
        total=Count("id"),
    )
    order = {kind: place for place, kind in enumerate(Pool.Kind.values)}
    return [PoolFill(*row) for row in sorted(rows, key=lambda row: (order[row[0]], row[1]))]


def coming_of(
    schedule: Schedule, *, fills: list[PoolFill], now: datetime, line: waitlist.Queue | None = None
) -> list[Coming]:
    """From the allotments and the rule rows in force: release, recall, cut-offs, reminder, floor, no-show marks. With
    its `line`, when waiting ends."""
    if schedule.status == Schedule.Status.STOPPED:
        return []
    day = schedule.day
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    events = [
        Coming(clock.days_before(day, 1, rule.reminder_time), _("发送就诊提醒")),
        Coming(policy.cancel_deadline(day, rule), _("网上退号、改约截止，之后到窗口办理")),
        Coming(schedule.starts_at, _("开诊，窗口可挂已过时刻的号")),
        Coming(schedule.ends_at, _("结束，未报到的记爽约")),
        *_of_pools(schedule, fills),
        *_of_resting(schedule, now=now),
        *([Coming(line.closes_at, _("候补截止，没有兑现的结束"))] if line and line.closes_at else []),
    ]
    return sorted((event for event in events if event.at > now), key=lambda event: event.at)


def _of_pools(schedule: Schedule, fills: list[PoolFill]) -> list[Coming]:
    """Release (放号) and recall (回收) of each pool that has numbers."""
    totals = {(fill.kind, fill.name): fill for fill in fills}
    events = []
    for row in Allotment.objects.filter(schedule=schedule).select_related("pool"):
        fill = totals.get((row.pool.kind, row.pool.name))
        if fill is None:
            continue
        rest = fill.total - fill.taken
        if not rest:
            continue
        named = {"pool": row.pool.name, "count": rest}
        events.append(Coming(row.opens_at, _("%(pool)s号开放，余%(count)s个") % named))
        if row.shared_from == schedule.starts_at:
            events.append(Coming(row.shared_from, _("%(pool)s余号向所有渠道开放，现余%(count)s个") % named))
        elif row.shared_from:
            events.append(Coming(row.shared_from, _("%(pool)s余号回收到公共，现余%(count)s个") % named))
    return events


def _of_resting(schedule: Schedule, *, now: datetime) -> list[Coming]:
    """Returned numbers re-open each at its own random moment; the office sees the first."""
    resting = Slot.objects.filter(schedule=schedule, status=Slot.Status.RESTING, hold_until__gt=now)
    found = resting.aggregate(first=Min("hold_until"), count=Count("id"))
    if not found["count"]:
        return []
    return [Coming(found["first"], _("退号开始放回，共%(count)s个") % {"count": found["count"]})]


TOPICS = {
    "appointment.held": gettext_lazy("锁号"),
    "appointment.booked": gettext_lazy("预约"),
    "appointment.extra": gettext_lazy("加号"),
    "appointment.cancelled": gettext_lazy("退号"),
    "appointment.dropped": gettext_lazy("放弃锁号"),
    "appointment.lapsed": gettext_lazy("锁号过期放回"),
    "appointment.moved": gettext_lazy("改约"),
    "appointment.noshow": gettext_lazy("记爽约"),
    "noshow.excused": gettext_lazy("爽约免记"),
    "encounter.checked_in": gettext_lazy("报到"),
    "encounter.check_in_undone": gettext_lazy("撤销报到"),
    "encounter.called": gettext_lazy("叫号"),
    "encounter.passed_over": gettext_lazy("过号"),
    "encounter.prioritized": gettext_lazy("按规则优先候诊"),
    "encounter.started": gettext_lazy("开始就诊"),
    "encounter.finished": gettext_lazy("结束就诊"),
    "encounter.left": gettext_lazy("未候而去"),
    "schedule.stopped": gettext_lazy("停诊"),
    "stop.case_opened": gettext_lazy("请患者选择"),
    "stop.answered": gettext_lazy("患者已答复"),
    "stop.undone": gettext_lazy("告知照常就诊"),
    "schedule.substituted": gettext_lazy("替诊"),
    "schedule.reopened": gettext_lazy("恢复出诊"),
    "schedule.retimed": gettext_lazy("按作息调整时间"),
    "schedule.changed": gettext_lazy("诊室或时间变更"),
    "schedule.relaid": gettext_lazy("按模板重排"),
    "schedule.dropped": gettext_lazy("按模板撤销"),
    "schedule.patients_listed": gettext_lazy("查看就诊名单"),
    "sitting.taken": gettext_lazy("医生入座"),
    "supply.released": gettext_lazy("放号"),
    "supply.shared": gettext_lazy("余号回收到公共"),
    "waitlist.joined": gettext_lazy("加入候补"),
    "waitlist.offered": gettext_lazy("候补有号，待患者确认"),
    "waitlist.filled": gettext_lazy("候补兑现"),
    "waitlist.ended": gettext_lazy("候补结束"),
}
"""A fact's topic or an audit action as the office says it."""


def trail_of(schedule: Schedule) -> list[Trace]:
    """Facts of the schedule, its appointments and its waitlist, who looked at its patients, and changes of its row."""
    numbers = {
        f"appointment:{pk}": number
        for pk, number in Appointment.objects.filter(schedule=schedule).values_list("pk", "slot__number")
    }
    waits = WaitlistEntry.objects.filter(schedule=schedule).values_list("pk", flat=True)
    keys = [f"schedule:{schedule.pk}", *numbers, *(f"waitlist:{pk}" for pk in waits)]
    facts = Fact.objects.filter(key__in=keys, payload__act__isnull=True)  # those of a bulk act: _of_acts says them
    facts = facts.select_related("actor").order_by("-id")[:MOST_TRAIL]
    lines = [_of_fact(fact, numbers.get(fact.key)) for fact in facts]
    looks = AuditEvent.objects.filter(subject=f"schedule:{schedule.pk}").select_related("actor").order_by("-at")
    lines += [_of_audit(row) for row in looks[:MOST_TRAIL]]
    lines += _of_acts(schedule)
    lines += _changes(schedule)
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST_TRAIL]


def _of_audit(row: AuditEvent) -> Trace:
    text = str(TOPICS.get(row.action, row.action))
    return Trace(row.at, str(row.actor or _("系统")), _because(text, row.detail.get("why")))


def _because(text: str, why) -> str:
    return _("%(text)s（%(why)s）") % {"text": text, "why": why} if isinstance(why, str) and why else text


def _of_acts(schedule: Schedule) -> list[Trace]:
    """批量操作 that touched this schedule: who, what it was and became, why; and who took it back."""
    acts = BulkAct.objects.filter(organization=schedule.organization_id, schedules__contains=[schedule.pk])
    acts = acts.filter(done_at__isnull=False).select_related("by", "undone_by").order_by("-created_at")
    lines = []
    for act in acts[:MOST_TRAIL]:
        line = next((one for one in act.effect.get("lines", []) if one["schedule"] == schedule.pk), None)
        if line is None or "refusal" in line:
            continue
        figures = _("，").join(f"{name} {before}→{after}" for name, before, after in line["says"])
        text = f"{act.get_kind_display()} {figures}".rstrip()
        lines.append(Trace(act.done_at, str(act.by), _because(text, act.reason)))
        if act.undone_at:
            undone = _("撤销%(what)s") % {"what": act.get_kind_display()}
            lines.append(Trace(act.undone_at, str(act.undone_by), undone))
    return lines


def substitute_of(schedule: Schedule) -> str:
    """Who sits there instead of its own doctor (替诊); empty: nobody."""
    row = Substitution.objects.filter(schedule=schedule, stands=True, substitute__isnull=False)
    found = row.select_related("substitute__practitioner").first()
    return str(found.substitute.practitioner) if found else ""


def _of_fact(fact: Fact, number: int | None) -> Trace:
    topic = "appointment.extra" if fact.payload.get("extra") else fact.topic
    word = str(TOPICS.get(topic, topic))
    text = f"{word} {_('%(number)s号') % {'number': number}}" if number else word
    return Trace(fact.happened_at, str(fact.actor or _("系统")), text)


CHANGES = (
    ("status", gettext_lazy("状态")),
    ("room_id", gettext_lazy("诊室")),
    ("capacity", gettext_lazy("号数")),
    ("starts_at", gettext_lazy("开始")),
    ("ends_at", gettext_lazy("结束")),
)


def _changes(schedule: Schedule) -> list[Trace]:
    """From the history trigger: rows as they were before each change; who, where the request said so."""
    names = [name for name, _word in CHANGES]
    rows = schedule.events.order_by("-pgh_id")[:MOST_TRAIL]
    after = {name: getattr(schedule, name) for name in names}
    lines = []
    for row in rows:
        changed = [str(word) for name, word in CHANGES if getattr(row, name) != after[name]]
        after = {name: getattr(row, name) for name in names}
        if changed:
            text = _("出诊单元变更：%(what)s") % {"what": _("、").join(changed)}
            lines.append(Trace(row.pgh_created_at, _("系统"), text))
    return lines


def patients_of(schedule: Schedule) -> list[Appointment]:
    """Who has a number, in order of number; held and cancelled ones left out."""
    rows = Appointment.objects.filter(schedule=schedule)
    rows = rows.exclude(status__in=[Appointment.Status.CANCELLED, Appointment.Status.PENDING])
    return list(rows.select_related("patient", "slot", "encounter").order_by("slot__number", "pk"))
