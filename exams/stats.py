"""The exams' figures, counted from the app's own rows when asked. Definitions: docs/decisions/0028-exam-figures.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time

from django.db import connection

from appointments.stats import Rate
from exams.models import Modality
from hospital import clock

MONTHS = 6
"""How many months the page looks back over, the one looked at included."""

SEGMENT_TARGET = 80
"""Percent of the exams done that had a booked time."""


@dataclass(frozen=True)
class Exams:
    """Of a month and a modality, or of the month's exams together. `wait_days` from the request to the exam."""

    done: int = 0
    booked: int = 0
    due: int = 0
    missed: int = 0
    wait_days: float | None = None
    wait_days_90: float | None = None
    taken_minutes: int = 0
    open_minutes: int = 0

    @property
    def segment(self) -> Rate:
        """分时段预约率: exams done that somebody had booked a time for."""
        return Rate(self.booked, self.done)

    @property
    def segment_is_low(self) -> bool:
        return self.done > 0 and 100 * self.booked < SEGMENT_TARGET * self.done

    @property
    def noshow(self) -> Rate:
        return Rate(self.missed, self.due)

    @property
    def occupancy(self) -> Rate:
        return Rate(self.taken_minutes, self.open_minutes)


@dataclass(frozen=True)
class Plans:
    """Plans of several exams that were confirmed, and repeats that a doctor was told of."""

    plans: int = 0
    one_trip: int = 0
    saved: int = 0
    patients: int = 0
    told: int = 0
    avoided: int = 0

    @property
    def one_trip_share(self) -> Rate:
        return Rate(self.one_trip, self.plans)

    @property
    def saved_each(self) -> float | None:
        """Trips a patient was spared against booking each exam at its earliest time."""
        return round(self.saved / self.patients, 2) if self.patients else None

    @property
    def avoided_share(self) -> Rate:
        return Rate(self.avoided, self.told)


@dataclass(frozen=True)
class Month:
    first: date
    exams: Exams = field(default_factory=Exams)
    plans: Plans = field(default_factory=Plans)


@dataclass(frozen=True)
class Figures:
    """`months`: oldest first, the last is the one looked at; `modalities`: (name, its figures) of that one."""

    months: list[Month]
    modalities: list[tuple[str, Exams]]

    @property
    def chosen(self) -> Month:
        return self.months[-1]

    @property
    def empty(self) -> bool:
        month = self.chosen
        return not (month.exams.due or month.exams.open_minutes or month.plans.plans or month.plans.told)


BOOKINGS = """
SELECT month, modality,
       count(*) FILTER (WHERE status = 'done') AS done,
       count(*) FILTER (WHERE status = 'done' AND NOT walk_in) AS booked,
       count(*) FILTER (WHERE status IN ('arrived', 'called', 'running', 'done', 'not_done', 'noshow')
                          AND NOT walk_in) AS due,
       count(*) FILTER (WHERE missed) AS missed,
       avg(wait) FILTER (WHERE status = 'done') AS wait,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY wait) FILTER (WHERE status = 'done') AS wait_90,
       coalesce(sum(minutes), 0)::int AS taken
  FROM (SELECT date_trunc('month', b.day::timestamp)::date AS month, d.modality, b.status, b.walk_in,
               b.day - (r.asked_at AT TIME ZONE %(zone)s)::date AS wait,
               b.status = 'noshow' AND EXISTS (
                   SELECT 1 FROM exams_examnoshow n WHERE n.booking_id = b.id AND n.excused_at IS NULL) AS missed,
               CASE WHEN b.holds AND b.session_id IS NOT NULL
                    THEN date_part('epoch', upper(b.during) - lower(b.during)) / 60 END AS minutes
          FROM exams_exambooking b
          JOIN exams_device d ON d.id = b.device_id
          JOIN exams_examrequest r ON r.id = b.request_id
         WHERE b.day >= %(first)s AND b.day < %(end)s AND b.status NOT IN ('pending', 'cancelled') AND {within}
        OFFSET 0) each_reckoned_once
 GROUP BY GROUPING SETS ((1, 2), (1))
"""

OPEN = """
SELECT date_trunc('month', s.day)::date AS month, d.modality,
       (sum(extract(epoch FROM upper(s.during) - lower(s.during))
            - coalesce(down.seconds, 0)) / 60)::int AS minutes
  FROM exams_devicesession s
  JOIN exams_device d ON d.id = s.device_id
  LEFT JOIN LATERAL (
       SELECT sum(extract(epoch FROM upper(t.during * s.during) - lower(t.during * s.during))) AS seconds
         FROM exams_downtime t
        WHERE t.device_id = s.device_id AND t.stands AND t.during && s.during) down ON true
 WHERE s.day >= %(first)s AND s.day < %(end)s AND NOT s.closed AND {within}
 GROUP BY GROUPING SETS ((1, 2), (1))
"""

PLANS = """
SELECT date_trunc('month', p.confirmed_at AT TIME ZONE %(zone)s)::date AS month, count(*) AS plans,
       count(*) FILTER (WHERE p.trips = 1) AS one_trip,
       coalesce(sum(p.first_come_trips - p.trips), 0) AS saved,
       count(DISTINCT p.patient_id) FILTER (WHERE p.first_come_trips IS NOT NULL) AS patients
  FROM exams_examplan p
 WHERE p.confirmed_at >= %(from)s AND p.confirmed_at < %(until)s AND p.exams > 1
   AND p.organization_id = %(organization)s
 GROUP BY 1
"""

REPEATS = """
SELECT date_trunc('month', c.at AT TIME ZONE %(zone)s)::date AS month, count(*) AS told,
       count(*) FILTER (WHERE c.outcome = 'avoided') AS avoided
  FROM exams_repeatcheck c
  JOIN exams_examvariant v ON v.id = c.variant_id
  JOIN exams_examitem i ON i.id = v.item_id
 WHERE c.at >= %(from)s AND c.at < %(until)s AND i.organization_id = %(organization)s
   AND NOT (c.outcome = 'avoided' AND EXISTS (  -- asked for after all in the same visit: told of once, not avoided
       SELECT 1 FROM exams_examrequest r JOIN exams_examvariant w ON w.id = r.variant_id
        WHERE r.encounter_id = c.encounter_id AND w.item_id = i.id AND r.asked_at >= c.at AND r.status <> 'cancelled'))
 GROUP BY 1
"""

WHOLE_HOUSE = "d.organization_id = %(organization)s"
SOME_DEPARTMENTS = WHOLE_HOUSE + (
    " AND d.room_id IN (SELECT id FROM hospital_room WHERE department_id = ANY (%(departments)s))"
)


def figures(*, organization: int, month: date, departments: Sequence[int] | None = None) -> Figures:
    """Of the month that begins then and of the five before it. Four queries; with `departments` two, since plans and
    repeats are the whole house's."""
    firsts = [month_before(month, back) for back in range(MONTHS - 1, -1, -1)]
    end = month_before(month, -1)
    said = {
        "organization": organization,
        "departments": list(departments or ()),
        "first": firsts[0],
        "end": end,
        "from": clock.at(firsts[0], time(0)),
        "until": clock.at(end, time(0)),
        "zone": str(clock.ZONE),
    }
    within = WHOLE_HOUSE if departments is None else SOME_DEPARTMENTS
    exams = _exams(said, within)
    plans = _plans(said) if departments is None else {}
    return Figures(
        months=[Month(first, exams.get((first, None), Exams()), plans.get(first, Plans())) for first in firsts],
        modalities=[(code.label, exams[month, code.value]) for code in Modality if (month, code.value) in exams],
    )


def month_before(month: date, back: int) -> date:
    """The first day of the month so many before; negative: after."""
    number = month.year * 12 + month.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)


def _exams(said: dict, within: str) -> dict[tuple[date, str | None], Exams]:
    """By month and modality; None: all of the month."""
    found = {(row.pop("month"), row.pop("modality")): row for row in _rows(BOOKINGS.format(within=within), said)}
    minutes = {(row["month"], row["modality"]): row["minutes"] for row in _rows(OPEN.format(within=within), said)}
    return {key: _of_row(found.get(key, {}), minutes.get(key, 0)) for key in found.keys() | minutes.keys()}


def _of_row(row: dict, minutes: int) -> Exams:
    wait, wait_90 = row.get("wait"), row.get("wait_90")
    return Exams(
        done=row.get("done", 0),
        booked=row.get("booked", 0),
        due=row.get("due", 0),
        missed=row.get("missed", 0),
        wait_days=None if wait is None else round(float(wait), 1),
        wait_days_90=None if wait_90 is None else round(float(wait_90), 1),
        taken_minutes=row.get("taken", 0),
        open_minutes=minutes,
    )


def _plans(said: dict) -> dict[date, Plans]:
    plans = {row.pop("month"): row for row in _rows(PLANS, said)}
    repeats = {row.pop("month"): row for row in _rows(REPEATS, said)}
    return {month: Plans(**plans.get(month, {}), **repeats.get(month, {})) for month in plans.keys() | repeats.keys()}


def _rows(statement: str, said: dict) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement, said)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
