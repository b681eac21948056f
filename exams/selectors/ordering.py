"""What the planner asks of the catalogue: the ordering rules in force, and an exam as the rules see it."""

from exams.models import ExamGroup, ExamRequest, ExamVariant, Modality, OrderingRule
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
        draw=request.variant.item.modality == Modality.LAB,
    )


def everything(organization_id: int) -> list[Exam]:
    """Each way of each item by its name, for the search for circles. A group without any exam yet stands for itself, so
    that a circle is found before the first exam falls into it."""
    variants = ExamVariant.objects.filter(item__organization=organization_id, item__active=True, active=True)
    exams = [
        Exam(key=each.name, item=each.item_id, groups=frozenset(group.pk for group in each.groups.all()))
        for each in variants.select_related("item").prefetch_related("groups").order_by("item__code", "pk")
    ]
    used = {group for exam in exams for group in exam.groups}
    empty = ExamGroup.objects.filter(organization=organization_id).exclude(pk__in=used).order_by("pk")
    return [*exams, *(Exam(key=str(group), item=0, groups=frozenset({group.pk})) for group in empty)]
