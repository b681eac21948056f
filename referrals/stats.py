"""Figures of referrals, counted from their rows when they are asked for (R7). Definitions:
docs/decisions/0032-referral-figures.md, and beside each figure on the page.

A referral counts on the day of the hospital on which it was sent, unless it was withdrawn; a draft never counts.
"""

from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from appointments.stats import Rate
from referrals.policies.days import moments

MOST_REASONS = 20
MOST_WAYS = 50
"""Lines of a list on the page; the Excel file has all of them."""

CONCENTRATED = (10, 80)
"""Referrals and percent: so many of one person's to one doctor are worth a look. Ours; rules.md has no figure."""


@dataclass(frozen=True)
class Way:
    """One direction between the house and one institution, or all of them. Minutes from sending to the first answer."""

    sent: int = 0
    withdrawn: int = 0
    answered: int = 0
    unanswered: int = 0
    escalated: int = 0
    median: float | None = None
    ninety: float | None = None
    rejected: int = 0
    redirected: int = 0
    completed: int = 0
    numbered: int = 0
    own: int = 0

    @property
    def own_share(self) -> Rate:
        """本机构号池占比: of those that got a number, from a pool that is kept for lower institutions."""
        return Rate(self.own, self.numbered)

    @property
    def rejected_share(self) -> Rate:
        return Rate(self.rejected, self.sent)


@dataclass(frozen=True)
class Between:
    """The house and one institution."""

    organization: int
    name: str
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)


@dataclass(frozen=True)
class Reason:
    text: str
    count: int


@dataclass(frozen=True)
class Path:
    """谁转给谁: one person's referrals to one department, doctor or team. `of`: all that person sent that way.
    The person is the doctor who refers, `who`, whoever typed the letter; where none was named, the account `by`."""

    direction: str
    origin: int
    origin_name: str
    who: int | None
    by: int | None
    doctor: str
    department: int | None
    department_name: str
    role: int | None
    role_name: str
    receiver_name: str
    count: int
    of: int

    @property
    def share(self) -> Rate:
        return Rate(self.count, self.of)

    @property
    def concentrated(self) -> bool:
        """Many, nearly all of them, to one named doctor: for the negative list "no referral for gain"."""
        least, percent = CONCENTRATED
        return self.role is not None and self.count >= least and 100 * self.count >= percent * self.of


@dataclass(frozen=True)
class Figures:
    """`of`: the institutions, the busiest first."""

    first: date
    last: date
    up: Way
    down: Way
    of: list[Between]
    reasons: list[Reason]

    @property
    def empty(self) -> bool:
        return not (self.up.sent or self.down.sent or self.up.withdrawn or self.down.withdrawn)


COLUMNS = (
    "id, direction, status, origin_id, receiver_id, by_id, doctor_id, department_id, role_id, sent_at, answered_at"
)
OURS = f"""
    SELECT {COLUMNS}, origin_id AS other FROM referrals_referral
     WHERE receiver_id = %(house)s AND direction = 'up' AND sent_at >= %(from)s AND sent_at < %(until)s
     UNION ALL
    SELECT {COLUMNS}, receiver_id AS other FROM referrals_referral
     WHERE origin_id = %(house)s AND direction = 'down' AND sent_at >= %(from)s AND sent_at < %(until)s
"""
"""Without what is written in them: a year's letters are sorted in memory then."""

WAYS = f"""
WITH ours AS ({OURS}),
marked AS (
    SELECT o.id, bool_or(v.kind = 'escalated') AS escalated, bool_or(v.kind = 'redirected') AS redirected,
           max(ARRAY[v.id, (v.detail ->> 'appointment')::bigint]) FILTER (WHERE v.kind = 'booked') AS booked
      FROM ours o JOIN referrals_referralevent v ON v.referral_id = o.id
     WHERE v.kind IN ('escalated', 'redirected', 'booked') AND v.at >= %(from)s
     GROUP BY 1),
reckoned AS (
    SELECT o.direction, o.other, o.status, o.answered_at,
           o.status <> 'withdrawn' AS counts,
           extract(epoch FROM o.answered_at - o.sent_at) / 60 AS minutes,
           m.escalated, m.redirected, n.kind AS pool
      FROM ours o
      LEFT JOIN marked m ON m.id = o.id
      LEFT JOIN appointments_appointment a ON a.id = m.booked[2]
      LEFT JOIN appointments_slot s ON s.id = a.slot_id
      LEFT JOIN appointments_pool n ON n.id = s.pool_id)
SELECT direction, other,
       count(*) FILTER (WHERE counts) AS sent,
       count(*) FILTER (WHERE NOT counts) AS withdrawn,
       count(*) FILTER (WHERE counts AND answered_at IS NOT NULL) AS answered,
       count(*) FILTER (WHERE status IN ('sent', 'redirected') AND answered_at IS NULL) AS unanswered,
       count(*) FILTER (WHERE counts AND escalated) AS escalated,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE counts) AS median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE counts) AS ninety,
       count(*) FILTER (WHERE status = 'rejected') AS rejected,
       count(*) FILTER (WHERE counts AND redirected) AS redirected,
       count(*) FILTER (WHERE status IN ('completed', 'returned')) AS completed,
       count(*) FILTER (WHERE counts AND pool IS NOT NULL) AS numbered,
       count(*) FILTER (WHERE counts AND pool IN ('partner', 'signed')) AS own
  FROM reckoned
 GROUP BY GROUPING SETS ((1, 2), (1))
"""

REASONS = f"""
WITH ours AS ({OURS})
SELECT v.text, count(*) AS count
  FROM ours o JOIN referrals_referralevent v ON v.referral_id = o.id AND v.kind = 'rejected'
 WHERE o.status = 'rejected' AND o.direction = 'up'
 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
"""

PATHS = f"""
WITH ours AS ({OURS}),
counted AS (
    SELECT direction, origin_id, receiver_id, doctor_id, CASE WHEN doctor_id IS NULL THEN by_id END AS by_id,
           department_id, role_id, count(*) AS many
      FROM ours WHERE status <> 'withdrawn' GROUP BY 1, 2, 3, 4, 5, 6, 7)
SELECT c.direction, c.origin_id AS origin, h.name AS origin_name, c.doctor_id AS who, c.by_id AS by,
       coalesce(w.name, u.full_name, '') AS doctor,
       c.department_id AS department, coalesce(d.name, '') AS department_name,
       c.role_id AS role, coalesce(p.name, '') AS role_name, g.name AS receiver_name, c.many AS count,
       (sum(c.many) OVER (PARTITION BY c.direction, c.doctor_id, c.by_id))::int AS of
  FROM counted c
  JOIN hospital_organization h ON h.id = c.origin_id
  JOIN hospital_organization g ON g.id = c.receiver_id
  LEFT JOIN hospital_user u ON u.id = c.by_id
  LEFT JOIN hospital_practitioner w ON w.id = c.doctor_id
  LEFT JOIN hospital_department d ON d.id = c.department_id
  LEFT JOIN hospital_practitionerrole l ON l.id = c.role_id
  LEFT JOIN hospital_practitioner p ON p.id = l.practitioner_id
 ORDER BY count DESC, c.direction DESC, c.origin_id, c.doctor_id, c.by_id, c.department_id, c.role_id
 LIMIT %(most)s
"""


def figures(*, organization: int, first: date, last: date) -> Figures:
    """Of a house and some days, both included. Three queries."""
    said = _asked(organization, first, last, most=MOST_REASONS)
    ways = {(row.pop("direction"), row.pop("other")): Way(**row) for row in _rows(WAYS, said)}
    names = _names({other for _direction, other in ways if other})
    between = [
        Between(pk, name, ways.get(("up", pk), Way()), ways.get(("down", pk), Way())) for pk, name in names.items()
    ]
    return Figures(
        first=first,
        last=last,
        up=ways.get(("up", None), Way()),
        down=ways.get(("down", None), Way()),
        of=sorted(between, key=lambda each: (-each.up.sent - each.down.sent, each.name)),
        reasons=[Reason(**row) for row in _rows(REASONS, said)],
    )


def paths(*, organization: int, first: date, last: date, most: int = MOST_WAYS) -> list[Path]:
    """谁转给谁, the most frequent first. One query."""
    return [Path(**row) for row in _rows(PATHS, _asked(organization, first, last, most=most))]


def _asked(organization: int, first: date, last: date, *, most: int) -> dict:
    start, end = moments(first, last)
    return {"house": organization, "from": start, "until": end, "most": most}


def _names(organizations: set[int]) -> dict[int, str]:
    found = _rows("SELECT id, name FROM hospital_organization WHERE id = ANY (%(ids)s)", {"ids": list(organizations)})
    return {row["id"]: row["name"] for row in found}


def _rows(statement: str, said: dict) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement, said)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
