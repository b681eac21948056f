"""The rule rows as the office reads them: in force, coming, past; in words; what changed when, and by whom."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import (
    Appointment,
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    Pool,
    Schedule,
    SupplyRule,
    SupplyShare,
)
from appointments.models.rules import Channel, Dated, Scoped
from hospital import clock
from hospital.models import AuditEvent, HealthcareService, User

KINDS: dict[str, type[Dated]] = {
    "supply": SupplyRule,
    "booking": BookingRule,
    "channel": ChannelRule,
    "level": ConsultLevelRule,
}
KIND_NAMES = {
    "supply": gettext_lazy("放号与回收"),
    "booking": gettext_lazy("预约与退号"),
    "channel": gettext_lazy("渠道可用号池"),
    "level": gettext_lazy("诊间可约级别"),
}
SCOPE = ("department", "service", "role")
MOST_PAST = 60
"""Past rows of a kind that a page shows; older ones are found in the audit pages."""

ALL_SHARES = Prefetch("shares", SupplyShare.objects.select_related("partner", "group").order_by("id"))


def kind_of(rule: Dated) -> str:
    return next(kind for kind, model in KINDS.items() if isinstance(rule, model))


def subject_of(rule: Dated) -> str:
    """What the trail calls the row."""
    return f"{rule._meta.model_name}:{rule.pk}"


def rows_of(model: type[Dated]) -> QuerySet:
    """With all that their words need."""
    rows = model.objects.select_related("organization")
    if issubclass(model, Scoped):
        rows = rows.select_related("department", "service", "role__practitioner", "role__department")
    return rows.prefetch_related(ALL_SHARES) if model is SupplyRule else rows


def same_scope(rule: Dated) -> QuerySet:
    """Rows that follow one another: of the same house and scope, a channel rule's of the same channel."""
    wanted = {"organization": rule.organization_id}
    if isinstance(rule, Scoped):
        wanted |= {name: getattr(rule, f"{name}_id") for name in SCOPE}
    if isinstance(rule, ChannelRule):
        wanted["channel"] = rule.channel
    return type(rule).objects.filter(**wanted).order_by("effective_from", "pk")


def covered(rule: Dated) -> Q:
    """Of schedules: those within the rule's scope, of whatever day."""
    wanted = Q(organization=rule.organization_id)
    for name in SCOPE if isinstance(rule, Scoped) else ():
        if getattr(rule, f"{name}_id") is not None:
            wanted &= Q(**{name: getattr(rule, f"{name}_id")})
    return wanted


def decided_today(rule: Dated, *, now: datetime) -> bool:
    """Whether something of today was decided by the rules of this scope: for supply a schedule of today that has
    its numbers, for the others a booking made today."""
    today = clock.today(now)
    if isinstance(rule, SupplyRule):
        return Schedule.objects.filter(covered(rule), day=today).exists()
    rows = Appointment.objects.filter(created_at__gte=clock.at(today, time(0)), day__gte=today)
    rows = rows.filter(schedule__in=Schedule.objects.filter(covered(rule), day__gte=today))
    if isinstance(rule, ChannelRule):
        rows = rows.filter(channel=rule.channel)
    if isinstance(rule, ConsultLevelRule):
        rows = rows.filter(channel=Channel.CONSULT)
    return rows.exists()


def laid_out(rule: SupplyRule, *, now: datetime) -> QuerySet[Schedule]:
    """Schedules to come within the rule's days and scope: their numbers were shared out before."""
    rows = Schedule.objects.filter(covered(rule), day__gte=rule.effective_from, starts_at__gt=now)
    rows = rows.filter(status=Schedule.Status.OPEN, gate_team=None)
    if rule.effective_to:
        rows = rows.filter(day__lte=rule.effective_to)
    return rows.order_by("day", "pk")


# ---- in words ----


def scope_name(rule: Dated) -> str:
    """全院, or whose rule it is."""
    if isinstance(rule, ChannelRule):
        return str(Channel(rule.channel).label)
    if not isinstance(rule, Scoped):
        return _("全院诊间")
    parts = [str(rule.department)] if rule.department_id else []
    if rule.service_id:
        parts.append(str(rule.service))
    if rule.role_id:
        parts.append(f"{rule.role.practitioner}（{rule.role.department}）")
    return _("、").join(parts) or _("全院")


def days_ahead(days: int, at: time) -> str:
    """D−7 07:00."""
    return f"D−{days} {at:%H:%M}" if days else _("当天 %(at)s") % {"at": f"{at:%H:%M}"}


def pool_name(share: SupplyShare) -> str:
    whose = share.partner or share.group
    kind = str(Pool.Kind(share.kind).label)
    return f"{kind}：{getattr(whose, 'short_name', '') or whose.name}" if whose else kind


def share_words(share: SupplyShare) -> str:
    """30%，D−12 07:00 开放，D−7 07:00 回收到公共."""
    said = [f"{share.percent}%", _("%(at)s 开放") % {"at": days_ahead(share.opens_days, share.opens_time)}]
    if share.shared_at_start:
        said.append(_("开诊时向所有人开放"))
    elif share.shared_days is not None:
        said.append(_("%(at)s 回收到公共") % {"at": days_ahead(share.shared_days, share.shared_time)})
    return _("，").join(said)


def words_of(rule: Dated) -> dict[str, str]:
    """Name → value, as the page shows it and as the trail keeps it."""
    if isinstance(rule, SupplyRule):
        return {pool_name(share): share_words(share) for share in rule.shares.all()}
    if isinstance(rule, ChannelRule):
        return {_("可用号池"): _labels(Pool.Kind, rule.kinds)}
    if isinstance(rule, ConsultLevelRule):
        return {_("可约级别"): _labels(HealthcareService.Level, rule.levels)}
    return {
        str(each.verbose_name): _plain(getattr(rule, each.name))
        for each in rule._meta.fields
        if each.name not in {"id", "organization", *SCOPE, "effective_from", "effective_to"}
    }


def _labels(choices, values: Iterable[str]) -> str:
    return _("、").join(str(choices(value).label) for value in choices.values if value in values) or _("无")


def _plain(value) -> str:
    if value is None:
        return "–"  # as the trail keeps a day that is not set (services.ruling)
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)


@dataclass(frozen=True)
class Difference:
    name: str
    before: str
    after: str


def differences(before: dict[str, str], after: dict[str, str]) -> list[Difference]:
    """What is not the same, a missing side as a dash."""
    names = dict.fromkeys([*before, *after])
    return [
        Difference(name, before.get(name, "–"), after.get(name, "–"))
        for name in names
        if before.get(name) != after.get(name)
    ]


# ---- lists ----


@dataclass(frozen=True)
class Entry:
    """One row of the list. `state`: now, coming or past."""

    rule: Dated
    kind: str
    scope: str
    state: str

    @property
    def words(self) -> dict[str, str]:
        return words_of(self.rule)


@dataclass
class Board:
    """One kind of rule of one house: what holds today, what will, what did."""

    now: list[Entry] = field(default_factory=list)
    coming: list[Entry] = field(default_factory=list)
    past: list[Entry] = field(default_factory=list)
    more_past: bool = False


def state_of(rule: Dated, *, today: date) -> str:
    if rule.effective_from > today:
        return "coming"
    return "past" if rule.effective_to and rule.effective_to < today else "now"


def board(kind: str, *, organization_id: int, department: int | None = None, today: date) -> Board:
    """`department`: only rules that speak of it, of its doctors, or of no department at all."""
    model = KINDS[kind]
    rows = rows_of(model).filter(organization=organization_id)
    if department and issubclass(model, Scoped):
        rows = rows.filter(Q(department=None) | Q(department=department))
        rows = rows.filter(Q(role=None) | Q(role__department=department))
    found = Board()
    for rule in rows.order_by("-effective_from", "-pk"):
        state = state_of(rule, today=today)
        getattr(found, state).append(Entry(rule, kind, scope_name(rule), state))
    found.now.sort(key=lambda entry: (getattr(entry.rule, "specificity", 0), _place(entry.rule), entry.scope))
    found.coming.sort(key=lambda entry: entry.rule.effective_from)
    found.more_past = len(found.past) > MOST_PAST
    found.past = found.past[:MOST_PAST]
    return found


def _place(rule: Dated) -> int:
    return Channel.values.index(rule.channel) if isinstance(rule, ChannelRule) else 0


def before_and_after(rule: Dated) -> tuple[Dated | None, Dated | None]:
    """The row that this one took over from, and the one that takes over."""
    rows = list(rows_of(type(rule)).filter(pk__in=same_scope(rule)).order_by("effective_from", "pk"))
    place = [row.pk for row in rows].index(rule.pk)
    return rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None


# ---- the trail ----


@dataclass(frozen=True)
class Trace:
    """One act on a rule. `who` is empty where only the database saw it."""

    at: datetime
    who: str
    text: str
    why: str = ""
    changes: tuple[Difference, ...] = ()


def trail_of(rule: Dated) -> list[Trace]:
    """What the office did, and each version that the history trigger kept; newest first."""
    acts = AuditEvent.objects.filter(subject=subject_of(rule)).select_related("actor").order_by("-at", "-pk")
    lines = [_act(row) for row in acts]
    after = rule
    for row in rule.events.filter(pgh_label="changed").select_related("pgh_context").order_by("-pgh_id"):
        changed = differences(_columns(row, rule), _columns(after, rule))
        if changed and not any(abs((row.pgh_created_at - line.at).total_seconds()) < 1 for line in lines):
            lines.append(Trace(row.pgh_created_at, _author(row), _("记录变更"), changes=tuple(changed)))
        after = row
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _author(event) -> str:
    """Whom the request named to the history trigger."""
    context = event.pgh_context.metadata if event.pgh_context else {}
    user = User.objects.filter(pk=context.get("user")).first() if context.get("user") else None
    return str(user) if user else ""


def _columns(row, rule: Dated) -> dict[str, str]:
    return {
        str(each.verbose_name): _plain(getattr(row, each.attname)) for each in rule._meta.fields if each.name != "id"
    }


def _act(row: AuditEvent) -> Trace:
    detail = row.detail
    changed = differences(detail.get("before") or {}, detail.get("after") or {})
    words = {
        "rule.written": _("写下规则"),
        "rule.replaced": _("由新规则接替"),
        "rule.ended": _("结束规则"),
        "rule.resumed": _("恢复期限"),
    }
    text = words.get(row.action, _("修改"))
    return Trace(row.at, str(row.actor or _("系统")), text, detail.get("why", ""), tuple(changed))
