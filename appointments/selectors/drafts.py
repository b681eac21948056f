"""A draft as the office reads it: each line in words, counted and grouped."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import DraftLine, LayoutDraft
from hospital.models import HalfDay

FIELDS = {
    "starts_at": gettext_lazy("开始"),
    "ends_at": gettext_lazy("结束"),
    "capacity": gettext_lazy("号数"),
    "minutes": gettext_lazy("每号分钟"),
    "department": gettext_lazy("科室"),
    "service": gettext_lazy("号别"),
    "role": gettext_lazy("医生"),
    "team": gettext_lazy("团队"),
    "gate_team": gettext_lazy("组内转诊的团队"),
    "room": gettext_lazy("诊室"),
}

CONFLICTS = {
    "doctor_elsewhere": gettext_lazy("%s同一时间已在：%s。请改时间，或先处理那边的出诊。"),
    "room_taken": gettext_lazy("%s同一时间已被占用：%s。请换诊室或改时间。"),
    "outside_contract": gettext_lazy("%s在这一天没有%s的执业合约。请先登记合约，或停用这条模板。"),
    "no_hours": gettext_lazy("%s没有%s的作息时间。请先在“作息时间”里加上，或在模板里填起止时间。"),
    "too_many_numbers": gettext_lazy("%s 个号放不进 %s 分钟。请在模板里减少号数或缩短每号时间。"),
}

REASONS = {
    "has_patients": gettext_lazy("有人约了号，不能直接撤销。请到停诊页面处理，逐个改约或退号。"),
    "numbers_would_change": gettext_lazy("改的不只是诊室和时间，已约的号会对不上。请保留原样，或先停诊改约。"),
    "booked_meanwhile": gettext_lazy("核对之后又有人约了号，没有改动。请重新生成草稿后再决定。"),
    "patient_elsewhere": gettext_lazy("有患者在新的时间另有预约。请先与患者改约，或保留原样。"),
    "goes_along": gettext_lazy("要用的诊室或时间还在另一场手里，那一场有已约患者，也在这份草稿里。请两场一起勾选。"),
    "found_since": gettext_lazy("生成草稿之后才有的变动，请核对后勾选。"),
    "changed_since": gettext_lazy("勾选之后模板或排班又变了，没有改动。请重新生成草稿后再决定。"),
}


@dataclass(frozen=True)
class Said:
    """A line with its words. `stop`: the schedule whose patients a stop would take care of."""

    row: DraftLine
    what: list[str]
    why: str
    fixed: bool  # ticking is not offered
    stop: int | None


def say(row: DraftLine) -> Said:
    clash = row.differences[0] if row.differences and row.differences[0][0] in CONFLICTS else None
    why = str(REASONS.get(row.reason, ""))
    if clash:
        names = [str(HalfDay(name).label) if name in HalfDay.values else name for name in clash[1:]]
        why = str(CONFLICTS[clash[0]]) % tuple(names[:2])
    fixed = row.action == DraftLine.Action.CONFLICT or row.reason in {"has_patients", "numbers_would_change"}
    must_stop = row.patients and (fixed or row.outcome == DraftLine.Outcome.REFUSED)
    return Said(row, [] if clash else _differences(row), why, fixed, row.schedule_id if must_stop else None)


def _differences(row: DraftLine) -> list[str]:
    said = []
    for name, *values in row.differences:
        if name == "added":
            said.append(
                _("%(numbers)s 个号，%(hours)s，%(room)s")
                % {"numbers": values[0], "hours": values[1], "room": values[2]}
            )
        elif name == "dropped":
            said.append(_("模板不再出诊：%(hours)s，%(room)s") % {"hours": values[0], "room": values[1]})
        else:
            said.append(f"{FIELDS.get(name, name)} {values[0]} → {values[1]}")
    return said


SHOWN = {action: {"action": action} for action in DraftLine.Action.values} | {
    "patients": {"patients__gt": 0},
    "refused": {"outcome": DraftLine.Outcome.REFUSED},
    "since": {"reason": "found_since"},
}
"""By what the page can be filtered."""


@dataclass(frozen=True)
class Counts:
    """Of a draft: lines by action, and the patients that changes and drops would touch."""

    add: int
    change: int
    drop: int
    conflict: int
    patients: int
    schedules_with_patients: int
    refused: int
    found_since: int
    waiting: int  # not published yet, of those that are ticked

    @property
    def all(self) -> int:
        return self.add + self.change + self.drop + self.conflict


def counts(draft: LayoutDraft) -> Counts:
    """One query."""
    actions = {action: Count("pk", filter=Q(action=action)) for action in DraftLine.Action.values}
    with_patients = Q(patients__gt=0)
    row = draft.lines.aggregate(
        **{f"n_{action}": count for action, count in actions.items()},
        people=Sum("patients"),
        schedules=Count("pk", filter=with_patients),
        refused=Count("pk", filter=Q(outcome=DraftLine.Outcome.REFUSED)),
        found_since=Count("pk", filter=Q(reason="found_since")),
        waiting=Count("pk", filter=Q(outcome=DraftLine.Outcome.WAITING)),
    )
    by_action = [row[f"n_{action}"] for action in ("add", "change", "drop", "conflict")]
    rest = (row["refused"], row["found_since"], row["waiting"])
    return Counts(*by_action, row["people"] or 0, row["schedules"], *rest)


def history(*, organizations, departments) -> list[LayoutDraft]:
    """The latest, with what became of their lines."""
    rows = LayoutDraft.objects.filter(organization__in=organizations)
    if departments is not None:
        rows = rows.filter(department__in=departments)
    done = Count("lines", filter=Q(lines__outcome=DraftLine.Outcome.DONE))
    refused = Count("lines", filter=Q(lines__outcome=DraftLine.Outcome.REFUSED))
    rows = rows.annotate(all_lines=Count("lines"), done=done, refused=refused)
    return list(rows.select_related("organization", "department", "by", "decided_by").order_by("-pk")[:50])
