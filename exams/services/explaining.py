"""Why a plan takes more than one trip, what would save one, and why there is none (E3): the same question asked again
with one thing given way."""

from dataclasses import replace
from datetime import date, timedelta

from exams.planner import DAY, Plan, Problem, Relaxed, best, fewer, starts_on
from exams.policies.booking import is_self_service
from exams.policies.reasons import Reason
from exams.policies.wishes import Wishes
from exams.selectors.planning import MOST_DAYS, Given, Ground, Piece, ground
from hospital import clock

SECONDS = 0.25
"""For each thing that might give way."""

MOST_REASONS = 3


def why_not_fewer(
    asked: Ground, given: Given, problem: Problem, plan: Plan, *, trips: int
) -> tuple[list[Reason], list[Reason]]:
    """(why so many trips, what would save one). Nothing to say of one trip, nor where every day is one on which the
    patient comes anyway."""
    stands = {task.options[0].free[0][0] // DAY for task in problem.tasks if task.stands}
    if trips <= 1 or plan.trips <= max(len(stands), 1):
        return [], []
    rules, ways = _ways(asked, given)
    found = {each.key: each.plan for each in fewer(problem, plan, [*rules, *ways.values()], seconds=SECONDS)}
    reasons = [
        _of_rule(asked, problem, found[each.key], number=int(each.key.removeprefix("rule:")), trips=trips)
        for each in rules
        if each.key in found
    ]
    if not reasons:
        reasons = [_no_common_day(asked, problem, trips=trips)]
    savings = [_saving(asked, key, other) for key, other in found.items() if key in ways]
    return _once(reasons)[:MOST_REASONS], _once(savings)[:MOST_REASONS]


def _once(reasons: list[Reason]) -> list[Reason]:
    return list({reason.sentence: reason for reason in reasons}.values())


def _ways(asked: Ground, given: Given) -> tuple[list[Relaxed], dict[str, Relaxed]]:
    """Each rule by itself, what it says of all exams of one sitting being one thing; each wish, the reserves and a
    longer time."""
    same: dict[tuple, list[int]] = {}
    for number, rule in enumerate(asked.between):
        pieces = (_piece_of(asked, int(key)).key for key in (rule.first, rule.second))
        same.setdefault((*pieces, rule.why), []).append(number)
    rules = [
        Relaxed(f"rule:{numbers[0]}", asked.problem(replace(given, without_rules=frozenset(numbers))))
        for numbers in same.values()
    ]
    ways = {f"without_{name}": replace(given, wishes=given.wishes.dropping(name)) for name in given.wishes.given()}
    if given.wishes.return_day:
        ways["without_return"] = replace(given, results=False)
    if not is_self_service(asked.channel):
        ways["with_reserves"] = replace(given, reserves=True)
    found = {key: Relaxed(key, asked.problem(way)) for key, way in ways.items()}
    longer = _longer(asked, given.wishes)
    if longer:
        found["later"] = Relaxed("later", longer.problem(given))
    return rules, found


def _longer(asked: Ground, wishes: Wishes) -> Ground | None:
    """The same question over more days, up to what the house opens; not where a return visit ends them."""
    first, today = asked.counted.first_day, clock.today(asked.now)
    last = min(today + timedelta(days=asked.rule.horizon_days), first + timedelta(days=MOST_DAYS - 1))
    if wishes.return_day or (last - first).days + 1 <= asked.days:
        return None
    more = replace(wishes, first_day=first, last_day=last)
    return ground(asked.requests, asked=more, channel=asked.channel, now=asked.now, partner=asked.partner)


def _of_rule(asked: Ground, problem: Problem, relaxed: Plan, *, number: int, trips: int) -> Reason:
    """The rule that costs a trip, told on the day on which all could else be done."""
    rule = asked.between[number]
    first, second = (_request(asked, key) for key in (rule.first, rule.second))
    if rule.gap is None or rule.reverse is not None and rule.reverse.minutes < rule.gap.minutes:
        first, second, gap = second, first, rule.reverse
    else:
        gap = rule.gap
    said = {"trips": trips, "first": first.variant.name, "second": second.variant.name, "why": rule.why}
    if gap.other_day:
        return Reason("rule_days", said)
    key = _piece_of(asked, second.pk).key
    day = next((placed.start // DAY for placed in relaxed.placed if placed.key == key), 0)
    starts = starts_on(problem, key, day)
    if not gap.minutes or not starts:
        return Reason("rule_order", said)
    said |= {"gap_minutes": gap.minutes, "last": _wall(starts[-1][1])}
    return Reason("rule_gap_only" if starts[0][0] == starts[-1][1] else "rule_gap", said)


def _no_common_day(asked: Ground, problem: Problem, *, trips: int) -> Reason:
    """Each exam's days; where they share one, it is the times that don't fit."""
    days = {piece: [day for day in range(problem.days) if starts_on(problem, piece.key, day)] for piece in asked.pieces}
    if set.intersection(*(set(found) for found in days.values())):
        return Reason("does_not_fit", {"trips": trips})
    listed = sorted(days.items(), key=lambda each: len(each[1]))[:4]
    return Reason(
        "no_common_day",
        {"trips": trips, "days_of": [[piece.names, _dates(asked, found[:6])] for piece, found in listed]},
    )


def _saving(asked: Ground, key: str, plan: Plan) -> Reason:
    mine = _dates(asked, sorted({placed.start // DAY for placed in plan.placed if placed.device}))
    return Reason(key, {"saves_to": len(mine), "dates": mine, "until": mine[-1]})


# ---- nothing is possible ----


def why_impossible(asked: Ground, given: Given) -> list[Reason]:
    """Each exam that has no time at all, with what takes it; else what keeps them from standing side by side."""
    alone = [reason for piece in asked.pieces if (reason := _why_not(asked, given, piece))]
    if alone:
        return alone
    rules, ways = _ways(asked, given)
    for each in rules:
        if best(each.problem, seconds=SECONDS):
            rule = asked.between[int(each.key.removeprefix("rule:"))]
            names = {"first": _name(asked, rule.first), "second": _name(asked, rule.second)}
            return [Reason("rule_blocks", {**names, "why": rule.why, "dates": _span(asked)})]
    for key, each in ways.items():
        found = best(each.problem, seconds=SECONDS)
        if found:
            together = Reason("together", {"dates": _span(asked)})
            return [together, _saving(asked, key, found)]
    return [Reason("together", {"dates": _span(asked)})]


def _why_not(asked: Ground, given: Given, piece: Piece) -> Reason | None:
    """None: it has a time. Else the first thing without which it would have one."""
    said = {"exam": piece.names, "dates": _span(asked)}
    if not asked.devices_of(piece):
        return Reason("no_device", said)
    if _fits(asked, piece, given):
        return None
    bare = Given(Wishes(), preparation=False, others=False, results=False, busy=False)
    if not _fits(asked, piece, bare):
        return _no_room(asked, piece, bare, said)
    if _fits(asked, piece, replace(given, results=False)):
        return _too_late_for_results(asked, given, piece, said)
    if _fits(asked, piece, replace(given, wishes=Wishes(return_day=given.wishes.return_day))):
        return Reason("wishes", said)
    if _fits(asked, piece, replace(given, preparation=False)):
        return _not_prepared(asked, piece, said)
    if _fits(asked, piece, replace(given, others=False)):
        others = sorted({each.booking.variant.name for each in asked.standing})
        return Reason("others", {**said, "others": others})
    return Reason("busy" if _fits(asked, piece, replace(given, busy=False)) else "together", said)


def _fits(asked: Ground, piece: Piece, given: Given) -> bool:
    problem = replace(asked, pieces=[piece], requests=list(piece.requests)).problem(given)
    return any(starts_on(problem, piece.key, day) for day in range(problem.days))


def _no_room(asked: Ground, piece: Piece, bare: Given, said: dict) -> Reason:
    free = [end - start for each in asked.devices_of(piece) for start, end, _id in asked.free[each.device_id]]
    if not free:
        return Reason("no_session", said)
    needs = min(sum(asked.lengths(piece, each.device_id)) for each in asked.devices_of(piece))
    if max(free) < needs:
        return Reason("too_long", {**said, "needs_minutes": needs, "longest_minutes": max(free)})
    return Reason("no_session", said)


def _too_late_for_results(asked: Ground, given: Given, piece: Piece, said: dict) -> Reason:
    wanted = [each.wanted_by for each in piece.requests if each.wanted_by]
    if wanted and _fits(asked, piece, replace(given, wishes=given.wishes.dropping("return_day"))) is False:
        return Reason("wanted_by", {**said, "wanted_by": _day(min(wanted))})
    longest = max(each.variant.item.result_minutes for each in piece.requests)
    if given.wishes.return_day is None:
        return Reason("wanted_by", {**said, "wanted_by": _day(min(wanted))})
    return Reason("results", {**said, "result_time_minutes": longest, "return_day": _day(given.wishes.return_day)})


def _not_prepared(asked: Ground, piece: Piece, said: dict) -> Reason:
    """Fasting past the latest hour, or no time to prepare."""
    found = [each.variant.preparation for each in piece.requests if each.variant.preparation]
    latest = [each.latest_start for each in found if each.latest_start]
    lead = max((max(each.lead_minutes, each.fast_minutes) for each in found), default=0)
    ready = asked.now + timedelta(minutes=lead)
    if not latest or clock.today(ready) > asked.counted.day(asked.days * DAY - 1):
        return Reason("lead", {**said, "lead_minutes": lead})
    return Reason("fasting", {**said, "latest": f"{min(latest):%H:%M}"})


# ---- words ----


def _request(asked: Ground, key: str):
    return next(each for each in asked.requests if str(each.pk) == key)


def _name(asked: Ground, key: str) -> str:
    return _request(asked, key).variant.name


def _piece_of(asked: Ground, request: int) -> Piece:
    return next(piece for piece in asked.pieces if any(each.pk == request for each in piece.requests))


def _wall(minute: int) -> str:
    return f"{minute % DAY // 60:02d}:{minute % 60:02d}"


def _day(day: date) -> str:
    return f"{day:%m-%d}"


def _dates(asked: Ground, days: list[int]) -> list[str]:
    return [_day(asked.counted.day(day * DAY)) for day in days]


def _span(asked: Ground) -> str:
    return f"{_day(asked.counted.first_day)}–{_day(asked.counted.day(asked.days * DAY - 1))}"
