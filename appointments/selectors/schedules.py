"""A schedule's lasting facts, kept in the process: the hot endpoint asks for them at every booking."""

from time import monotonic

from appointments.errors import NoSuchNumber
from appointments.models import Schedule

from . import rules

KEEP_SECONDS = 300
MOST = 20_000
_kept: dict[int, tuple[float, Schedule]] = {}


def forget() -> None:
    _kept.clear()


def known(schedule_id: int) -> Schedule:
    """Whose, which department, which service, which day: for the choice of rules only.

    Whether it is stopped, what it costs and what is free is only ever asked of the database. The service's own
    settings are as fresh as the rules. Raises NoSuchNumber.
    """
    kept_at, schedule = _kept.get(schedule_id, (float("-inf"), None))
    if monotonic() - kept_at > KEEP_SECONDS:
        schedule = Schedule.objects.filter(pk=schedule_id).first()
        if schedule is None:
            raise NoSuchNumber()
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[schedule_id] = (monotonic(), schedule)
    schedule.service = rules.service(schedule.service_id)
    return schedule
