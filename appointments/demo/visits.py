"""The clinics of a day: who comes, how long it takes, in the order of the real queue."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from appointments.demo import behaviour
from appointments.demo.ledger import Booked, Ledger
from appointments.demo.queueing import Turn, serve
from appointments.demo.rows import Visit
from appointments.models import ScheduleParticipant


def hold_clinics(ledger: Ledger, day: date) -> list[Visit]:
    """Everybody who has come to the day's clinics until now, served in the order of the real queue, written."""
    sitting = _sitting(day)
    free_at: dict[tuple, datetime] = defaultdict(lambda: ledger.now - timedelta(days=1000))
    visits = []
    clinics = {rows[0].schedule.pk: rows[0].schedule for rows in ledger.booked[day].values() if rows}
    for schedule in sorted(clinics.values(), key=lambda one: (one.starts_at, one.pk)):
        turns = [_arrival(ledger, row) for row in ledger.booked[day][schedule.pk] if row.here_at or _comes(ledger, row)]
        here = [turn for turn in turns if turn.checked_in_at <= ledger.now]
        seats = sitting[schedule.pk] or [None]
        doctor = ledger.dice.choice(seats)
        busy = (("doctor", doctor), ("room", schedule.room_id))
        opens_at = max(schedule.starts_at, *(free_at[one] for one in busy if one[1] is not None))
        served = serve(here, opens_at=opens_at)
        if served:
            free_at.update(dict.fromkeys(busy, served[-1].finished_at))
        visits += [Visit(turn, schedule, doctor) for turn in served]
    ledger.house.write_visits(visits)
    for visit in visits:
        ledger.person[visit.turn.booked.patient].seen.add(visit.schedule.department.code)
    return visits


def _sitting(day: date) -> dict[int, list[int]]:
    """Schedule → the doctors who sit there; a plain clinic has none by name."""
    sitting = defaultdict(list)
    rows = ScheduleParticipant.objects.filter(schedule__day=day, active=True, practitioner__isnull=False)
    for schedule, practitioner in rows.order_by("pk").values_list("schedule", "practitioner"):
        sitting[schedule].append(practitioner)
    return sitting


def _comes(ledger: Ledger, row: Booked) -> bool:
    waited = (row.schedule.day - row.made_on).days
    return behaviour.comes(ledger.dice, ledger.person[row.patient], waited_days=waited, channel=row.channel)


def _arrival(ledger: Ledger, row: Booked) -> Turn:
    here = row.here_at or row.start - behaviour.early_by(ledger.dice)
    pace, level = ledger.pace[row.schedule.role_id], row.schedule.service.level
    length = behaviour.consultation(ledger.dice, level=level, first=row.first, pace=pace)
    return Turn(booked=row, start=row.start, checked_in_at=here, length=length)
