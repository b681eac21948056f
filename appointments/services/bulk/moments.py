"""暂缓放号 and 追加放号 (P6): pools open, or are shared with the public, at another moment. No number is written."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from appointments.errors import Stopped
from appointments.models import Allotment, BulkAct, Pool, Schedule
from appointments.policies import release as policy
from appointments.policies.release import Shift
from hospital import clock
from hospital.errors import Refused
from hospital.models import User

from . import pools
from .effects import Change, Effect, Handler, Line, plain

WAITED_FOR = {"opens_at": "opened_at", "shared_from": "moved_at"}
"""The mark by which a job says that the moment has come: while it is empty, the moment can be put back."""


@dataclass(frozen=True)
class Rest(Line):
    """`numbers` is what is left just now: bookings change it by the minute, and the act does not depend on it."""

    def seen(self) -> list:
        place, _numbers, *more = super().seen()
        return [place, *more]


class Moments(Handler):
    """What both have. Moments of allotments change: numbers need no locks, and bookings go on."""

    LOCKS_NUMBERS = False
    line: type[Line] = Line

    def shifts(self, schedule: Schedule, rows: Sequence[Allotment], params: dict, now: datetime) -> list[Shift]:
        """Raises Refused."""
        raise NotImplementedError

    def undo_until(self, params: dict, now: datetime) -> datetime | None:
        """Ten minutes, and in any case before the new moment comes."""
        return min(super().undo_until(params, now), _moment(params) - policy.LEAD)

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        counts, rows = pools.Counts(schedules), _allotments(schedules)
        return Effect(tuple(self._line(one, rows[one.pk], counts, params, now=now) for one in schedules))

    def _line(self, schedule: Schedule, rows, counts: pools.Counts, params: dict, *, now: datetime) -> Line:
        try:
            shifts = self._shifts(schedule, rows, params, now=now)
        except Refused as refusal:
            return self.line(schedule.pk, refusal=refusal)
        opening = {shift.allotment.pool for shift in shifts if self.counted(shift)}
        numbers = sum(counts.untaken(schedule, pool) for pool in opening)
        return self.line(schedule.pk, numbers=numbers, says=tuple(_says(shift) for shift in shifts))

    def counted(self, shift: Shift) -> bool:
        return True

    def _shifts(self, schedule: Schedule, rows: Sequence[Allotment], params: dict, *, now: datetime) -> list[Shift]:
        if schedule.status == Schedule.Status.STOPPED:
            raise Stopped()
        return self.shifts(schedule, rows, params, now)

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> list[Change]:
        rows = _allotments(schedules)
        shifts = [shift for one in schedules for shift in self._shifts(one, rows[one.pk], act.params, now=now)]
        for name in WAITED_FOR:
            moved = [shift.allotment.pk for shift in shifts if shift.field == name]
            Allotment.objects.filter(pk__in=moved).update(**{name: _moment(act.params)})
        return [_change(shift) for shift in shifts]


class Hold(Moments):
    """params: day (on which they open), kinds, moment (when instead)."""

    def shifts(self, schedule: Schedule, rows: Sequence[Allotment], params: dict, now: datetime) -> list[Shift]:
        day = date.fromisoformat(params["day"])
        chosen = [row for row in rows if row.pool.kind in params["kinds"] and clock.today(row.opens_at) == day]
        return policy.hold(schedule, rows, chosen=chosen, moment=_moment(params), now=now)

    def counted(self, shift: Shift) -> bool:
        """A recall that waits with the public pool is said; its numbers are not held back."""
        return shift.field == "opens_at"


class Extra(Moments):
    """params: kinds, moment (from which on their rest is public)."""

    line = Rest

    def shifts(self, schedule: Schedule, rows: Sequence[Allotment], params: dict, now: datetime) -> list[Shift]:
        return policy.bring_forward(schedule, rows, kinds=params["kinds"], moment=_moment(params), now=now)


def _moment(params: dict) -> datetime:
    return datetime.fromisoformat(params["moment"])


def _allotments(schedules: Sequence[Schedule]) -> dict[int, list[Allotment]]:
    found: dict[int, list[Allotment]] = defaultdict(list)
    for row in Allotment.objects.filter(schedule__in=schedules).select_related("pool").order_by("pk"):
        found[row.schedule_id].append(row)
    return found


WORDS: dict[str, Callable[[Pool], str]] = {
    "opens_at": lambda pool: _("%(pool)s放号") % {"pool": pool.name},
    "shared_from": lambda pool: _("%(pool)s余号归公共") % {"pool": pool.name},
}


def _says(shift: Shift) -> tuple[str, str, str]:
    before = getattr(shift.allotment, shift.field)
    return WORDS[shift.field](shift.allotment.pool), pools.said(before) if before else "—", pools.said(shift.to)


def _change(shift: Shift) -> Change:
    before = {shift.field: plain(getattr(shift.allotment, shift.field))}
    after = {shift.field: plain(shift.to), WAITED_FOR[shift.field]: None}
    return Change("allotment", shift.allotment.pk, before, after)
