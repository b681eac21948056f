"""Laying out schedules with their numbers, against the same with bulk_create."""

import time
from datetime import time as wall
from datetime import timedelta

from django.db import connection

from appointments.models import Allotment, Schedule, ScheduleParticipant, ScheduleTemplate, Slot
from appointments.services import laying, planning, shares
from bench import against_copy, table
from bench.seed import SINCE, Ground
from bench.sizes import Sizes
from hospital import clock
from hospital.models import Campus, HalfDayHours, Organization, PractitionerRole, Room


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    organization = Organization.objects.get(pk=ground.organization)
    _templates(organization, sizes)
    rates = {True: [], False: []}
    first = clock.today(clock.now()) + timedelta(days=400)
    for _round in range(sizes.rounds):
        for ours in (True, False):
            rates[ours].append(_lay(organization, first, sizes.laid_days, ours=ours))
            first += timedelta(days=sizes.laid_days)
    note = (
        f"{sizes.laid_days} days of {sizes.doctors} doctors, {sizes.numbers} numbers a half-day, all rows of a schedule"
    )
    return [
        table.compare(
            "generate ÷ bulk_create",
            rates[True],
            rates[False],
            target=3,
            stretch=7,
            better="higher",
            unit="/s",
            note=note,
        ),
        against_copy.measure(sizes, organization, first),
    ]


def _templates(organization: Organization, sizes: Sizes) -> None:
    """Every doctor, every half-day of the week."""
    campus = Campus.objects.get(organization=organization)
    for half, starts, ends in (("am", wall(8), wall(12)), ("pm", wall(13, 30), wall(17, 30))):
        HalfDayHours.objects.create(campus=campus, half=half, starts=starts, ends=ends, effective_from=SINCE)
    roles = PractitionerRole.objects.select_related("department").order_by("id")
    rooms = Room.objects.order_by("id")
    ScheduleTemplate.objects.bulk_create(
        ScheduleTemplate(
            organization=organization,
            department=role.department,
            service_id=role.service_id,
            role=role,
            room=room,
            weekday=weekday,
            half=half,
            numbers=sizes.numbers,
            effective_from=SINCE,
            published_at=clock.now(),
        )
        for role, room in zip(roles, rooms, strict=True)
        for weekday in range(1, 8)
        for half in ("am", "pm")
    )


def _lay(organization: Organization, first, days: int, *, ours: bool) -> float:
    """Numbers a second of writing: schedules, sitters, numbers, allotments. The planning before it is the same."""
    writing = laying._write
    way, seconds = (writing if ours else by_bulk_create), []

    def timed(batch, allocation, *, now) -> None:
        began = time.perf_counter()
        way(batch, allocation, now=now)
        seconds.append(time.perf_counter() - began)

    laying._write = timed
    try:
        laid = planning.lay_out(
            organization=organization, first_day=first, last_day=first + timedelta(days=days - 1), now=clock.now()
        )
    finally:
        laying._write = writing
    _complete(first, days, laid.numbers)
    return laid.numbers / sum(seconds)


def by_bulk_create(batch, allocation, *, now) -> None:
    """What laying._write does, as it is usually written."""
    Schedule.objects.bulk_create([each.schedule for each in batch])
    ScheduleParticipant.objects.bulk_create([row for each in batch for row in laying._participants(each)])
    Slot.objects.bulk_create(
        [slot for each in batch for slot in _numbers(each.schedule, allocation.pools_by_number(each.schedule))],
        batch_size=1_000,
    )
    Allotment.objects.bulk_create(
        Allotment(
            schedule=each.schedule,
            pool_id=opening.pool,
            department_id=each.schedule.department_id,
            day=each.schedule.day,
            opens_at=opening.opens_at,
            shared_from=opening.shared_from,
            opened_at=opening.opens_at if opening.opens_at <= now else None,
        )
        for each in batch
        for opening in allocation.openings(each.schedule)
    )


def _numbers(schedule: Schedule, pools: tuple[int, ...]):
    total = int((schedule.ends_at - schedule.starts_at).total_seconds()) // 60
    times = shares.minutes_of(capacity=schedule.capacity, total=total)
    for number, ((after, minutes), pool) in enumerate(zip(times, pools, strict=True), 1):
        start = schedule.starts_at + timedelta(minutes=after)
        yield Slot(schedule=schedule, number=number, start=start, minutes=minutes, pool_id=pool)


def _complete(first, days: int, numbers: int) -> None:
    """Both ways wrote every number, none twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM appointments_slot s JOIN appointments_schedule c ON c.id = s.schedule_id"
            " WHERE c.template_id IS NOT NULL AND c.day BETWEEN %s AND %s",
            [first, first + timedelta(days=days - 1)],
        )
        if cursor.fetchone()[0] != numbers or not numbers:
            raise SystemExit("generate: the numbers written are not the numbers planned")
