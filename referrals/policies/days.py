"""Which moments some days of the hospital are. Pure."""

from datetime import date, datetime, time, timedelta

from hospital import clock


def moments(first: date, last: date) -> tuple[datetime, datetime]:
    """From the first day's midnight to that after the last one."""
    return clock.at(first, time(0)), clock.at(last + timedelta(days=1), time(0))
