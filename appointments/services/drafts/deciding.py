"""What the office does with a draft beside publishing it."""

from datetime import datetime

from django.db import transaction

from appointments.models import DraftLine, LayoutDraft
from hospital import audit
from hospital.models import User

from .making import locked


@transaction.atomic
def tick(*, draft: LayoutDraft, shown: set[int], take: set[int]) -> None:
    """Keep what was ticked among the lines that were on the page. Conflicts can't be ticked."""
    draft = locked(draft)
    rows = draft.lines.filter(pk__in=shown).exclude(action=DraftLine.Action.CONFLICT)
    rows.filter(pk__in=take).update(take=True)
    rows.exclude(pk__in=take).update(take=False)


@transaction.atomic
def discard(*, draft: LayoutDraft, by: User, now: datetime) -> None:
    """放弃: the draft stays in the history, nothing else happens."""
    draft = locked(draft)
    draft.status, draft.decided_by, draft.decided_at = LayoutDraft.Status.DISCARDED, by, now
    draft.save(update_fields=["status", "decided_by", "decided_at"])
    audit.record(action="draft.discarded", actor=by, now=now, subject=f"draft:{draft.pk}")
