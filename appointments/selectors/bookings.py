"""我的预约: what an account sees of its people's bookings, whoever made them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment, Schedule, StopCase
from appointments.models.rules import SELF_SERVICE, Channel
from appointments.policies import booking as policy
from hospital import clock, family, masking
from hospital.errors import Refused
from hospital.models import Fact, User

from . import rules

RELATED = (
    "slot",
    "patient",
    "department",
    "schedule__organization",
    "schedule__campus",
    "schedule__room",
    "schedule__service",
    "schedule__team",
    "schedule__role__practitioner",
)
State = Appointment.Status
AHEAD = (State.PENDING, State.BOOKED, State.ARRIVED)
ENDS = ("appointment.cancelled", "appointment.dropped", "appointment.lapsed")
"""Facts that end an appointment before its visit."""

EARLY = timedelta(minutes=15)
"""How long before their slice people are asked to be at the desk."""


def of_account(account: User) -> QuerySet[Appointment]:
    """Bookings of the people whom the account looks after now (of the unproved, its own); nobody else's, ever."""
    return Appointment.objects.filter(family.seen(account, own=Q(by=account))).select_related(*RELATED)


def _ahead(now: datetime) -> Q:
    lapsed = Q(status=State.PENDING, slot__hold_until__lte=now)
    return Q(status__in=AHEAD, day__gte=clock.today(now)) & ~lapsed


def coming(account: User, *, person: int | None, now: datetime) -> list[Appointment]:
    """Held, booked or checked in, from today on, the nearest first. One query."""
    return list(_of(account, person).filter(_ahead(now)).order_by("start", "pk"))


def past(account: User, *, person: int | None, now: datetime) -> QuerySet[Appointment]:
    """Seen, missed, given back, or over; the latest first."""
    return _of(account, person).exclude(_ahead(now)).order_by("-start", "-pk")


def _of(account: User, person: int | None) -> QuerySet[Appointment]:
    rows = of_account(account)
    return rows.filter(patient=person) if person else rows


@dataclass(frozen=True)
class Ending:
    """Why there is no visit: by whom and for what reason, in words."""

    how: str
    reason: str = ""
    late: bool = False


def endings(rows: Iterable[Appointment], *, account: User) -> dict[int, Ending]:
    """How the cancelled ones among these ended. One query, none if nothing was cancelled."""
    gone = {f"appointment:{row.pk}": row for row in rows if row.status == State.CANCELLED}
    if not gone:
        return {}
    facts = Fact.objects.filter(key__in=gone, topic__in=ENDS).order_by("pk")
    return {gone[fact.key].pk: _ending(gone[fact.key], fact, account=account) for fact in facts}


def _ending(row: Appointment, fact: Fact, *, account: User) -> Ending:
    mine = fact.actor_id == account.pk
    if fact.topic == "appointment.lapsed":
        return Ending(how=_("保留时间已过，号已自动放回"))
    if fact.topic == "appointment.dropped":
        if row.schedule.status == Schedule.Status.STOPPED and not mine:
            return Ending(how=_("门诊停诊，没有确认的号已收回"), reason=row.schedule.stop_reason)
        return Ending(how=_("您放弃了这个号") if mine else _("没有确认，号已放回"))
    channel = fact.payload.get("channel", "")
    late = bool(fact.payload.get("late"))
    if mine:
        return Ending(how=_("您自己退的号"), reason=row.note, late=late)
    if channel in SELF_SERVICE:
        return Ending(
            how=_("家人或本人退的号（%(where)s）") % {"where": Channel(channel).label}, reason=row.note, late=late
        )
    where = Channel(channel).label if channel in Channel.values else _("医院")
    return Ending(how=_("医院工作人员退的号（%(where)s）") % {"where": where}, reason=row.note, late=late)


@dataclass(frozen=True)
class Card:
    """One booking as its page and the list show it."""

    row: Appointment
    begins: datetime  # the public slice, in which the number has its own minute
    ends: datetime
    cancel_by: datetime
    refusal: Refused | None  # to give it back or to move it, by self-service
    lapsed: bool
    hurry: bool = False  # there is no time left to come early: straight to the desk
    ending: Ending | None = None
    question: StopCase | None = None  # the house waits for an answer: stopped, or another doctor (B13)
    question_late: bool = False

    @property
    def masked(self) -> str:
        return masking.name(self.row.patient.name)

    @property
    def pending(self) -> bool:
        return self.row.status == State.PENDING and not self.lapsed

    @property
    def stopped(self) -> bool:
        """The clinic was stopped and this number still stands: the person has to choose."""
        return self.row.status in (State.BOOKED, State.PENDING) and self.row.schedule.status == Schedule.Status.STOPPED

    @property
    def booked(self) -> bool:
        return self.row.status == State.BOOKED and not self.stopped

    @property
    def arrived(self) -> bool:
        return self.row.status == State.ARRIVED

    @property
    def missed(self) -> bool:
        return self.row.status == State.NOSHOW

    @property
    def over(self) -> bool:
        """Nothing can be done with it any more."""
        return self.lapsed or self.row.status not in AHEAD

    @property
    def hold_until(self) -> datetime | None:
        return self.row.slot.hold_until if self.pending else None

    @property
    def state(self) -> str:
        """In words, never by colour alone."""
        if self.stopped:
            return _("停诊")
        if self.lapsed:
            return _("已过期")
        return self.row.get_status_display()

    @property
    def tone(self) -> str:
        """The class of its tag: tag--ok, tag--warn, tag--bad, or plain."""
        if self.stopped or self.missed:
            return "tag--bad"
        if self.pending:
            return "tag--warn"
        return "tag--ok" if self.row.status in (State.BOOKED, State.ARRIVED) else ""


def card_of(row: Appointment, *, now: datetime, ending: Ending | None = None, question: StopCase | None = None) -> Card:
    """Asked of the same policies as the services. No query."""
    rule = rules.booking_rule_for(row.schedule, day=clock.today(now))
    begins, ends = slice_of(row, minutes=rule.segment_minutes)
    return Card(
        row=row,
        begins=begins,
        ends=ends,
        cancel_by=policy.cancel_deadline(row.day, rule),
        refusal=policy.refusal_to_cancel(
            row, channel=Channel.WEB, rule=rule, now=now, by_the_house=question is not None
        ),
        lapsed=row.status == State.PENDING and (row.slot.hold_until is None or row.slot.hold_until <= now),
        hurry=in_a_hurry(begins, now=now),
        ending=ending,
        question=question,
        question_late=question is not None and question.deadline <= now,
    )


def in_a_hurry(begins: datetime, *, now: datetime) -> bool:
    """The moment to be at the desk has passed, or passes on the way there."""
    return now >= begins - 2 * EARLY


def cards_of(rows: Iterable[Appointment], *, account: User, now: datetime) -> list[Card]:
    """With how the cancelled ones ended, and what the house asks about those ahead: two queries."""
    rows = list(rows)
    ended, asked = endings(rows, account=account), questions(rows, now=now)
    return [card_of(row, now=now, ending=ended.get(row.pk), question=asked.get(row.pk)) for row in rows]


def questions(rows: Iterable[Appointment], *, now: datetime) -> dict[int, StopCase]:
    """Appointment → the open question about it. One query, none if nothing is ahead."""
    ahead = [row.pk for row in rows if row.status == State.BOOKED and row.start > now]
    if not ahead:
        return {}
    asked = StopCase.objects.filter(appointment__in=ahead, answer=StopCase.Answer.NONE)
    asked = asked.select_related("substitution__substitute__practitioner", "substitution__original__practitioner")
    return {case.appointment_id: case for case in asked}


def slice_at(moment: datetime, *, first: datetime, minutes: int) -> datetime:
    """Where the public slice begins that a number's own minute lies in: counted from the schedule's start."""
    span = timedelta(minutes=minutes)
    return first + span * ((moment - first) // span)


def slice_of(row: Appointment, *, minutes: int) -> tuple[datetime, datetime]:
    """The slice of an appointment; an add-on after the schedule's end has its own minutes."""
    own, own_end = row.slot.start, row.slot.start + timedelta(minutes=row.slot.minutes)
    if own >= row.schedule.ends_at:
        return own, own_end
    begins = slice_at(own, first=row.schedule.starts_at, minutes=minutes)
    return begins, min(begins + timedelta(minutes=minutes), row.schedule.ends_at)


def in_words(moment: datetime) -> str:
    """11月24日 15:00, in the hospital's zone."""
    return date_format(moment.astimezone(clock.ZONE), _("n月j日 H:i"))


def times_moved(row: Appointment) -> int:
    """How often it was moved to another number: the calendar file counts on it."""
    return Fact.objects.filter(key=f"appointment:{row.pk}", topic="appointment.moved").count()
