"""Which preparation questions are asked of whom (E4)."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Prefetch, prefetch_related_objects

from exams.models import ExamVariant, ScreeningAnswer, ScreeningQuestion
from exams.policies.screening import age_on, concerns
from hospital.models import Patient


def questions_for(
    variants: Iterable[ExamVariant], *, patient: Patient, day: date, at_check_in: bool = False
) -> list[ScreeningQuestion]:
    """Each question once, in the house's order, with its answers (and what each wants done first). `day`: of the exam,
    for the patient's age. Five queries however many exams, fewer where the variants come with item and groups."""
    variants = list(variants)
    prefetch_related_objects(variants, "item", "groups")
    houses = {variant.item.organization_id for variant in variants}
    when = {"at_check_in": True} if at_check_in else {"before_booking": True}
    questions = in_force(houses).filter(**when)
    age = age_on(day, born=patient.birth_date)
    seen = [
        (variant.item.organization_id, variant.item_id, {group.pk for group in variant.groups.all()})
        for variant in variants
    ]
    return [
        question
        for question in questions
        if any(
            house == question.organization_id and concerns(question, sex=patient.sex, age=age, item=item, groups=groups)
            for house, item, groups in seen
        )
    ]


def in_force(organizations: Iterable[int]):
    """The questions that are asked now, with answers, items and groups."""
    answers = Prefetch("answers", queryset=ScreeningAnswer.objects.select_related("first"))
    rows = ScreeningQuestion.objects.filter(
        organization__in=organizations, approved_at__isnull=False, retired_at__isnull=True
    )
    return rows.prefetch_related(answers, "items", "groups")
