"""Small hospitals for the planner: times as (day, hour, minute)."""

from exams.planner import DAY, Option, Task

EIGHT, NOON, FIVE = 8 * 60, 12 * 60, 17 * 60


def at(day: int, hour: int, minute: int = 0) -> int:
    return day * DAY + hour * 60 + minute


def open_days(*days: int, starts: int = EIGHT, ends: int = FIVE) -> tuple[tuple[int, int], ...]:
    return tuple((day * DAY + starts, day * DAY + ends) for day in days)


THREE_DAYS = open_days(0, 1, 2)


def exam(key: str, minutes: int = 20, free=THREE_DAYS, *, place: str = "一楼", **more) -> Task:
    """On one device that is free then."""
    return Task(key, minutes, (Option(f"{key}室", place, tuple(free)),), **more)
