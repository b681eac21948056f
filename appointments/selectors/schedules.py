"""A schedule's lasting facts, kept a few seconds in the process: the hot endpoint asks for them at every booking."""

from time import monotonic

from appointments.errors import NoSuchNumber
from appointments.models import Schedule

KEEP_SECONDS = 10
MOST = 20_000
_kept: dict[int, tuple[float, Schedule]] = {}


def forget() -> None:
    _kept.clear()


def known(schedule_id: int) -> Schedule:
    """Whose, which service, which day. Whether it is stopped and what is free is only ever asked of the database.

    Raises NoSuchNumber.
    """
    kept_at, schedule = _kept.get(schedule_id, (float("-inf"), None))
    if monotonic() - kept_at > KEEP_SECONDS:
        schedule = Schedule.objects.select_related("service").filter(pk=schedule_id).first()
        if schedule is None:
            raise NoSuchNumber()
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[schedule_id] = (monotonic(), schedule)
    return schedule
