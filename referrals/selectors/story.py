"""The trail of a referral in words, as both sides read it (R4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from hospital import clock
from hospital.models import Department
from referrals.models import GreenCall, Referral, ReferralEvent

Kind = ReferralEvent.Kind
BAD = frozenset({Kind.LOST, Kind.REJECTED, Kind.ESCALATED, Kind.WITHDRAWN})
WHY = {
    "cancelled": lambda: _("号已退"),
    "stopped": lambda: _("停诊"),
    "noshow": lambda: _("患者没有来"),
    "left": lambda: _("患者报到后离开，没有就诊"),
    "unmerged": lambda: _("两份档案已分开，号是另一人的"),
    "again": lambda: _("原号仍然有效，或已改到新时间"),
    "check_in_undone": lambda: _("报到已撤销"),
    "green": lambda: _("绿色通道没有人确认"),
    "plan_moved": lambda: _("复诊已改约"),
    "plan_booked": lambda: _("复诊已约号"),
    "plan_cancelled": lambda: _("复诊的号已退，待重新预约"),
    "plan_noshow": lambda: _("复诊没有来，待重新预约"),
}


@dataclass(frozen=True)
class Line:
    """`who`: by whom on whose side; empty where the system did it."""

    event: ReferralEvent
    who: str
    words: str
    bad: bool


def story_of(referral: Referral) -> list[Line]:
    """The oldest first. Two queries."""
    rows = list(referral.events.select_related("by", "organization").order_by("at", "pk"))
    ids = {row.detail[key] for row in rows for key in ("from_department", "department") if row.detail.get(key)}
    departments = dict(Department.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [Line(row, _who(row), _words(row, departments), row.kind in BAD) for row in rows]


def last_words(rows: Iterable[ReferralEvent]) -> str:
    """What was said last to the other side: the question of one that was asked back, the reason of one rejected."""
    said = [row.text for row in sorted(rows, key=lambda row: row.pk) if row.text and row.kind != Kind.SENT]
    return said[-1] if said else ""


def _who(row: ReferralEvent) -> str:
    if row.by is None:
        return _("系统")
    side = row.organization.short_name or row.organization.name if row.organization_id else ""
    return f"{side} {row.by}".strip()


def _words(row: ReferralEvent, departments: dict[int, str]) -> str:
    said = []
    detail = row.detail
    if row.kind == Kind.REDIRECTED:
        was, now = departments.get(detail.get("from_department"), "—"), departments.get(detail.get("department"), "—")
        said.append(_("%(was)s → %(now)s") % {"was": was, "now": now})
    if start := detail.get("start"):
        said.append(f"{datetime.fromisoformat(start).astimezone(clock.ZONE):%m-%d %H:%M}")
    said += _green(detail)
    if "seconds" in detail:
        minutes, seconds = divmod(detail["seconds"], 60)
        said.append(_("已确认，用时 %(minutes)d 分 %(seconds)d 秒") % {"minutes": minutes, "seconds": seconds})
    if why := WHY.get(detail.get("why")):
        said.append(why())
    if row.kind == Kind.SENT and row.text:
        return _("同意人：%(who)s") % {"who": row.text}
    return " ".join([*said, row.text]).strip()


def _green(detail: dict) -> list[str]:
    """What is kept free for the green channel's patient, and when they are expected."""
    said = []
    if detail.get("state"):
        said += [str(GreenCall.Capacity(detail["capacity"]).label), str(GreenCall.State(detail["state"]).label)]
    if expected := detail.get("expected"):
        moment = datetime.fromisoformat(expected).astimezone(clock.ZONE)
        said.append(_("预计 %(when)s 到") % {"when": f"{moment:%m-%d %H:%M}"})
    return said
