"""批量操作记录: what was done to many at once, for those who reach one of its sessions; an act with its names."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from appointments.models import Appointment, BulkAct, Schedule
from hospital import clock, masking

MOST_NAMES = 60
"""So many patients are named under an act; of more, the number."""


class _Elements(Func):
    """The ids in a JSON array, one a row."""

    function = "jsonb_array_elements_text"
    set_returning = True


def acts_within(*, organizations, departments=None) -> QuerySet[BulkAct]:
    """`departments`: only acts that touch one of these. Newest first."""
    rows = BulkAct.objects.filter(organization__in=organizations).select_related("by", "undone_by", "organization")
    if departments is not None:
        mine = Schedule.objects.filter(department__in=departments)
        touched = BulkAct.objects.filter(pk=OuterRef(OuterRef("pk"))).annotate(
            one=Cast(_Elements("schedules"), BigIntegerField())
        )
        rows = rows.filter(Exists(mine.filter(pk__in=touched.values("one"))))
    return rows.order_by("-created_at", "-pk")


def narrowed(
    rows: QuerySet[BulkAct], *, kind: str = "", status: str = "", first: date | None = None, last: date | None = None
) -> QuerySet[BulkAct]:
    """Without a status: what happened. Days are the hospital's."""
    rows = rows.filter(status=status) if status else rows.exclude(status=BulkAct.Status.PREVIEWED)
    wanted = Q(kind=kind) if kind else Q()
    if first:
        wanted &= Q(created_at__gte=clock.at(first, time()))
    if last:
        wanted &= Q(created_at__lt=clock.at(last + timedelta(days=1), time()))
    return rows.filter(wanted)


@dataclass(frozen=True)
class Shown:
    """One line of an act's effect with the session's name; `schedule` None: laid out anew since."""

    schedule: Schedule | None
    says: list[tuple[str, str, str]]
    numbers: int
    note: str
    refusal: str
    names: list[str]


def lines_of(act: BulkAct) -> list[Shown]:
    """Three queries. Patients by masked name."""
    lines = act.effect.get("lines", [])
    schedules = sessions([line["schedule"] for line in lines])
    names = _names([pk for line in lines for pk in line["patients"]][:MOST_NAMES])
    return [
        Shown(
            schedule=schedules.get(line["schedule"]),
            says=[tuple(one) for one in line["says"]],
            numbers=line["numbers"],
            note=line["note"],
            refusal=line.get("refusal", {}).get("text", ""),
            names=[names[pk] for pk in line["patients"] if pk in names],
        )
        for line in lines
    ]


def sessions(pks) -> dict[int, Schedule]:
    rows = Schedule.objects.filter(pk__in=pks)
    return rows.select_related("role__practitioner", "team", "service", "department").in_bulk()


def _names(pks: list[int]) -> dict[int, str]:
    rows = Appointment.objects.filter(pk__in=pks).values_list("pk", "patient__name")
    return {pk: masking.name(name) for pk, name in rows}


def kept_of(act: BulkAct) -> list[tuple[Schedule | None, int | None]]:
    """What undo could not take back: the session, and the number if it is one."""
    kept = act.effect.get("kept", [])
    schedules = sessions([one["schedule"] for one in kept])
    return [(schedules.get(one["schedule"]), one["number"]) for one in kept]


def may_still_be_undone(act: BulkAct, *, now: datetime) -> bool:
    return act.status == BulkAct.Status.DONE and act.undo_until is not None and now <= act.undo_until
