"""A proposal as patients choose from it: each plan by trips, with when to be there and how to prepare (E3)."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from exams.models import ExamBooking
from exams.policies import preparing
from exams.policies.self_service import ARRIVE_EARLY
from exams.selectors.mine import as_coming, beside, place_of
from hospital import clock
from hospital.models import User


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
    campuses: list[str]  # in the order in which the person is there


@dataclass(frozen=True)
class Choice:
    token: str
    trips: int
    extra_trips: int  # on which the person would not come anyway
    minutes: int
    visits: list[Visit]


def shown(proposal, *, account: User | None) -> list[Choice]:
    """The best first. Empty where nothing is possible. One query: what is booked for those days already."""
    plans = [plan for plan in (proposal.best, *proposal.others) if plan] if proposal.best else []
    lines = [line for plan in plans for line in plan.lines]
    others = beside(account, person=lines[0].request.patient_id, days=map(_day, lines)) if lines else []
    return [
        Choice(plan.token, plan.trips, plan.extra_trips, plan.minutes, _visits(plan.lines, others)) for plan in plans
    ]


def _day(line) -> date:
    return line.start.astimezone(clock.ZONE).date()


def _visits(lines, others: list[ExamBooking]) -> list[Visit]:
    ordered = sorted(lines, key=lambda line: line.start)
    visits = []
    for day, found in groupby(ordered, key=_day):
        of_day = list(found)
        visits.append(
            Visit(
                day=day,
                arrive=min(line.stay_start for line in of_day) - ARRIVE_EARLY,
                leave=max(line.stay_end for line in of_day),
                lines=[Line(line.request.variant.name, line.start, line.end, place_of(line.device)) for line in of_day],
                steps=preparing.steps_of(
                    [
                        *(
                            preparing.Coming(line.request.variant.name, line.start, line.request.variant.preparation)
                            for line in of_day
                        ),
                        *(as_coming(row) for row in others if row.day == day),
                    ]
                ),
                campuses=list(dict.fromkeys(line.device.zone.campus.name for line in of_day)),
            )
        )
    return visits
