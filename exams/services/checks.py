"""What stands against an exam at a time. Ahead of the locks of claims: rights, answers, preparation, price. Under them:
free time, the patient's own time, order. Each is a policy; here is what they are told."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from appointments.models.rules import Channel
from appointments.selectors.rules import ChannelPools, refusal_to_partner
from exams.errors import BookedTogether, NoExamPrice, NotFree, PatientBusy, TimeTaken
from exams.models import DeviceAbility, ExamBooking, ExamRequest, OrderingRule
from exams.policies import booking as policy
from exams.policies.ordering import Exam, draws, sittings
from exams.policies.requesting import questions_of
from exams.policies.screening import judge
from exams.policies.spans import Counted
from exams.selectors import around, standing
from exams.selectors.free import open_sessions, taken_times
from exams.selectors.ordering import exam_of, rules_in_force
from exams.selectors.rules import exam_rule, pools_for_exams
from exams.selectors.screening import questions_for
from exams.services import claims
from exams.services.claims import Line
from hospital import clock, prepaid
from hospital.errors import Refused
from hospital.models import Patient, PriceItem, User


@dataclass(frozen=True)
class Asked:
    """Who asks for whom, through which channel. `house`: the house moves or offers, so nothing that holds for people
    who book alone; `hold_until`: of such an offer."""

    patient: Patient
    channel: str
    by: User | None
    now: datetime
    partner: int | None = None
    hold_until: datetime | None = None
    house: bool = False
    walk_in: bool = False

    @property
    def by_the_house(self) -> bool:
        return self.house or self.hold_until is not None

    @property
    def alone(self) -> bool:
        return policy.is_self_service(self.channel) and not self.by_the_house


@dataclass(frozen=True)
class Ready:
    """What was found in order ahead: the lines as they are to be written, and the rules in force."""

    lines: list[Line]
    rules: list[OrderingRule]


def check_ahead(asked: Asked, lines: list[Line]) -> Ready:
    """New bookings, as far as nobody else's booking matters: before any lock, so that nobody waits for it."""
    _check_rights(asked, lines)
    if not asked.by_the_house or asked.walk_in:
        _check_answers(asked, lines)
    for line in lines:
        if not asked.walk_in and not asked.by_the_house:
            _raise(policy.refusal_by_preparation(line.request, start=line.start, now=asked.now))
    rules = rules_in_force(lines[0].request.organization_id)
    return Ready(_sitting_together(priced(lines), rules), rules)


def check_all(asked: Asked, ready: Ready) -> list[Line]:
    """The rest, under their locks. Returns the lines as they are to be written."""
    claims.check_open(ready.lines, offered=asked.hold_until is not None)
    _check_places(asked, ready.lines, moving=())
    _check_order(asked, ready.lines, ready.rules, moving=())
    return ready.lines


def check_move(asked: Asked, lines: list[Line], rows: Mapping[int, ExamBooking]) -> list[Line]:
    """Bookings (by request) on other times, under their locks. Who prepares for the old time can keep any later one."""
    house, own = lines[0].request.organization_id, [row.pk for row in rows.values()]
    rule = exam_rule(house, day=clock.today(asked.now))
    for line in lines:
        row = rows[line.request.pk]
        about = {"channel": asked.channel, "rule": rule, "now": asked.now, "hospital": asked.by_the_house}
        _raise(policy.refusal_to_move(row, **about))
        if not asked.by_the_house:
            known = row.during.lower
            _raise(policy.refusal_by_preparation(line.request, start=line.start, now=asked.now, prepared_for=known))
    ordering = rules_in_force(house)
    lines = _sitting_together(lines, ordering)
    _check_places(asked, lines, moving=own)
    _check_order(asked, lines, ordering, moving=own)
    return lines


def _raise(refusal) -> None:
    if refusal:
        raise refusal


def _check_rights(asked: Asked, lines: list[Line]) -> None:
    if not asked.alone:
        return
    for line in lines:
        _raise(policy.refusal_by_channel(line.request, channel=asked.channel))
    house = lines[0].request.organization_id
    _raise(standing.refusal_to_book_alone(asked.patient.pk, house, now=asked.now))


def _check_answers(asked: Asked, lines: list[Line]) -> None:
    day = lines[0].start.astimezone(clock.ZONE).date()
    questions = questions_for([line.request.variant for line in lines], patient=asked.patient, day=day)
    done = None
    for line in lines:
        own = questions_of(line.request.variant, questions=questions, patient=asked.patient, day=day)
        verdict = judge(own, line.request.answers)
        if not verdict.clear and done is None:
            done = around.done_items(asked.patient.pk, now=asked.now)
        _raise(
            policy.refusal_by_answers(line.request, verdict=verdict, channel=asked.channel, done_items=done or set())
        )


def priced(lines: list[Line]) -> list[Line]:
    """Each with the price of its day, copied onto the booking. One query. Raises NoExamPrice."""
    codes = {line.request.variant.price_code for line in lines}
    houses = {line.request.organization_id for line in lines}
    dated = defaultdict(list)
    for row in PriceItem.objects.filter(organization__in=houses, code__in=codes):
        dated[row.organization_id, row.code].append(row)
    return [replace(line, fee=_price(line, dated)) for line in lines]


def _price(line: Line, dated: dict[tuple[int, str], list[PriceItem]]) -> Decimal:
    day = clock.today(line.start)
    for row in dated[line.request.organization_id, line.request.variant.price_code]:
        if row.effective_from <= day and (row.effective_to is None or day <= row.effective_to):
            return row.amount
    raise NoExamPrice(exam=line.exam)


# ---- one sitting ----


def _sitting_together(lines: list[Line], rules) -> list[Line]:
    """同一次麻醉: back to back on one device; what is before and after belongs to all of it together. 一次采血 as well,
    but two needles harm nobody: apart is no refusal."""
    exams = [exam_of(line.request) for line in lines]
    by_key = {str(line.request.pk): line for line in lines}
    for first, second in sittings(exams, rules):
        one, other = by_key[first], by_key[second]
        if _touch(one, other):
            by_key |= {str(line.request.pk): line for line in joined([one, other])}
        elif _one_device_does_both(one.request, other.request):
            raise BookedTogether(exams=f"{one.exam}、{other.exam}")
    for keys in draws(exams, rules):
        for run in runs([by_key[key] for key in keys]):
            by_key |= {str(line.request.pk): line for line in joined(run)}
    return list(by_key.values())


def _touch(one: Line, other: Line) -> bool:
    return one.device == other.device and one.end == other.start


def runs(lines: list[Line]) -> list[list[Line]]:
    """Those that follow each other without a break."""
    runs: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.start):
        if runs and _touch(runs[-1][-1], line):
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs


def joined(lines: list[Line]) -> list[Line]:
    before = max(line.start - line.stay_start for line in lines)
    after = max(line.stay_end - line.end for line in lines)
    inner = [replace(line, stay_start=line.start, stay_end=line.end) for line in lines]
    inner[0] = replace(inner[0], stay_start=inner[0].start - before)
    inner[-1] = replace(inner[-1], stay_end=inner[-1].end + after)
    return inner


def _one_device_does_both(one: ExamRequest, other: ExamRequest) -> bool:
    """Where none does, they can't be one sitting, and the rule's interval is all that is left of it."""
    able = DeviceAbility.objects.filter(device__active=True)
    both = able.filter(variant=other.variant, device__in=able.filter(variant=one.variant).values("device"))
    return both.exists()


# ---- places ----


def pools_of(asked: Asked, requests: list[ExamRequest]) -> ChannelPools:
    """The channel's; what the house itself gives, the counter's too. Raises AgreementEnded."""
    house, day = requests[0].organization_id, clock.today(asked.now)
    partner = None if asked.by_the_house else asked.partner
    if partner and (refusal := refusal_to_partner(partner, organization_id=house, day=day)):
        raise refusal
    about = {"organization_id": house, "day": day, "requests": requests}
    pools = pools_for_exams(asked.channel, partner_id=asked.partner, **about)
    if not asked.by_the_house:
        return pools
    more = pools_for_exams(Channel.COUNTER, **about)
    ids = tuple(sorted({*pools.ids, *more.ids}))
    return ChannelPools(ids=ids, public=pools.public or more.public, team=pools.team)


def _check_places(asked: Asked, lines: list[Line], *, moving: Collection[int]) -> None:
    """Open to the channel, nobody on it, and the patient nowhere else."""
    first, last = clock.today(lines[0].start), clock.today(lines[-1].start)
    counted, days = Counted(first), (last - first).days + 1
    ids = sorted({line.device.pk for line in lines})
    opened = {}
    if not asked.walk_in:
        pools = pools_of(asked, [line.request for line in lines])
        found = open_sessions(ids, counted=counted, days=days, pools=pools, now=asked.now)
        opened = {row.id: row for row in found}
    taken = taken_times(ids, counted=counted, days=days, now=asked.now, ignoring=moving)
    for line in lines:
        span = counted.minute(line.start), counted.minute(line.end)
        session = opened.get(line.session.pk) if line.session else None
        inside = session is not None and any(start <= span[0] and span[1] <= end for start, end in session.open)
        if not inside and not asked.walk_in or line.start < asked.now:
            raise NotFree(exam=line.exam)
        if any(start < span[1] and span[0] < end for start, end in taken[line.device.pk]):
            raise TimeTaken(exam=line.exam)
        if claims.is_busy(asked.patient.pk, line=line, ignoring=moving):
            raise PatientBusy()


# ---- order ----


def _check_order(asked: Asked, lines: list[Line], rules, *, moving: Collection[int]) -> None:
    """Among themselves and with what the patient has booked and was examined for."""
    if not rules:
        return
    others = around.standing_exams(asked.patient.pk, now=asked.now, ignoring=moving)
    exams: list[Exam] = [exam_of(line.request) for line in lines]
    times = {exam.key: (line.start, line.end) for exam, line in zip(exams, lines, strict=True)}
    times |= {other.key: (other.start, other.end) for other in others}
    found = around.rules_between(exams, others, rules)
    over = {other.key for other in others if other.over}
    _raise(policy.refusal_by_order(found, times, new={exam.key for exam in exams}, over=over))


def unpaid(row: ExamBooking, *, now: datetime) -> Refused | None:
    """The caller holds the row. A confirmed one was paid, or needed not be."""
    if row.status != ExamBooking.Status.PENDING:
        return None
    return prepaid.refusal(
        kind="exam",
        organization=lambda: row.request.organization_id,
        channel=row.channel,
        patient=row.patient_id,
        booking=row.pk,
        fee=row.fee,
        now=now,
    )
