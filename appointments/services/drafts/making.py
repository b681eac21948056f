"""按模板排: a draft of some coming days, with every difference as a line to tick."""

from datetime import date, datetime

from django.db import transaction

from appointments.errors import DraftDays, DraftDecided
from appointments.models import DraftLine, LayoutDraft
from appointments.services import planning
from hospital import audit, clock
from hospital.models import Department, Organization, User

from . import keeping
from .compare import Comparison, Line, Wanted, compare, count_patients
from .seats import Seats

BATCH = 2000


@transaction.atomic
def make(
    *,
    organization: Organization,
    department: Department | None,
    first_day: date,
    last_day: date,
    by: User,
    now: datetime,
) -> LayoutDraft:
    """Compare and keep what was found. Touches no schedule. Raises DraftDays for days that can't be laid out."""
    today = clock.today(now)
    if not today <= first_day <= last_day or (last_day - today).days > planning.AHEAD:
        raise DraftDays(days=planning.AHEAD)
    draft = LayoutDraft(organization=organization, department=department, first_day=first_day, last_day=last_day)
    found = look(draft, now=now)
    draft.digest, draft.by, draft.created_at = found.digest, by, now
    draft.save()
    DraftLine.objects.bulk_create([_row(draft, line) for line in found.lines], batch_size=BATCH)
    audit.record(
        action="draft.made", actor=by, now=now, subject=f"draft:{draft.pk}", detail={"lines": len(found.lines)}
    )
    return draft


@transaction.atomic
def look_again(*, draft: LayoutDraft, now: datetime) -> int:
    """What is not as it was when the draft was made is a line to be looked at, not ticked; the other lines keep their
    ticks. Returns how many there are. Raises DraftDecided."""
    draft = locked(draft)
    found = look(draft, now=now)
    rows = {(_key(row), str(row.differences)): row for row in draft.lines.all()}
    fresh, kept = [], []
    for line in found.lines:
        row = rows.pop((line.key, str(line.differences)), None)
        if row is None:
            fresh.append(_row(draft, line, since=True))
        elif (row.patients, row.reason) != (line.patients, line.reason):
            row.patients, row.reason = line.patients, line.reason
            row.take = row.take and not line.obstacle
            kept.append(row)
    DraftLine.objects.filter(pk__in=[row.pk for row in rows.values()]).delete()
    DraftLine.objects.bulk_update(kept, ["patients", "reason", "take"], batch_size=BATCH)
    DraftLine.objects.bulk_create(fresh, batch_size=BATCH)
    draft.digest = found.digest
    draft.save(update_fields=["digest"])
    return len(fresh)


def locked(draft: LayoutDraft) -> LayoutDraft:
    """To be decided on. Raises DraftDecided when somebody was quicker."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    if draft.status != LayoutDraft.Status.DRAFT:
        raise DraftDecided(state=draft.get_status_display())
    return draft


def look(draft: LayoutDraft, *, now: datetime) -> Comparison:
    """Every difference of the draft's days, with whom it touches and what stands in its way."""
    span = {"first_day": draft.first_day, "last_day": draft.last_day}
    found = compare(wanted=Wanted(draft), now=now, **span)
    count_patients(found.lines)
    for line in found.lines:
        line.reason = line.obstacle
    _find_conflicts(found.lines, **span)
    for line in keeping.kept_away(found.lines, keeping.waiting_of(found.lines)):
        line.reason = line.reason or "patient_elsewhere"
    return found


def _find_conflicts(lines: list[Line], *, first_day: date, last_day: date) -> None:
    """A doctor in two places, a room taken twice: by name, before anything is written.

    A line that fits only when all are done is no conflict. Where it needs the place of one that is not ticked by
    itself, since patients are there, it waits unticked beside it.
    """
    free = [line for line in lines if line.action != DraftLine.Action.CONFLICT and not line.obstacle]
    seats = Seats(free, first_day=first_day, last_day=last_day)
    clashes = seats.clashes(free)
    for line in seats.clashes([line for line in free if line not in clashes and not line.patients]):
        line.reason = "goes_along"
    for line, clash in clashes.items():
        line.action, line.differences, line.reason = DraftLine.Action.CONFLICT, [list(clash)], ""


def _row(draft: LayoutDraft, line: Line, *, since: bool = False) -> DraftLine:
    """`since`: found only after the office had looked."""
    return DraftLine(
        draft=draft,
        action=line.action,
        template_id=line.template,
        schedule=line.schedule,
        day=line.day,
        name=line.name,
        differences=line.differences,
        patients=line.patients,
        take=not since and _starts_taken(line),
        reason=line.reason or ("found_since" if since else ""),
    )


def _starts_taken(line: Line) -> bool:
    """Nobody is touched without the office having chosen so."""
    return line.action != DraftLine.Action.CONFLICT and not line.patients and not line.reason


def _key(row: DraftLine) -> tuple:
    return (row.action, row.template_id, row.schedule_id, row.day)
