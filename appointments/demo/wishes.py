"""What people want of the hospital's numbers: book ahead, walk in, give back, come again."""

from datetime import date, datetime, time, timedelta

from appointments.demo import behaviour
from appointments.demo.behaviour import Persona
from appointments.demo.ledger import DAY, Ledger
from appointments.demo.rows import Visit
from hospital import clock
from hospital.errors import Refused
from hospital.models import User

AHEAD, WALK_IN = 0.68, 0.18  # shares of the day's wishes; the rest comes out of consultations
TRIES = 3  # days that a person looks at before giving up
A_WHILE = timedelta(minutes=5)  # nobody is at the window in the last minutes before the demo opens
SECOND_DEPARTMENT = 0.07
REFERRED = 0.2  # of a team's patients, to its leading expert
MOVED = 0.25  # of those who can't come take another day at once


def book_ahead(ledger: Ledger, day: date) -> None:
    """Everybody who on this day books for himself, or is booked by phone, ward or lower institution."""
    dice, crowd = ledger.dice, []
    count = behaviour.wishes_on(dice, day, round(ledger.scale.wishes * AHEAD))
    for person in dice.choices(ledger.personas, k=count):
        channel = _channel(ledger, person)
        minute = behaviour.minute_of_booking(dice, channel)
        moment = clock.at(day, time(minute // 60, minute % 60, dice.randrange(60)))
        if moment <= ledger.now:
            crowd.append((moment, person.patient, channel))
    for moment, patient, channel in sorted(crowd):
        _book_ahead(ledger, ledger.person[patient], channel, moment)


def _channel(ledger: Ledger, person: Persona) -> str:
    drawn = ledger.dice.random()
    if drawn < 0.05:
        return "ward"
    if drawn < 0.15:
        return "partner"
    channels = {name: weight for name, weight in person.channels.items() if name != "counter"}
    return ledger.dice.choices(list(channels), list(channels.values()))[0]


def _book_ahead(ledger: Ledger, person: Persona, channel: str, moment: datetime) -> None:
    dice, department = ledger.dice, ledger.dice.choice(person.departments)
    if channel == "ward":
        days = dice.choice((7, 7, 14, 28))
    elif channel == "partner":
        days = dice.choice((4, 7, 8, 9, 10))
    else:
        days = behaviour.days_ahead(dice)
    for _try in range(TRIES):
        schedule = ledger.choose(department, clock.today(moment) + days * DAY, moment)
        if schedule and ledger.book(person, schedule, channel, moment):
            return
        days = max(1, days + dice.choice((-1, 1, 2)))


def walk_in(ledger: Ledger, day: date) -> None:
    """People without a booking: the window gives them a number of a clinic of today."""
    dice = ledger.dice
    count = behaviour.wishes_on(dice, day, round(ledger.scale.wishes * WALK_IN))
    for person in dice.choices(ledger.personas, k=count):
        department = dice.choice(person.departments)
        if not ledger.clinics.on(day, department):
            continue
        schedule = ledger.pick(department, day)
        minutes = int((schedule.ends_at - schedule.starts_at) / timedelta(minutes=1))
        moment = schedule.starts_at + timedelta(minutes=dice.randrange(-20, max(10, minutes - 20)))
        if moment <= ledger.now - A_WHILE:
            row = ledger.book(person, schedule, "counter", moment)
            if row:
                row.here_at = moment + timedelta(minutes=2)


def give_back(ledger: Ledger, day: date) -> None:
    """Patients who can't come: most cancel, some move to another day in one step."""
    for row in ledger.coming(day):
        if not behaviour.cancels_today(ledger.dice, channel=row.channel):
            continue
        moment = clock.at(day, time(ledger.dice.randrange(8, 22), ledger.dice.randrange(60)))
        if moment > ledger.now or day <= row.made_on:
            continue
        channel = row.channel if row.channel not in ("consult", "ward", "partner") else "phone"
        try:
            if ledger.dice.random() < MOVED:
                _move(ledger, row, channel, moment)
            else:
                ledger.house.cancel(row, channel=channel, moment=moment)
                ledger.forget(row)
        except Refused as refusal:
            ledger.refused[refusal.code] += 1


def _move(ledger: Ledger, row, channel: str, moment: datetime) -> None:
    later = ledger.choose(row.schedule.department.code, row.schedule.day + DAY, moment)
    if later is None:
        return
    old = row.schedule
    ledger.house.move(row, schedule=later, channel=channel, moment=moment)
    ledger.booked[old.day][old.pk].remove(row)
    ledger.booked[later.day][later.pk].append(row)


def come_again(ledger: Ledger, visit: Visit) -> None:
    """诊间预约: before the patient leaves the room the doctor books the next visit, or sends him to others."""
    if visit.practitioner is None or visit.turn.finished_at > ledger.now:
        return
    dice, schedule = ledger.dice, visit.schedule
    person, doctor = ledger.person[visit.turn.booked.patient], User(pk=ledger.account[visit.practitioner])
    moment = visit.turn.finished_at - timedelta(seconds=20)
    opened = moment - timedelta(seconds=dice.randint(4, 30))
    room = {"by": doctor, "encounter": visit.encounter, "opened_at": opened}
    if schedule.team_id and dice.random() < REFERRED:
        _refer(ledger, visit, person, moment, room)
        return
    days = behaviour.returns_in(dice, level=schedule.service.level)
    if days is not None:
        actor = ("team", schedule.team_id) if schedule.team_id else ("role", schedule.role_id)
        again = ledger.clinics.nearest(actor, schedule.day + days * DAY, schedule.day)
        if again:
            ledger.book(person, again, "consult", moment, **room)
    if dice.random() < SECOND_DEPARTMENT:
        other = dice.choice([code for code in behaviour.DEMAND if code != schedule.department.code])
        there = ledger.choose(other, schedule.day + dice.choice((3, 7, 14)) * DAY, moment)
        if there:
            ledger.book(person, there, "consult", moment, **room)


def _refer(ledger: Ledger, visit: Visit, person: Persona, moment: datetime, room: dict) -> None:
    """B11: a member of the team opens the leading expert's numbers for this patient, and books one."""
    try:
        opened = ledger.house.refer(visit, doctor=room["by"], moment=moment)
    except Refused as refusal:
        ledger.refused[refusal.code] += 1
        return
    team, day = visit.schedule.team_id, visit.schedule.day
    leader = ledger.clinics.nearest(("gate", team), day + 7 * DAY, day)
    if leader:
        ledger.book(person, leader, "consult", moment, referral=opened, **room)
