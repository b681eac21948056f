"""What was asked at check-in, what is missing, and whether an answer stops the exam (E4, E5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from exams.models import ExamBooking, ScreeningAnswer, ScreeningQuestion
from exams.policies import screening

from .screening import questions_for

Effect = ScreeningAnswer.Effect


@dataclass(frozen=True)
class Heard:
    """`stops`: an answer says that the exam can't be done now; `refuses`: and no doctor's word changes it; `why`: the
    answers' own sentences."""

    questions: tuple[ScreeningQuestion, ...]
    unanswered: tuple[ScreeningQuestion, ...]
    stops: bool
    refuses: bool
    why: str
    sentences: tuple[str, ...]


def at_check_in(booking: ExamBooking, answers: Mapping[str, str]) -> Heard:
    """The questions of one exam, judged. "Needs a check first" stops unless the very same answer was given before
    booking: the house has seen to it since. Five queries at most."""
    questions = questions_for([booking.variant], patient=booking.patient, day=booking.day, at_check_in=True)
    return judged(booking, questions, answers)


def judged(booking: ExamBooking, questions: list[ScreeningQuestion], answers: Mapping[str, str]) -> Heard:
    verdict = screening.judge(questions, answers)
    unseen = [question for question in questions if not _seen_to(question, answers, booking.request.answers)]
    hard = screening.judge(unseen, answers)
    missing = set(verdict.unanswered)
    return Heard(
        questions=tuple(questions),
        unanswered=tuple(question for question in questions if question.code in missing),
        stops=hard.effect in (Effect.CHECK, Effect.REFUSE),
        refuses=hard.effect == Effect.REFUSE,
        why="".join(hard.sentences),
        sentences=verdict.sentences,
    )


def _seen_to(question: ScreeningQuestion, answers: Mapping[str, str], before: Mapping[str, str]) -> bool:
    said = answers.get(question.code)
    chosen = next((answer for answer in question.answers.all() if answer.code == said), None)
    return chosen is not None and chosen.effect == Effect.CHECK and before.get(question.code) == said
