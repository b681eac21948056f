"""Until when must it be answered? Pure: calendar and rule are given.

Routine hours run on workdays only: sent on Friday at 16:00 with 48 hours means Tuesday at 16:00. Urgent and green run
around the clock (rules.md has no figure; the defaults are ReferralRule's, for the hospital to set).
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from hospital import clock
from referrals.models import Referral, ReferralRule

MOST_DAYS = 60
"""A calendar without any workday in so many days is a mistake: then hours run around the clock."""


def due_at(*, urgency: str, since: datetime, rule: ReferralRule, is_workday: Callable[[date], bool]) -> datetime:
    """When the receiver must have answered what reached it at `since` (aware)."""
    if urgency == Referral.Urgency.GREEN:
        return since + timedelta(minutes=rule.green_minutes)
    if urgency == Referral.Urgency.URGENT:
        return since + timedelta(minutes=rule.urgent_minutes)
    return _on_workdays(since, timedelta(hours=rule.routine_hours), is_workday=is_workday)


def answer_due_at(*, urgency: str, since: datetime, rule: ReferralRule, is_workday: Callable[[date], bool]) -> datetime:
    """When the sender must have told what was asked back: of an urgent one within the hours that the receiver has."""
    if urgency != Referral.Urgency.ROUTINE:
        return since + timedelta(minutes=rule.urgent_minutes)
    return _on_workdays(since, timedelta(hours=rule.answer_hours), is_workday=is_workday)


def _on_workdays(since: datetime, span: timedelta, *, is_workday: Callable[[date], bool]) -> datetime:
    moment, left = since.astimezone(clock.ZONE), span
    for _number in range(MOST_DAYS):
        tomorrow = clock.at(moment.date() + timedelta(days=1), datetime.min.time())
        if is_workday(moment.date()):
            if left <= tomorrow - moment:
                return moment + left
            left -= tomorrow - moment
        moment = tomorrow
    return since + span
