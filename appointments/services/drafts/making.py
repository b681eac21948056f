"""按模板排: a draft of some coming days, with every difference as a line to tick."""

from datetime import date, datetime

from django.db import transaction

from appointments.errors import DraftDays
from appointments.models import DraftLine, LayoutDraft
from appointments.services import planning
from appointments.services.drafts.compare import Comparison, Line, compare
from hospital import audit, clock
from hospital.models import Department, Organization, User

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
    found = compare(organization=organization, department=department, first_day=first_day, last_day=last_day, now=now)
    draft = LayoutDraft.objects.create(
        organization=organization,
        department=department,
        first_day=first_day,
        last_day=last_day,
        digest=found.digest,
        by=by,
        created_at=now,
    )
    DraftLine.objects.bulk_create(_rows(draft, found), batch_size=BATCH)
    audit.record(
        action="draft.made", actor=by, now=now, subject=f"draft:{draft.pk}", detail={"lines": len(found.lines)}
    )
    return draft


def _rows(draft: LayoutDraft, found: Comparison) -> list[DraftLine]:
    return [
        DraftLine(
            draft=draft,
            action=line.action,
            template_id=line.template,
            schedule=line.schedule,
            day=line.day,
            name=line.name,
            differences=line.differences,
            patients=line.patients,
            take=starts_taken(line),
            reason=obstacle(line),
        )
        for line in found.lines
    ]


def starts_taken(line: Line) -> bool:
    """Nobody is touched without the office having chosen so."""
    return line.action != DraftLine.Action.CONFLICT and not line.patients and not obstacle(line)


def obstacle(line: Line) -> str:
    """Why ticking would not help; the words are selectors.drafts.REASONS."""
    if line.action == DraftLine.Action.DROP and line.patients:
        return "has_patients"
    if line.action == DraftLine.Action.CHANGE and line.patients and not line.keeps_numbers:
        return "numbers_would_change"
    return ""
