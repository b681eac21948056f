"""May an agreement with a lower institution read like this (P3, R1)? Pure; the database refuses an overlap as well."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from hospital.models import Agreement

from .workday import FURTHEST

Wrong = tuple[str, str]
"""Field, sentence."""


def problem(wanted: Agreement, *, others: Iterable[Agreement], today: date) -> Wrong | None:
    """Of a new one; `others`: those of the same two."""
    last = wanted.effective_to
    if last and last < wanted.effective_from:
        return "effective_to", _("失效日早于生效日。请检查两个日期。")
    if last and last < today:
        return "effective_to", _("失效日已经过去。请填今天或之后的日期，长期有效请留空。")
    if wanted.effective_from > today + FURTHEST:
        return "effective_from", _("这一天太远，像是填错了年份。最远登记到两年以内。")
    for other in others:
        if wanted.effective_from <= (other.effective_to or date.max) and other.effective_from <= (last or date.max):
            said = {"first": other.effective_from, "last": other.effective_to or _("长期")}
            return "effective_from", _(
                "和已有协议的日期重叠：%(first)s 至 %(last)s。请错开日期，或先把那份提前结束。"
            ) % said
    return None


def problem_of_end(row: Agreement, *, last_day: date, today: date) -> str | None:
    """An end only shortens, and never into the past: what was booked in good faith was booked under it."""
    if last_day < today:
        return _("这一天已经过去。请填今天或之后的日期。")
    if last_day < row.effective_from:
        return _("结束日早于这份协议的生效日 %(first)s。请填那天或之后的日期。") % {"first": row.effective_from}
    if row.effective_to and last_day > row.effective_to:
        return _("这份协议本来就到 %(last)s 为止。要延长，请另登记一份。") % {"last": row.effective_to}
    return None
