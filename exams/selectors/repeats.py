"""Results that make an exam a repeat (E6): of the same item, or of one with its code of mutual recognition, also from a
partner institution."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from exams.models import DiagnosticReport, ExamVariant
from exams.policies import repeat
from hospital.models import Patient

LONGEST_DAYS = 730
"""A result older than this is no candidate, whatever an item's row says: the index is read from here on."""


def valid_results(*, patient: Patient, variants: Iterable[ExamVariant], now: datetime) -> dict[int, DiagnosticReport]:
    """variant id → the newest released result that still holds for it. One query; none where no item keeps results.

    How long a result holds is said by the item that is asked for now, not by the one it was made as.
    """
    wanted = [variant for variant in variants if variant.item.valid_days]
    if not wanted:
        return {}
    items = {variant.item_id for variant in wanted}
    codes = {variant.item.equivalence for variant in wanted if variant.item.equivalence}
    longest = min(LONGEST_DAYS, max(variant.item.valid_days for variant in wanted))
    oldest = repeat.valid_until(now, valid_days=-longest)
    rows = DiagnosticReport.objects.filter(
        Q(variant__item__in=items) | Q(variant__item__equivalence__in=codes),
        patient=patient,
        status=DiagnosticReport.Status.RELEASED,
        performed_at__gt=oldest,
        performed_at__lte=now,
    )
    rows = rows.select_related("variant__item", "organization", "current").order_by("-performed_at", "-pk")
    found = {}
    for report in rows:
        for variant in wanted:
            if variant.pk not in found and _holds_for(report, variant, now=now):
                found[variant.pk] = report
    return found


def _holds_for(report: DiagnosticReport, variant: ExamVariant, *, now: datetime) -> bool:
    made = report.variant.item
    same = made.pk == variant.item_id or bool(made.equivalence) and made.equivalence == variant.item.equivalence
    return same and repeat.still_valid(report.performed_at, valid_days=variant.item.valid_days, now=now)
