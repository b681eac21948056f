"""签约: which days may be written. Pure."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from hospital.errors import Refused
from hospital.models import SignedResident
from referrals import errors

LONGEST = timedelta(days=3 * 366)
"""An agreement is usually made for a year, at most for three."""

LATE_BY = timedelta(days=366)
"""So far back an agreement on paper may be entered."""

A_DAY = timedelta(days=1)

USUAL = timedelta(days=364)
"""A year, both days included."""


def problem_of_dates(first: date, last: date, *, today: date) -> str:
    if last < first:
        return _("到期日早于签约日。")
    if last < today:
        return _("到期日已经过去，签了也不生效。")
    if first < today - LATE_BY:
        return _("签约日早了一年以上，请核对年份。")
    if last - first > LONGEST:
        return _("签约期超过三年，请核对到期日。")
    return ""


def refusal_of_overlap(other: SignedResident, *, organization_id: int) -> Refused:
    """`other`: what is in the way."""
    until = f"{other.effective_to:%Y-%m-%d}"
    if other.organization_id != organization_id:
        return errors.SignedElsewhere(organization=other.organization.name, until=until)
    problem = _("这位居民在本机构的签约到 %(until)s 为止，续签请从第二天开始。") % {"until": until}
    return errors.SigningDates(problem=problem)


def problem_of_end(row: SignedResident, *, last: date, reason: str, today: date) -> str:
    if not reason.strip():
        return _("请写明解约原因。")
    if row.effective_to < today:
        return _("这份签约已经到期。")
    if not max(row.effective_from, today - A_DAY) <= last <= row.effective_to:
        return _("最后一天要在今天（或昨天）到原到期日之间，且不早于签约日。")
    return ""
