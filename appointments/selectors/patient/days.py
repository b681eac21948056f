"""The strip of days over a list: in words what each day has, and which one a page opens on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from appointments.policies.scarcity import RANK, State, state_of_all

from .openings import Opening


@dataclass(frozen=True)
class Day:
    """One day of the strip."""

    day: date
    state: State
    left: int
    today: bool
    chosen: bool


def state_of(openings: Iterable[Opening]) -> tuple[State, int]:
    """The word for several half-days together, and how many numbers they have left."""
    openings = list(openings)
    left, of = sum(each.left for each in openings), sum(each.of for each in openings if each.state.bookable)
    return state_of_all((each.state for each in openings), left=left, of=of), left


def strip(days: list[date], openings: list[Opening], *, wanted: date | None, today: date) -> list[Day]:
    """Opens on the wanted day; else on the first with a number, else on the most hopeful one that has a clinic."""
    by_day: dict[date, list[Opening]] = {day: [] for day in days}
    for each in openings:
        by_day[each.schedule.day].append(each)
    states = {day: state_of(found) for day, found in by_day.items()}
    chosen = wanted if wanted in states else _first(states)
    return [
        Day(day=day, state=state, left=left, today=day == today, chosen=day == chosen)
        for day, (state, left) in states.items()
    ]


def _first(states: dict[date, tuple[State, int]]) -> date:
    """By the same order of hope; 有号 and 号少 are alike, whichever is sooner."""
    return min(states, key=lambda day: (0 if states[day][0].bookable else RANK[states[day][0]], day))


def first_with_a_number(openings: Iterable[Opening], *, after: date) -> date | None:
    return min((each.schedule.day for each in openings if each.left and each.schedule.day > after), default=None)


def released_on(openings: Iterable[Opening]) -> datetime | None:
    """When the next of these half-days' numbers becomes the public's."""
    return min((each.more_at for each in openings if each.more_at and not each.left), default=None)
