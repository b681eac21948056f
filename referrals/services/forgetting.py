"""草稿: what was written about a person and never sent is emptied after a month, with its attachments (O4).

The row stays, withdrawn: that there was a draft is no secret, what it said is nobody's any more.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from referrals.models import Referral

from . import attachments, trail

KEPT = timedelta(days=30)
"""Longer than any leave; whoever still means it writes it anew."""

EMPTIED = {
    "reason": "", "diagnosis_code": "", "diagnosis": "", "history": "", "medication": "", "allergies": "",
    "results": "", "consent": "", "consented_at": None,
}  # fmt: skip


def forget_drafts(*, now: datetime) -> int:
    """Drafts older than KEPT; how many. Safe to repeat."""
    old = Referral.objects.filter(status=Referral.Status.DRAFT, created_at__lt=now - KEPT).order_by("pk")
    return sum(_forget(pk, now=now) for pk in list(old.values_list("pk", flat=True)))


@transaction.atomic
def _forget(pk: int, *, now: datetime) -> bool:
    """Its writer may have sent it in this very moment."""
    row = trail.locked(pk)
    if row.status != Referral.Status.DRAFT:
        return False
    for each in row.attachments.filter(removed_at=None):
        attachments.remove(attachment=each, by=None, now=now)
    trail.step(
        row, trail.Kind.WITHDRAWN, by=None, organization_id=None, now=now, status=Referral.Status.WITHDRAWN,
        text=_("一个月没有发出，内容已清除。"), detail={"why": "draft_too_old"}, **EMPTIED,
    )  # fmt: skip
    return True
