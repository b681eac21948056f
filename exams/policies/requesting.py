"""What must be said before an exam is asked for (E4)."""

from collections.abc import Iterable, Mapping
from datetime import date

from exams.errors import NotAnswered, NotPossible
from exams.models import ExamVariant, ScreeningQuestion
from hospital.models import Patient

from .screening import Effect, age_on, concerns, judge


def questions_of(
    variant: ExamVariant, *, questions: Iterable[ScreeningQuestion], patient: Patient, day: date
) -> list[ScreeningQuestion]:
    """Of the questions of a whole list of exams, those that this one asks. Groups, items and answers are at hand."""
    age = age_on(day, born=patient.birth_date)
    groups = {group.pk for group in variant.groups.all()}
    return [
        question
        for question in questions
        if question.organization_id == variant.item.organization_id
        and concerns(question, sex=patient.sex, age=age, item=variant.item_id, groups=groups)
    ]


def refusal_to_ask(
    variant: ExamVariant, *, questions: Iterable[ScreeningQuestion], answers: Mapping[str, str]
) -> NotPossible | NotAnswered | None:
    """A refusing answer stops at once, whatever else is unanswered. `questions`: those of this exam."""
    verdict = judge(questions, answers)
    if verdict.effect == Effect.REFUSE:
        return NotPossible(exam=variant.name, sentence=verdict.sentences[0])
    return None if verdict.complete else NotAnswered()
