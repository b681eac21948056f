"""Publishing a draft: what was ticked, in one transaction, or nothing.

Locks in the house order: schedules by id, their numbers by id, then the patients of what moves. A booking that is
half-way holds its number, so that it is waited for and then counted: whoever came after the office looked is not
touched, and the line says so.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from appointments.errors import DraftDecided, DraftStale
from appointments.models import (
    Allotment,
    DraftLine,
    LayoutDraft,
    Schedule,
    ScheduleParticipant,
    ScheduleTemplate,
    Slot,
)
from appointments.services import clashes, extras, laying, planning
from appointments.services.allocation import Allocation
from appointments.services.drafts import moving
from appointments.services.drafts.compare import Comparison, Line, compare, patients_of
from appointments.services.drafts.making import obstacle
from appointments.services.drafts.seats import Seats
from hospital import audit, outbox
from hospital.models import User

NAMED = 3  # of what changed since, in the refusal
AT_ONCE = 500  # schedules deleted in one statement: about 12,000 numbers
Outcome = DraftLine.Outcome


@dataclass
class Published:
    """What became of the ticked lines."""

    added: int = 0
    changed: int = 0
    dropped: int = 0
    numbers: int = 0
    told: int = 0  # patients who get a message
    refused: int = 0


@dataclass
class _Act:
    """One publishing under way: the lines as they are now beside the rows of the draft."""

    draft: LayoutDraft
    by: User
    now: datetime
    rows: dict[tuple, DraftLine]
    taken: list[Line] = field(default_factory=list)
    fresh: list[Line] = field(default_factory=list)  # to be laid out: new, or anew
    renamed: list[DraftLine] = field(default_factory=list)  # refused for a conflict that nobody saw before
    result: Published = field(default_factory=Published)

    def row(self, line: Line) -> DraftLine:
        return self.rows[line.key]

    def done(self, line: Line) -> None:
        self.row(line).outcome = Outcome.DONE

    def refuse(self, line: Line, reason: str, *names: str) -> None:
        """`names`: of a conflict, whom and what it names."""
        row = self.row(line)
        row.outcome, row.reason = Outcome.REFUSED, reason
        if names:
            row.differences = [[reason, *names]]
            self.renamed.append(row)
        self.result.refused += 1


@transaction.atomic
def publish(*, draft: LayoutDraft, by: User, now: datetime) -> Published:
    """Make the ticked lines true.

    Raises DraftDecided when somebody was quicker, DraftStale when the templates or the schedules are not what the
    draft was made from any more; then nothing is done. A line whose patients changed since is refused by itself.
    """
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if draft.status != LayoutDraft.Status.DRAFT:
        raise DraftDecided(state=draft.get_status_display())
    laying.one_planner_at_a_time(draft.organization)
    found = _compared(draft, now=now)
    act = _act(draft, found, by=by, now=now)
    _lock(act)
    _recount(act)
    _find_seats(act)
    _make_room(act)
    _move(act)
    _lay(act)
    _settle(act, found)
    return act.result


@transaction.atomic
def tick(*, draft: LayoutDraft, shown: set[int], take: set[int]) -> None:
    """Keep what was ticked among the lines that were on the page. Conflicts can't be ticked."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if draft.status != LayoutDraft.Status.DRAFT:
        raise DraftDecided(state=draft.get_status_display())
    rows = draft.lines.filter(pk__in=shown).exclude(action=DraftLine.Action.CONFLICT)
    rows.filter(pk__in=take).update(take=True)
    rows.exclude(pk__in=take).update(take=False)


@transaction.atomic
def discard(*, draft: LayoutDraft, by: User, now: datetime) -> None:
    """放弃: the draft stays in the history, nothing else happens."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if draft.status != LayoutDraft.Status.DRAFT:
        raise DraftDecided(state=draft.get_status_display())
    draft.status, draft.decided_by, draft.decided_at = LayoutDraft.Status.DISCARDED, by, now
    draft.save(update_fields=["status", "decided_by", "decided_at"])
    audit.record(action="draft.discarded", actor=by, now=now, subject=f"draft:{draft.pk}")


def _compared(draft: LayoutDraft, *, now: datetime) -> Comparison:
    span = {"first_day": draft.first_day, "last_day": draft.last_day}
    found = compare(organization=draft.organization, department=draft.department, now=now, **span)
    if found.digest != draft.digest:
        before = {(*_key(row), str(row.differences)): row.name for row in draft.lines.all()}
        after = {(*line.key, str(line.differences)): line.name for line in found.lines}
        other = sorted({(before | after)[key] for key in before.keys() ^ after.keys()})
        raise DraftStale(what="、".join(other[:NAMED]) or str(draft.department or draft.organization))
    return found


def _key(row: DraftLine) -> tuple:
    return (row.action, row.template_id, row.schedule_id, row.day.isoformat())


def _act(draft: LayoutDraft, found: Comparison, *, by: User, now: datetime) -> _Act:
    act = _Act(draft, by, now, {_key(row): row for row in draft.lines.all()})
    for line in found.lines:
        row = act.row(line)
        if not row.take or line.action == DraftLine.Action.CONFLICT:
            row.outcome = Outcome.LEFT
        elif reason := obstacle(line):
            act.refuse(line, reason)
        else:
            act.taken.append(line)
    return act


def _lock(act: _Act) -> None:
    """The schedules that are touched, then their numbers. What they are must still be what was compared."""
    seen = {line.schedule.pk: line for line in act.taken if line.schedule}
    rows = Schedule.objects.filter(pk__in=seen).order_by("pk").select_for_update(no_key=True)
    there = {pk: said for pk, *said in rows.values_list("pk", "status", "starts_at", "room_id", "template_id")}
    for pk, line in seen.items():
        was = line.schedule
        if there.get(pk) != [was.status, was.starts_at, was.room_id, was.template_id]:
            raise DraftStale(what=line.name)
    slots = Slot.objects.filter(schedule__in=seen).order_by("pk")
    list(slots.select_for_update(no_key=True).values_list("pk"))


def _recount(act: _Act) -> None:
    """Under the locks: nobody more may be touched than the office saw."""
    counts, touched = patients_of([line.schedule.pk for line in act.taken if line.schedule])
    kept = []
    for line in act.taken:
        waiting, ever = counts.get(line.schedule.pk, (0, 0)) if line.schedule else (0, 0)
        line.patients, line.seen = waiting, bool(ever) or bool(line.schedule and line.schedule.pk in touched)
        if waiting > act.row(line).patients:
            act.refuse(line, "booked_meanwhile")
        else:
            kept.append(line)
    act.taken = kept


def _find_seats(act: _Act) -> None:
    """A line may need the place of another that was not ticked: then it is refused by name, and what needed its own
    place in turn, until the rest fits together."""
    span = {"first_day": act.draft.first_day, "last_day": act.draft.last_day}
    while True:
        wanted = [line for line in act.taken if line.planned]
        leaving = {line.schedule.pk for line in act.taken if line.schedule}
        seats = Seats.read([line.planned for line in wanted], without=leaving, **span)
        clashing = []
        for line in wanted:
            if clash := seats.clash(line.planned, own=line.schedule and line.schedule.pk):
                act.refuse(line, *clash)
                clashing.append(line)
            else:
                seats.take(line.planned, line.name)
        if not clashing:
            return
        act.taken = [line for line in act.taken if line not in clashing]


def _make_room(act: _Act) -> None:
    """What goes, and what is to be laid out anew, leaves its place first."""
    moving.lock_patients([line.schedule.pk for line in act.taken if line.seen])
    leaving = []
    for line in act.taken:
        change = line.action == DraftLine.Action.CHANGE
        if line.action != DraftLine.Action.DROP and not change:
            act.fresh.append(line)
        elif change and line.seen and line.keeps_numbers:
            continue  # it moves
        else:
            if line.seen:
                _retire(act, line)
            else:
                leaving.append(line)
            if change:
                act.fresh.append(line)
            else:
                act.done(line)
                act.result.dropped += 1
    _delete(act, leaving)


def _retire(act: _Act, line: Line) -> None:
    """Somebody once had a number: the clinic stays in the books as stopped. Nobody waits for it."""
    extras.suspend(schedule=line.schedule, by=act.by, reason="出诊模板调整", now=act.now)
    Schedule.objects.filter(pk=line.schedule.pk).update(template=None)


def _delete(act: _Act, lines: list[Line]) -> None:
    """Nobody has or ever had a number of these."""
    ids = [line.schedule.pk for line in lines]
    for place in range(0, len(ids), AT_ONCE):
        some = ids[place : place + AT_ONCE]
        for model in (Slot, Allotment, ScheduleParticipant):
            rows = model.objects.filter(schedule__in=some)
            rows._raw_delete(rows.db)
        DraftLine.objects.filter(schedule__in=some).update(schedule=None)
        schedules = Schedule.objects.filter(pk__in=some)
        schedules._raw_delete(schedules.db)
    for action, topic in ((DraftLine.Action.DROP, "schedule.dropped"), (DraftLine.Action.CHANGE, "schedule.relaid")):
        facts = []
        for line in lines:
            if line.action == action:
                payload = {"schedule": line.schedule.pk, "template": line.template, "day": line.day.isoformat()}
                facts.append((f"schedule:{line.schedule.pk}", payload))
        if facts:
            outbox.publish_many(topic=topic, facts=facts, now=act.now)


def _move(act: _Act) -> None:
    """One may need the place that another leaves in this very act: it is asked again while anything moves."""
    left = [line for line in act.taken if line.action == DraftLine.Action.CHANGE and line.seen and line.keeps_numbers]
    moved, why = True, {}
    while left and moved:
        why = {line.key: moving.move(line, by=act.by, now=act.now) for line in left}
        moved = [line for line in left if isinstance(why[line.key], int)]
        for line in moved:
            act.done(line)
            act.result.changed += 1
            act.result.told += why[line.key]
        left = [line for line in left if isinstance(why[line.key], str)]
    for line in left:
        code = why[line.key]
        clash = code in clashes.CODES.values()
        act.refuse(line, code, *laying.names_of(line.planned, code, own=line.schedule.pk) if clash else ())


def _lay(act: _Act) -> None:
    """What is new, and anew what was taken away a moment ago: that must succeed, or everything is taken back."""
    if not act.fresh:
        return
    by_place = {(line.planned.template.pk, line.day): line for line in act.fresh}
    planned = sorted((line.planned for line in act.fresh), key=lambda each: (each.schedule.day, each.template.pk))
    organization = act.draft.organization
    written, conflicts, _there = laying.lay(
        planned, organization=organization, allocation=Allocation(organization), now=act.now
    )
    for conflict in conflicts:
        line = by_place[conflict.template, conflict.day]
        if line.action != DraftLine.Action.ADD:
            raise DraftStale(what=line.name)
        act.refuse(line, conflict.code, *conflict.names)
    for schedule in written:
        line = by_place[schedule.template_id, schedule.day]
        act.done(line)
        act.result.numbers += schedule.capacity
        if line.action == DraftLine.Action.ADD:
            act.result.added += 1
        else:
            act.result.changed += 1
    payload = {"schedules": len(written), "numbers": act.result.numbers, "conflicts": len(conflicts)}
    key = f"organization:{organization.pk}"
    outbox.publish(topic=planning.TOPIC, key=key, payload=payload, actor=act.by, now=act.now)


def _settle(act: _Act, found: Comparison) -> None:
    """The templates count from now on, what goes on under a changed pattern is told so, and the trail is written."""
    published = _published_templates(act, found)
    ScheduleTemplate.objects.filter(pk__in=published, published_at__isnull=True).update(published_at=act.now)
    counted = published | {template.pk for template in found.templates if template.published_at}
    for schedule, template in found.adopted:
        if template in counted:
            still = Schedule.objects.filter(pk=schedule.pk, template=schedule.template_id)
            still.update(template=template)
    _keep_outcomes(act)
    draft = act.draft
    draft.status, draft.decided_by, draft.decided_at = LayoutDraft.Status.PUBLISHED, act.by, act.now
    draft.save(update_fields=["status", "decided_by", "decided_at"])
    counts = Counter(row.outcome for row in act.rows.values())
    detail = {"after": vars(act.result) | {"left": counts[Outcome.LEFT]}, "templates": sorted(published)}
    audit.record(action="draft.published", actor=act.by, now=act.now, subject=f"draft:{draft.pk}", detail=detail)


def _keep_outcomes(act: _Act) -> None:
    """One statement for all lines that ended alike."""
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in act.rows.values():
        alike[row.outcome, row.reason].append(row.pk)
    for (outcome, reason), ids in alike.items():
        DraftLine.objects.filter(pk__in=ids).update(outcome=outcome, reason=reason)
    for row in act.renamed:
        DraftLine.objects.filter(pk=row.pk).update(differences=row.differences)


def _published_templates(act: _Act, found: Comparison) -> set[int]:
    """A new pattern counts when one of its days was taken, or when it differs nowhere from what stands. One that the
    office left out wholly waits for the next draft."""
    with_lines = {row.template_id for row in act.rows.values()}
    done = {row.template_id for row in act.rows.values() if row.outcome == Outcome.DONE}
    standing = {template for _schedule, template in found.adopted}
    return done | {
        template.pk for template in found.templates if template.pk not in with_lines and template.pk in standing
    }
