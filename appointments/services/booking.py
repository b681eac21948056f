"""预约: one service for every channel. Numbers are given only by the database functions in sql/.

`now` is None in production: the database's clock decides, and the process's own is only asked which day's rules
hold. Tests and the demo's simulated past pass a UTC `now`.
"""

import hashlib
import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import sleep
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import LimitReached, NotOpen, PatientSuspended, SoldOut, SpecialOnly
from appointments.models import Appointment, BookingRule, Encounter, Schedule, TeamReferral
from appointments.policies import booking as policy
from appointments.policies import special
from appointments.selectors import reserved, rules
from appointments.selectors.desk import fees_on
from appointments.selectors.numbers import count_left
from appointments.selectors.rules import ChannelPools
from hospital import clock, prepaid
from hospital.models import Fact, Patient, User

from . import sql

TRIES = 7  # a number that somebody else is being served is worth another look
PAUSE = 0.02  # seconds before it, doubling: about 1.3 s in all, longer than any transaction that holds a number
HOUSE = 0  # the account of requests that nobody's log-in made
PLAIN = {
    "confirm": False,
    "visit_type": Appointment.VisitType.FIRST,
    "extra": False,
    "note": "",
    "basket": None,
    "encounter": None,
    "referral": None,
    "opened_at": None,
}
"""What a number is given with where nobody says otherwise."""


def book(
    *,
    schedule: Schedule,
    patient: Patient,
    channel: str,
    by: User | None,
    request_key: str | None,
    number: int | None = None,
    start: datetime | None = None,
    basket: UUID | None = None,
    encounter: Encounter | None = None,
    referral: TeamReferral | None = None,
    opened_at: datetime | None = None,
    visit_type: str = Appointment.VisitType.FOLLOWUP,
    confirmed: bool = False,
    partner: int | None = None,
    now: datetime | None = None,
) -> Appointment:
    """Give a patient one number and hold it until it is confirmed (`confirmed=True`: at once, for a walk-in).

    Where the channel must pay first (hospital.prepaid), `confirmed` holds it too, and the row is pending.
    `number` names one, `start` a slice's first moment; neither takes the lowest that fits the patient's day.
    `partner`: the lower institution that books; it takes from its own pools and its groups', and stays on the row.
    Safe to repeat with the same `request_key` of the same `by`.
    Raises the refusals of appointments.errors: SoldOut, Busy, NotOpen, Stopped, PastNumber, LimitReached, SpecialOnly,
    AlreadyBooked, TimeConflict, PatientSuspended, HoldLapsed, KeyReused, NeedsTeamReferral, LevelNotAllowed,
    AgreementEnded.
    """
    outcome = give_number(
        schedule=schedule,
        patient_id=patient.pk,
        channel=channel,
        by=by,
        request_key=request_key,
        number=number,
        start=start,
        now=now,
        basket=basket,
        encounter=encounter.pk if encounter else None,
        referral=referral.pk if referral else None,
        opened_at=opened_at,
        visit_type=visit_type,
        confirm=confirmed,
        partner=partner,
    )
    return Appointment.objects.select_related("slot", "schedule").get(pk=outcome.appointment)


def give_number(
    *,
    schedule: Schedule,
    patient_id: int,
    channel: str,
    by: User | None,
    request_key: str | None,
    number: int | None = None,
    start: datetime | None = None,
    partner: int | None = None,
    written: str | None = None,
    now: datetime | None = None,
    **more,
) -> sql.Outcome:
    """`book` without loading the row: what the hot endpoint calls. `schedule` needs its service loaded.

    `written`: the channel on the row and in the fact, where it isn't the one that asks (O2: booked elsewhere before).
    """
    rule = _booking_rule(schedule, now)
    _check_level(schedule, channel, now)
    _check_agreement(schedule, partner, now)
    whose = _Whose(channel=channel, schedule=schedule, patient_id=patient_id, partner=partner)
    if more.get("confirm") and not written and _must_pay(whose, now):
        more["confirm"] = False  # what was booked elsewhere before was paid, or not, there
    arguments = {
        "schedule": schedule.pk,
        "number": number,
        **_slice(start, rule),
        **_claims(whose, rule, now),
        "channel": written or channel,
        "patient": patient_id,
        "hold": policy.hold_for(channel, rule),
        **_asker(by, request_key),
        "body": fingerprint("book", schedule.pk, patient_id, number, start),
        "now": now,
        **PLAIN,
        **more,
    }
    ask = partial(_for_partner, partner, arguments) if partner else partial(sql.book_slot, **arguments)
    with _saying_special(whose, now):
        return _insist(ask, rule)


def _for_partner(partner: int, arguments: dict) -> sql.Outcome:
    """The number and whose it is, or neither. Between two tries nothing is kept locked."""
    with transaction.atomic():
        outcome = sql.book_slot(**arguments)
        if outcome.code == "booked":
            Appointment.objects.filter(pk=outcome.appointment).update(partner=partner)
    return outcome


def reschedule(
    *,
    appointment: Appointment,
    schedule: Schedule,
    by: User | None,
    channel: str,
    request_key: str | None,
    number: int | None = None,
    start: datetime | None = None,
    encounter: Encounter | None = None,
    referral: TeamReferral | None = None,
    partner: int | None = None,
    kept: rules.ChannelPools | None = None,
    now: datetime | None = None,
) -> Appointment:
    """改约 in one step: the same row moves to another number, the old one is given back. A hold's clock
    restarts when staff move it, and runs on when self-service does (B14). `partner`: as for `book`; who booked first
    stays on the row. `kept`: the pools for a patient whom the house moves because of a stop (B13): no cut-off, no
    limits, no one-per-day, and the row counts no more.

    Raises TooLateToCancel, WrongState, and what `book` raises; on a refusal the old number is kept.
    """
    rule = _booking_rule(schedule, now)
    _check_level(schedule, channel, now)
    if kept is None:
        _check_agreement(schedule, partner, now)
    whose = _Whose(channel=channel, schedule=schedule, patient_id=appointment.patient_id, partner=partner)

    def ask() -> sql.Outcome:
        seen = Appointment.objects.select_related("schedule").get(pk=appointment.pk)
        own_rule = _booking_rule(seen.schedule, now)
        moment, ours = now or sql.database_now(), kept is not None
        refusal = policy.refusal_to_cancel(seen, channel=channel, rule=own_rule, now=moment, by_the_house=ours)
        if refusal and not key_is_known(by, request_key):  # what was done already is told again, however late
            raise refusal
        return sql.move_slot(
            appointment=seen.pk,
            seen_slot=seen.slot_id,
            seen_status=seen.status,
            schedule=schedule.pk,
            number=number,
            **_slice(start, rule),
            **(_claims(whose, rule, now) | (_claims_of_the_house(kept) if kept else {})),
            hold=policy.hold_for(channel, rule),
            rest=rest_time(own_rule),
            **_asker(by, request_key),
            body=fingerprint("move", seen.pk, schedule.pk, number, start),
            encounter=encounter.pk if encounter else None,
            referral=referral.pk if referral else None,
            now=now,
        )

    with _saying_special(whose, now):
        _insist(ask, rule)
    return Appointment.objects.select_related("slot", "schedule").get(pk=appointment.pk)


def _asker(by: User | None, request_key: str | None) -> dict:
    return {"actor": by.pk if by else None, "account": account_of(by), "request_key": request_key}


def account_of(by: User | None) -> int:
    """Whose request keys these are. What the house does by itself (jobs, the waitlist) shares one account."""
    return by.pk if by else HOUSE


def key_is_known(by: User | None, request_key: str | None) -> bool:
    """Whether this account has used the key, for whatever."""
    return bool(request_key) and Fact.objects.filter(account=account_of(by), request_key=request_key).exists()


def fingerprint(*asked) -> str:
    """What a request asked for, so that its key can't be used for something else."""
    words = (each.astimezone(UTC).isoformat() if isinstance(each, datetime) else str(each) for each in asked)
    return hashlib.sha256("|".join(words).encode()).hexdigest()


def rest_time(rule: BookingRule) -> timedelta:
    """A returned number re-opens at a random moment (rules.md: 60–120 min), so that nobody can wait for it."""
    return timedelta(minutes=random.uniform(rule.rest_minutes_min, rule.rest_minutes_max))


def _booking_rule(schedule: Schedule, now: datetime | None) -> BookingRule:
    return rules.booking_rule_for(schedule, day=clock.today(now or clock.now()))


def _check_level(schedule: Schedule, channel: str, now: datetime | None) -> None:
    levels = rules.consult_levels(schedule.organization_id, day=clock.today(now or clock.now()))
    refusal = policy.refusal_by_level(channel=channel, level=schedule.service.level, levels=levels)
    if refusal:
        raise refusal


def _check_agreement(schedule: Schedule, partner: int | None, now: datetime | None) -> None:
    """P3: a lower institution whose agreement ended books nothing; what it booked before stands."""
    if partner is None:
        return
    day = clock.today(now or clock.now())
    if refusal := rules.refusal_to_partner(partner, organization_id=schedule.organization_id, day=day):
        raise refusal


def _must_pay(whose: "_Whose", now: datetime | None) -> bool:
    """What must be paid first is held, not confirmed, and the caller sees it by the state of what it got. What costs
    nothing is confirmed at once."""
    schedule = whose.schedule
    return bool(
        prepaid.refusal(
            kind="appointment",
            organization=lambda: schedule.organization_id,
            channel=whose.channel,
            patient=whose.patient_id,
            now=now or clock.now(),
        )
        and fees_on(schedule.organization_id, day=schedule.day).get(schedule.service.price_code) != 0
    )


def _slice(start: datetime | None, rule: BookingRule) -> dict:
    """A slice is the numbers that start within one public segment; a query, not a table."""
    return {"from": start, "to": start + timedelta(minutes=rule.segment_minutes) if start else None}


@dataclass(frozen=True)
class _Whose:
    """Who asks for a number of what, for whom: what decides on the pools."""

    channel: str
    schedule: Schedule
    patient_id: int
    partner: int | None

    def pools(self, now: datetime | None) -> ChannelPools:
        return reserved.pools_for_patient(
            self.channel,
            organization_id=self.schedule.organization_id,
            patient_id=self.patient_id,
            day=clock.today(now or clock.now()),
            partner_id=self.partner,
        )


def _claims(whose: _Whose, rule: BookingRule, now: datetime | None) -> dict:
    """What the channel may take and what counts for it."""
    pools = whose.pools(now)
    exempt = whose.schedule.service.limits_exempt
    self_service = policy.is_self_service(whose.channel)
    return {
        "pools": list(pools.ids),
        "public": pools.public,
        "team": pools.team,
        "channel": whose.channel,
        "self_service": self_service,
        "counts": self_service and not exempt,
        "limits": policy.limits_for(whose.channel, exempt=exempt, rule=rule),
        "allow_past": policy.may_take_past_numbers(whose.channel),
    }


@contextmanager
def _saying_special(whose: _Whose, now: datetime | None):
    """Where numbers are left and all of them are kept for the special group, say that instead of "sold out" (P7)."""
    try:
        yield
    except (SoldOut, NotOpen):
        if whose.channel in special.ASKED and _only_special_left(whose, now or sql.database_now()):
            raise SpecialOnly from None
        raise


def _only_special_left(whose: _Whose, moment: datetime) -> bool:
    house, day = whose.schedule.organization_id, clock.today(moment)
    pools = rules.pools_for(whose.channel, organization_id=house, day=day, partner_id=whose.partner, special=True)
    return pools != whose.pools(moment) and bool(count_left([whose.schedule.pk], pools=pools, now=moment))


def _claims_of_the_house(kept: rules.ChannelPools) -> dict:
    return {
        "pools": list(kept.ids),
        "public": kept.public,
        "team": kept.team,
        "self_service": False,
        "counts": False,
        "limits": None,
    }


def _insist(ask: Callable[[], sql.Outcome], rule: BookingRule) -> sql.Outcome:
    """Ask, and again a few times when somebody else was just being served that number."""
    outcome = ask()
    for attempt in range(TRIES - 1):
        if outcome.code not in {"busy", "retry"}:
            break
        sleep(PAUSE * 2**attempt * random.uniform(0.5, 1.5))
        outcome = ask()
    if outcome.given:
        return outcome
    raise refusal_of(outcome, rule)


def refusal_of(outcome: sql.Outcome, rule: BookingRule):
    """The named refusal for a code that the database answered."""
    match outcome.code:
        case "limit":
            return LimitReached(day=rule.limit_day, week=rule.limit_week, quarter=rule.limit_quarter)
        case "suspended":
            return PatientSuspended(until=date_format(outcome.until.astimezone(clock.ZONE), _("n月j日")))
        case code:
            return sql.REFUSALS[code]()
