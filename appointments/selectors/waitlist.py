"""候补 (B9) as pages and the service ask for it: who waits in which place, why no number went out, who may join."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import Inactive, NeedsTeamReferral, NoPrice, NoSuchNumber, NotOpen, PastNumber, Stopped
from appointments.models import Appointment, PatientSuspension, Schedule, Slot, WaitlistEntry, WaitlistOffer
from appointments.models.waitlist import OPEN
from appointments.policies import booking as booking_policy
from appointments.policies import waitlist as policy
from appointments.policies import who
from hospital import clock, masking
from hospital.errors import Refused
from hospital.models import RelatedPerson

from . import promised, reserved, rules
from .numbers import SOURCE, count_left
from .rules import ChannelPools

Status = WaitlistEntry.Status

GROUND = "SELECT code, pools FROM booking_ground(%s, %s, %s, %s::bigint[], %s, %s, NULL, NULL, NULL, %s)"
"""The claim's own answer whether the session is open to a channel, and which pools it may take from (sql/)."""

CLOSED: dict[str, type[Refused]] = {
    refusal.code: refusal
    for refusal in (NoSuchNumber, Stopped, PastNumber, Inactive, NoPrice, NeedsTeamReferral, NotOpen)
}
RELATED = (
    "patient",
    "schedule__organization",
    "schedule__campus",
    "schedule__department",
    "schedule__room",
    "schedule__service",
    "schedule__team",
    "schedule__role__practitioner",
)


# ---- the line ----


def line_of(schedule_id: int) -> QuerySet[WaitlistEntry]:
    """Who waits for a number of this session, whose turn it is first."""
    rows = WaitlistEntry.objects.filter(schedule=schedule_id, status=Status.WAITING)
    return rows.order_by("priority", "joined_at", "pk")


def with_place(rows: QuerySet[WaitlistEntry]) -> QuerySet[WaitlistEntry]:
    """Each with its `place` in the line of its session; of one that does not wait any more it says nothing."""
    line = WaitlistEntry.objects.filter(schedule=OuterRef("schedule"), status=Status.WAITING)
    same = Q(priority=OuterRef("priority"))
    before = (
        Q(priority__lt=OuterRef("priority"))
        | same & Q(joined_at__lt=OuterRef("joined_at"))
        | same & Q(joined_at=OuterRef("joined_at"), pk__lt=OuterRef("pk"))
    )
    ahead = line.filter(before).order_by().values("schedule").annotate(ahead=Count("pk")).values("ahead")
    return rows.annotate(place=Coalesce(Subquery(ahead), Value(0)) + 1)


def place_in_line(entry: WaitlistEntry) -> int | None:
    """1: its turn is next. None: it does not wait (any more)."""
    row = with_place(WaitlistEntry.objects.filter(pk=entry.pk, status=Status.WAITING)).first()
    return row.place if row else None


@dataclass(frozen=True)
class Wait:
    """An open entry as its patient sees it: a place in line, or a number to accept until its deadline."""

    entry: WaitlistEntry
    place: int | None
    offer: WaitlistOffer | None

    @property
    def name(self) -> str:
        return masking.name(self.entry.patient.name)


def open_entries(people: Iterable[RelatedPerson]) -> list[Wait]:
    """Of these people, the sessions soonest first. Two queries."""
    patients = {each.patient_id for each in people}
    rows = with_place(WaitlistEntry.objects.filter(patient__in=patients, status__in=OPEN))
    offers = WaitlistOffer.objects.filter(state=WaitlistOffer.State.OPEN).select_related("appointment__slot")
    rows = rows.select_related(*RELATED).prefetch_related(Prefetch("offers", offers, to_attr="standing"))
    return [
        Wait(
            entry=row,
            place=row.place if row.status == Status.WAITING else None,
            offer=row.standing[0] if row.standing else None,
        )
        for row in rows.order_by("schedule__starts_at", "pk")
    ]


# ---- the office's drawer ----


@dataclass(frozen=True)
class Line:
    """One who waits, as the office reads it. `why`: a number came back and was not offered to them; `deadline`: one
    was, until then."""

    place: int | None
    name: str
    special: bool
    since: datetime
    state: str
    why: str
    deadline: datetime | None


@dataclass(frozen=True)
class Queue:
    """`note`: why nothing goes out to anybody at this moment; `over`: (state, how many) of those that are settled."""

    lines: list[Line]
    note: str
    over: list[tuple[str, int]]
    closes_at: datetime | None  # null: nobody waits


def for_schedule(schedule: Schedule, *, now: datetime) -> Queue:
    """The line of one session in its order, those with a number to accept first. Four queries at most."""
    counts = Counter(dict(_counts(schedule)))
    over = [(str(Status(state).label), counts[state]) for state in Status.values if counts[state] and state not in OPEN]
    if not any(counts[state] for state in OPEN):
        return Queue(lines=[], note="", over=over, closes_at=None)
    rows = WaitlistEntry.objects.filter(schedule=schedule, status__in=OPEN).select_related("patient")
    offers = WaitlistOffer.objects.filter(state=WaitlistOffer.State.OPEN)
    rows = rows.prefetch_related(Prefetch("offers", offers, to_attr="standing"))
    rows = list(rows.order_by(F("status").asc(), "priority", "joined_at", "pk"))  # offered before waiting
    place = 0
    lines = []
    for row in rows:
        place += row.status == Status.WAITING
        lines.append(_line(row, place if row.status == Status.WAITING else None))
    return Queue(
        lines=lines,
        note=_note(schedule, now=now) if place else "",
        over=over,
        closes_at=max(row.closes_at for row in rows),
    )


def _counts(schedule: Schedule) -> Iterable[tuple[str, int]]:
    rows = WaitlistEntry.objects.filter(schedule=schedule).order_by().values_list("status")
    return rows.annotate(count=Count("pk"))


def _line(row: WaitlistEntry, place: int | None) -> Line:
    return Line(
        place=place,
        name=masking.name(row.patient.name),
        special=row.priority == WaitlistEntry.Priority.SPECIAL,
        since=row.joined_at,
        state=row.get_status_display(),
        why=row.get_passed_display() if row.passed else "",
        deadline=row.standing[0].deadline if row.standing else None,
    )


def _note(schedule: Schedule, *, now: datetime) -> str:
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    if not policy.offers_now(rule, now=now):
        from_at = policy.offers_from(rule, now=now).astimezone(clock.ZONE)
        return _("夜间不发，%(at)s起有空号再按顺序发。") % {"at": date_format(from_at, "m-d H:i")}
    return "" if to_give(schedule.pk, now=now) else _("没有空号；有人退号就按顺序发。")


# ---- numbers that the waitlist may take ----


def giveable(*, now: datetime) -> Q:
    """Numbers that nobody has, those that rest too: the waitlist comes before their clock (B14)."""
    return Q(status__in=[Slot.Status.FREE, Slot.Status.RESTING], start__gt=now)


def to_give(schedule_id: int, *, now: datetime) -> int:
    """How many numbers of the session nobody has, whatever their pool."""
    return Slot.objects.filter(giveable(now=now), schedule=schedule_id).count()


# ---- who may join ----


def may_join(schedule: Schedule, *, channel: str, now: datetime, patient_id: int | None = None) -> Refused | None:
    """Why this session has no line to join through this channel; None: it is full and has one.

    With a patient, whether numbers are left is asked for that very person (P7).
    """
    closes = policy.closes_at(schedule.day, rules.booking_rule_for(schedule, day=clock.today(now)))
    refusal = policy.refusal_to_join(schedule, channel=channel, closes=closes, now=now)
    if refusal:
        return refusal
    pools = pools_of(schedule, channel=channel, patient_id=patient_id, now=now)
    code, usable = ground(schedule, channel=channel, pools=pools, patient_id=patient_id, now=now)
    if code:
        return CLOSED[code]()
    if not _numbers(schedule, usable, now=now).exists():
        return NotOpen()  # none of its numbers is for this channel
    return policy.refusal_while_numbers(count_left([schedule.pk], pools=pools, now=now).get(schedule.pk, 0))


def pools_of(schedule: Schedule, *, channel: str, patient_id: int | None, now: datetime) -> ChannelPools:
    house, day = schedule.organization_id, clock.today(now)
    return reserved.pools_for_patient(channel, organization_id=house, patient_id=patient_id, day=day)


def ground(
    schedule: Schedule, *, channel: str, pools: ChannelPools, patient_id: int | None, now: datetime
) -> tuple[str | None, list[int]]:
    """(why not, or None; pools whose numbers may be taken now): booking_ground's answer."""
    asked = [schedule.pk, patient_id, channel, list(pools.ids), pools.public, pools.team, now]
    with connection.cursor() as cursor:
        cursor.execute(GROUND, asked)
        code, usable = cursor.fetchone()
    return code, usable or []


def _numbers(schedule: Schedule, pools: list[int], *, now: datetime) -> QuerySet[Slot]:
    """The session's numbers that are this channel's and still ahead, the taken ones too."""
    return Slot.objects.filter(schedule=schedule, pool__in=pools, start__gt=now).exclude(status=Slot.Status.BLOCKED)


def refusals(patients: Iterable[int], schedule: Schedule, *, channel: str, now: datetime) -> dict[int, Refused | None]:
    """Why each of them could not take a number of it anyway, by the laws of booking: suspended, limits, booked that
    day, elsewhere at that time. Four queries, however many people; staff channels are not limited (rules.md)."""
    patients = list(patients)
    if not booking_policy.is_self_service(channel):
        return dict.fromkeys(patients)
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    limits = booking_policy.limits_for(channel, exempt=schedule.service.limits_exempt, rule=rule)
    slots = Slot.objects.filter(schedule=schedule, start__gt=now).exclude(status=Slot.Status.BLOCKED)
    numbers = [(start, start + timedelta(minutes=m)) for start, m in slots.values_list("start", "minutes")]
    people = _people(patients, schedule, now=now)
    return {
        pk: who.refusal_to_give(
            people[pk],
            day=schedule.day,
            department_id=schedule.department_id,
            numbers=numbers,
            limits=limits,
            rule=rule,
        )
        for pk in patients
    }


def _people(patients: list[int], schedule: Schedule, *, now: datetime) -> dict[int, who.Person]:
    """A hold that has run out is no visit and no promise: booking lapses a person's own first."""
    span = timedelta(days=who.QUARTER)
    rows = Appointment.objects.filter(patient__in=patients, day__gt=schedule.day - span, day__lt=schedule.day + span)
    rows = rows.exclude(status=Appointment.Status.CANCELLED)
    run_out = Q(status=Appointment.Status.PENDING, slot__hold_until__lte=now)
    visits, times = defaultdict(list), defaultdict(list)
    for patient, day, department, counts in rows.exclude(run_out).values_list(
        "patient_id", "day", "department_id", "counts"
    ):
        visits[patient].append(who.Visit(day=day, department_id=department, counts=counts))
    hours = (schedule.starts_at, schedule.ends_at)
    busy = promised.times_of(patients, between=hours)
    busy = busy.exclude(source=SOURCE, source_id__in=rows.filter(run_out).values("pk"))
    for patient, during in busy.values_list("patient_id", "during"):
        times[patient].append((during.lower, during.upper))
    suspended = PatientSuspension.objects.filter(patient__in=patients, lifted_at=None, starts_at__lte=now)
    suspended = dict(suspended.filter(ends_at__gt=now).order_by().values_list("patient").annotate(until=Max("ends_at")))
    return {
        pk: who.Person(visits=tuple(visits[pk]), times=tuple(times[pk]), suspended_until=suspended.get(pk))
        for pk in patients
    }


def anybody_waits() -> bool:
    """Whether any entry is open in the whole house; one look at a partial index."""
    return WaitlistEntry.objects.filter(status__in=OPEN).exists()
