"""候补 (B9): when the line is open, when numbers are offered, and how long an offer stands. Pure: no query, no clock.

The numbers are in the booking rule, their defaults from rules.md (row "waitlist"): the waitlists of big hospitals run
06:00–23:00 and close on the eve; theirs give 24 h (8 h self-pay) to accept, which leaves two or three people a chance
at a number. Here two hours do, counted within the hours.
"""

from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import NoWaitlistHere, StillNumbers, Stopped, WaitlistClosed
from appointments.models import BookingRule, Schedule
from appointments.models.rules import SELF_SERVICE, Channel
from hospital import clock
from hospital.errors import Refused

CHANNELS = SELF_SERVICE | {Channel.COUNTER}
"""Where people ask for themselves. Doctors have add-ons (B10); wards and lower institutions their own pools."""

LEAST = timedelta(minutes=15)
"""An offer that leaves less before the cut-off is none: nobody could answer it."""


def closes_at(day: date, rule: BookingRule) -> datetime:
    """候补截止, by default 18:00 on the eve: nobody joins, and nothing is offered or accepted, from then on."""
    return clock.days_before(day, rule.waitlist_days, rule.waitlist_time)


def refusal_to_join(schedule: Schedule, *, channel: str, closes: datetime, now: datetime) -> Refused | None:
    """Where people ask for themselves, of a session that takes place, before the cut-off."""
    if channel not in CHANNELS:
        return NoWaitlistHere()
    if schedule.status != Schedule.Status.OPEN:
        return Stopped()
    if now >= closes:
        return WaitlistClosed(at=date_format(closes.astimezone(clock.ZONE), _("n月j日 H:i")))
    return None


def refusal_while_numbers(left: int) -> StillNumbers | None:
    """Waiting is for what is full. `left`: numbers that the channel could take now for this patient."""
    return StillNumbers(left=left) if left else None


def offers_now(rule: BookingRule, *, now: datetime) -> bool:
    """Nobody is woken at night for a number."""
    return rule.waitlist_from <= now.astimezone(clock.ZONE).time() < rule.waitlist_until


def offers_from(rule: BookingRule, *, now: datetime) -> datetime:
    """The next moment within the hours: `now`, this morning, or tomorrow's."""
    if offers_now(rule, now=now):
        return now
    day = clock.today(now)
    early = now.astimezone(clock.ZONE).time() < rule.waitlist_from
    return clock.at(day if early else day + timedelta(days=1), rule.waitlist_from)


def deadline(rule: BookingRule, *, closes: datetime, now: datetime) -> datetime | None:
    """Until when an offer made now can be accepted: its minutes run within the hours only, never past the cut-off.

    None: it is night, or too late before the cut-off. At 22:30 two hours end at 07:30.
    """
    if not offers_now(rule, now=now) or closes < now + LEAST:
        return None
    left, moment = timedelta(minutes=rule.waitlist_minutes), now
    while True:
        night = clock.at(clock.today(moment), rule.waitlist_until)
        if moment + left <= night:
            return min(moment + left, closes)
        left -= night - moment
        moment = clock.at(clock.today(moment) + timedelta(days=1), rule.waitlist_from)
