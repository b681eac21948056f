"""Which rule row applies to a half-day, in figures: release, cut-off, no-show. The page words them."""

from dataclasses import dataclass
from datetime import datetime, time

from appointments.models import Schedule
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.selectors import rules
from hospital import clock


@dataclass(frozen=True)
class Terms:
    """Days are days before the visit; times are the hospital's wall clock."""

    release_days: int | None
    release_time: time | None
    cancel_days: int
    cancel_time: time
    noshow_count: int
    noshow_days: int
    suspension_days: int
    too_late: bool  # what is booked now for that day can't be given back by oneself any more


def terms_of(schedule: Schedule, *, now: datetime) -> Terms:
    today = clock.today(now)
    rule = rules.booking_rule_for(schedule, day=today)
    house = rules.organization_booking_rule(schedule.organization_id, day=today)  # no-shows count across departments
    share = rules.public_share(schedule, channel=Channel.WEB, day=today)
    return Terms(
        release_days=share.opens_days if share else None,
        release_time=share.opens_time if share else None,
        cancel_days=rule.cancel_days,
        cancel_time=rule.cancel_time,
        noshow_count=house.noshow_count,
        noshow_days=house.noshow_days,
        suspension_days=house.suspension_days,
        too_late=now > policy.cancel_deadline(schedule.day, rule),
    )
