"""How long a department's availability takes to find, in a hospital of ninety days and in one with years of history."""

import time
from statistics import median

from bench import apart, table
from bench.scratch import Scratch
from bench.sizes import Sizes

SPANS = (7, 90)  # days: the public page, the consult room's calendar
REPEATS = 15

WRITTEN = """
SELECT open.schedule_id, open.day, count(s.id)
  FROM (SELECT a.schedule_id, a.day, array_agg(a.pool_id) AS pools
          FROM appointments_allotment a
         WHERE a.department_id = %(department)s AND a.day BETWEEN %(first)s AND %(last)s
           AND ((a.pool_id = ANY (%(pools)s) AND a.opens_at <= %(now)s)
                OR (%(public)s = ANY (%(pools)s) AND a.shared_from <= %(now)s))
         GROUP BY a.schedule_id, a.day) open
 CROSS JOIN LATERAL (
       SELECT s.id FROM appointments_slot s
        WHERE s.schedule_id = open.schedule_id AND s.status IN ('free', 'held', 'resting')
          AND (s.status = 'free' OR s.hold_until <= %(now)s) AND s.start > %(now)s
          AND s.pool_id = ANY (open.pools)) s
 GROUP BY open.schedule_id, open.day
"""
"""The shape of booking.md by hand, to see what the selector adds."""


def measure(sizes: Sizes, scratch: Scratch, *, small: str, large: str) -> list[table.Row]:
    """Asks both in turn. `small` and `large` are names of databases."""
    times: dict[str, dict[str, list[float]]] = {small: {}, large: {}}
    for _round in range(sizes.rounds):
        for name in (large, small):
            for what, milliseconds in apart.run(scratch.url(name), "search", "ask").items():
                times[name].setdefault(what, []).append(milliseconds)
    rows = []
    for days in SPANS:
        by_hand = ", ".join(f"{median(times[name][f'written {days}']):.1f} ms" for name in (large, small))
        rows.append(
            table.compare(
                f"search {days} days: {sizes.history} × numbers ÷ 1 ×",
                times[large][f"selector {days}"],
                times[small][f"selector {days}"],
                target=1.5,
                stretch=1,
                better="lower",
                unit="ms",
                note=f"a department's schedules and what is left of each; one query by hand: {by_hand}",
            )
        )
    return rows


def ask() -> dict[str, float]:
    """Milliseconds of each question, the median over departments, the first look of each left out."""
    from hospital import clock
    from hospital.models import Department

    departments = list(Department.objects.order_by("id").values_list("pk", flat=True))
    now = clock.now()
    times: dict[str, list[float]] = {}
    for turn in range(REPEATS):
        department = departments[turn % len(departments)]
        for days in SPANS:
            for name, question in (("selector", _by_selector), ("written", _by_hand)):
                answers = []
                for _again in range(2):
                    began = time.perf_counter()
                    answers.append(question(department, days, now))
                    seconds = time.perf_counter() - began
                times.setdefault(f"{name} {days}", []).append(seconds * 1000)
    return {name: median(each) for name, each in times.items()}


def _by_selector(department: int, days: int, now) -> int:
    from datetime import timedelta

    from appointments.models import Schedule
    from appointments.selectors import numbers, rules
    from hospital import clock

    today = clock.today(now)
    span = (today + timedelta(days=1), today + timedelta(days=days))
    schedules = Schedule.objects.filter(department=department, day__range=span, status="open")
    ids = list(schedules.values_list("pk", flat=True))
    organization = Schedule.objects.values_list("organization", flat=True).first()
    pools = rules.pools_for("app", organization_id=organization, day=today)
    return sum(numbers.count_left(ids, pools=pools, now=now).values())


def _by_hand(department: int, days: int, now) -> int:
    from datetime import timedelta

    from django.db import connection

    from appointments.models import Pool
    from hospital import clock

    today = clock.today(now)
    public = Pool.objects.get(kind="public").pk
    values = {"department": department, "first": today + timedelta(days=1), "last": today + timedelta(days=days)}
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, values | {"pools": [public], "public": public, "now": now})
        return sum(row[2] for row in cursor.fetchall())
