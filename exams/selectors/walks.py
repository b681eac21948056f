"""How long it takes from one place of exams to another (E3)."""

from collections.abc import Collection
from dataclasses import dataclass

from exams.models import ExamRule, ExamZone, WalkingTime
from exams.selectors.around import Promise


@dataclass(frozen=True)
class Walks:
    """Minutes, either way. Zones of one campus lie `rule.walk_minutes` apart unless written otherwise, campuses
    `rule.campus_minutes`; a consultation is somewhere on its campus."""

    known: dict[tuple[int, int], int]
    rule: ExamRule

    def between(self, one: ExamZone, other: ExamZone) -> int:
        if one.pk == other.pk:
            return 0
        known = self.known.get((min(one.pk, other.pk), max(one.pk, other.pk)))
        return self.over(one.campus_id, other.campus_id) if known is None else known

    def over(self, campus: int | None, other: int | None) -> int:
        return self.rule.walk_minutes if campus == other or campus is None else self.rule.campus_minutes

    def to(self, promise: Promise, zone: ExamZone) -> int:
        """From where the patient is promised to be, or back."""
        if promise.zone == zone.pk:
            return 0
        if promise.zone is not None:
            known = self.known.get((min(promise.zone, zone.pk), max(promise.zone, zone.pk)))
            if known is not None:
                return known
        return self.over(promise.campus, zone.campus_id)


def walks_between(zones: Collection[ExamZone], *, rule: ExamRule) -> Walks:
    """One query: times that lead to or from these zones."""
    ids = {zone.pk for zone in zones}
    rows = WalkingTime.objects.filter(one__in=ids) | WalkingTime.objects.filter(other__in=ids)
    return Walks({(one, other): minutes for one, other, minutes in rows.values_list("one", "other", "minutes")}, rule)
