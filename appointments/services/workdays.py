"""节假日与调休 in the office. No clinic is touched: what stands on such a day is shown, and stopped by hand."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count

from appointments.errors import CalendarRefused
from appointments.models import Appointment, Schedule
from appointments.policies.workday import problem
from hospital import audit, clock
from hospital.models import CalendarDay, Organization, User

from .moving import WAITING


@dataclass(frozen=True)
class Standing:
    """What is laid out on a day already."""

    schedules: int = 0
    patients: int = 0
    with_patients: tuple[int, ...] = ()  # ids of the schedules that somebody waits for


def standing_on(*, organization: Organization, days: Iterable[date], now: datetime) -> dict[date, Standing]:
    """Two queries. Only what has not begun: the rest is history."""
    rows = Schedule.objects.filter(organization=organization, day__in=list(days), status=Schedule.Status.OPEN)
    by_day: dict[date, list[int]] = defaultdict(list)
    for pk, day in rows.filter(starts_at__gt=now).order_by("starts_at", "pk").values_list("pk", "day"):
        by_day[day].append(pk)
    ids = [pk for pks in by_day.values() for pk in pks]
    waiting = Appointment.objects.filter(schedule__in=ids, status__in=WAITING).order_by()
    counts = dict(waiting.values_list("schedule").annotate(Count("pk")))
    return {
        day: Standing(len(pks), sum(counts.get(pk, 0) for pk in pks), tuple(pk for pk in pks if pk in counts))
        for day, pks in by_day.items()
    }


@transaction.atomic
def keep(*, row: CalendarDay, by: User, now: datetime) -> CalendarDay:
    """Add a day, or change one (`row.pk`). Raises CalendarRefused."""
    before = CalendarDay.objects.select_for_update(no_key=True).filter(pk=row.pk).first() if row.pk else None
    Organization.objects.select_for_update(no_key=True).get(pk=row.organization_id)
    twin = CalendarDay.objects.filter(organization=row.organization_id, day=row.day).exclude(pk=row.pk).first()
    wrong = problem(row, was=before, twin=twin, today=clock.today(now))
    if wrong:
        raise CalendarRefused(problem=wrong[1])
    if row.kind == CalendarDay.Kind.HOLIDAY:
        row.follows = None
    row.save()
    detail = {"before": _said(before), "after": _said(row)}
    audit.record(action="calendar.kept", actor=by, now=now, subject=f"calendar:{row.pk}", detail=detail)
    return row


@transaction.atomic
def remove(*, row: CalendarDay, by: User, now: datetime) -> None:
    """The day is an ordinary one again. Its history is kept by trigger. Raises CalendarRefused for what has passed."""
    wrong = problem(row, was=row, twin=None, today=clock.today(now))
    if wrong and wrong[0] == "day":
        raise CalendarRefused(problem=wrong[1])
    pk, before = row.pk, _said(row)
    row.delete()
    audit.record(action="calendar.removed", actor=by, now=now, subject=f"calendar:{pk}", detail={"before": before})


def _said(row: CalendarDay | None) -> dict | None:
    return row and {"day": row.day.isoformat(), "kind": row.kind, "name": row.name, "follows": row.follows}
