"""保存期限 at work: what is over is deleted at night, in batches that hold no lock for long.

Visits and the trail are never deleted here: their times are least times, and a person decides what follows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from hospital.models import CodeSent, GatewayReceipt, Message, RetentionRule

BATCH = 2_000
MOST_BATCHES = 500  # a night
CODES_KEPT = 2  # days, where the hospital set no rule: the limits look back one


YEAR = 365

FIRST_SOURCES = (
    gettext_noop("《医疗机构病历管理规定（2013年版）》第二十九条：门（急）诊病历自最后一次就诊之日起保存不少于15年"),
    gettext_noop("《网络安全法》要求网络日志留存不少于六个月；本院规定保存三年"),
    gettext_noop("本院规定：预约通知发出一年后删除"),
    gettext_noop("本院规定：只用于限制发送次数，两天后删除"),
    gettext_noop("《个人信息保护法》第四十七条：注销账号时删除"),
)
"""The reasons that the rules start with have their English; what a hospital writes instead is shown as written."""


@dataclass(frozen=True)
class Line:
    """One row for a notice: what, how long, why."""

    what: str
    how_long: str
    source: str


def lines() -> list[Line]:
    rows = RetentionRule.objects.order_by("-days", "subject")
    return [Line(row.get_subject_display(), _time(row.days), _(row.source)) for row in rows]


def _time(days: int) -> str:
    if days == 0:
        return _("注销账号时删除")
    if days >= YEAR:
        return ngettext("%(count)d 年", "%(count)d 年", days // YEAR) % {"count": days // YEAR}
    return ngettext("%(count)d 天", "%(count)d 天", days) % {"count": days}


def forget_what_is_over(*, now: datetime) -> dict[str, int]:
    """Delete messages and counted codes whose time is over. Returns how many of each. Safe to repeat."""
    days = dict(RetentionRule.objects.values_list("subject", "days"))
    gone = {}
    if RetentionRule.Subject.MESSAGES in days:
        limit = now - timedelta(days=days[RetentionRule.Subject.MESSAGES])
        settled = Message.objects.exclude(status=Message.Status.WAITING)
        gone["messages"] = _delete_oldest(settled, "created_at", limit)
        gone["receipts"] = _delete_oldest(GatewayReceipt.objects.all(), "received_at", limit)
    kept = days.get(RetentionRule.Subject.CODES, CODES_KEPT)
    gone["codes"] = CodeSent.objects.filter(sent_at__lt=now - timedelta(days=kept)).delete()[0]
    return gone


def _delete_oldest(rows, moment: str, limit: datetime) -> int:
    """Ids grow with time: the first by id that are over, until a batch holds a younger one. No scan of the rest."""
    gone = 0
    for _batch in range(MOST_BATCHES):
        oldest = list(rows.order_by("pk").values_list("pk", moment)[:BATCH])
        over = [pk for pk, at in oldest if at < limit]
        if over:
            gone += rows.model.objects.filter(pk__in=over).delete()[0]
        if len(over) < BATCH:
            return gone
    return gone
