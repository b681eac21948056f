"""What a bulk act would do, as its handler says it before and again under the locks; and what it changed.

A handler's module lives in this folder, imports the domain from its neighbours, and has one line in registry.py.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256

from appointments.models import BulkAct, Schedule
from hospital.errors import Refused
from hospital.models import User

UNDO_MINUTES = 10
"""So long an act can be taken back where nothing irreversible happened."""


@dataclass(frozen=True)
class Line:
    """What happens to one schedule.

    `says` are figures as (name, before, after), e.g. ("诊间", 10, 7): names of pools and the like, no persons.
    Leave out of it what a booking changes by the minute and the act does not depend on, or every preview is stale.
    `numbers` counts the rows that change; `patients` are the appointments that are touched; `note` is one sentence
    more. A line with a `refusal` is shown with its reason and left as it is; the other lines are done.
    """

    schedule: int
    numbers: int = 0
    says: tuple[tuple[str, int | str, int | str], ...] = ()
    note: str = ""
    patients: tuple[int, ...] = ()
    messages: int = 0
    refusal: Refused | None = None

    def stored(self) -> dict:
        said = {"schedule": self.schedule, "numbers": self.numbers, "says": [list(one) for one in self.says]}
        said |= {"note": self.note, "patients": list(self.patients), "messages": self.messages}
        if self.refusal:
            said["refusal"] = {"code": self.refusal.code, "text": self.refusal.in_full}
        return said

    def seen(self) -> list:
        """What a stale preview is told by: no sentence, since those change with the language."""
        refused = self.refusal.code if self.refusal else None
        figures = [self.schedule, self.numbers, [list(map(str, one)) for one in self.says]]
        return [*figures, sorted(self.patients), self.messages, refused]


@dataclass(frozen=True)
class Effect:
    """Of the whole act. `messages` are (what is said, to how many); `seen` is more that the digest holds; `plan` is
    what the handler will want again when it writes, so that nothing is thought out twice under the locks."""

    lines: tuple[Line, ...]
    messages: tuple[tuple[str, int], ...] = ()
    seen: tuple = ()
    plan: object = field(default=None, compare=False, repr=False)

    @cached_property
    def done(self) -> frozenset[int]:
        """Ids of the schedules that something happens to."""
        return frozenset(line.schedule for line in self.lines if not line.refusal)

    @property
    def digest(self) -> str:
        seen = [sorted(line.seen() for line in self.lines), [n for _text, n in self.messages], list(self.seen)]
        return sha256(json.dumps(seen, default=str).encode()).hexdigest()

    def stored(self) -> dict:
        """As BulkAct.effect keeps it: what the page shows."""
        return {
            "lines": [line.stored() for line in self.lines],
            "messages": [list(one) for one in self.messages],
            "schedules": len(self.done),
            "numbers": sum(line.numbers for line in self.lines if not line.refusal),
            "patients": sum(len(line.patients) for line in self.lines if not line.refusal),
            "refused": sum(1 for line in self.lines if line.refusal),
        }


def plain(value):
    """A field's value as Change keeps it."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


@dataclass(frozen=True)
class Change:
    """One row that was changed: `table` is slot or allotment; fields by column name, values by `plain`.

    Undo writes `before` back where everything in `after` still stands; an empty `before` means that the row was made
    (only of an allotment).
    """

    table: str
    row: int
    before: dict
    after: dict


class Handler:
    """One kind of act. `effect` only reads and is asked twice: for the preview, and under the locks."""

    UNDO: timedelta | None = timedelta(minutes=UNDO_MINUTES)
    LOCKS_NUMBERS = True
    """False for an act that writes no number: then a whole house's bookings go on beside it."""

    def undo_until(self, params: dict, now: datetime) -> datetime | None:
        """None: it cannot be taken back."""
        return now + self.UNDO if self.UNDO else None

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        raise NotImplementedError

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> Iterable[Change]:
        """Write it: `schedules` are those that were not refused; they and their numbers are locked. `effect` is the
        second look, taken under the locks."""
        raise NotImplementedError
