"""Where may a doctor sit, and until when (P12). The database's trigger `within_contract` holds the same."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from hospital.models import Contract, Department, HealthcareService

from .workday import FURTHEST

Days = tuple[date, date | None]
"""From, to; both included, None without end."""


def may_sit(*, at_home: bool, contracts: Iterable[Days], day: date) -> bool:
    """`contracts`: those of the doctor with that institution.

    At the own house no contract means without limit; elsewhere none means no.
    """
    contracts = list(contracts)
    if at_home and not contracts:
        return True
    return any(first <= day and (last is None or day <= last) for first, last in contracts)


def problem(
    wanted: Contract,
    *,
    others: Iterable[Contract],
    department: Department,
    service: HealthcareService,
    today: date,
) -> tuple[str, str] | None:
    """(field, sentence) of the first thing that is wrong with a new contract, or nothing."""
    if not wanted.practitioner.active:
        return "doctor", _("%(doctor)s已停用或不在岗。请先恢复，或换一位。") % {"doctor": wanted.practitioner}
    if department.organization_id != wanted.organization_id:
        return "department", _("这个科室不在%(house)s。请选那里的科室。") % {"house": wanted.organization}
    if service.organization_id != wanted.organization_id:
        return "service", _("这个号别不是%(house)s的。请选那里的号别。") % {"house": wanted.organization}
    if wanted.effective_to and wanted.effective_to < wanted.effective_from:
        return "effective_to", _("失效日早于生效日。请检查两个日期。")
    if wanted.effective_from < today:
        return "effective_from", _("生效日已经过去。请从今天或之后开始。")
    if wanted.effective_from > today + FURTHEST:
        return "effective_from", _("这一天太远，像是填错了年份。最远登记到两年以内。")
    for other in others:
        if _overlap(wanted, other):
            said = {"first": other.effective_from, "last": other.effective_to or _("长期")}
            return "effective_from", _(
                "和已有合约的日期重叠：%(first)s 至 %(last)s。请错开日期，或先把那份提前结束。"
            ) % said
    return None


def _overlap(one: Contract, other: Contract) -> bool:
    last, theirs = one.effective_to or date.max, other.effective_to or date.max
    return one.effective_from <= theirs and other.effective_from <= last


def problem_of_end(row: Contract, *, last_day: date) -> str | None:
    """An end only shortens: what follows may belong to the next contract."""
    if last_day < row.effective_from:
        return _("结束日早于这份合约的生效日 %(first)s。请填那天或之后的日期。") % {"first": row.effective_from}
    if row.effective_to and last_day > row.effective_to:
        return _("这份合约本来就到 %(last)s 为止。要延长，请另登记一份。") % {"last": row.effective_to}
    return None
