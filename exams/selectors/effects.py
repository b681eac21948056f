"""What an ordering rule would do: which exams it speaks of, and whose bookings stand against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from exams.models import ExamBooking, ExamVariant, OrderingRule
from exams.planner.problem import Gap
from exams.policies.ordering import Exam, between, is_first, is_second

from .ordering import exam_of
from .sentences import sentence_of


@dataclass(frozen=True)
class Effect:
    """`against`: patients who hold coming bookings that the rule would not allow. They stay: a rule moves nobody."""

    sentence: str
    firsts: tuple[str, ...]
    seconds: tuple[str, ...]
    against: int


def effect_of(rule: OrderingRule, *, now: datetime) -> Effect:
    """Four queries."""
    variants = list(
        ExamVariant.objects.filter(item__organization=rule.organization_id, item__active=True, active=True)
        .select_related("item").prefetch_related("groups").order_by("item__code", "pk")
    )  # fmt: skip
    seen = {
        each.pk: Exam(each.name, each.item_id, frozenset(group.pk for group in each.groups.all())) for each in variants
    }
    concerned = {pk: exam for pk, exam in seen.items() if is_first(rule, exam) or is_second(rule, exam)}
    return Effect(
        sentence=sentence_of(rule),
        firsts=tuple(exam.key for exam in concerned.values() if is_first(rule, exam)),
        seconds=tuple(exam.key for exam in concerned.values() if is_second(rule, exam)),
        against=_against(rule, concerned, now=now),
    )


def _against(rule: OrderingRule, concerned: Iterable[int], *, now: datetime) -> int:
    rows = ExamBooking.objects.filter(holds=True, stay__endswith__gt=now, variant__in=list(concerned))
    rows = rows.select_related("request__variant").prefetch_related("request__variant__groups").order_by("during")
    theirs: dict[int, list[ExamBooking]] = {}
    for row in rows:
        theirs.setdefault(row.patient_id, []).append(row)
    return sum(any(_breaks(rule, *pair) for pair in combinations(held, 2)) for held in theirs.values())


def _breaks(rule: OrderingRule, one: ExamBooking, other: ExamBooking) -> bool:
    """`one` begins before `other`."""
    said = between(exam_of(one.request, key="one"), exam_of(other.request, key="other"), rule=rule)
    if said is None:
        return False
    return _too_close(said.gap if said.first == "one" else said.reverse, one, other)


def _too_close(gap: Gap | None, one: ExamBooking, other: ExamBooking) -> bool:
    if gap is None or gap.other_day and one.day == other.day:
        return True
    return (other.during.lower - one.during.upper).total_seconds() < 60 * gap.minutes
