"""候补 (B9) as its patient sees it: the session to wait for, who of the people may, and what they wait for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from appointments.errors import TooManyWaits, WaitingAlready
from appointments.models import Appointment, Schedule, Slot, WaitlistEntry, WaitlistOffer
from appointments.models.waitlist import OPEN
from appointments.selectors import bookings, rules, waitlist
from appointments.selectors.candidates import RELATED, Candidate, Chosen, candidates_for
from appointments.selectors.desk import fees_on
from hospital import clock, family, masking
from hospital.models import RelatedPerson, User

Status, Why, State = WaitlistEntry.Status, WaitlistEntry.Why, WaitlistOffer.State


@dataclass(frozen=True)
class Waiting:
    """An entry on a page, as it is at this moment, whether the worker has written so or not: `waiting` in its place,
    `offered` a number until the offer's deadline, `filled`, `left`, or `ended` with why."""

    entry: WaitlistEntry
    state: str
    place: int | None = None
    offer: WaitlistOffer | None = None  # that stands, or was accepted
    begins: datetime | None = None  # the public slice of the number
    ends: datetime | None = None
    why: str = ""  # in words

    @property
    def masked(self) -> str:
        return masking.name(self.entry.patient.name)

    @property
    def ahead(self) -> int:
        return (self.place or 1) - 1

    @property
    def offered(self) -> bool:
        return self.state == "offered"

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "offered")


# ---- the session to wait for ----


def session(schedule_id: int, *, now: datetime) -> Chosen | None:
    """A whole half-day, with all its numbers that are still ahead: any of them may come back. Three queries."""
    schedule = Schedule.objects.select_related(*RELATED).filter(pk=schedule_id).first()
    if schedule is None:
        return None
    slots = Slot.objects.filter(schedule=schedule, start__gt=now).exclude(status=Slot.Status.BLOCKED)
    return Chosen(
        schedule=schedule,
        start=schedule.starts_at,
        ends=schedule.ends_at,
        fee=fees_on(schedule.organization_id, day=schedule.day).get(schedule.service.price_code),
        rule=rules.booking_rule_for(schedule, day=clock.today(now)),
        numbers=tuple((start, start + timedelta(minutes=m)) for start, m in slots.values_list("start", "minutes")),
    )


def candidates(people: list[RelatedPerson], chosen: Chosen, *, account: User, now: datetime) -> list[Candidate]:
    """Who may join, by the laws that joining asks: those of booking, once a session, and so many at once."""
    schedule = chosen.schedule.pk
    waits = waits_of(people, account=account, now=now)
    here = {wait.entry.patient_id: wait.entry.pk for wait in waits if wait.entry.schedule_id == schedule}
    every = WaitlistEntry.objects.filter(patient__in=[each.patient_id for each in people], status__in=OPEN)
    counts = Counter(every.values_list("patient", flat=True))  # those too that this account does not see
    found = []
    for each in candidates_for(people, chosen, account=account, now=now):
        if each.pk in here:
            each = replace(each, refusal=WaitingAlready(), waits=here[each.pk])
        elif each.refusal is None and counts[each.pk] >= chosen.rule.waitlist_most:
            each = replace(each, refusal=TooManyWaits(most=chosen.rule.waitlist_most))
        found.append(each)
    return found


# ---- what they wait for ----


def of_account(account: User) -> QuerySet[WaitlistEntry]:
    """Entries of the people whom the account looks after now (of the unproved, its own); nobody else's, ever."""
    rows = WaitlistEntry.objects.filter(family.seen(account, own=Q(by=account)))
    return rows.select_related(*waitlist.RELATED)


def waits_of(people: Iterable[RelatedPerson], *, account: User, now: datetime) -> list[Waiting]:
    """The open ones, numbers to accept first. Two queries."""
    people = list(people)
    unproved = {each.patient_id for each in people if each.proof == RelatedPerson.Proof.REGISTERED}
    found = [
        waiting_of(wait.entry, place=wait.place, offer=wait.offer, now=now)
        for wait in waitlist.open_entries(people)
        if wait.entry.by_id == account.pk or wait.entry.patient_id not in unproved
    ]
    return sorted(found, key=lambda each: not each.offered)


def one(account: User, pk: int, *, now: datetime) -> Waiting | None:
    """An entry with its latest offer, whatever became of it. Two queries."""
    entry = waitlist.with_place(of_account(account)).filter(pk=pk).first()
    if entry is None:
        return None
    offer = entry.offers.select_related("appointment__slot").order_by("-pk").first()
    return waiting_of(entry, place=entry.place if entry.status == Status.WAITING else None, offer=offer, now=now)


def waiting_of(entry: WaitlistEntry, *, place: int | None, offer: WaitlistOffer | None, now: datetime) -> Waiting:
    if entry.status == Status.WAITING:
        return Waiting(entry=entry, state="waiting", place=place)
    if entry.status == Status.WITHDRAWN:
        return Waiting(entry=entry, state="left")
    row = offer.appointment if offer else None
    there = row is not None and row.schedule_id == entry.schedule_id
    if there and entry.status == Status.OFFERED and row.status == Appointment.Status.PENDING and offer.deadline > now:
        row.schedule = entry.schedule  # the same row, not fetched again
        minutes = rules.booking_rule_for(entry.schedule, day=clock.today(now)).segment_minutes
        begins, ends = bookings.slice_of(row, minutes=minutes)
        return Waiting(entry=entry, state="offered", offer=offer, begins=begins, ends=ends)
    if entry.status == Status.FILLED or (there and row.live and row.status != Appointment.Status.PENDING):
        return Waiting(entry=entry, state="filled", offer=offer)
    return Waiting(entry=entry, state="ended", why=str(Why(entry.why or Why.LAPSED).label))


def entry_of_hold(appointment: Appointment) -> int | None:
    """The open entry whose offer this pending number is. One query."""
    rows = WaitlistOffer.objects.filter(appointment=appointment.pk, state=State.OPEN)
    rows = rows.filter(entry__schedule=appointment.schedule_id)
    return rows.values_list("entry", flat=True).first()
