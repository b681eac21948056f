"""检查: the middle of the consult-room page. What is chosen, what it asks, what is known already, and the plans."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models.rules import Channel
from appointments.views.consult_context import Page
from exams.errors import AsksTooMuch, NotPossible
from exams.models import (
    DiagnosticReport,
    ExamBooking,
    ExamRequest,
    ExamVariant,
    Modality,
    ScreeningAnswer,
    ScreeningQuestion,
)
from exams.policies import booking as booking_policy
from exams.policies import preparing
from exams.policies import requesting as policy
from exams.policies.screening import Verdict, judge
from exams.selectors import consult as selectors
from exams.selectors import find, mine, repeats, screening
from exams.selectors.around import done_items
from exams.services import planning
from hospital import clock
from hospital.errors import Refused

from .consult_draft import Draft, DraftLine

LETTERS = "ASFGHJKL"
"""On what is chosen from: sets, answers. D is the date, N and P are the page's, V U X the list's."""

PLAN_LETTERS = "ZCB"
"""On the plans; the best one is also in focus, so that Enter takes it."""

Effect = ScreeningAnswer.Effect
TONES = {Effect.OK: "ok", Effect.WARN: "warn", Effect.CHECK: "warn", Effect.REFUSE: "bad"}


@dataclass
class Way:
    """One way of the same exam: plain, with contrast, sedated."""

    variant: ExamVariant
    chosen: bool


@dataclass
class Question:
    """A question of the whole list, with what was answered. `keys`: it is the one whose answers have letters now."""

    row: ScreeningQuestion
    given: str
    exams: list[str]
    keys: bool = False

    @property
    def answers(self) -> list[dict]:
        return [
            {
                "row": answer,
                "chosen": answer.code == self.given,
                "key": LETTERS[place] if self.keys and place < len(LETTERS) else "",
            }
            for place, answer in enumerate(self.row.answers.all())
        ]

    @property
    def answer(self) -> ScreeningAnswer | None:
        return next((one for one in self.row.answers.all() if one.code == self.given), None)

    @property
    def tone(self) -> str:
        return TONES[self.answer.effect] if self.answer else ""


@dataclass
class Chosen:
    """One exam of the list, as the doctor sees it before asking."""

    line: DraftLine
    variant: ExamVariant
    questions: list[ScreeningQuestion]
    verdict: Verdict
    result: DiagnosticReport | None
    again: ExamRequest | None  # asked for and not done, in another visit
    checked: bool = False  # what had to be done first is done
    last: bool = False
    ways: list[Way] = field(default_factory=list)

    @property
    def refusal(self) -> Refused | None:
        return policy.refusal_to_ask(self.variant, questions=self.questions, answers=self.line_answers)

    line_answers: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return isinstance(self.refusal, NotPossible)

    @property
    def needs_check(self) -> bool:
        return self.verdict.effect == Effect.CHECK and not self.checked

    @property
    def undecided(self) -> bool:
        """A valid result and no word about it."""
        return self.result is not None and not (self.line.report == self.result.pk and self.line.why)

    @property
    def tone(self) -> str:
        return TONES[self.verdict.effect] if self.verdict.sentences else ""

    @property
    def next_way(self) -> ExamVariant | None:
        """What the key V makes of it."""
        place = next((n for n, way in enumerate(self.ways) if way.chosen), 0)
        return self.ways[(place + 1) % len(self.ways)].variant if len(self.ways) > 1 else None

    @property
    def priority_label(self) -> str:
        return ExamRequest.Priority(self.line.priority).label

    @property
    def modality(self) -> str:
        return Modality(self.variant.item.modality).label


class Panel:
    """All of the kind's middle for one request. Each part is asked for once, when it is first drawn."""

    def __init__(self, page: Page):
        self.page = page
        self.draft = Draft.of(page.request, page.current)
        self.q = page.q
        self.refusal: Refused | None = None
        self.notice = self.notice_next = ""
        self.focus = "search"

    @property
    def organization_id(self) -> int:
        return self.page.doctor.organization_id

    # ---- finding ----

    @cached_property
    def found(self) -> list[dict]:
        """Results, or without a search the house's sets and this doctor's usual exams. Beside questions these have no
        letters: one answer too many would ask for a whole set."""
        if self.q:
            rows = find.search(self.q, organization_id=self.organization_id)
        else:
            rows = find.usual(doctor=self.page.doctor)
        letters = [""] * len(rows) if self.q or self.questions else LETTERS
        taken = {*self.draft.ids, *(row.variant_id for row in self._of_this_visit)}
        return [
            {
                "row": row,
                "note": Modality(row.note).label if row.sort == "item" and row.note in Modality.values else row.note,
                "key": letters[place] if place < len(letters) else "",
                "taken": row.sort == "item" and row.pk in taken,
            }
            for place, row in enumerate(rows)
        ]

    @property
    def search_url(self) -> str:
        return reverse("exams:consult_search")

    # ---- the list ----

    @cached_property
    def variants(self) -> dict[int, ExamVariant]:
        if not self.draft.lines:
            return {}
        return find.by_pk(self.draft.ids, organization_id=self.organization_id)

    @cached_property
    def _questions(self) -> list[ScreeningQuestion]:
        if not self.variants:
            return []
        return screening.questions_for(self.variants.values(), patient=self.page.patient, day=self.page.today)

    @cached_property
    def _results(self) -> dict[int, DiagnosticReport]:
        return repeats.valid_results(patient=self.page.patient, variants=self.variants.values(), now=self.page.now)

    @cached_property
    def standing(self) -> list[ExamRequest]:
        return selectors.standing_requests(patient=self.page.patient, organization_id=self.organization_id)

    @cached_property
    def chosen(self) -> list[Chosen]:
        lines = [line for line in self.draft.lines if line.variant in self.variants]
        chosen = [self._chosen(line, self.variants[line.variant]) for line in lines]
        if chosen:
            chosen[-1].last = True
        return chosen

    def _chosen(self, line: DraftLine, variant: ExamVariant) -> Chosen:
        asked = policy.questions_of(variant, questions=self._questions, patient=self.page.patient, day=self.page.today)
        answers = {question.code: self.draft.answers.get(question.code, "") for question in asked}
        verdict = judge(asked, answers)
        return Chosen(
            line=line,
            variant=variant,
            questions=asked,
            line_answers={code: said for code, said in answers.items() if said},
            verdict=verdict,
            result=self._results.get(variant.pk),
            again=next((row for row in self.standing if row.variant.item_id == variant.item_id), None),
            checked=bool(verdict.first) and {item.pk for item in verdict.first} <= self._done_items(verdict),
            ways=[Way(way, way.pk == variant.pk) for way in variant.item.variants.all() if way.active],
        )

    def _done_items(self, verdict: Verdict) -> set[int]:
        return self._done if verdict.first else set()

    @cached_property
    def _done(self) -> set[int]:
        return done_items(self.page.patient.pk, now=self.page.now)

    @cached_property
    def questions(self) -> list[Question]:
        """Each once for the whole list, the unanswered in the house's order; only the first of them has keys."""
        names: dict[str, list[str]] = {}
        for one in self.chosen:
            for question in one.questions:
                names.setdefault(question.code, []).append(one.variant.name)
        rows = [Question(row, self.draft.answers.get(row.code, ""), names.get(row.code, [])) for row in self._questions]
        first = next((row for row in rows if row.answer is None), None)
        if first:
            first.keys = True
        return rows

    @property
    def question_now(self) -> Question | None:
        return next((row for row in self.questions if row.keys), None)

    @property
    def repeat_now(self) -> Chosen | None:
        """The first result that nobody has said a word about; its acts have keys once the questions are through."""
        return next((one for one in self.chosen if one.undecided), None)

    @property
    def priorities(self) -> list[tuple[str, str]]:
        return ExamRequest.Priority.choices

    @property
    def _of_this_visit(self) -> list[ExamRequest]:
        return [row for row in self.standing if row.encounter_id == self.page.current.pk]

    # ---- the plans ----

    @cached_property
    def to_plan(self) -> list[ExamRequest]:
        return selectors.to_plan(self.standing, encounter=self.page.current, now=self.page.now)

    @cached_property
    def waiting(self) -> list[ExamRequest]:
        """Asked for in this visit, and not to be booked before a check is done or the doctor has said why not."""
        return [row for row in self.to_plan if self._stopped(row)]

    @cached_property
    def plannable(self) -> list[ExamRequest]:
        waiting = {row.pk for row in self.waiting}
        return booking_policy.in_one_plan(row for row in self.to_plan if row.pk not in waiting)

    @cached_property
    def beyond(self) -> int:
        """How many more than one plan takes."""
        return len(self.to_plan) - len(self.waiting) - len(self.plannable)

    def _stopped(self, request: ExamRequest) -> Refused | None:
        asked = policy.questions_of(
            request.variant, questions=self._asked_questions, patient=self.page.patient, day=self.page.today
        )
        verdict = judge(asked, request.answers)
        done = self._done_items(verdict)
        return booking_policy.refusal_by_answers(request, verdict=verdict, channel=Channel.CONSULT, done_items=done)

    @cached_property
    def _asked_questions(self) -> list[ScreeningQuestion]:
        variants = [row.variant for row in self.to_plan]
        return screening.questions_for(variants, patient=self.page.patient, day=self.page.today) if variants else []

    @property
    def stopped(self) -> list[dict]:
        return [{"request": row, "refusal": self._stopped(row)} for row in self.waiting]

    @property
    def shows_plans(self) -> bool:
        """The list is empty and something of this visit has no time yet: plans are shown."""
        return not self.draft.lines and bool(self.to_plan)

    @cached_property
    def back(self) -> date | None:
        """The day that plans are made backwards from: what the doctor typed, else the next visit booked or held."""
        if self.draft.back == "none":
            return None
        if self.draft.back:
            day = date.fromisoformat(self.draft.back)
            return day if day > self.page.today else None
        here = self.page.current.schedule.department_id  # a visit to another department, booked before, is no return
        shown = [line.line for line in self.page.lines if line.state != "lapsed"]
        shown += [row for row in self.page.coming if row.schedule.department_id == here]
        days = [row.day for row in shown if row.day > self.page.today]
        return min(days, default=None)

    @property
    def first_day(self) -> date:
        first = date.fromisoformat(self.draft.first) if self.draft.first else self.page.today
        return max(first, self.page.today)

    @property
    def halves(self) -> list[dict]:
        shown = [("", _("全天")), ("am", _("上午")), ("pm", _("下午"))]
        return [{"code": code, "label": label, "chosen": self.draft.half == code} for code, label in shown]

    @cached_property
    def proposal(self) -> planning.Proposal | None:
        if not self.plannable:
            return None
        wishes = planning.Wishes(
            first_day=self.first_day if self.draft.first else None,
            halves=(self.draft.half,) if self.draft.half else (),
            return_day=self.back,
        )
        try:
            return self._propose(wishes)
        except AsksTooMuch:  # no station can do all the blood tests
            self.plannable = self.plannable[: booking_policy.MOST_EXAMS]
            return self._propose(wishes)

    def _propose(self, wishes: planning.Wishes) -> planning.Proposal:
        return planning.propose(requests=self.plannable, wishes=wishes, channel=Channel.CONSULT, now=self.page.now)

    @property
    def plans(self) -> list[dict]:
        proposal = self.proposal
        views = [view for view in ([proposal.best, *proposal.others] if proposal else []) if view]
        beside = self._beside({day for view in views for day in view.days})
        return [
            {"view": view, "key": PLAN_LETTERS[place], "best": place == 0, "days": _by_day(view, beside)}
            for place, view in enumerate(views[: len(PLAN_LETTERS)])
        ]

    def _beside(self, days: set[date]) -> list[ExamBooking]:
        """What the patient has on these days already, booked or held in this basket: one fast for all of it."""
        if not days:
            return []
        held = [line.line for line in self.page.theirs if line.state == "held" and isinstance(line.line, ExamBooking)]
        return [*mine.beside(None, person=self.page.patient.pk, days=days), *held]

    @property
    def latest_return(self) -> date:
        return self.page.today + timedelta(weeks=52)

    # ---- afterwards ----

    @property
    def booked_here(self) -> list[ExamRequest]:
        """Of this visit with a time: they are in the basket."""
        return [row for row in self._of_this_visit if selectors.has_a_time(row, now=self.page.now)]

    @property
    def url(self) -> str:
        return reverse("exams:consult_act")


def _by_day(view, beside: list[ExamBooking]) -> list[dict]:
    """The trips of a plan, each with its lines and preparation."""
    days: dict[date, list] = {}
    for line in sorted(view.lines, key=lambda line: line.start):
        days.setdefault(clock.today(line.start), []).append(line)
    return [
        {"day": day, "lines": lines, "steps": _steps(lines, [row for row in beside if row.day == day])}
        for day, lines in sorted(days.items())
    ]


def _steps(lines: list, beside: list[ExamBooking]) -> list[preparing.Step]:
    """What the patient does at home and when, for one trip."""
    coming = [preparing.Coming(line.variant.name, line.start, line.variant.preparation) for line in lines]
    return preparing.steps_of([*coming, *map(mine.as_coming, beside)])
