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
    """谁转给谁: one person's referrals to one department, doctor or team. `of`: all that person sent that way."""

    direction: str
    origin: int
    origin_name: str
    by: int
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


OURS = """
    SELECT r.*, r.origin_id AS other FROM referrals_referral r
     WHERE r.receiver_id = %(house)s AND r.direction = 'up' AND r.sent_at >= %(from)s AND r.sent_at < %(until)s
     UNION ALL
    SELECT r.*, r.receiver_id AS other FROM referrals_referral r
     WHERE r.origin_id = %(house)s AND r.direction = 'down' AND r.sent_at >= %(from)s AND r.sent_at < %(until)s
"""

WAYS = f"""
WITH ours AS ({OURS}),
reckoned AS (
    SELECT o.direction, o.other, o.status, o.answered_at, o.ended_at,
           o.status <> 'withdrawn' AS counts,
           extract(epoch FROM o.answered_at - o.sent_at) / 60 AS minutes,
           e.escalated, e.redirected, n.kind AS pool
      FROM ours o
      JOIN LATERAL (SELECT coalesce(bool_or(v.kind = 'escalated'), false) AS escalated,
                           coalesce(bool_or(v.kind = 'redirected'), false) AS redirected,
                           max(v.id) FILTER (WHERE v.kind = 'booked') AS booked
                      FROM referrals_referralevent v WHERE v.referral_id = o.id) e ON true
      LEFT JOIN referrals_referralevent b ON b.id = e.booked
      LEFT JOIN appointments_appointment a ON a.id = (b.detail ->> 'appointment')::bigint
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
WITH ours AS ({OURS})
SELECT o.direction, o.origin_id AS origin, h.name AS origin_name, o.by_id AS by,
       coalesce(max(w.name), max(u.full_name), '') AS doctor,
       o.department_id AS department, coalesce(d.name, '') AS department_name,
       o.role_id AS role, coalesce(p.name, '') AS role_name, g.name AS receiver_name, count(*) AS count,
       (sum(count(*)) OVER (PARTITION BY o.direction, o.by_id))::int AS of
  FROM ours o
  JOIN hospital_organization h ON h.id = o.origin_id
  JOIN hospital_organization g ON g.id = o.receiver_id
  JOIN hospital_user u ON u.id = o.by_id
  LEFT JOIN hospital_practitioner w ON w.id = o.doctor_id
  LEFT JOIN hospital_department d ON d.id = o.department_id
  LEFT JOIN hospital_practitionerrole l ON l.id = o.role_id
  LEFT JOIN hospital_practitioner p ON p.id = l.practitioner_id
 WHERE o.status <> 'withdrawn'
 GROUP BY o.direction, o.origin_id, h.name, o.by_id, o.department_id, d.name, o.role_id, p.name, o.receiver_id, g.name
 ORDER BY count DESC, o.direction DESC, o.origin_id, o.by_id, o.department_id, o.role_id
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
