"""下转计划与随访 (R3, V4): may this plan be sent, when is who called first, what may be noted. Pure."""

from datetime import date, timedelta

from hospital.errors import Refused
from referrals import errors
from referrals.models import FollowUp, Referral, ReferralRule

LONGEST = timedelta(days=365)
"""A plan's day lies within a year: what is later belongs into the next plan."""

AGAIN = timedelta(days=1)
"""Nobody picked up: tomorrow, if nobody says another day."""

WORSE_AGAIN = timedelta(days=1)
"""The day that the form offers for somebody who got worse."""

MANY_TRIES = 3
"""From so many on the page says: go there, or note the patient as lost."""

Outcome = FollowUp.Outcome
ENDS = frozenset({Outcome.DIED, Outcome.MOVED})
"""After these nobody is followed up any more."""


def refusal_of_day(follow_up_on: date, *, today: date) -> Refused | None:
    """The plan's 复诊日."""
    if today <= follow_up_on <= today + LONGEST:
        return None
    return errors.PlanDayGone(first=_said(today), last=_said(today + LONGEST))


def first_due(*, discharged_on: date | None, today: date, rule: ReferralRule) -> date:
    """V4: within a week after discharge (ReferralRule.follow_up_days); never in the past."""
    return max((discharged_on or today) + timedelta(days=rule.follow_up_days), today)


def refusal_to_go_down(referral: Referral, *, standing: Referral | None) -> Refused | None:
    """Of the referral up that brought the patient here. `standing`: its referral down that was not withdrawn."""
    if standing is not None:
        return errors.SentBackAlready(number=standing.number)
    here = (Referral.Status.ARRIVED, Referral.Status.SEEN, Referral.Status.RETURNED)
    if referral.direction == Referral.Direction.UP and referral.status in here:
        return None
    return errors.NotHereToGoDown(number=referral.number, status=referral.get_status_display())


def refusal_to_record(row: FollowUp, *, outcome: str, next_on: date | None, today: date) -> Refused | None:
    if row.done_at is not None:
        return errors.FollowedUpAlready(who=str(row.by))
    if outcome == Outcome.WORSE and next_on is None:
        return errors.WorseNeedsNext()
    return refusal_of_next(next_on, today=today) if outcome not in ENDS else None


def refusal_of_next(next_on: date | None, *, today: date) -> Refused | None:
    if next_on is None or today <= next_on <= today + LONGEST:
        return None
    return errors.FollowUpDayGone(first=_said(today), last=_said(today + LONGEST))


def _said(day: date) -> str:
    return f"{day:%Y-%m-%d}"
