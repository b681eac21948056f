"""What the planner is asked (E3): exams with the times their devices have, what stands already, and the rules.

Everything is read once, in a number of queries that does not grow with exams or devices; each question that follows
(what if a rule or a wish gave way) is built from the same rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from appointments.models import Pool
from appointments.selectors.rules import ChannelPools
from exams.models import STEP, DeviceAbility, ExamRequest, ExamRule
from exams.planner import Option, Problem, Rule, Task
from exams.policies import limits, spans, wishes
from exams.policies.ordering import planner_rules
from exams.policies.spans import DAY, Counted, Span
from exams.policies.wishes import Wishes
from exams.selectors import around, rules, walks
from exams.selectors.free import FreeMinutes, free_minutes
from exams.selectors.ordering import exam_of, rules_in_force
from exams.selectors.pieces import Piece, pieces_of
from hospital import clock

MOST_DAYS = 28
"""What anybody is shown at once; the house's rule says how many it looks at when nobody says otherwise."""

MOST_STANDING = 5
"""Visits whose day is a trip anyway, the next days first; of more the planner only keeps clear."""


@dataclass(frozen=True)
class Given:
    """What of the question gives way: to see whether it saves a trip, or why there is no plan."""

    wishes: Wishes
    reserves: bool = False  # every pool's time
    without_rules: frozenset[int] = frozenset()  # places in Ground.between
    preparation: bool = True
    others: bool = True  # the patient's other bookings
    results: bool = True  # ready before the return
    busy: bool = True


@dataclass
class Ground:
    """One patient's requests and everything that decides when they can be done."""

    requests: list[ExamRequest]
    channel: str
    partner: int | None
    now: datetime
    rule: ExamRule
    counted: Counted
    days: int
    pools: ChannelPools
    able: dict[int, list[DeviceAbility]]  # variant id → devices that can do it
    pieces: list[Piece]
    ordering: list
    free: FreeMinutes
    standing: list[around.Standing]
    promised: list[around.Promise]
    walking: walks.Walks
    ignoring: list[int] = field(default_factory=list)

    # ---- rules ----

    @cached_property
    def exams(self) -> dict[int, object]:
        return {request.pk: exam_of(request) for request in self.requests}

    @cached_property
    def between(self) -> tuple[Rule, ...]:
        """Of the exams with each other, named by request id. Those of one sitting are done as the sitting is."""
        one = {str(each.pk): piece.key for piece in self.pieces for each in piece.requests}
        found = planner_rules(self.exams.values(), self.ordering)
        return tuple(rule for rule in found if one[rule.first] != one[rule.second])

    @cached_property
    def apart(self) -> dict[int, list[Span]]:
        """Of each request: where the patient's other exams forbid it."""
        times = {each.key: (self.counted.minute(each.start), self.counted.up(each.end)) for each in self.standing}
        over = {each.key for each in self.standing if each.over}
        found = {}
        for pk, exam in self.exams.items():
            between = around.rules_between([exam], self.standing, self.ordering)
            found[pk] = limits.forbidden(exam.key, between, times, over=over)
        return found

    # ---- lengths and devices ----

    def lengths(self, piece: Piece, device: int) -> tuple[int, ...]:
        return tuple(self.minutes(each, device) for each in piece.requests)

    def minutes(self, request: ExamRequest, device: int) -> int:
        for ability in self.able[request.variant_id]:
            if ability.device_id == device:
                return ability.minutes or request.variant.minutes
        raise KeyError(device)

    def devices_of(self, piece: Piece) -> list[DeviceAbility]:
        """Those that can do all of it."""
        common = set.intersection(
            *({ability.device_id for ability in self.able[each.variant_id]} for each in piece.requests)
        )
        return [ability for ability in self.able[piece.requests[0].variant_id] if ability.device_id in common]

    @cached_property
    def all_pools(self) -> FreeMinutes:
        """With every reserve: what the house could do if it gave way."""
        house = self.requests[0].organization_id
        ids = tuple(Pool.objects.filter(organization=house).values_list("pk", flat=True))
        public = next((pk for pk in self._public(house)), None)
        return self.look(ChannelPools(ids=ids, public=public, team=None))

    @staticmethod
    def _public(house: int):
        return Pool.objects.filter(organization=house, kind=Pool.Kind.PUBLIC).values_list("pk", flat=True)

    def look(self, pools: ChannelPools) -> FreeMinutes:
        return free_minutes(
            devices={ability.device_id for found in self.able.values() for ability in found},
            first_day=self.counted.first_day,
            days=self.days,
            pools=pools,
            now=self.now,
            ignoring=self.ignoring,
        )

    # ---- time ----

    @cached_property
    def return_visit(self) -> dict[date, datetime]:
        """The first consultation of each day."""
        found: dict[date, datetime] = {}
        for each in self.promised:
            if each.source == "appointment":
                found.setdefault(clock.today(each.start), each.start)
        return found

    def return_by(self, day: date) -> datetime:
        """Until when results are of use: the visit itself where it is booked, else the morning of that day."""
        return self.return_visit.get(day) or clock.at(day, self.rule.day_starts)

    def allowed(self, piece: Piece, lengths: tuple[int, ...], given: Given) -> list[Span]:
        """Where its device minutes may lie, wherever the devices stand. `lengths`: of its exams."""
        counted, days = self.counted, self.days
        found = [(counted.up(self.now) + piece.before, days * DAY)]
        if given.wishes:
            open_ = wishes.allowed(given.wishes, counted=counted, days=days, before=piece.before, after=piece.after)
            found = spans.common(found, open_)
        offset = 0
        for request, length in zip(piece.requests, lengths, strict=True):
            if given.preparation:
                span = {"minutes": sum(lengths), "counted": counted, "days": days, "now": self.now, "rule": self.rule}
                found = spans.common(found, limits.allowed(request, offset=offset, **span))
            if given.others:
                found = spans.without(found, self.apart[request.pk])
            if given.results:
                found = spans.common(found, [(-limits.EVER, self._done_by(request, given.wishes))])
            offset += length
        return found

    def _done_by(self, request: ExamRequest, asked: Wishes) -> int:
        """The minute at which it must be over: results before the return, and the day that the doctor wants."""
        last = self.days * DAY
        if asked.return_day:
            last = self.counted.minute(self.return_by(asked.return_day)) - request.variant.item.result_minutes
        if request.wanted_by and request.wanted_by >= self.counted.first_day:
            last = min(last, self.counted.of_day(request.wanted_by) + DAY)
        return last

    def free_for(self, piece: Piece, ability: DeviceAbility, given: Given, allowed: list[Span]) -> tuple[Span, ...]:
        free = self.all_pools if given.reserves else self.free
        zone = ability.device.zone
        busy = [
            limits.beside(
                self.counted.minute(each.start),
                self.counted.up(each.end),
                before=piece.before,
                after=piece.after,
                walk=self.walking.to(each, zone),
            )
            for each in (self.promised if given.busy else ())
        ]
        stretches = [(start, end) for start, end, _session in free[ability.device_id]]
        left = spans.whole_steps(spans.without(spans.common(stretches, allowed), busy), STEP)
        return tuple(_by_day(left))

    # ---- the question ----

    def problem(self, given: Given) -> Problem:
        tasks = [self._task(piece, given) for piece in self.pieces]
        stands, places = self._standing_tasks() if given.busy else ([], {})
        return Problem(
            tasks=(*tasks, *stands),
            rules=self.rules(without=given.without_rules),
            walks=self._walks(places),
            days=self.days,
        )

    def _task(self, piece: Piece, given: Given) -> Task:
        options, allowed = [], {}
        for ability in self.devices_of(piece):
            lengths = self.lengths(piece, ability.device_id)
            if lengths not in allowed:
                allowed[lengths] = self.allowed(piece, lengths, given)
            free = self.free_for(piece, ability, given, allowed[lengths])
            options.append(Option(str(ability.device_id), f"z{ability.device.zone_id}", free, sum(lengths)))
        usual = sum(each.variant.minutes for each in piece.requests)
        return Task(piece.key, usual, tuple(options), before=piece.before, after=piece.after)

    def rules(self, *, without: Collection[int] = ()) -> tuple[Rule, ...]:
        """`without`: places in `between`."""
        return tuple(dict.fromkeys(self._rules(without)))

    def _rules(self, without: Collection[int]) -> Iterable[Rule]:
        """Between pieces. A gap from or to an exam inside a sitting is shorter by what is done between."""
        for number, rule in enumerate(self.between):
            if number not in without:
                one, before_one, after_one = self._inside(rule.first)
                other, before_other, after_other = self._inside(rule.second)
                yield Rule(
                    one,
                    other,
                    gap=_shorter(rule.gap, after_one + before_other),
                    reverse=_shorter(rule.reverse, after_other + before_one),
                    why=rule.why,
                )

    def _inside(self, request: str) -> tuple[str, int, int]:
        """(piece, fewest minutes of it before the exam, fewest after)."""
        piece = next(each for each in self.pieces if any(str(row.pk) == request for row in each.requests))
        place = [str(row.pk) for row in piece.requests].index(request)
        around_it = piece.requests[:place], piece.requests[place + 1 :]
        return piece.key, *(sum(self._shortest(row) for row in rows) for rows in around_it)

    def _shortest(self, request: ExamRequest) -> int:
        lengths = [each.minutes or request.variant.minutes for each in self.able[request.variant_id]]
        return min(lengths, default=request.variant.minutes)

    def _standing_tasks(self) -> tuple[list[Task], dict[str, around.Promise]]:
        """Where the patient comes anyway. Two that leave no time to walk between them are one: they stand."""
        groups: list[list[around.Promise]] = []
        last = self.counted.moment(self.days * DAY)
        for each in sorted(self.promised, key=lambda row: row.start):
            if clock.today(each.start) < self.counted.first_day or each.end > last:
                continue
            close = groups and each.start < groups[-1][-1].end + timedelta(minutes=self._way(groups[-1][-1], each))
            if close and clock.today(groups[-1][0].start) == clock.today(each.start):
                groups[-1].append(each)
            else:
                groups.append([each])
        tasks, places = [], {}
        for group in _ends_of_days(groups)[:MOST_STANDING]:
            start, end = self.counted.minute(group[0].start), self.counted.up(max(row.end for row in group))
            start, end = start // STEP * STEP, min(-(-end // STEP) * STEP, (start // DAY + 1) * DAY)
            place = f"s{group[0].source_id}{group[0].source[0]}"
            tasks.append(Task(place, end - start, (Option("", place, ((start, end),)),), stands=True))
            places[place] = group[0]
        return tasks, places

    def _way(self, one: around.Promise, other: around.Promise) -> int:
        if one.zone is not None and one.zone == other.zone:
            return 0
        return self.walking.over(one.campus, other.campus)

    def _walks(self, standing: dict[str, around.Promise]) -> dict[tuple[str, str], int]:
        """Between zones. What stands needs none here: its times are cut out of the devices' with the way to it, but
        for the way from one to the next, which nobody can change."""
        zones = {ability.device.zone for found in self.able.values() for ability in found}
        zones = sorted(zones, key=lambda zone: zone.pk)
        return {
            (f"z{one.pk}", f"z{other.pk}"): self.walking.between(one, other)
            for number, one in enumerate(zones)
            for other in zones[number + 1 :]
        }


def _ends_of_days(groups: list[list[around.Promise]]) -> list[list[around.Promise]]:
    """The first of each day, then the last of each: these say which days are trips and how long they are anyway. What
    lies between makes no difference to a plan."""
    days: dict[date, list[list[around.Promise]]] = defaultdict(list)
    for group in groups:
        days[clock.today(group[0].start)].append(group)
    return [found[0] for found in days.values()] + [found[-1] for found in days.values() if len(found) > 1]


def _shorter(gap, minutes: int):
    return gap if gap is None else replace(gap, minutes=max(gap.minutes - minutes, 0))


def _by_day(stretches: Iterable[Span]) -> Iterable[Span]:
    for start, end in stretches:
        while start < end:
            midnight = (start // DAY + 1) * DAY
            yield start, min(end, midnight)
            start = midnight


# ---- reading it ----


def ground(
    requests: Iterable[ExamRequest],
    *,
    asked: Wishes,
    channel: str,
    now: datetime,
    partner: int | None = None,
) -> Ground:
    """Of requests of one patient and one house, as `with_everything` reads them."""
    rows = list(requests)
    house, patient, today = rows[0].organization_id, rows[0].patient_id, clock.today(now)
    rule = rules.exam_rule(house, day=today)
    first, days = window(asked, rule=rule, today=today)
    counted = Counted(first)
    pools = rules.pools_for_exams(channel, organization_id=house, day=today, requests=rows, partner_id=partner)
    able = _able(rows)
    ordering = rules_in_force(house)
    gone = around.gone(patient, requests=[row.pk for row in rows], now=now)
    zones = {ability.device.zone for found in able.values() for ability in found}
    found = Ground(
        requests=rows,
        channel=channel,
        partner=partner,
        now=now,
        rule=rule,
        counted=counted,
        days=days,
        pools=pools,
        able=able,
        pieces=pieces_of(rows, ordering, able),
        ordering=ordering,
        free={},
        standing=around.standing_exams(patient, now=now, ignoring=gone),
        promised=around.promises(patient, first=counted.zero, last=counted.moment(days * DAY), ignoring=gone),
        walking=walks.walks_between(zones, rule=rule),
        ignoring=gone,
    )
    found.free = found.look(pools)
    return found


def over(asked: Ground, *, days: int) -> Ground:
    """The same from the same day on, over more days: only times are read again."""
    last = asked.counted.moment(days * DAY)
    patient, gone = asked.requests[0].patient_id, asked.ignoring
    more = replace(asked, days=days)
    more.promised = around.promises(patient, first=asked.counted.zero, last=last, ignoring=gone)
    more.free = more.look(asked.pools)
    return more


def window(asked: Wishes, *, rule: ExamRule, today: date) -> tuple[date, int]:
    """(first day, how many). The return day is in it: exams may be done before the visit. Nothing left: 0."""
    closed = today + timedelta(days=rule.horizon_days + 1)  # later days, to the end of the calendar, are one
    first = min(max(asked.first_day or today, today), closed)
    last = asked.last_day or first + timedelta(days=rule.plan_days - 1)
    if asked.return_day:
        last = min(last, asked.return_day)
    last = min(last, today + timedelta(days=rule.horizon_days), first + timedelta(days=MOST_DAYS - 1))
    return first, max((last - first).days + 1, 0)


def with_everything(ids: Collection[int]) -> list[ExamRequest]:
    """Requests with what rules and the planner ask of them. Two queries."""
    rows = ExamRequest.objects.filter(pk__in=ids)
    rows = rows.select_related("variant__item", "variant__preparation", "patient")
    return list(rows.prefetch_related("variant__groups").order_by("pk"))


def _able(requests: list[ExamRequest]) -> dict[int, list[DeviceAbility]]:
    rows = DeviceAbility.objects.filter(
        variant__in={row.variant_id for row in requests},
        device__active=True,
        device__organization=requests[0].organization_id,
    )
    found: dict[int, list[DeviceAbility]] = defaultdict(list)
    for row in rows.select_related("device__room", "device__zone__campus", "device__team").order_by("device__code"):
        found[row.variant_id].append(row)
    return found
