"""Some days of a draft, in one transaction.

Locks in the house order: schedules by id, their numbers by id, then the patients. A booking that is half-way holds
its number, so that it is waited for and then counted: whoever came after the office looked is not touched, and the
line says so.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime

from django.db import transaction

from appointments.models import (
    Appointment,
    DraftLine,
    LayoutDraft,
    Schedule,
    Slot,
)
from appointments.services import extras, laying, moving, planning, unlaying
from appointments.services.allocation import Allocation
from hospital import outbox

from . import keeping
from .compare import Line, Wanted, compare, count_patients
from .seats import Seats

AT_ONCE = 500  # lines written in one statement
TRIES = 5  # when somebody outside takes a place between the look and the writing
Action, Outcome = DraftLine.Action, DraftLine.Outcome


@dataclass
class Done:
    """What became of the ticked lines."""

    added: int = 0
    changed: int = 0
    dropped: int = 0
    numbers: int = 0
    told: int = 0  # patients who get a message
    refused: int = 0

    def __add__(self, other: "Done") -> "Done":
        mine, theirs = asdict(self), asdict(other)
        return Done(**{name: mine[name] + theirs[name] for name in mine})


def done_of(draft: LayoutDraft) -> Done:
    """What became of the lines so far."""
    return Done(**{one.name: draft.result[one.name] for one in fields(Done)})


@dataclass
class _Days:
    """Under way: what the rows of the draft ask for as it is now. What is refused drops out of `rows`."""

    draft: LayoutDraft
    now: datetime
    allocation: Allocation
    rows: dict[Line, DraftLine] = field(default_factory=dict)
    refused: list[DraftLine] = field(default_factory=list)
    renamed: list[DraftLine] = field(default_factory=list)  # of these, for a conflict that nobody saw before
    live: list[Appointment] = field(default_factory=list)  # who waits for what is touched; locked

    def refuse(self, line: Line, reason: str, *names: str) -> None:
        self.refuse_row(self.rows.pop(line), reason, *names)

    def refuse_row(self, row: DraftLine, reason: str, *names: str) -> None:
        """`names`: of a conflict, whom and what it names."""
        row.outcome, row.reason = Outcome.REFUSED, reason
        self.refused.append(row)
        if names:
            row.differences = [[reason, *names]]
            self.renamed.append(row)


class _Overtaken(Exception):
    """Somebody outside took a place in this very moment: all is taken back, and tried again without these lines."""

    def __init__(self, refused: dict[Line, tuple[str, ...]]):
        self.refused = refused


@transaction.atomic
def publish_days(
    draft: LayoutDraft, wanted: Wanted, first_day: date, last_day: date, *, allocation: Allocation, now: datetime
) -> None:
    """What is ticked of these days, and what became of it, at once. Publishes supply.laid_out, schedule.changed,
    schedule.relaid, schedule.dropped, schedule.stopped."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).select_related(None).get(pk=draft.pk)
    laying.one_planner_at_a_time(draft.organization)
    days = _Days(draft, now, allocation)
    _match(days, wanted, first_day, last_day)
    _lock(days)
    done = _write_what_fits(days, first_day, last_day)
    _keep(days, done)


def _match(days: _Days, wanted: Wanted, first_day: date, last_day: date) -> None:
    """What is not to the letter as the office saw it is not done."""
    found = compare(wanted=wanted, first_day=first_day, last_day=last_day, now=days.now).lines
    lines = {line.key: line for line in found}
    conflicts = {line.place: line.differences[0] for line in found if line.action == Action.CONFLICT}
    for row in days.draft.lines.filter(outcome=Outcome.WAITING, day__range=(first_day, last_day)).order_by("pk"):
        place = (row.template_id, row.schedule_id, row.day)
        line = lines.get((row.action, *place))
        if line and line.differences == row.differences:
            days.rows[line] = row
        else:
            days.refuse_row(row, *conflicts.get(place, ("changed_since",)))


def _lock(days: _Days) -> None:
    """What the schedules are must still be what was compared, and nobody more may be touched than the office saw."""
    seen = {line.schedule.pk: line for line in days.rows if line.schedule}
    rows = Schedule.objects.filter(pk__in=seen).order_by("pk").select_for_update(no_key=True)
    there = {pk: said for pk, *said in rows.values_list("pk", "status", "starts_at", "room_id", "template_id")}
    for pk, line in seen.items():
        was = line.schedule
        if there.get(pk) != [was.status, was.starts_at, was.room_id, was.template_id]:
            days.refuse(line, "changed_since")
    slots = Slot.objects.filter(schedule__in=seen).order_by("pk")
    list(slots.select_for_update(no_key=True).values_list("pk"))
    count_patients(list(days.rows))
    for line, row in list(days.rows.items()):
        if line.patients > row.patients:
            days.refuse(line, "booked_meanwhile")
        elif line.obstacle:
            days.refuse(line, line.obstacle)
    days.live = moving.lock_waiting([line.schedule.pk for line in days.rows if line.seen])


def _write_what_fits(days: _Days, first_day: date, last_day: date) -> Done:
    for _try in range(TRIES):
        _leave_out(days, Seats(list(days.rows), first_day=first_day, last_day=last_day))
        try:
            with transaction.atomic():
                return _write(days)
        except _Overtaken as other:
            for line, why in other.refused.items():
                days.refuse(line, *why)
    for line in list(days.rows):
        days.refuse(line, "changed_since")
    return Done()


def _leave_out(days: _Days, seats: Seats) -> None:
    """A line may need the place of another that was not ticked, or whose patient is elsewhere: it is refused by name,
    and what needed its own place in turn, until the rest fits together."""
    while True:
        for line, clash in seats.clashes(list(days.rows)).items():
            days.refuse(line, *clash)
        away = keeping.kept_away(list(days.rows), days.live)
        for line in away:
            days.refuse(line, "patient_elsewhere")
        if not away:
            return


def _write(days: _Days) -> Done:
    """What goes, and what is laid anew, leaves its place first; then what keeps its numbers moves, all at once."""
    lines, by = list(days.rows), days.draft.decided_by
    staying = [line for line in lines if line.moves]
    going = [line for line in lines if line.schedule and not line.moves]
    for line in going:
        if line.seen:  # it stays in the books as stopped; nobody waits for it
            extras.suspend(schedule=line.schedule, by=by, reason="出诊模板调整", now=days.now)
            Schedule.objects.filter(pk=line.schedule.pk).update(template=None)
    _delete([line for line in going if not line.seen], now=days.now)
    told = keeping.move(staying, days.live, by=by, now=days.now) if staying else 0
    if isinstance(told, str):
        raise _Overtaken({})  # the next look finds by whom
    fresh = [line for line in lines if line.planned and not line.moves]
    actions = [line.action for line in lines]
    return Done(
        added=actions.count(Action.ADD),
        changed=actions.count(Action.CHANGE),
        dropped=actions.count(Action.DROP),
        numbers=_lay(days, fresh) if fresh else 0,
        told=told,
    )


def _delete(lines: list[Line], *, now: datetime) -> None:
    """Nobody has or ever had a number of these."""
    unlaying.take_away([line.schedule.pk for line in lines])
    for action, topic in ((Action.DROP, "schedule.dropped"), (Action.CHANGE, "schedule.relaid")):
        facts = []
        for line in lines:
            if line.action == action:
                payload = {"schedule": line.schedule.pk, "template": line.template, "day": line.day.isoformat()}
                facts.append((f"schedule:{line.schedule.pk}", payload))
        if facts:
            outbox.publish_many(topic=topic, facts=facts, now=now)


def _lay(days: _Days, fresh: list[Line]) -> int:
    """What is new, and anew what was taken away a moment ago: all of it, or _Overtaken. Returns how many numbers."""
    by_place = {(line.template, line.day): line for line in fresh}
    planned = sorted((line.planned for line in fresh), key=lambda each: (each.schedule.day, each.template.pk))
    for each in planned:  # written in a try before, and taken back
        each.schedule.pk, each.schedule._state.adding = None, True
    organization = days.draft.organization
    written, conflicts, _there = laying.lay(
        planned, organization=organization, allocation=days.allocation, now=days.now
    )
    refused = {by_place[each.template, each.day]: (each.code, *each.names) for each in conflicts}
    left = by_place.keys() - {(row.template_id, row.day) for row in written}
    refused = {by_place[place]: ("changed_since",) for place in left} | refused
    if refused:
        raise _Overtaken(refused)
    numbers = sum(schedule.capacity for schedule in written)
    payload = {"schedules": len(written), "numbers": numbers, "conflicts": 0}
    key = f"organization:{organization.pk}"
    outbox.publish(topic=planning.TOPIC, key=key, payload=payload, actor=days.draft.decided_by, now=days.now)
    return numbers


def _keep(days: _Days, done: Done) -> None:
    """One statement for all lines that ended alike."""
    ids = [row.pk for row in days.rows.values()]
    DraftLine.objects.filter(pk__in=ids).update(outcome=Outcome.DONE, reason="")
    alike: dict[str, list[int]] = defaultdict(list)
    for row in days.refused:
        alike[row.reason].append(row.pk)
    for reason, pks in alike.items():
        DraftLine.objects.filter(pk__in=pks).update(outcome=Outcome.REFUSED, reason=reason)
    DraftLine.objects.bulk_update(days.renamed, ["differences"], batch_size=AT_ONCE)
    done.refused = len(days.refused)
    draft = days.draft
    draft.result |= asdict(done_of(draft) + done)
    draft.save(update_fields=["result"])
