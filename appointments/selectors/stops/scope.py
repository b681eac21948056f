"""Which sessions a 停诊单 is about, and which of them are still to be carried out."""

from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import Schedule, Substitution, Suspension

RELATED = ("role__practitioner", "role__service", "team", "service", "department", "room", "campus", "organization")


def sessions_of(stop: Suspension) -> QuerySet[Schedule]:
    """By id where it names them; else all of the doctor's (as it is booked now) or of the department's."""
    if stop.schedules:
        return Schedule.objects.filter(pk__in=stop.schedules)
    return in_scope(
        organization=stop.organization_id,
        practitioner=stop.practitioner_id,
        department=stop.department_id,
        first=stop.first_day,
        last=stop.last_day,
        half=stop.half,
    )


def in_scope(
    *, organization: int, practitioner: int | None, department: int | None, first: date, last: date, half: str
) -> QuerySet[Schedule]:
    """A doctor's own sessions or a department's, on these days (the last included) and in this half, if one is said."""
    rows = Schedule.objects.filter(organization=organization, day__range=(first, last))
    if practitioner:
        rows = rows.filter(role__practitioner=practitioner)
    if department:
        rows = rows.filter(department=department)
    return rows.filter(half=half) if half else rows


def ahead(stop: Suspension, *, now: datetime) -> list[Schedule]:
    """Its sessions that are not over, whatever their state: what a preview shows and its digest is of."""
    rows = sessions_of(stop).filter(ends_at__gt=now).select_related(*RELATED)
    return list(rows.order_by("starts_at", "pk"))


def waiting(stop: Suspension, *, now: datetime) -> list[Schedule]:
    """What is left to do, in the order of its days: not over, not done by this row, and not refused before.

    A session that is stopped already is only touched to put a substitute into it.
    """
    mine = Substitution.objects.filter(suspension=stop, schedule=OuterRef("pk"))
    with_substitute = [int(pk) for pk in stop.substitutes]
    rows = sessions_of(stop).filter(Q(status=Schedule.Status.OPEN) | Q(pk__in=with_substitute))
    rows = rows.filter(~Exists(mine), ends_at__gt=now).exclude(pk__in=[int(pk) for pk in stop.problems])
    return list(rows.select_related(*RELATED).order_by("starts_at", "pk"))


def others_over(schedule: Schedule, *, but: Suspension) -> QuerySet[Suspension]:
    """Other stops in force that cover this session, too: it stays stopped when one of them is undone."""
    doctor = schedule.role.practitioner_id if schedule.role_id else None
    by_days = Q(schedules=[]) & (Q(practitioner=None) | Q(practitioner__isnull=False, practitioner=doctor))
    by_days &= Q(department=None) | Q(department=schedule.department_id)
    rows = Suspension.objects.filter(
        Q(schedules__contains=[schedule.pk]) | by_days,
        Q(half="") | Q(half=schedule.half),
        organization=schedule.organization_id,
        status=Suspension.Status.ACTIVE,
        first_day__lte=schedule.day,
        last_day__gte=schedule.day,
    )
    asked_to_stop = ~Q(substitutes__has_key=str(schedule.pk))
    return rows.filter(asked_to_stop).exclude(pk=but.pk).order_by("pk")


def standing(schedule: Schedule) -> Substitution | None:
    return Substitution.objects.filter(schedule=schedule, stands=True).select_related("substitute").first()


def last_laid_out(organization_id: int) -> date | None:
    """The last day that has schedules."""
    rows = Schedule.objects.filter(organization=organization_id)
    return rows.order_by("-day").values_list("day", flat=True).first()
