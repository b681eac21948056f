"""What the planner asks of the catalogue: the ordering rules in force, and an exam as the rules see it."""

from exams.models import ExamRequest, OrderingRule
from exams.policies.ordering import Exam


def rules_in_force(organization_id: int) -> list[OrderingRule]:
    """Approved and not retired, with the question each depends on. One query."""
    rows = OrderingRule.objects.filter(organization=organization_id, approved_at__isnull=False, retired_at__isnull=True)
    return list(rows.select_related("question").order_by("pk"))


def exam_of(request: ExamRequest, *, key: str = "") -> Exam:
    """The request as rules see it, named by its id unless told otherwise. One query, none if the groups are fetched
    with it (`variant__groups`)."""
    return Exam(
        key=key or str(request.pk),
        item=request.variant.item_id,
        groups=frozenset(group.pk for group in request.variant.groups.all()),
        answers=request.answers,
    )
