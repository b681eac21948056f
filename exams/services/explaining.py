"""Why a plan takes more than one trip, what would save one, and why there is none (E3): the same question asked again
with one thing given way."""

from dataclasses import replace
from datetime import date, time, timedelta

from exams.planner import DAY, Gap, Plan, Problem, Relaxed, Rule, Starts, best, fewer
from exams.policies.booking import is_self_service
from exams.policies.reasons import Reason
from exams.policies.wishes import Wishes
from exams.selectors.planning import MOST_DAYS, Given, Ground, Piece, over
from hospital import clock

SECONDS = 0.4
"""For all that might give way."""

MOST_REASONS, MOST_DATES = 3, 6


def why_not_fewer(
    asked: Ground, given: Given, problem: Problem, plan: Plan, *, trips: int
) -> tuple[list[Reason], list[Reason]]:
    """(why so many trips, what would save one). Nothing to say of one trip, of a plan that may not be the best, nor
    where it is days on which the patient comes anyway that make it so many."""
    if trips <= 1 or not plan.proven or _comes_anyway(problem, plan, trips=trips):
        return [], []
    rules, ways = _ways(asked, given, problem)
    if len(rules) > 1 and not _saves(replace(problem, rules=()), plan):
        rules = []
    found = fewer(problem, plan, [*rules, *ways.values()], seconds=SECONDS)
    found = {each.key: each.plan for each in found if len(_days_of_exams(each.plan)) < trips}
    starts = Starts(problem)
    reasons = [
        _of_rule(asked, starts, found[each.key], number=int(each.key.removeprefix("rule:")), trips=trips)
        for each in rules
        if each.key in found
    ]
    if not reasons:
        reasons = [_no_common_day(asked, starts, days=problem.days, trips=trips)]
    savings = [_saving(asked, key, other) for key, other in found.items() if key in ways]
    return _once(reasons)[:MOST_REASONS], _once(savings)[:MOST_REASONS]


def _comes_anyway(problem: Problem, plan: Plan, *, trips: int) -> bool:
    """Every day is one of a visit that stands, or the exams alone would take fewer: they join such a day."""
    standing = {task.options[0].free[0][0] // DAY for task in problem.tasks if task.stands}
    if not standing or plan.trips <= len(standing):
        return bool(standing)
    alone = replace(problem, tasks=tuple(task for task in problem.tasks if not task.stands))
    return best(alone, most=trips - 1, seconds=SECONDS) is not None


def _saves(problem: Problem, plan: Plan) -> bool:
    return best(problem, most=plan.trips - 1, seconds=SECONDS) is not None


def _days_of_exams(plan: Plan) -> list[int]:
    return sorted({placed.start // DAY for placed in plan.placed if placed.device})


def _once(reasons: list[Reason]) -> list[Reason]:
    return list({reason.sentence: reason for reason in reasons}.values())


def _ways(asked: Ground, given: Given, problem: Problem) -> tuple[list[Relaxed], dict[str, Relaxed]]:
    """Each rule by itself, what it says of all exams of one sitting being one thing; each wish, the reserves and a
    longer time."""
    same: dict[tuple, list[int]] = {}
    for number, rule in enumerate(asked.between):
        pieces = (_piece_of(asked, int(key)).key for key in (rule.first, rule.second))
        same.setdefault((*pieces, rule.why), []).append(number)
    rules = [
        Relaxed(f"rule:{numbers[0]}", replace(problem, rules=asked.rules(without=frozenset(numbers))))
        for numbers in same.values()
    ]
    ways = {f"without_{name}": replace(given, wishes=given.wishes.dropping(name)) for name in given.wishes.given()}
    if given.wishes.return_day:
        ways["without_return"] = replace(given, wishes=given.wishes.dropping("return_day"))
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
    days = (last - first).days + 1
    return None if wishes.return_day or days <= asked.days else over(asked, days=days)


def _of_rule(asked: Ground, starts: Starts, relaxed: Plan, *, number: int, trips: int) -> Reason:
    """The rule that costs a trip. Where the two alone have no room on the day on which all could else be done, with the
    time that is left there; else only that no plan with fewer keeps it."""
    rule = asked.between[number]
    one, other = (_request(asked, key) for key in (rule.first, rule.second))
    ways = [(one, other, rule.gap, rule.reverse), (other, one, rule.reverse, rule.gap)]
    ways = [way for way in ways if _same_day(way[2])]
    said = {"trips": trips, "first": one.variant.name, "second": other.variant.name, "why": rule.why}
    if not ways:
        return Reason("rule_days", said)
    for first, second, gap, back in ways:
        told = _no_room_for_two(asked, starts, relaxed, first=first, second=second, gap=gap, back=back)
        if told is not None:
            code, more = told
            return Reason(code, {**said, "first": first.variant.name, "second": second.variant.name, **more})
    first, second, gap, _back = max(ways, key=lambda way: way[2].minutes)
    said |= {"first": first.variant.name, "second": second.variant.name}
    if not gap.minutes:
        return Reason("rule_first", said)
    apart = len(ways) == 2 and rule.gap.minutes == rule.reverse.minutes
    return Reason("rule_apart" if apart else "rule_after", said | {"gap_minutes": gap.minutes})


def _same_day(gap: Gap | None) -> bool:
    return gap is not None and not gap.other_day


def _no_room_for_two(asked: Ground, starts: Starts, relaxed: Plan, *, first, second, gap, back):
    """(code, what more is said) where on one day the second begins too early for the first, and cannot go before it."""
    pieces = [_piece_of(asked, each.pk) for each in (first, second)]
    days = {placed.key: placed.start // DAY for placed in relaxed.placed}
    keys = [piece.key for piece in pieces]
    day = days[keys[0]]
    if any(len(piece.requests) > 1 for piece in pieces) or days[keys[1]] != day:
        return None
    begins, last_first = starts.on(keys[1], day), starts.on(keys[0], day)[-1][1]
    other_way = _same_day(back) and starts.done(keys[1], day) <= last_first
    last = begins[-1][1]
    if other_way or starts.done(keys[0], day) + gap.minutes <= last:
        return None
    if not gap.minutes:
        return "rule_order", {}
    only = begins[0][0] == last
    return "rule_gap_only" if only else "rule_gap", {"gap_minutes": gap.minutes, "last": _wall(last)}


def _no_common_day(asked: Ground, starts: Starts, *, days: int, trips: int) -> Reason:
    """Each exam's days; where they share one, it is the times that don't fit."""
    free = {piece: [day for day in range(days) if starts.on(piece.key, day)] for piece in asked.pieces}
    if set.intersection(*(set(found) for found in free.values())):
        return Reason("does_not_fit", {"trips": trips})
    listed = sorted(free.items(), key=lambda each: len(each[1]))[:4]
    return Reason(
        "no_common_day",
        {"trips": trips, "days_of": [[piece.names, _first_dates(asked, found)] for piece, found in listed]},
    )


def _first_dates(asked: Ground, days: list[int]) -> list[str]:
    return [*_dates(asked, days[:MOST_DATES]), *(["…"] if len(days) > MOST_DATES else [])]


def _saving(asked: Ground, key: str, plan: Plan) -> Reason:
    mine = _dates(asked, _days_of_exams(plan))
    return Reason(key, {"saves_to": len(mine), "dates": mine, "until": mine[-1]})


# ---- nothing is possible ----


def why_impossible(asked: Ground, given: Given) -> list[Reason]:
    """Each exam that has no time at all, with what takes it; else what keeps them from standing side by side."""
    alone = [reason for piece in asked.pieces if (reason := _why_not(asked, given, piece))]
    if alone:
        return alone
    problem = asked.problem(given)
    rules, ways = _ways(asked, given, problem)
    for each in rules:
        rule = asked.between[int(each.key.removeprefix("rule:"))]
        if not _two_fit(asked, problem, rule) and best(each.problem, seconds=SECONDS):
            names = {"first": _name(asked, rule.first), "second": _name(asked, rule.second)}
            return [Reason("rule_blocks", {**names, "why": rule.why, "dates": _span(asked)})]
    for key, each in ways.items():
        found = best(each.problem, seconds=SECONDS)
        if found:
            together = Reason("together", {"dates": _span(asked)})
            return [together, _saving(asked, key, found)]
    return [Reason("together", {"dates": _span(asked)})]


def _two_fit(asked: Ground, problem: Problem, rule: Rule) -> bool:
    """The two of a rule could stand side by side, were it not for the rest."""
    keys = {_piece_of(asked, int(key)).key for key in (rule.first, rule.second)}
    two = tuple(task for task in problem.tasks if task.key in keys)
    return best(replace(problem, tasks=two), seconds=SECONDS) is not None


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
    if unprepared := _not_prepared(asked, piece, given, said):
        return unprepared
    if _fits(asked, piece, replace(given, others=False)):
        others = sorted({each.booking.variant.name for each in asked.standing})
        return Reason("others", {**said, "others": others})
    return Reason("busy" if _fits(asked, piece, replace(given, busy=False)) else "several", said)


def _fits(asked: Ground, piece: Piece, given: Given) -> bool:
    return bool(_begins(asked, piece, given))


def _begins(asked: Ground, piece: Piece, given: Given) -> list[tuple[int, int]]:
    problem = replace(asked, pieces=[piece], requests=list(piece.requests)).problem(given)
    starts = Starts(problem)
    return [each for day in range(problem.days) for each in starts.on(piece.key, day)]


def _no_room(asked: Ground, piece: Piece, bare: Given, said: dict) -> Reason:
    stretches = {each.device_id: asked.free[each.device_id] for each in asked.devices_of(piece)}
    longest = {device: max(end - start for start, end, _id in free) for device, free in stretches.items() if free}
    needs = {device: sum(asked.lengths(piece, device)) for device in longest}
    if not longest or any(longest[device] >= needs[device] for device in longest):
        return Reason("no_session", said)
    device = max(longest, key=longest.get)
    return Reason("too_long", {**said, "needs_minutes": needs[device], "longest_minutes": longest[device]})


def _too_late_for_results(asked: Ground, given: Given, piece: Piece, said: dict) -> Reason:
    wanted = [each.wanted_by for each in piece.requests if each.wanted_by]
    if wanted and _fits(asked, piece, replace(given, wishes=given.wishes.dropping("return_day"))) is False:
        return Reason("wanted_by", {**said, "wanted_by": _day(min(wanted))})
    longest = max(each.variant.item.result_minutes for each in piece.requests)
    if given.wishes.return_day is None:
        return Reason("wanted_by", {**said, "wanted_by": _day(min(wanted))})
    return Reason("results", {**said, "result_time_minutes": longest, "return_day": _day(given.wishes.return_day)})


def _not_prepared(asked: Ground, piece: Piece, given: Given, said: dict) -> Reason | None:
    """No time to prepare, or nothing free before the latest hour of who fasts. None: it is not that, or only before
    the house's first hour."""
    found = [each.variant.preparation for each in piece.requests if each.variant.preparation]
    latest = min((each.latest_start for each in found if each.latest_start), default=None)
    opens, closes = _minute(asked.rule.day_starts), DAY if latest is None else _minute(latest)
    begins = [(first % DAY, last % DAY) for first, last in _begins(asked, piece, replace(given, preparation=False))]
    if all(last < opens for _first, last in begins):
        return None
    if any(max(first, opens) <= min(last, closes) for first, last in begins):
        lead = max((max(each.lead_minutes, each.fast_minutes) for each in found), default=0)
        return Reason("lead", {**said, "lead_minutes": lead})
    return Reason("fasting", {**said, "latest": f"{latest:%H:%M}"})


# ---- words ----


def _request(asked: Ground, key: str):
    return next(each for each in asked.requests if str(each.pk) == key)


def _name(asked: Ground, key: str) -> str:
    return _request(asked, key).variant.name


def _piece_of(asked: Ground, request: int) -> Piece:
    return next(piece for piece in asked.pieces if any(each.pk == request for each in piece.requests))


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _wall(minute: int) -> str:
    return f"{minute % DAY // 60:02d}:{minute % 60:02d}"


def _day(day: date) -> str:
    return f"{day:%m-%d}"


def _dates(asked: Ground, days: list[int]) -> list[str]:
    return [_day(asked.counted.day(day * DAY)) for day in days]


def _span(asked: Ground) -> str:
    return f"{_day(asked.counted.first_day)}–{_day(asked.counted.day(asked.days * DAY - 1))}"
