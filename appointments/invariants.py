"""What must be true of the data at any moment, asked of the database itself. Ids only, never a person's data.

Constraints refuse most of it row by row; these questions look across tables, also at what came in by import or by hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

GRACE = timedelta(minutes=10)
"""An expired hold is let go within a minute while the worker runs."""

SHOWN = 20


@dataclass(frozen=True)
class Invariant:
    """`broken` yields the ids of the rows that break it; %(late)s is ten minutes ago."""

    name: str
    says: str
    broken: str


@dataclass(frozen=True)
class Violation:
    invariant: Invariant
    count: int
    ids: list[int]

    def __str__(self):
        more = f" … {self.count} in all" if self.count > len(self.ids) else ""
        return f"{self.invariant.name}: {self.invariant.says} Broken by {', '.join(map(str, self.ids))}{more}"


INVARIANTS = [
    Invariant(
        "one_live_per_number",
        "A number has at most one live appointment (slot ids).",
        """SELECT slot_id FROM appointments_appointment WHERE status <> 'cancelled'
            GROUP BY slot_id HAVING count(*) > 1""",
    ),
    Invariant(
        "number_agrees_with_appointment",
        "A held number has a pending appointment, a booked one a confirmed one, any other none (slot ids).",
        """SELECT s.id FROM appointments_slot s
             LEFT JOIN appointments_appointment a ON a.slot_id = s.id AND a.status <> 'cancelled'
            WHERE (s.status IN ('held', 'booked') OR a.id IS NOT NULL)
              AND s.status IS DISTINCT FROM CASE WHEN a.id IS NULL THEN NULL
                                                 WHEN a.status = 'pending' THEN 'held' ELSE 'booked' END""",
    ),
    Invariant(
        "appointment_agrees_with_schedule",
        "A live appointment has its number's schedule and start and its schedule's day (appointment ids).",
        """SELECT a.id FROM appointments_appointment a
             JOIN appointments_slot s ON s.id = a.slot_id JOIN appointments_schedule c ON c.id = s.schedule_id
            WHERE a.status <> 'cancelled'
              AND (a.schedule_id <> s.schedule_id OR a.start <> s.start OR a.day <> c.day
                   OR a.department_id <> c.department_id)""",
    ),
    Invariant(
        "patient_time_of_live",
        "Every live appointment holds its patient's time, exactly its minutes (appointment ids).",
        """SELECT a.id FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
             LEFT JOIN hospital_patienttime t ON t.source = 'appointment' AND t.source_id = a.id
            WHERE a.status <> 'cancelled'
              AND (t.id IS NULL OR t.patient_id <> a.patient_id
                   OR t.during <> tstzrange(a.start, a.start + s.minutes * interval '1 minute'))""",
    ),
    Invariant(
        "patient_time_of_cancelled",
        "Nothing holds a patient's time that is not live (patient time ids).",
        """SELECT t.id FROM hospital_patienttime t LEFT JOIN appointments_appointment a ON a.id = t.source_id
            WHERE t.source = 'appointment' AND (a.id IS NULL OR a.status = 'cancelled')""",
    ),
    Invariant(
        "capacity_is_its_numbers",
        "A schedule has as many numbers as its capacity, add-ons apart (schedule ids).",
        """SELECT c.id FROM appointments_schedule c
             LEFT JOIN (SELECT s.schedule_id, count(*) AS numbers FROM appointments_slot s
                          JOIN appointments_schedule own ON own.id = s.schedule_id WHERE s.number <= own.capacity
                         GROUP BY s.schedule_id) n ON n.schedule_id = c.id
            WHERE c.capacity <> coalesce(n.numbers, 0)""",
    ),
    Invariant(
        "pool_has_an_allotment",
        "Every number's pool has an opening time in its schedule (schedule ids).",
        """SELECT DISTINCT s.schedule_id FROM appointments_slot s
            WHERE NOT EXISTS (SELECT 1 FROM appointments_allotment a
                               WHERE a.schedule_id = s.schedule_id AND a.pool_id = s.pool_id)""",
    ),
    Invariant(
        "shares_sum_to_a_hundred",
        "The shares of a supply rule sum to 100 (rule ids).",
        "SELECT rule_id FROM appointments_supplyshare GROUP BY rule_id HAVING sum(percent) <> 100",
    ),
    Invariant(
        "leader_has_team_numbers_only",
        "A leading expert's schedule has only numbers of the team pool and add-ons (schedule ids).",
        """SELECT DISTINCT c.id FROM appointments_schedule c JOIN appointments_slot s ON s.schedule_id = c.id
             JOIN appointments_pool p ON p.id = s.pool_id
            WHERE c.gate_team_id IS NOT NULL AND p.kind NOT IN ('team', 'extra')""",
    ),
    Invariant(
        "leader_by_referral_only",
        "A leading expert's number was opened by the team's referral of this patient, or by the expert's own "
        "consultation with them (appointment ids).",
        """SELECT a.id FROM appointments_appointment a JOIN appointments_schedule c ON c.id = a.schedule_id
             JOIN hospital_practitionerrole r ON r.id = c.role_id
            WHERE c.gate_team_id IS NOT NULL AND a.status <> 'cancelled'
              AND NOT EXISTS (SELECT 1 FROM appointments_teamreferral t
                               WHERE t.id = a.referral_id AND t.team_id = c.gate_team_id
                                 AND t.patient_id = a.patient_id AND a.created_at < t.valid_until)
              AND NOT EXISTS (SELECT 1 FROM appointments_encounter e
                               WHERE e.id = a.booked_from_id AND e.patient_id = a.patient_id
                                 AND e.practitioner_id = r.practitioner_id)""",
    ),
    Invariant(
        "confirmed_has_a_fact",
        "Every confirmed appointment was published (appointment ids).",
        """SELECT a.id FROM appointments_appointment a
            WHERE a.confirmed_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM hospital_fact f
                               WHERE f.key = 'appointment:' || a.id AND f.topic = 'appointment.booked')""",
    ),
    Invariant(
        "no_hold_outlives_its_clock",
        "No hold stands ten minutes after its clock; if one does, the worker is down (appointment ids).",
        """SELECT a.id FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
            WHERE a.status = 'pending' AND s.hold_until < %(late)s""",
    ),
    Invariant(
        "noshow_agrees",
        "A no-show has its row, and a row that counts has its no-show (appointment ids).",
        """SELECT a.id FROM appointments_appointment a LEFT JOIN appointments_noshow n ON n.appointment_id = a.id
            WHERE (a.status = 'noshow' AND n.id IS NULL)
               OR (a.status <> 'noshow' AND n.id IS NOT NULL AND n.excused_at IS NULL)""",
    ),
    Invariant(
        "visit_agrees",
        "Who has arrived is in a queue or a room, and who was seen has a finished visit (appointment ids).",
        """SELECT a.id FROM appointments_appointment a LEFT JOIN appointments_encounter e ON e.appointment_id = a.id
            WHERE (a.status = 'arrived' AND coalesce(e.status, '') NOT IN ('waiting', 'called', 'in_room', 'left'))
               OR (a.status = 'fulfilled' AND coalesce(e.status, '') <> 'finished')
               OR (e.status IN ('waiting', 'called', 'in_room') AND a.status <> 'arrived')
               OR (e.status = 'finished' AND a.status <> 'fulfilled')""",
    ),
    Invariant(
        "waitlist_agrees_with_its_offer",
        "Who is offered a number has one open offer, who was filled an accepted one, nobody else either (entry ids).",
        """SELECT w.id FROM appointments_waitlistentry w
             LEFT JOIN appointments_waitlistoffer o ON o.entry_id = w.id AND o.state IN ('open', 'accepted')
            WHERE coalesce(o.state, '') <> CASE w.status WHEN 'offered' THEN 'open' WHEN 'filled' THEN 'accepted'
                                                         ELSE '' END""",
    ),
    Invariant(
        "open_offer_has_its_hold",
        "An open offer has its pending number; ten minutes after that was settled, so is the offer (entry ids).",
        """SELECT o.entry_id FROM appointments_waitlistoffer o
             JOIN appointments_appointment a ON a.id = o.appointment_id
            WHERE o.state = 'open' AND coalesce(a.cancelled_at, a.confirmed_at) < %(late)s""",
    ),
    Invariant(
        "nobody_waits_after_the_cut_off",
        "No entry is open ten minutes after its cut-off; if one is, the worker is down (entry ids).",
        "SELECT id FROM appointments_waitlistentry WHERE status IN ('waiting', 'offered') AND closes_at < %(late)s",
    ),
    Invariant(
        "offered_by_the_rules",
        "A number was offered to its own entry's patient, through its channel, not beyond the cut-off (entry ids).",
        """SELECT w.id FROM appointments_waitlistentry w
             JOIN appointments_waitlistoffer o ON o.entry_id = w.id
             JOIN appointments_appointment a ON a.id = o.appointment_id
            WHERE a.patient_id <> w.patient_id OR a.channel <> w.channel OR o.deadline > w.closes_at""",
    ),
]


def join(*more: Invariant) -> None:
    """Of an app above this one, once, when it is ready."""
    INVARIANTS.extend(more)


def violations(*, now: datetime) -> list[Violation]:
    """Every invariant that does not hold, with the first ids. One snapshot for all questions."""
    found = []
    alone = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        for invariant in INVARIANTS:
            cursor.execute(
                f"SELECT id, count(*) OVER () FROM ({invariant.broken}) AS broken (id) ORDER BY id LIMIT %(shown)s",  # noqa: S608
                {"late": now - GRACE, "shown": SHOWN},
            )
            if rows := cursor.fetchall():
                found.append(Violation(invariant, rows[0][1], [row[0] for row in rows]))
    return found
