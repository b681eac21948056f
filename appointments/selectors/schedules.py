"""A schedule's lasting facts, kept in the process: the hot endpoint asks for them at every booking."""

from time import monotonic

from appointments.errors import NoSuchNumber
from appointments.models import Schedule

from . import rules

KEEP_SECONDS = 300
MOST = 50_000
RULES_ASK_FOR = ("organization", "department", "service", "role", "team")
_kept: dict[int, tuple[float, Schedule]] = {}


def forget() -> None:
    _kept.clear()


def known(schedule_id: int) -> Schedule:
    """Whose, which department, which service, by whom: for the choice of rules only, nothing else is loaded.

    Whether it is stopped, what it costs and what is free is only ever asked of the database. The service's own
    settings are as fresh as the rules. Raises NoSuchNumber.
    """
    kept_at, schedule = _kept.get(schedule_id, (float("-inf"), None))
    if monotonic() - kept_at > KEEP_SECONDS:
        schedule = _learn_the_day_of(schedule_id)
    schedule.service = rules.service(schedule.service_id)
    return schedule


def _learn_the_day_of(schedule_id: int) -> Schedule:
    """The whole day of its hospital at once: when a day is released, all its schedules are asked for together."""
    asked = Schedule.objects.filter(pk=schedule_id)
    rows = Schedule.objects.filter(day__in=asked.values("day"), organization__in=asked.values("organization"))
    found = {schedule.pk: schedule for schedule in rows.only(*RULES_ASK_FOR)}
    if schedule_id not in found:
        raise NoSuchNumber()
    if len(_kept) >= MOST:
        _kept.clear()
    now = monotonic()
    _kept.update((pk, (now, schedule)) for pk, schedule in found.items())
    return found[schedule_id]
