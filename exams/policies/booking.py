"""May this exam be booked, moved, given back, and why not (E2, E4, E5). Pure: no query, no clock."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models.rules import SELF_SERVICE
from exams.errors import (
    AgainstTheOrder,
    AlreadyBookedExam,
    HoldEnded,
    NotAnswered,
    NotBookedAlone,
    NotPossible,
    TooLateInTheDay,
    TooSoonForExam,
    WrongExamState,
)
from exams.models import ExamBooking, ExamRequest, ExamRule, ExamVariant, Modality, ScreeningAnswer
from exams.planner.problem import Gap, Rule
from hospital import clock
from hospital.errors import Refused

from . import self_service
from .screening import Verdict

Status = ExamBooking.Status
Times = Mapping[str, tuple[datetime, datetime]]
"""Key of an exam (ordering.Exam.key) → its minutes on the device."""

GIVES_BACK = frozenset({Status.PENDING, Status.BOOKED, Status.ARRIVED})
MOST_EXAMS = 8
"""In one plan: what the planner proves in time. A draw of blood is one, however many tests it is for."""

REPLACED, DROPPED, LAPSED = "replaced", "dropped", "lapsed"
"""Notes of holds that were let go; a note of a person is a sentence."""


def in_one_plan(requests: Iterable[ExamRequest]) -> list[ExamRequest]:
    """As many of them, in their order, as one plan takes."""
    taken, exams, blood = [], 0, False
    for request in requests:
        draw = request.variant.item.modality == Modality.LAB
        exams += not (draw and blood)
        if exams > MOST_EXAMS:
            break
        blood = blood or draw
        taken.append(request)
    return taken


def is_self_service(channel: str) -> bool:
    return channel in SELF_SERVICE


def hold_for(channel: str, rule: ExamRule) -> timedelta:
    """How long a time is kept while its booker makes up their mind."""
    return timedelta(minutes=rule.hold_minutes if is_self_service(channel) else rule.staff_hold_minutes)


def refusal_to_hold(request: ExamRequest, *, live: Collection[ExamBooking], offered: bool) -> Refused | None:
    """`live`: the request's bookings that are not over and not on hold. One that lost its time to a downtime is moved,
    unless the house looks for a time to offer (`offered`)."""
    if request.status not in (ExamRequest.Status.OPEN, ExamRequest.Status.BOOKED):
        return WrongExamState()
    if any(row.holds or not offered for row in live):
        return AlreadyBookedExam()
    return None


def refusal_by_channel(request: ExamRequest, *, channel: str) -> Refused | None:
    """E2: alone people book what is simple; the rest is for the consult room and the booking centre."""
    if is_self_service(channel) and not request.variant.item.simple:
        return NotBookedAlone(exam=request.variant.name)
    return None


def refusal_by_answers(
    request: ExamRequest, *, verdict: Verdict, channel: str, done_items: Collection[int]
) -> NotPossible | NotAnswered | None:
    """E4. `done_items`: what the patient was examined for already. A refusing answer stops everybody; "needs a check
    first" until that check is done or a doctor has written why not; self-service until everything is answered."""
    if verdict.effect == ScreeningAnswer.Effect.REFUSE:
        return NotPossible(exam=request.variant.name, sentence=verdict.sentences[0])
    if verdict.effect == ScreeningAnswer.Effect.CHECK:
        checked = bool(verdict.first) and all(item.pk in done_items for item in verdict.first)
        noted = bool(getattr(request, "cleared_note", ""))
        if not checked and not noted:
            return NotPossible(exam=request.variant.name, sentence=verdict.sentences[0])
    if not verdict.complete:
        return NotAnswered()
    return None


def earliest_start(variant: ExamVariant, *, now: datetime) -> datetime:
    """From `now` on the patient prepares: bowels take days, fasting hours."""
    preparation = variant.preparation
    if preparation is None:
        return now
    return now + timedelta(minutes=max(preparation.lead_minutes, preparation.fast_minutes))


def refusal_by_preparation(
    request: ExamRequest, *, start: datetime, now: datetime, prepared_for: datetime | None = None
) -> Refused | None:
    """Time to prepare, and nobody fasts past the latest hour. An emergency doesn't wait for it: who examines decides.
    `prepared_for`: the time that is being moved; whoever prepares for it can keep any later one."""
    preparation = request.variant.preparation
    if preparation is None or request.priority == ExamRequest.Priority.EMERGENCY:
        return None
    earliest = earliest_start(request.variant, now=now)
    if start < earliest and (prepared_for is None or start < prepared_for):
        return TooSoonForExam(exam=request.variant.name, earliest=_in_words(earliest))
    wall = start.astimezone(clock.ZONE).time()
    if preparation.latest_start and wall > preparation.latest_start:
        return TooLateInTheDay(exam=request.variant.name, latest=f"{preparation.latest_start:%H:%M}")
    return None


def broken_rule(rules: Iterable[Rule], times: Times, *, new: Collection[str], over: Collection[str] = ()):
    """The first rule that the `new` exams break among themselves or with the others, or None.

    `over`: exams that were done already. "Never in that order" speaks of what is planned together; of what is over it
    asks for another day.
    """
    for rule in rules:
        if rule.first not in times or rule.second not in times or not {rule.first, rule.second} & set(new):
            continue
        if times[rule.first][0] <= times[rule.second][0]:
            before, after, gap = rule.first, rule.second, rule.gap
        else:
            before, after, gap = rule.second, rule.first, rule.reverse
        if gap is None and before in over:
            gap = Gap(other_day=True)
        if not kept(gap, times[before], times[after]):
            return rule
    return None


def kept(gap: Gap | None, before: tuple[datetime, datetime], after: tuple[datetime, datetime]) -> bool:
    """From the end of the one to the start of the other."""
    if gap is None or after[0] - before[1] < timedelta(minutes=gap.minutes):
        return False
    return not gap.other_day or clock.today(before[0]) != clock.today(after[0])


def refusal_by_order(
    rules: Iterable[Rule], times: Times, *, new: Collection[str], over: Collection[str] = ()
) -> AgainstTheOrder | None:
    rule = broken_rule(rules, times, new=new, over=over)
    return AgainstTheOrder(why=rule.why) if rule else None


def refusal_to_confirm(booking: ExamBooking, *, now: datetime) -> Refused | None:
    """A hold is confirmed while its clock runs; booked already is the same answer again."""
    if booking.status == Status.PENDING:
        return HoldEnded() if booking.hold_until <= now else None
    if booking.status == Status.CANCELLED:
        return HoldEnded()
    return None


def refusal_to_cancel(
    booking: ExamBooking, *, channel: str, rule: ExamRule, now: datetime, hospital: bool
) -> Refused | None:
    """Alone until the rule's minutes before it; staff until it is called; what the house itself took away always."""
    if is_self_service(channel) and not hospital and booking.status != Status.PENDING:
        return self_service.refusal_to_cancel(booking, rule=rule, now=now)
    return None if booking.status in GIVES_BACK else WrongExamState()


def refusal_to_move(
    booking: ExamBooking, *, channel: str, rule: ExamRule, now: datetime, hospital: bool
) -> Refused | None:
    if is_self_service(channel) and not hospital and booking.status != Status.PENDING:
        return self_service.refusal_to_move(booking, rule=rule, now=now)
    return None if booking.status in GIVES_BACK else WrongExamState()


def _in_words(moment: datetime) -> str:
    return date_format(moment.astimezone(clock.ZONE), _("n月j日 H:i"))
