"""倒号线索 (P11): a number given back and taken minutes later for somebody else, by the same hand.

The same hand is the same operator or account, the same phone (compared by its keyed hash), or for self-service the
address that both accounts last signed in from. A clue is no proof: a mother who swaps her children's visits looks like
it, so the page says who belongs to one family, and a person decides. What was moved to another number meanwhile is
found at that number only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max

from appointments.models import Appointment, BookingRule
from hospital import clock
from hospital.models import ApiToken, AuditEvent, User

from . import rules

SEEN = "resale.seen"
"""The audit action of a clue that somebody of the office has looked into."""

PAGE = 50
ADDRESS_KEEPS = timedelta(days=1)
"""An account's latest sign-in says where it is for so long."""

REASONS = ("operator", "phone", "address")

PAIRS = """
WITH gave AS MATERIALIZED (
    SELECT a.id, a.slot_id, a.patient_id, a.cancelled_at, a.self_service
      FROM appointments_appointment a JOIN appointments_schedule s ON s.id = a.schedule_id
     WHERE a.status = 'cancelled' AND a.confirmed_at IS NOT NULL
       AND a.cancelled_at >= %(since)s AND a.cancelled_at < %(until)s
       AND s.organization_id = ANY (%(organizations)s)
       AND (%(departments)s::bigint[] IS NULL OR s.department_id = ANY (%(departments)s::bigint[]))),
pairs AS (
    SELECT gave.*, took.id AS took_id, took.by_id, took.patient_id AS next_id,
           gave.self_service AND took.self_service AS on_line
      FROM gave CROSS JOIN LATERAL (
        SELECT b.* FROM appointments_appointment b WHERE b.slot_id = gave.slot_id AND b.status <> 'cancelled'
        UNION ALL
        SELECT b.* FROM appointments_appointment b WHERE b.slot_id = gave.slot_id AND b.status = 'cancelled') took
     WHERE took.id <> gave.id AND took.patient_id <> gave.patient_id
       AND took.created_at BETWEEN gave.cancelled_at AND gave.cancelled_at + %(within)s),
told AS (
    SELECT pairs.*, given_by.actor_id,
           coalesce(given_by.actor_id = pairs.by_id, false)
             AND NOT EXISTS (SELECT FROM hospital_apitoken t
                              WHERE t.user_id = pairs.by_id AND %(program)s = ANY (t.scopes)) AS operator,
           coalesce(ARRAY[nullif(before.phone_hash, ''), own.phone_hash]
                    && ARRAY[nullif(after.phone_hash, ''), other.phone_hash], false) AS phone,
           pairs.on_line AND coalesce(given_at.address = taken_at.address, false) AS address
      FROM pairs
      LEFT JOIN LATERAL (SELECT f.actor_id FROM hospital_fact f
                          WHERE f.key = 'appointment:' || pairs.id AND f.topic = 'appointment.cancelled'
                          ORDER BY f.id DESC LIMIT 1) given_by ON true
      JOIN hospital_patient before ON before.id = pairs.patient_id
      JOIN hospital_patient after ON after.id = pairs.next_id
      LEFT JOIN hospital_accountphone own ON own.user_id = given_by.actor_id
      LEFT JOIN hospital_accountphone other ON other.user_id = pairs.by_id
      LEFT JOIN LATERAL (SELECT e.address FROM hospital_auditevent e
                          WHERE pairs.on_line AND e.actor_id = given_by.actor_id AND e.address IS NOT NULL
                            AND e.at BETWEEN pairs.cancelled_at - %(keeps)s AND pairs.cancelled_at
                          ORDER BY e.at DESC LIMIT 1) given_at ON true
      LEFT JOIN LATERAL (SELECT e.address FROM hospital_auditevent e
                          WHERE pairs.on_line AND e.actor_id = pairs.by_id AND e.address IS NOT NULL
                            AND e.at BETWEEN pairs.cancelled_at - %(keeps)s AND pairs.cancelled_at + %(within)s
                          ORDER BY e.at DESC LIMIT 1) taken_at ON true)
SELECT id, took_id, actor_id, operator, phone, address,
       EXISTS (SELECT FROM hospital_relatedperson r JOIN hospital_relatedperson q ON q.account_id = r.account_id
                WHERE r.patient_id = told.patient_id AND q.patient_id = told.next_id
                  AND r.ended_at IS NULL AND q.ended_at IS NULL) AS family
  FROM told
 WHERE (%(reason)s = '' AND (operator OR phone OR address) OR %(reason)s = 'operator' AND operator
        OR %(reason)s = 'phone' AND phone OR %(reason)s = 'address' AND address)
   AND (NOT %(unseen)s OR NOT EXISTS (SELECT FROM hospital_auditevent e
                                       WHERE e.subject = 'appointment:' || told.took_id AND e.action = %(seen)s))
   AND (cancelled_at, id, took_id) < (%(before_at)s, %(before_gave)s, %(before_took)s)
 ORDER BY cancelled_at DESC, id DESC, took_id DESC
 LIMIT %(most)s
"""
"""Begins with what was given back in the days looked at (index appointment_given_back); each of these is one look at
its number (appointment_one_live_per_slot, appointment_slot), and only pairs are looked at further."""


@dataclass(frozen=True)
class Cursor:
    """After which pair the next page begins: when given back, both bookings."""

    at: datetime
    gave: int
    took: int


@dataclass(frozen=True)
class Clue:
    gave: Appointment
    took: Appointment
    given_by: User | None
    reasons: tuple[str, ...]
    family: bool
    seen: AuditEvent | None

    @property
    def after(self) -> timedelta:
        return self.took.created_at - self.gave.cancelled_at

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.gave.cancelled_at, self.gave.pk, self.took.pk)


@dataclass(frozen=True)
class Page:
    clues: list[Clue]
    more: Cursor | None


@dataclass(frozen=True)
class Asked:
    """`until` is not included. `reason` of REASONS, or "" for any."""

    organizations: frozenset[int]
    departments: frozenset[int] | None
    since: datetime
    until: datetime
    reason: str = ""
    unseen: bool = False
    after: Cursor | None = None


def clues(asked: Asked) -> Page:
    """Newest first. Four queries, however many there are."""
    rows = _pairs(asked, most=PAGE + 1)
    ids = {pk for row in rows for pk in row[:2]}
    found = _bookings(ids)
    seen = _seen([row[1] for row in rows])
    people = User.objects.in_bulk({row[2] for row in rows if row[2]})
    listed = [
        Clue(
            gave=found[gave],
            took=found[took],
            given_by=people.get(actor),
            reasons=tuple(name for name, holds in zip(REASONS, said, strict=True) if holds),
            family=family,
            seen=seen.get(took),
        )
        for gave, took, actor, *said, family in rows[:PAGE]
    ]
    more = listed[-1].cursor if len(rows) > PAGE else None
    return Page([clue for clue in listed if _within(clue)], more)


def clue(*, gave: int, took: int, organizations: frozenset[int], departments: frozenset[int] | None) -> bool:
    """Whether this pair is one, within reach."""
    row = Appointment.objects.filter(pk=gave, cancelled_at__isnull=False).values_list("cancelled_at", flat=True).first()
    if row is None:
        return False
    asked = Asked(organizations, departments, since=row, until=row + timedelta(microseconds=1))
    return any(pair[:2] == (gave, took) for pair in _pairs(asked, most=PAGE))


def _pairs(asked: Asked, *, most: int) -> list[tuple]:
    after = asked.after or Cursor(asked.until, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            PAIRS,
            {
                "since": asked.since,
                "until": min(asked.until, after.at + timedelta(microseconds=1)),
                "organizations": list(asked.organizations),
                "departments": None if asked.departments is None else list(asked.departments),
                "within": _longest(asked.organizations),
                "keeps": ADDRESS_KEEPS,
                "program": ApiToken.Scope.BOOK_ANYONE,
                "reason": asked.reason,
                "unseen": asked.unseen,
                "seen": SEEN,
                "before_at": after.at,
                "before_gave": after.gave,
                "before_took": after.took,
                "most": most,
            },
        )
        return cursor.fetchall()


def _bookings(ids: set[int]) -> dict[int, Appointment]:
    related = ("patient", "by", "slot", "schedule__department", "schedule__service", "schedule__team")
    return Appointment.objects.select_related(*related, "schedule__role__practitioner").in_bulk(ids)


def _seen(took: list[int]) -> dict[int, AuditEvent]:
    """The latest look at each."""
    marks = AuditEvent.objects.filter(action=SEEN, subject__in=[f"appointment:{pk}" for pk in took])
    return {int(mark.subject.partition(":")[2]): mark for mark in marks.select_related("actor").order_by("at", "pk")}


def _longest(organizations: frozenset[int]) -> timedelta:
    """Of all rules, past ones too: what `_within` then looks at more closely."""
    most = BookingRule.objects.filter(organization__in=organizations).aggregate(most=Max("resale_minutes"))["most"]
    return timedelta(minutes=max(most or 0, BookingRule().resale_minutes))


def _within(clue: Clue) -> bool:
    """By the rule of this very schedule on the day when the number was given back."""
    rule = rules.booking_rule_for(clue.gave.schedule, day=clock.today(clue.gave.cancelled_at))
    return clue.after <= timedelta(minutes=rule.resale_minutes)
