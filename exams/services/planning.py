"""一次就诊规划 (E3): the best plans, why they are so, and a token with which a page books exactly what it showed.

`selectors.planning` reads and asks, `exams.planner` answers; nothing is held here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core import signing

from exams.errors import AsksTooMuch, PlanGone
from exams.models import Device, ExamRequest
from exams.planner import Plan, Solver, first_come
from exams.policies.booking import MOST_EXAMS
from exams.policies.reasons import Reason, of_stored
from exams.policies.spans import trips_of
from exams.policies.wishes import Wishes
from exams.selectors.planning import Given, Ground, ground, with_everything
from exams.services import explaining
from exams.services.booking import Figures, Wanted
from exams.services.claims import Line
from hospital import clock
from hospital.models import Patient

__all__ = ["PlanView", "Proposal", "Wishes", "figures_of", "lines_of", "propose", "word"]

SALT = "exams.plan"
GOOD_FOR = timedelta(minutes=30)
"""How long a page's plan can be taken; whether its times are still free is asked anyway."""

SECONDS, SECONDS_OTHERS = 2.0, 0.3
"""The most that the planner thinks; the usual question takes a tenth."""


@dataclass(frozen=True)
class PlanView:
    """One plan as it is shown. `trips`: days with an exam; `extra_trips`: those on which the patient would not come
    anyway; `minutes`: in the house for exams; `proven`: nothing better exists."""

    lines: list[Line]
    trips: int
    extra_trips: int
    minutes: int
    proven: bool
    token: str = ""

    @property
    def anyway(self) -> int:
        """Trips that are made whether these exams are done or not."""
        return self.trips - self.extra_trips

    @property
    def days(self) -> list[date]:
        return sorted({clock.today(line.start) for line in self.lines})


@dataclass(frozen=True)
class Proposal:
    """`reasons`: why not one trip; `one_trip_if`: what would save one; `impossible`: why there is no plan at all.
    `first_come_trips`: what booking each exam at its earliest time would take."""

    best: PlanView | None = None
    others: list[PlanView] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    one_trip_if: list[Reason] = field(default_factory=list)
    impossible: list[Reason] = field(default_factory=list)
    first_come_trips: int | None = None


def propose(
    *,
    requests: Iterable[ExamRequest],
    wishes: Wishes | None = None,
    channel: str,
    now: datetime,
    partner: int | None = None,
) -> Proposal:
    """The plan with the fewest trips, then the least time in the house, then the earliest; the next best two on other
    days; and why. Of requests of one patient and one house. Nothing is held. The number of queries does not grow with
    exams or devices. Raises AsksTooMuch."""
    rows = with_everything([each.pk for each in requests])
    wishes = wishes or Wishes()
    asked = ground(rows, asked=wishes, channel=channel, now=now, partner=partner)
    if len(asked.pieces) > MOST_EXAMS:
        raise AsksTooMuch(most=MOST_EXAMS)
    if not asked.days:
        return Proposal(impossible=[Reason("no_days")])
    given = Given(wishes)
    problem = asked.problem(given)
    solver = Solver(problem)
    found = solver.best(seconds=SECONDS)
    if found is None:
        return Proposal(impossible=explaining.why_impossible(asked, given))
    first = first_come(problem, [piece.key for piece in asked.pieces])
    before = _view(asked, first).trips if first else None
    best_view = _view(asked, found)
    reasons, one_trip_if = explaining.why_not_fewer(asked, given, problem, found, trips=best_view.trips)
    shown = Figures(before, tuple(reason.stored() for reason in reasons))
    return Proposal(
        best=_signed(asked, best_view, shown),
        others=[
            _signed(asked, _view(asked, other), Figures(before))
            for other in solver.others(found, count=2, seconds=SECONDS_OTHERS)
        ],
        reasons=reasons,
        one_trip_if=one_trip_if,
        first_come_trips=before,
    )


def _view(asked: Ground, plan: Plan) -> PlanView:
    lines = lines_in(asked, plan)
    trips, minutes = trips_of((line.stay_start, line.stay_end) for line in lines)
    anyway = {clock.today(each.start) for each in asked.promised}
    extra = {clock.today(line.start) for line in lines} - anyway
    return PlanView(lines=lines, trips=trips, extra_trips=len(extra), minutes=minutes, proven=plan.proven)


def lines_in(asked: Ground, plan: Plan) -> list[Line]:
    """Exam by exam, in the order of time; those of one sitting one after the other."""
    pieces = {piece.key: piece for piece in asked.pieces}
    devices = {row.device_id: row.device for found in asked.able.values() for row in found}
    lines = []
    for placed in plan.placed:
        if placed.key in pieces:
            lines += _lines_of(asked, pieces[placed.key], devices[int(placed.device)], placed.start)
    return sorted(lines, key=lambda line: line.start)


def _lines_of(asked: Ground, piece, device: Device, start: int) -> list[Line]:
    """`before` and `after` belong to the sitting, not to each exam of it."""
    lines, at = [], asked.counted.moment(start)
    for number, request in enumerate(piece.requests):
        end = at + timedelta(minutes=asked.minutes(request, device.pk))
        came = at - timedelta(minutes=0 if number else piece.before)
        gone = end + timedelta(minutes=piece.after if number == len(piece.requests) - 1 else 0)
        lines.append(Line(request, device, at, end, came, gone))
        at = end
    return lines


# ---- the token ----


def _signed(asked: Ground, view: PlanView, figures: Figures) -> PlanView:
    said = {
        "patient": asked.requests[0].patient_id,
        "lines": [[line.request.pk, line.device.pk, int(line.start.timestamp())] for line in view.lines],
        "first_come": figures.first_come_trips,
        "reasons": list(figures.reasons),
    }
    token = signing.dumps(said, salt=SALT, compress=True)
    return PlanView(view.lines, view.trips, view.extra_trips, view.minutes, view.proven, token)


def lines_of(token: str, patient: Patient) -> list[Wanted]:
    """What the page showed, for `booking.hold_plan`. Raises PlanGone: too old, another patient's, or not ours."""
    return [
        Wanted(request, device, datetime.fromtimestamp(start, tz=clock.ZONE))
        for request, device, start in _read(token, patient)["lines"]
    ]


def figures_of(token: str, patient: Patient) -> Figures:
    """What the planner knew beside the lines. Raises PlanGone."""
    said = _read(token, patient)
    return Figures(said["first_come"], tuple(said["reasons"]))


def _read(token: str, patient: Patient) -> dict:
    try:
        said = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature as error:
        raise PlanGone() from error
    if said["patient"] != patient.pk:
        raise PlanGone()
    return said


def word(code: str, params: dict) -> str:
    """The sentence of a stored reason (ExamPlan.reasons); empty for a code that nobody knows any more."""
    return "".join(reason.sentence for reason in of_stored([{"code": code, "params": params}]))
