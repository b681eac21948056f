"""What came of an act so far: counted from what was recorded, session by session."""

from dataclasses import dataclass, field

from appointments.models import Appointment, BulkAct, BulkChange, Schedule


@dataclass
class Outcome:
    """`blocked`: sessions that stay, and why; `left`: patients who stay, for the phone desk."""

    total: int
    settled: int = 0
    moved: int = 0
    told: int = 0
    blocked: list[tuple[Schedule, str]] = field(default_factory=list)
    left: list[Appointment] = field(default_factory=list)


def outcome_of(act: BulkAct) -> Outcome:
    """Of a preview: what the look said. Five queries at most."""
    found = Outcome(total=len(act.schedules))
    blocked: dict[int, str] = {}
    left: list[int] = []
    if act.status == BulkAct.Status.PREVIEWED:
        blocked, left = dict(act.effect["blocked"]), act.effect["left"]
    for row, after in BulkChange.objects.filter(act=act).values_list("row", "after"):
        found.settled += 1
        found.moved += "starts_at" in after
        found.told += after.get("told", 0)
        left += after.get("left", [])
        if "blocked" in after:
            blocked[row] = after["blocked"]
    actor = ("role__practitioner", "team", "service", "department")
    schedules = Schedule.objects.filter(pk__in=blocked).select_related(*actor).order_by("day", "starts_at", "pk")
    found.blocked = [(one, blocked[one.pk]) for one in schedules]
    rows = Appointment.objects.filter(pk__in=left).exclude(status=Appointment.Status.CANCELLED)
    together = ("patient", "slot", *(f"schedule__{name}" for name in actor))
    found.left = list(rows.select_related(*together).order_by("start", "pk"))
    return found
