"""A proposal as patients choose from it: each plan by trips, with when to be there and how to prepare (E3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from exams.models import ExamRequest
from exams.policies import preparing
from exams.policies.self_service import ARRIVE_EARLY
from exams.selectors.mine import place_of
from hospital import clock


@dataclass(frozen=True)
class Line:
    name: str
    start: datetime
    end: datetime
    place: str


@dataclass(frozen=True)
class Visit:
    day: date
    arrive: datetime
    leave: datetime
    lines: list[Line]
    steps: list[preparing.Step]


@dataclass(frozen=True)
class Choice:
    token: str
    trips: int
    minutes: int
    visits: list[Visit]

    @property
    def hours(self) -> int:
        return self.minutes // 60

    @property
    def rest(self) -> int:
        return self.minutes % 60


def shown(proposal, *, requests: Iterable[ExamRequest]) -> list[Choice]:
    """The best first. Empty where nothing is possible."""
    plans = [proposal.best, *proposal.others] if proposal.best else []
    variants = {each.pk: each.variant for each in requests}
    return [Choice(plan.token, plan.trips, plan.minutes, _visits(plan.lines, variants)) for plan in plans if plan]


def _visits(lines, variants) -> list[Visit]:
    ordered = sorted(lines, key=lambda line: line.start)
    visits = []
    for day, found in groupby(ordered, key=lambda line: line.start.astimezone(clock.ZONE).date()):
        of_day = list(found)
        visits.append(
            Visit(
                day=day,
                arrive=min(line.stay_start for line in of_day) - ARRIVE_EARLY,
                leave=max(line.stay_end for line in of_day),
                lines=[Line(line.variant.name, line.start, line.end, place_of(line.device)) for line in of_day],
                steps=preparing.steps_of(
                    preparing.Coming(line.variant.name, line.start, _preparation(line, variants)) for line in of_day
                ),
            )
        )
    return visits


def _preparation(line, variants):
    """From the requests, which come with it: a line's own variant would be one more query each."""
    mine = variants.get(getattr(line.request, "pk", line.request))
    return (mine or line.variant).preparation
