"""检查提醒: on the eve of each trip, and on the eve of a preparation that begins sooner (E4, V1).

Finds its own work, so a gap heals: what was owed yesterday evening is said this morning while it is still of use.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Max, Q

from appointments.selectors.rules import organization_booking_rule
from exams.models import ExamBooking
from exams.policies import preparing
from exams.selectors import mine
from exams.services import notices
from hospital import clock
from hospital.models import Fact, Message

State = ExamBooking.Status

QUIET_UNTIL = time(7)
"""A reminder that a dead worker owes from yesterday evening is not sent in the night."""

LONGEST = timedelta(days=8)
"""How far ahead a preparation may begin that is still reminded of: bowel preparation takes three days."""

BATCH = 200


def remind(*, now: datetime) -> int:
    """Each trip once per moment at which something is owed. Returns how many reminders were written."""
    if now.astimezone(clock.ZONE).time() < QUIET_UNTIL:
        return 0
    trips = _trips(now=now)
    moved = _moved(trips)
    owed = [(key, trip) for trip in trips for key in _owed(trip, moved, now=now)]
    said = _said(key for key, _trip in owed)
    fresh = [(key, trip) for key, trip in owed if key not in said]
    for place in range(0, len(fresh), BATCH):
        with transaction.atomic():
            for key, trip in fresh[place : place + BATCH]:
                notices.say(trip, template=notices.REMINDER, dedupe=key, now=now)
    return len(fresh)


def _trips(*, now: datetime) -> list[list[ExamBooking]]:
    """Booked exams of one person on one day, of today and tomorrow and those that need days to prepare."""
    today = clock.today(now)
    soon = Q(day__lte=today + timedelta(days=1))
    slow = Q(variant__preparation__lead_minutes__gt=0) | Q(variant__preparation__fast_minutes__gte=12 * 60)
    rows = ExamBooking.objects.filter(
        soon | slow, day__range=(today, today + LONGEST), status=State.BOOKED, holds=True, during__startswith__gt=now
    )
    rows = rows.select_related(*mine.RELATED).order_by("patient_id", "day", "during", "pk")
    return [list(found) for _key, found in groupby(rows, key=lambda row: (row.patient_id, row.day))]


def _moved(trips: list[list[ExamBooking]]) -> dict[str, datetime]:
    """Fact key → when it was last moved, as its message said. One query."""
    keys = [f"exam:{row.pk}" for trip in trips for row in trip]
    found = Fact.objects.filter(key__in=keys, topic="exam.moved").values_list("key").annotate(at=Max("happened_at"))
    return dict(found.order_by())


def _owed(trip: list[ExamBooking], moved: dict[str, datetime], *, now: datetime) -> Iterable[str]:
    """Keys of the reminders whose moment has come. Who was told of it since then is not reminded of it."""
    day, house = trip[0].day, trip[0].request.organization_id
    told = max(moved.get(f"exam:{row.pk}", row.confirmed_at) for row in trip)
    for name, eve in _eves(trip):
        if told < _moment(eve, house) <= now:
            yield f"exam-reminder:{name}:{trip[0].patient_id}:{day:%y%m%d}:{_digest(trip)}"


def _moment(eve: date, house: int) -> datetime:
    return clock.at(eve, organization_booking_rule(house, day=eve).reminder_time)


def still_comes(rows: Iterable[ExamBooking], *, now: datetime) -> bool:
    """Whether a reminder is ahead of what was booked just now: not of what is so near that its hour is over."""
    return any(now < _moment(row.day - timedelta(days=1), row.request.organization_id) for row in rows)


def _eves(trip: list[ExamBooking]) -> list[tuple[str, object]]:
    """The day before the exams; and the day before a preparation that begins in daylight of an earlier day."""
    day = trip[0].day
    eves = [("eve", day - timedelta(days=1))]
    begins = preparing.begins(preparing.steps_of(mine.as_coming(row) for row in trip))
    if begins and begins < clock.at(day - timedelta(days=1), preparing.EVENING):
        first = clock.today(begins) - timedelta(days=1)
        if first < eves[0][1]:
            eves.append(("prepare", first))
    return eves


def _digest(trip: list[ExamBooking]) -> str:
    """Which exams at which times: a trip that changed is reminded of again."""
    return "-".join(f"{row.pk}.{int(row.start.timestamp()) // 300 % 100000}" for row in trip)[:70]


def _said(keys: Iterable[str]) -> set[str]:
    wanted = [f"{key}:{Message.Channel.SMS}" for key in keys]
    found = Message.objects.filter(dedupe__in=wanted).values_list("dedupe", flat=True)
    return {dedupe.removesuffix(f":{Message.Channel.SMS}") for dedupe in found}


def still_holds(message: Message) -> bool:
    """Asked right before sending: was one of the exams moved, cancelled or taken by a downtime meanwhile? Then
    nothing is said; what is left of the trip gets a reminder of its own."""
    said = dict(message.params["bookings"])
    rows = ExamBooking.objects.filter(pk__in=[int(pk) for pk in said], status=State.BOOKED, holds=True)
    return len(said) == len(rows) and all(row.start.isoformat() == said[row.pk] for row in rows)
