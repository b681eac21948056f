"""What a channel may take of some schedules at this moment, number by number, as the claim itself would see it.

Mirrors the claim in sql/book_slot.sql for looking: an expired hold counts as free unless it would rest as soon as it
is let go (sql/would_rest.sql), a pool counts from its `opens_at`, and as public from its `shared_from`. The claim
decides; this only draws the page.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, Case, DateTimeField, Exists, F, Func, OuterRef, Q, Value, When

from appointments.models import Allotment, Appointment, Pool, Schedule, Slot

from . import promised
from .rules import ChannelPools

LETTERS = "ASFGHJKLZXCVBYUIOTM"
"""Keys for numbers: N, Q W E R, D and P have their own meaning on the page."""

SOURCE = "appointment"
"""PatientTime.source of rows that an appointment holds."""


@dataclass(frozen=True)
class Number:
    """One number as the consult room shows it."""

    slot: int
    number: int
    start: datetime
    minutes: int
    kind: str
    state: str  # free, mine (held for this patient), booked (this patient's), clash, gone
    letter: str = ""
    appointment: int | None = None

    @property
    def ends(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def free(self) -> bool:
        return self.state == "free"


@dataclass
class Session:
    """A schedule with its numbers that the channel may see, and what is left in which pool."""

    schedule: Schedule
    numbers: list[Number] = field(default_factory=list)
    consult_left: int = 0
    public_left: int = 0
    taken: int = 0
    total: int = 0

    @property
    def left(self) -> int:
        return self.consult_left + self.public_left

    @property
    def stopped(self) -> bool:
        return self.schedule.status == Schedule.Status.STOPPED

    @property
    def percent(self) -> int:
        """Taken of all numbers, for the fill bar."""
        return round(100 * self.taken / self.total) if self.total else 0

    @property
    def few(self) -> bool:
        return self.left <= 2

    @property
    def free_numbers(self) -> list[Number]:
        return [number for number in self.numbers if number.free]


def takeable(*, now: datetime) -> Q:
    """Numbers that nobody has: free, or a rest or hold whose time has passed, but for a hold that would rest now."""
    rested = Q(status=Slot.Status.RESTING, hold_until__lte=now)
    lapsed = Q(status=Slot.Status.HELD, hold_until__lte=now) & ~Q(would_rest(now))
    return (Q(status=Slot.Status.FREE) | rested | lapsed) & Q(start__gt=now)


def would_rest(now: datetime) -> Func:
    """Of a number held too long: it would rest as soon as anybody asked for it (B14)."""
    moment = Value(now, output_field=DateTimeField())
    return Func(F("pk"), moment, function="booking_would_rest", output_field=BooleanField())


def open_to(pools: ChannelPools, *, now: datetime) -> Exists:
    """The number's pool is one of the channel's and open, or is shared and the channel takes from public.

    A leading expert's own schedule opens its team pool only; who may see that one is decided before (B11).
    """
    opened = Q(pool__in=pools.ids, opens_at__lte=now)
    if pools.public:
        opened |= Q(shared_from__lte=now)
    plain = Q(schedule__gate_team=None) & opened
    gated = Q(schedule__gate_team__isnull=False, pool=pools.team, opens_at__lte=now)
    return Exists(Allotment.objects.filter(plain | gated, schedule=OuterRef("schedule"), pool=OuterRef("pool")))


LEFT = """
SELECT c.id, takeable.numbers, takeable.first
  FROM appointments_schedule c
 CROSS JOIN LATERAL (
       SELECT array_agg(a.pool_id) AS pools
         FROM appointments_allotment a
        WHERE a.schedule_id = c.id
          AND CASE WHEN c.gate_team_id IS NULL
                   THEN (a.pool_id = ANY (%(pools)s::bigint[]) AND a.opens_at <= %(now)s)
                        OR (%(public)s::bigint IS NOT NULL AND a.shared_from <= %(now)s)
                   ELSE a.pool_id = %(team)s::bigint AND a.opens_at <= %(now)s END) usable
 CROSS JOIN LATERAL (
       SELECT count(*) AS numbers, min(s.start) AS first
         FROM appointments_slot s
        WHERE s.schedule_id = c.id AND s.status IN ('free', 'held', 'resting')
          AND (s.status = 'free'
               OR s.hold_until <= %(now)s AND NOT (s.status = 'held' AND booking_would_rest(s.id, %(now)s)))
          AND (%(past_too)s OR s.start > %(now)s)
          AND s.pool_id = ANY (usable.pools)) takeable
 WHERE c.id = ANY (%(schedules)s::bigint[]) AND takeable.numbers > 0
"""
"""Per schedule its usable pools once, then its takeable numbers by the partial index, whatever the planner thinks of
the size of the tables. With EXISTS per number it took six times as long."""


def count_left(schedules: Iterable[int], *, pools: ChannelPools, now: datetime) -> dict[int, int]:
    """Schedule → how many numbers the channel could take now; schedules with none are left out.

    The rule of takeable() and open_to() in one statement; a test holds them equal.
    """
    rows = left_with_first(schedules, pools=pools, now=now, past_too=False)
    return {schedule: left for schedule, (left, _first) in rows.items()}


def left_with_first(
    schedules: Iterable[int], *, pools: ChannelPools, now: datetime, past_too: bool
) -> dict[int, tuple[int, datetime]]:
    """Schedule → (numbers left, start of the first); `past_too`: those whose minute has passed as well."""
    values = {"schedules": list(schedules), "pools": list(pools.ids), "public": pools.public, "team": pools.team}
    with connection.cursor() as cursor:
        cursor.execute(LEFT, values | {"now": now, "past_too": past_too})
        return {schedule: (left, first) for schedule, left, first in cursor.fetchall()}


def _usable_pools(schedules: list[Schedule], *, pools: ChannelPools, now: datetime) -> dict[int, dict[int, bool]]:
    """Schedule → pool → is it shared by now (its numbers count as public). As booking_ground in sql/."""
    gated = {schedule.pk for schedule in schedules if schedule.gate_team_id}
    usable: dict[int, dict[int, bool]] = defaultdict(dict)
    rows = Allotment.objects.filter(schedule__in=schedules).values_list("schedule", "pool", "opens_at", "shared_from")
    for schedule, pool, opens_at, shared_from in rows:
        allowed, public = ((pools.team,), None) if schedule in gated else (pools.ids, pools.public)
        shared = bool(public and shared_from and shared_from <= now)
        if shared or (pool in allowed and opens_at <= now):
            usable[schedule][pool] = shared
    return usable


def _patients_hours(schedules: list[Schedule], *, patient, now: datetime) -> tuple[dict[int, Appointment], list]:
    """This patient's live appointments by slot, and the times already promised elsewhere.

    A hold that has run out does not stand in the way: booking lapses it first.
    """
    if patient is None or not schedules:
        return {}, []
    live = (
        Appointment.objects.filter(patient=patient, schedule__in=schedules)
        .exclude(status=Appointment.Status.CANCELLED)
        .select_related("slot")
    )
    mine = {}
    for appointment in live:
        lapsed = appointment.status == Appointment.Status.PENDING and (
            appointment.slot.hold_until is None or appointment.slot.hold_until <= now
        )
        if not lapsed:
            mine[appointment.slot_id] = appointment
    first = min(schedule.starts_at for schedule in schedules)
    last = max(schedule.ends_at for schedule in schedules)
    run_out = Appointment.objects.filter(
        patient=patient, status=Appointment.Status.PENDING, slot__hold_until__lte=now
    ).values("pk")
    times = (
        promised.times_of([patient.pk], between=(first, last))
        .exclude(source=SOURCE, source_id__in=run_out)
        .values_list("during", flat=True)
    )
    return mine, list(times)


def _state(row: dict, *, mine: dict[int, Appointment], times: list, now: datetime) -> str:
    if appointment := mine.get(row["id"]):
        return "mine" if appointment.status == Appointment.Status.PENDING else "booked"
    passed = row["status"] in (Slot.Status.HELD, Slot.Status.RESTING) and row["hold_until"] <= now
    if row["start"] <= now or row["rests"] or not (row["status"] == Slot.Status.FREE or passed):
        return "gone"
    ends = row["start"] + timedelta(minutes=row["minutes"])
    return "clash" if any(row["start"] < time.upper and time.lower < ends for time in times) else "free"


def sessions_of(schedules: list[Schedule], *, pools: ChannelPools, patient, now: datetime) -> list[Session]:
    """The schedules with their numbers, in the order given. Four queries however many there are.

    Letters belong to a number's place in the list, so a refresh never moves a key under the finger.
    """
    ids = [schedule.pk for schedule in schedules]
    usable = _usable_pools(schedules, pools=pools, now=now)
    mine, times = _patients_hours(schedules, patient=patient, now=now)
    sessions = {schedule.pk: Session(schedule) for schedule in schedules}
    rows = Slot.objects.filter(schedule__in=ids).order_by("schedule", "start", "number")
    fields = ("id", "schedule_id", "number", "start", "minutes", "pool_id", "status", "hold_until")
    lapsed = Case(When(status=Slot.Status.HELD, hold_until__lte=now, then=would_rest(now)), default=Value(False))
    for row in rows.values(*fields, kind=F("pool__kind"), rests=lapsed):
        _add(sessions[row["schedule_id"]], row, usable[row["schedule_id"]], mine=mine, times=times, now=now)
    return list(sessions.values())


def _add(session: Session, row: dict, usable: dict[int, bool], *, mine, times, now) -> None:
    """Count one number of a session and show it if the channel may see it."""
    state = _state(row, mine=mine, times=times, now=now)
    session.total += 1
    session.taken += state in ("gone", "mine", "booked")
    own = state in ("mine", "booked")
    if row["pool_id"] not in usable and not own:
        return
    shared = usable.get(row["pool_id"], False)
    if state in ("free", "clash") and not session.stopped:
        in_consult = row["kind"] != Pool.Kind.PUBLIC and not shared
        session.consult_left += in_consult
        session.public_left += not in_consult
    place = len(session.numbers)
    appointment = mine.get(row["id"])
    session.numbers.append(
        Number(
            slot=row["id"],
            number=row["number"],
            start=row["start"],
            minutes=row["minutes"],
            kind=row["kind"],
            state="gone" if session.stopped and not own else state,
            letter=LETTERS[place] if place < len(LETTERS) else "",
            appointment=appointment.pk if appointment else None,
        )
    )
