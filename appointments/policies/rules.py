"""May a rule read like this, and begin on that day? Pure: the form says it beside the field, the service refuses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from django.utils.translation import gettext as _

from appointments.errors import RuleDecidedToday, RuleInThePast, RuleTooFarAhead
from appointments.models import BookingRule, Pool, SupplyShare
from appointments.models.rules import Channel
from hospital.errors import Refused

LONGEST_DAYS = 100
"""Numbers are laid out so far ahead (services.planning.AHEAD): nothing can open earlier."""

FURTHEST = timedelta(days=366)
"""A rule that begins later than in a year is a slip of the pen."""

LONGEST = timedelta(days=5 * 366)

WHOLE = 100

CHANNEL_KINDS = (Pool.Kind.PUBLIC, Pool.Kind.CONSULT, Pool.Kind.PARTNER, Pool.Kind.COUNTER, Pool.Kind.SPECIAL)
"""Kinds that a channel's rule names. Whoever may take the lower institutions' numbers takes those kept for their
signed residents with them, for such a resident (R6)."""

SHAREABLE = (*CHANNEL_KINDS, Pool.Kind.SIGNED)
"""Kinds that a supply rule fills. Add-on, team and rebooking numbers come from their own acts."""

OF_PARTNERS = (Pool.Kind.PARTNER, Pool.Kind.SIGNED)
"""Kinds of which one institution or a group may have its own (P5, R6)."""

ON_LINE = (Channel.WEB, Channel.APP)

ON_SITE = (Pool.Kind.COUNTER, Pool.Kind.SPECIAL)
"""The floor (P7): kept for people who come in person or can't use the web."""

RANGES = {
    "web_hold_minutes": (1, 60),
    "consult_hold_minutes": (1, 30),
    "counter_hold_minutes": (1, 30),
    "limit_day": (1, 20),
    "limit_week": (1, 50),
    "limit_quarter": (1, 100),
    "cancel_days": (0, 14),
    "rest_minutes_min": (0, 1440),
    "rest_minutes_max": (0, 1440),
    "noshow_count": (1, 50),
    "noshow_days": (1, 366),
    "suspension_days": (1, 366),
    "extra_limit": (0, 50),
    "extra_horizon_days": (0, 92),
    "referral_days": (1, 180),
    "signed_priority": (0, 1),
    "segment_minutes": (1, 30),
    "resale_minutes": (1, 1440),
    "waitlist_most": (1, 20),
    "waitlist_minutes": (15, 1440),
    "waitlist_days": (0, 14),
}
"""From–to of each number of a booking rule, both included. Beyond them it is a typing error in every hospital we know;
30 minutes of a segment and a month of add-ons are the health offices' own limits (rules.md)."""


@dataclass(frozen=True)
class Problem:
    """What is wrong, at which field. `row`: of which share, counted from 0; None: of the rule."""

    sentence: str
    field: str | None = None
    row: int | None = None


def refusal_to_start(day: date, *, today: date, decided: bool) -> Refused | None:
    """A rule never rewrites what was decided: it begins tomorrow, or today where nothing was decided by it yet."""
    if day < today:
        return RuleInThePast()
    if day == today and decided:
        return RuleDecidedToday()
    if day > today + FURTHEST:
        return RuleTooFarAhead()
    return None


def problems_of_dates(first: date, last: date | None, *, today: date) -> list[Problem]:
    """Of the last day. An open end is left empty, not written as the year 9999."""
    if last is None:
        return []
    if last < first:
        return [Problem(_("失效日不能早于生效日。"), "effective_to")]
    if last > today + LONGEST:
        return [Problem(_("失效日太远，像是填错了；长期有效请留空。"), "effective_to")]
    return []


def problems_of_shares(shares: Sequence[SupplyShare]) -> list[Problem]:
    """Of the shares of one rule, row by row, and of their sum."""
    found = [problem for row, share in enumerate(shares) for problem in _problems_of(share, row)]
    seen: dict[tuple, int] = {}
    for row, share in enumerate(shares):
        key = (share.kind, share.partner_id, share.group_id)
        if key in seen:
            found.append(Problem(_("这个号池已在第 %(row)s 行。") % {"row": seen[key] + 1}, "pool", row))
        seen.setdefault(key, row)
    total = sum(share.percent for share in shares if share.percent is not None)
    if total > WHOLE:
        said = {"total": total, "off": total - WHOLE}
        found.append(Problem(_("各号池合计 %(total)s%%，超出 %(off)s%%。合计应为 100%%。") % said))
    elif total < WHOLE:
        said = {"total": total, "off": WHOLE - total}
        found.append(Problem(_("各号池合计 %(total)s%%，还差 %(off)s%%。合计应为 100%%。") % said))
    return found


def _problems_of(share: SupplyShare, row: int) -> Iterable[Problem]:
    if share.percent is not None and not 1 <= share.percent <= WHOLE:
        yield Problem(_("百分比应在 1 到 100 之间。不用的行请清空。"), "percent", row)
    for name in ("opens_days", "shared_days"):
        days = getattr(share, name)
        if days is not None and not 0 <= days <= LONGEST_DAYS:
            said = {"most": LONGEST_DAYS}
            yield Problem(_("天数应在 0 到 %(most)s 之间：号源只提前排这么多天。") % said, name, row)
    recalled = share.shared_days is not None or share.shared_at_start
    if share.kind == Pool.Kind.PUBLIC and recalled:
        yield Problem(_("公共号本来就归公共，不用回收。"), "recall", row)
    if share.opens_days is not None and share.shared_days is not None and _opens_late(share):
        yield Problem(_("开放时间不早于回收时间：这部分号谁也约不上。"), "opens_days", row)


def _opens_late(share: SupplyShare) -> bool:
    opens, shared = share.opens_time or time.min, share.shared_time or time.min
    return (-share.opens_days, opens) >= (-share.shared_days, shared)


def problems_of_booking(rule: BookingRule) -> list[Problem]:
    """Numbers that no hospital means, and pairs in the wrong order."""
    found = []
    for name, (least, most) in RANGES.items():
        value = getattr(rule, name)
        if value is not None and not least <= value <= most:
            said = {"least": least, "most": most}
            found.append(Problem(_("应在 %(least)s 到 %(most)s 之间。") % said, name))
    for less, more, sentence in (
        ("limit_day", "limit_week", _("不能少于一天的限额。")),
        ("limit_week", "limit_quarter", _("不能少于 7 天的限额。")),
        ("rest_minutes_min", "rest_minutes_max", _("不能短于最短时间。")),
    ):
        low, high = getattr(rule, less), getattr(rule, more)
        if low is not None and high is not None and low > high:
            found.append(Problem(sentence, more))
    first, last = rule.waitlist_from, rule.waitlist_until
    if first is not None and last is not None and first >= last:
        found.append(Problem(_("要晚于最早时刻。"), "waitlist_until"))
    return found


def problems_of_channel(channel: str, kinds: Sequence[str]) -> list[Problem]:
    """P7: the web can't be given the on-site floor."""
    if channel in ON_LINE and set(kinds) & set(ON_SITE):
        return [Problem(_("窗口号和特殊人群号是留给现场的，不能给网上渠道。"), "kinds")]
    return []


def problems_of_levels(levels: Sequence[str]) -> list[Problem]:
    if not levels:
        return [Problem(_("至少选一个级别；要停掉诊间预约，请改“渠道可用号池”。"), "levels")]
    return []


def ever_on_line(shares: Iterable[SupplyShare]) -> int:
    """Percent of numbers that web and app can ever take before the session starts (B7: at least 80)."""
    return sum(share.percent for share in shares if share.kind == Pool.Kind.PUBLIC or share.shared_days is not None)
