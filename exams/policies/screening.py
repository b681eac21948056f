"""准备问题 (E4): whom a question concerns, and what the answers mean together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from exams.models import ExamItem, ScreeningAnswer, ScreeningQuestion

Effect = ScreeningAnswer.Effect

WEIGHT = {Effect.OK: 0, Effect.WARN: 1, Effect.CHECK: 2, Effect.REFUSE: 3}


@dataclass(frozen=True)
class Verdict:
    """`effect`: the gravest of the answers. `sentences`: what they mean, the gravest first. `unanswered`: codes of
    questions without a (known) answer. `first`: exams that must be done before."""

    effect: str = Effect.OK
    sentences: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    first: tuple[ExamItem, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.unanswered

    @property
    def clear(self) -> bool:
        """Everything is answered and no answer stops: booking may go on, with the sentences shown."""
        return self.complete and self.effect in {Effect.OK, Effect.WARN}


def concerns(question: ScreeningQuestion, *, sex: str, age: int | None, item: int, groups: Iterable[int]) -> bool:
    """A question without items and groups is for every exam. Of somebody whose sex or age nobody knows everything is
    asked."""
    if question.sex and sex in ScreeningQuestion.Sex.values and sex != question.sex:
        return False
    if age is not None:
        if question.min_age is not None and age < question.min_age:
            return False
        if question.max_age is not None and age > question.max_age:
            return False
    items = {each.pk for each in question.items.all()}
    of_groups = {each.pk for each in question.groups.all()}
    return not items and not of_groups or item in items or not of_groups.isdisjoint(groups)


def age_on(day: date, *, born: date | None) -> int | None:
    """Full years."""
    return None if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def judge(questions: Iterable[ScreeningQuestion], answers: Mapping[str, str]) -> Verdict:
    """What these answers (question code → answer code) mean. An answer nobody offers counts as none."""
    given, unanswered = [], []
    for question in questions:
        chosen = {answer.code: answer for answer in question.answers.all()}.get(answers.get(question.code, ""))
        if chosen is None:
            unanswered.append(question.code)
        else:
            given.append(chosen)
    given.sort(key=lambda answer: -WEIGHT[answer.effect])
    first = {answer.first_id: answer.first for answer in given if answer.effect == Effect.CHECK and answer.first_id}
    return Verdict(
        effect=given[0].effect if given else Effect.OK,
        sentences=tuple(dict.fromkeys(answer.sentence for answer in given if answer.sentence)),
        unanswered=tuple(unanswered),
        first=tuple(first.values()),
    )
