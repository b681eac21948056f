"""The demo's past without a round trip a booking: the booking service's decisions in memory, its rows by COPY.

Rules come from the same rows and policies; what the SQL functions decide (pools, limits, one place at a time) is
decided here again, which is why tests hold the two ways against each other and ask the invariants of both.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from appointments.demo import history, numbers
from appointments.demo.behaviour import Persona
from appointments.demo.by_service import REFERRAL_REASON
from appointments.demo.copying import Ids
from appointments.demo.ledger import Booked, Ledger
from appointments.demo.numbers import Numbers
from appointments.demo.rows import Happened, Status, Visit, status_of, visit_facts
from appointments.errors import AlreadyBooked, LimitReached, NeedsTeamReferral, NoPrice, NotOnTheTeam, PatientSuspended
from appointments.models import Appointment, BookingRule, Pool, Schedule
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.policies import visit as visit_policy
from appointments.selectors import rules
from appointments.services.booking import account_of, fingerprint
from hospital import clock
from hospital.models import CareTeamMember, PriceItem, User

LONGEST = timedelta(days=95)  # a limit looks 90 days either way


@dataclass(slots=True, eq=False)
class Drawn(Booked):
    """An appointment that is not written yet."""

    place: int = 0
    slot: int = 0
    end: datetime | None = None
    self_service: bool = False
    counts: bool = False
    fee: Decimal = Decimal(0)
    visit_type: str = "first"
    by: int | None = None
    booked_from: int | None = None
    referral: int | None = None
    partner: int | None = None  # the lower institution that booked it
    made_at: datetime | None = None
    opened_at: datetime | None = None
    cancelled_at: datetime | None = None
    status: str = "booked"


class InBulk:
    """Gives numbers from memory; a day is written when it is over, the rest by `finish`."""

    def __init__(self, ledger: Ledger, *, told_before: datetime):
        self.ledger, self.told_before = ledger, told_before
        self.appointments, self.encounters = Ids("appointments_appointment"), Ids("appointments_encounter")
        self.referrals, self.suspensions = Ids("appointments_teamreferral"), Ids("appointments_patientsuspension")
        self.numbers: dict[date, dict[int, Numbers]] = {}
        self.diary: dict[int, list[Drawn]] = defaultdict(list)  # patient → live ones
        self.missed: dict[int, list[date]] = defaultdict(list)  # patient → days of no-shows since the last suspension
        self.suspended: dict[int, datetime] = {}
        self.today = history.Day()
        self.members = set(CareTeamMember.objects.filter(active=True).values_list("team", "role__practitioner"))
        self.public = dict(Pool.objects.filter(kind=Pool.Kind.PUBLIC).values_list("organization", "pk"))
        self.prices: dict[tuple, list[PriceItem]] = defaultdict(list)
        for price in PriceItem.objects.all():
            self.prices[price.organization_id, price.code].append(price)

    def numbers_of(self, schedule: Schedule) -> Numbers:
        if schedule.day not in self.numbers:
            self.numbers[schedule.day] = self._read(schedule.day)
        return self.numbers[schedule.day][schedule.pk]

    def _read(self, day: date) -> dict[int, Numbers]:
        return numbers.read(self.ledger.clinics.all_on(day), public=self.public)

    def book(self, *, person: Persona, schedule: Schedule, channel: str, moment: datetime, by: User | None,
             visit_type: str, encounter: int | None = None, referral: int | None = None,
             opened_at: datetime | None = None, partner: int | None = None) -> Drawn:  # fmt: skip
        row = Drawn(
            0, person.patient, schedule, moment, channel, visit_type == Appointment.VisitType.FIRST,
            clock.today(moment), visit_type=visit_type, by=by.pk if by else None, booked_from=encounter,
            referral=referral, partner=partner, made_at=moment, opened_at=opened_at,
        )  # fmt: skip
        self._place(row, schedule, channel=channel, moment=moment)
        row.appointment = next(self.appointments)
        self.diary[person.patient].append(row)
        self._tell(
            "appointment.booked", row, moment, actor=row.by, account=account_of(by), channel=channel, extra=False,
            body=fingerprint("book", schedule.pk, person.patient, None, None),
        )  # fmt: skip
        return row

    def _place(self, row: Drawn, schedule: Schedule, *, channel: str, moment: datetime, moving: bool = False) -> None:
        """Find the number and write it into `row`. Raises the service's refusals and changes nothing then."""
        today = clock.today(moment)
        rule = rules.booking_rule_for(schedule, day=today)
        levels = rules.consult_levels(schedule.organization_id, day=today)
        if refusal := policy.refusal_by_level(channel=channel, level=schedule.service.level, levels=levels):
            raise refusal
        gated = schedule.gate_team_id is not None
        if gated and row.referral is None:
            raise NeedsTeamReferral
        fee, found = self._fee(schedule), self.numbers_of(schedule)
        partner = row.partner if channel == Channel.PARTNER else None
        house = schedule.organization_id
        pools = rules.pools_for(channel, organization_id=house, day=today, partner_id=partner)
        open_pools = found.open_pools(pools, gated=gated, moment=moment)
        others = [each for each in self.diary[row.patient] if each is not row]
        self_service, exempt = policy.is_self_service(channel), schedule.service.limits_exempt
        look = partial(found.takeable, open_pools, moment=moment, allow_past=policy.may_take_past_numbers(channel))
        if not moving:
            look()  # the loser hears "sold out" before anything about himself
        if self_service:
            self._check_limits(row.patient, others, schedule, exempt=exempt, rule=rule, channel=channel, moment=moment)
        busy = [(each.start, each.end) for each in others if each.schedule.day == schedule.day]
        place = found.first_fitting(look(), busy)
        if moving:
            self._give_back(row, moment)
        found.take(place, row, moment=moment)
        row.schedule, row.place, row.slot = schedule, place, found.ids[place]
        row.start, row.end = found.starts[place], found.end(place)
        row.self_service, row.counts, row.fee = self_service, self_service and not exempt, fee

    def _fee(self, schedule: Schedule) -> Decimal:
        for price in self.prices[schedule.organization_id, schedule.service.price_code]:
            if price.effective_from <= schedule.day and (
                price.effective_to is None or schedule.day <= price.effective_to
            ):
                return price.amount
        raise NoPrice

    def _check_limits(self, patient: int, others: list[Drawn], schedule: Schedule, *, exempt: bool, rule: BookingRule,
                      channel: str, moment: datetime) -> None:  # fmt: skip
        until = self.suspended.get(patient)
        if until and until > moment:
            raise PatientSuspended(until=str(until.date()))
        day = schedule.day
        if any(each.schedule.day == day and each.schedule.department_id == schedule.department_id for each in others):
            raise AlreadyBooked
        limits = policy.limits_for(channel, exempt=exempt, rule=rule)
        if limits is None:
            return
        days = [each.schedule.day for each in others if each.counts] + [day]
        for limit, span in zip(limits, (1, 7, 90), strict=True):
            last = timedelta(days=span - 1)
            firsts = [first for first in days if day - last <= first <= day]
            if any(sum(first <= each <= first + last for each in days) > limit for first in firsts):
                raise LimitReached(day=rule.limit_day, week=rule.limit_week, quarter=rule.limit_quarter)

    def cancel(self, row: Drawn, *, channel: str, moment: datetime) -> None:
        late = self._check_cancel(row, channel=channel, moment=moment)
        self._give_back(row, moment)
        row.status, row.cancelled_at = "cancelled", moment
        self.diary[row.patient].remove(row)
        self.today.cancelled.append(row)
        body = fingerprint("cancel", row.appointment)
        self._tell("appointment.cancelled", row, moment, body=body, channel=channel, late=late)

    def _check_cancel(self, row: Drawn, *, channel: str, moment: datetime) -> bool:
        """Whether it is late; raises when it is too late."""
        rule = rules.booking_rule_for(row.schedule, day=clock.today(moment))
        seen = Appointment(status=row.status, day=row.schedule.day, schedule=row.schedule)
        if refusal := policy.refusal_to_cancel(seen, channel=channel, rule=rule, now=moment):
            raise refusal
        return policy.is_late(seen, rule=rule, now=moment)

    def _give_back(self, row: Drawn, moment: datetime) -> None:
        rule = rules.booking_rule_for(row.schedule, day=clock.today(moment))
        rest = timedelta(minutes=self.ledger.dice.uniform(rule.rest_minutes_min, rule.rest_minutes_max))
        self.numbers_of(row.schedule).give_back(row.place, rest=rest, moment=moment)

    def move(self, row: Drawn, *, schedule: Schedule, channel: str, moment: datetime) -> None:
        self._check_cancel(row, channel=channel, moment=moment)
        old, old_slot, old_start = row.schedule, row.slot, row.start
        self._place(row, schedule, channel=channel, moment=moment, moving=True)
        was = {"from_schedule": old.pk, "from_slot": old_slot, "from_start": old_start.astimezone(UTC).isoformat()}
        body = fingerprint("move", row.appointment, schedule.pk, None, None)
        self._tell("appointment.moved", row, moment, body=body, account=account_of(None), channel=channel, held=False,
                   **was)  # fmt: skip

    def refer(self, visit: Visit, *, doctor: User, moment: datetime) -> int:
        team = visit.schedule.team_id
        if (team, visit.practitioner) not in self.members:
            raise NotOnTheTeam
        days = rules.booking_rule_for(visit.schedule, day=clock.today(moment)).referral_days
        referral = next(self.referrals)
        self.today.referrals.append(
            (referral, team, visit.turn.booked.patient, visit.encounter, visit.practitioner, REFERRAL_REASON, moment,
             moment + timedelta(days=days))
        )  # fmt: skip
        payload = {"referral": referral, "team": team, "encounter": visit.encounter}
        self.today.facts.append(
            Happened(moment, "team_referral.created", f"team_referral:{referral}", payload, doctor.pk)
        )
        return referral

    def write_visits(self, visits: list[Visit]) -> None:
        """Remembered for the day's end."""
        now, desk = self.ledger.now, self.ledger.users["fenzhen"].pk
        for visit in visits:
            visit.encounter = next(self.encounters)
            finished = status_of(visit.turn, now=now) == Status.FINISHED
            visit.turn.booked.status = "fulfilled" if finished else "arrived"
            doctor = self.ledger.account.get(visit.practitioner)
            self.today.facts += visit_facts(visit, now=now, desk=desk, doctor=doctor)
        self.today.visits += visits

    def end_day(self, day: date, *, at: datetime) -> None:
        """No-shows, what was shared with the public, and everything of the day into the tables."""
        rows = [row for rows in self.ledger.booked[day].values() for row in rows]
        for row in sorted(rows, key=lambda one: one.appointment):
            if row.status == "booked":
                self._miss(row, at=at)
            self._leave_old(row.patient, day)
        self.today.appointments += rows
        places = self.numbers.pop(day, None) or self._read(day)
        history.write_numbers(self.today, places.values())
        self._write()

    def _leave_old(self, patient: int, day: date) -> None:
        self.diary[patient] = [row for row in self.diary[patient] if row.schedule.day > day - LONGEST]

    def _miss(self, row: Drawn, *, at: datetime) -> None:
        """As mark_noshows: the row, and a suspension when the rule's number is reached."""
        row.status, day = "noshow", row.schedule.day
        self.today.noshows.append((row.appointment, row.patient, day, at, None))
        payload = {"schedule": row.schedule.pk, "department": row.schedule.department_id}
        self.today.facts.append(Happened(at, "appointment.noshow", f"appointment:{row.appointment}", payload))
        rule = rules.organization_booking_rule(row.schedule.organization_id, day=clock.today(at))
        since = clock.today(at) - timedelta(days=rule.noshow_days)
        counted = [each for each in self.missed[row.patient] if each > since] + [day]
        self.missed[row.patient] = counted
        if visit_policy.too_many_noshows(count=len(counted), rule=rule):
            self._suspend(row.patient, len(counted), rule, at=at)

    def _suspend(self, patient: int, count: int, rule: BookingRule, *, at: datetime) -> None:
        until, suspension = at + timedelta(days=rule.suspension_days), next(self.suspensions)
        reason = f"{rule.noshow_days}天内爽约{count}次"
        self.today.suspensions.append((suspension, patient, at, until, reason, None))
        payload = {"suspension": suspension, "noshows": count}
        self.today.facts.append(Happened(at, "patient.suspended", f"patient:{patient}", payload))
        self.suspended[patient], self.missed[patient] = until, []

    def finish(self) -> None:
        """The bookings of the days that are left to the services."""
        for day in sorted(self.ledger.booked):
            self.today.appointments += [row for rows in self.ledger.booked[day].values() for row in rows]
        history.hand_over(self.today, self.numbers)
        self._write()

    def _write(self) -> None:
        history.write(self.today, now=self.ledger.now, desk=self.ledger.users["fenzhen"].pk,
                      told_before=self.told_before)  # fmt: skip
        self.today = history.Day()

    def _tell(self, topic: str, row: Drawn, moment: datetime, *, body: str, actor: int | None = None,
              account: int | None = None, **more) -> None:  # fmt: skip
        payload = {"appointment": row.appointment, "schedule": row.schedule.pk, "slot": row.slot, **more}
        self.today.facts.append(
            Happened(moment, topic, f"appointment:{row.appointment}", payload, actor, account, body)
        )
