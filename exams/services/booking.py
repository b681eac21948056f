"""检查预约 (E1–E3): hold, confirm, move, give back. One service for every channel, all or nothing.

`now` is None in production: the database's clock decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from appointments.models.rules import Channel
from appointments.services.sql import database_now
from exams.errors import HoldEnded, TimeTaken, WrongExamState
from exams.models import Device, ExamBooking, ExamPlan, ExamRequest
from exams.policies import booking as policy
from exams.policies.booking import DROPPED, REPLACED
from exams.policies.spans import trips_of
from exams.selectors import around, rules
from exams.selectors.free import next_start
from exams.services import claims, requesting, sittings
from exams.services.checks import Asked, check_ahead, check_all, check_move, unpaid
from exams.services.claims import Line, in_one, let_go, lock_all, lock_people
from hospital import clock, outbox
from hospital.models import Patient, PatientTime, User

Status = ExamBooking.Status


@dataclass(frozen=True)
class Wanted:
    """An exam as a plan places it."""

    request_id: int
    device_id: int
    start: datetime


@dataclass(frozen=True)
class Figures:
    """What the planner knew of a plan beside its lines: for E3's figures and for who asks later."""

    first_come_trips: int | None = None
    reasons: tuple[dict, ...] = ()


def hold_plan(
    *,
    patient: Patient,
    lines: Iterable[Wanted],
    channel: str,
    by: User | None,
    basket: UUID,
    figures: Figures | None = None,
    partner: int | None = None,
    now: datetime | None = None,
) -> ExamPlan:
    """Hold every exam of a plan or none, beside what its basket holds. Another time for an exam replaces the one held
    before; the same plan again is the same answer.

    Raises TimeTaken and NotFree (naming the exam), PatientBusy, AlreadyBookedExam, AgainstTheOrder, NotPossible,
    NotAnswered, NotBookedAlone, ExamsSuspended, TooSoonForExam, TooLateInTheDay, BookedTogether, NoExamPrice,
    WrongExamState, Busy.
    """
    lines = list(lines)
    with in_one():
        moment = now or database_now()
        asked = Asked(patient, channel, by, partner=partner, now=moment)
        ready = check_ahead(asked, _lines(patient, lines))
        wanted = ready.lines
        held = lock_all(patient=patient, lines=wanted, now=moment)
        known = ExamPlan.objects.filter(basket=basket).first()
        if known and known.patient_id != patient.pk:
            raise WrongExamState()
        asked_for = {each.request_id for each in lines}
        if known and _same(wanted, known.bookings.filter(holds=True, request__in=asked_for), now=moment):
            return known
        mine = held.again(None, by if asked.alone else None)
        if mine and mine[0].plan and _same(wanted, mine, now=moment):
            return mine[0].plan
        let_go(held.replaced, note=REPLACED, now=moment)
        let_go(held.lapsed, note=policy.LAPSED, now=moment)
        check_all(asked, ready)
        plan = _plan(known, wanted, asked, basket=basket, figures=figures or Figures())
        _take(wanted, asked, plan=plan, basket=basket)
    return plan


def hold_one(
    *,
    request: ExamRequest,
    device: Device,
    start: datetime,
    channel: str,
    by: User | None,
    basket: UUID | None,
    partner: int | None = None,
    hold_until: datetime | None = None,
    now: datetime | None = None,
) -> ExamBooking:
    """Hold one exam. Raises as hold_plan."""
    [row] = hold_together(
        requests=[request], device=device, start=start, channel=channel, by=by, basket=basket, partner=partner,
        hold_until=hold_until, now=now,
    )  # fmt: skip
    return row


def hold_together(
    *,
    requests: list[ExamRequest],
    device: Device,
    start: datetime,
    channel: str,
    by: User | None,
    basket: UUID | None,
    partner: int | None = None,
    hold_until: datetime | None = None,
    now: datetime | None = None,
) -> list[ExamBooking]:
    """Hold the exams of one sitting back to back, in their order, or none. `hold_until`: the house itself holds a time
    to offer it (a device went down): no suspension, no self-service limits. Raises as hold_plan."""
    with in_one():
        moment, patient = now or database_now(), requests[0].patient
        asked = Asked(patient, channel, by, partner=partner, hold_until=hold_until, now=moment)
        ready = check_ahead(asked, _lines(patient, _back_to_back(requests, device, start)))
        held = lock_all(patient=patient, lines=ready.lines, now=moment)
        mine = held.again(basket, by if asked.alone else None)
        if mine and _same(ready.lines, mine, now=moment):
            return mine
        let_go(held.replaced, note=REPLACED, now=moment)
        let_go(held.lapsed, note=policy.LAPSED, now=moment)
        return _take(check_all(asked, ready), asked, plan=None, basket=basket)


def confirm(
    *, basket: UUID | None = None, booking: ExamBooking | None = None, by: User | None, now: datetime | None = None
) -> list[ExamBooking]:
    """Held becomes booked: all of the basket or none. Again is the same answer. Publishes exam.booked for each.
    Raises HoldEnded, and where one of them must be paid first what hospital.prepaid says."""
    with in_one():
        moment = now or database_now()
        rows = _lock_rows(basket, booking)
        live = [row for row in rows if row.status != Status.CANCELLED]
        _check_whole(rows, live)
        for row in live:
            refusal = policy.refusal_to_confirm(row, now=moment) or unpaid(row, now=moment)
            if refusal:
                raise refusal
        fresh = [row for row in live if row.status == Status.PENDING]
        for row in fresh:
            row.status, row.hold_until, row.confirmed_at = Status.BOOKED, None, moment
            row.save(update_fields=["status", "hold_until", "confirmed_at"])
            publish("exam.booked", row, by=by, now=moment, channel=row.channel)
        _confirm_plans({row.plan_id for row in fresh if row.plan_id}, now=moment)
    return live


def drop(
    *,
    basket: UUID | None = None,
    booking: ExamBooking | None = None,
    by: User | None = None,
    now: datetime | None = None,
) -> None:
    """Let go of what is held and not confirmed. Twice is once. A confirmed one raises WrongExamState: it is cancelled,
    not dropped (of a basket: what is still on hold goes, the rest stays). Publishes exam.dropped for each."""
    with in_one():
        moment = now or database_now()
        rows = _lock_rows(basket, booking)
        if booking and rows[0].status not in (Status.PENDING, Status.CANCELLED):
            raise WrongExamState()
        gone = [row for row in rows if row.status == Status.PENDING]
        rest = sittings.beside(gone, now=moment)
        let_go(gone, note=DROPPED, now=moment)
        sittings.stand_alone(rest)


def cancel(
    *,
    booking: ExamBooking,
    by: User | None,
    channel: str,
    note: str = "",
    hospital: bool = False,
    withdraw: bool = False,
    together: Iterable[int] = (),
    now: datetime | None = None,
) -> ExamBooking:
    """取消预约: the time is free at once, the request open again (`withdraw`: cancelled). `hospital`: the house's
    doing, without a cut-off. `together`: what is cancelled with it, told of once. Twice is once. Publishes
    exam.cancelled, and exam.withdrawn. Raises TooLateForExam, WrongExamState."""
    with in_one():
        moment = now or database_now()
        [row] = _lock_rows(None, booking)
        if row.status == Status.CANCELLED:
            return row
        rule = rules.exam_rule(row.request.organization_id, day=clock.today(moment))
        refusal = policy.refusal_to_cancel(row, channel=channel, rule=rule, now=moment, hospital=hospital)
        if refusal:
            raise refusal
        pending = row.status == Status.PENDING
        let_go(_kept_instead(row), note=DROPPED, now=moment)
        rest = sittings.beside([row], now=moment)
        let_go([row], note=note[:200], now=moment)
        sittings.stand_alone(rest)
        if withdraw:
            _withdraw(row.request_id, by=by, note=note, now=moment)
        if not pending:
            said = {"channel": channel, "hospital": hospital, "together": sorted({row.pk, *together})}
            publish("exam.cancelled", row, by=by, now=moment, **said)
        row.refresh_from_db()
    return row


def move(
    *,
    booking: ExamBooking,
    device: Device,
    start: datetime,
    channel: str,
    by: User | None,
    hospital: bool = False,
    now: datetime | None = None,
) -> ExamBooking:
    """改时间: the same row on another time; refused, the old time is kept. Exams of one sitting move together. What the
    house took away (a device went down) gets its time back. `hospital`: without cut-off and limits.

    Publishes exam.moved {from_start} for a confirmed one. Already there: the same answer. Raises as hold_plan, and
    TooLateForExam, NotChangedAlone.
    """
    with in_one():
        moment = now or database_now()
        seen = ExamBooking.objects.select_related("request__patient", "request__variant").get(pk=booking.pk)
        patient, sitting = seen.request.patient, around.sitting_of(seen, now=moment)
        wanted = _lines(patient, _moved(sitting, seen, device, start))
        held = lock_all(patient=patient, lines=wanted, moving=sitting, now=moment)
        places = {row.pk: (row.session_id, row.during) for row in sitting}
        for row in held.moving:
            if (row.session_id, row.during) != places[row.pk] or row.status == Status.CANCELLED:
                raise WrongExamState()
        if _same(wanted, held.moving, now=moment) and all(row.holds for row in held.moving):
            return held.moving[[row.pk for row in held.moving].index(seen.pk)]
        asked = Asked(patient, channel, by, partner=seen.partner_id, house=hospital, now=moment)
        let_go(held.replaced, note=REPLACED, now=moment)
        let_go(held.lapsed, note=policy.LAPSED, now=moment)
        rows = {row.request_id: row for row in held.moving}
        _put([(rows[line.request.pk], line) for line in check_move(asked, wanted, rows)], asked)
    return rows[seen.request_id]


def _moved(sitting: list[ExamBooking], seen: ExamBooking, device: Device, start: datetime) -> list[Wanted]:
    """Where each exam of a sitting goes when `seen` goes to `start`: they stay back to back."""
    lengths = [timedelta(minutes=claims.length_of(row.request, device)) for row in sitting]
    at = start - sum(lengths[: [row.pk for row in sitting].index(seen.pk)], timedelta())
    return _back_to_back([row.request for row in sitting], device, at)


def _back_to_back(requests: list[ExamRequest], device: Device, start: datetime) -> list[Wanted]:
    wanted = []
    for request in requests:
        wanted.append(Wanted(request.pk, device.pk, start))
        start += timedelta(minutes=claims.length_of(request, device))
    return wanted


def walk_in(*, request: ExamRequest, device: Device, by: User | None, now: datetime | None = None) -> ExamBooking:
    """现场检查: who stands at the desk gets the device's next free minutes today, whatever pool they are in; outside
    its hours at once. Booked without a hold; publishes exam.booked. Raises TimeTaken and as hold_plan."""
    with in_one():
        moment = now or database_now()
        asked = Asked(request.patient, Channel.COUNTER, by, house=True, walk_in=True, now=moment)
        claims.lock_device(device)
        start = next_start(device, minutes=claims.length_of(request, device), now=moment)
        if start is None:
            raise TimeTaken(exam=request.variant.name)
        ready = check_ahead(asked, _lines(request.patient, [Wanted(request.pk, device.pk, start)]))
        held = lock_all(patient=request.patient, lines=ready.lines, now=moment)
        let_go(held.replaced, note=REPLACED, now=moment)
        let_go(held.lapsed, note=policy.LAPSED, now=moment)
        [row] = _take(check_all(asked, ready), asked, plan=None, basket=None)
        publish("exam.booked", row, by=by, now=moment, channel=row.channel)
    return row


# ---- parts ----


def _lines(patient: Patient, wanted: list[Wanted]) -> list[Line]:
    requests = claims.requests_of(patient, [each.request_id for each in wanted])
    if not wanted or len(requests) != len(wanted):
        raise WrongExamState()
    return claims.lines_for([(requests[each.request_id], each.device_id, each.start) for each in wanted])


def _same(lines: list[Line], rows: Iterable[ExamBooking], *, now: datetime) -> bool:
    """These rows hold exactly what the lines ask for."""
    rows = [row for row in rows if row.status != Status.PENDING or row.hold_until > now]
    asked = {(line.request.pk, line.device.pk, line.start) for line in lines}
    return asked == {(row.request_id, row.device_id, row.during.lower) for row in rows}


def _take(lines: list[Line], asked: Asked, *, plan: ExamPlan | None, basket: UUID | None) -> list[ExamBooking]:
    """The rows, pending until confirmed; a walk-in is booked at once."""
    rule = rules.exam_rule(lines[0].request.organization_id, day=clock.today(asked.now))
    held = {
        "status": Status.PENDING,
        "hold_until": asked.hold_until or asked.now + policy.hold_for(asked.channel, rule),
    }
    if asked.walk_in:
        held = {"status": Status.BOOKED, "confirmed_at": asked.now, "walk_in": True}
    common = {"channel": asked.channel, "by": asked.by, "partner_id": asked.partner, "plan": plan, "basket": basket}
    rows = [claims.take(line, now=asked.now, **held, **common) for line in lines]
    requests = ExamRequest.objects.filter(pk__in=[line.request.pk for line in lines], status=ExamRequest.Status.OPEN)
    requests.update(status=ExamRequest.Status.BOOKED)
    return rows


def _plan(known: ExamPlan | None, lines: list[Line], asked: Asked, *, basket: UUID, figures: Figures) -> ExamPlan:
    stays = [row.stay for row in known.bookings.filter(holds=True)] if known else []  # other exams, chosen before
    trips, minutes = trips_of((stay.lower, stay.upper) for stay in [*stays, *(line.stay for line in lines)])
    plan = known or ExamPlan(basket=basket, patient=asked.patient, created_at=asked.now)
    plan.organization_id, plan.by, plan.channel = lines[0].request.organization_id, asked.by, asked.channel
    plan.exams, plan.trips, plan.minutes = len(stays) + len(lines), trips, minutes
    plan.first_come_trips, plan.reasons = None if stays else figures.first_come_trips, list(figures.reasons)
    plan.save()
    return plan


def _lock_rows(basket: UUID | None, booking: ExamBooking | None) -> list[ExamBooking]:
    """Patients, requests, bookings of a basket or one, as they are now. Raises HoldEnded where there is nothing."""
    rows = ExamBooking.objects.filter(pk=booking.pk) if booking else ExamBooking.objects.filter(basket=basket)
    seen = list(rows.values_list("pk", "patient_id", "request_id")) if booking or basket else []
    if not seen:
        raise HoldEnded()
    pks, patients, requests = zip(*seen, strict=True)
    return lock_people(patients=patients, requests=requests, bookings=pks)


def _kept_instead(row: ExamBooking) -> list[ExamBooking]:
    """What the house holds in place of an exam whose device is down. The caller has the patient's and the request's
    locks, so no other comes up meanwhile."""
    kept = ExamBooking.objects.select_for_update(no_key=True).filter(request=row.request_id, status=Status.PENDING)
    return list(kept.exclude(pk=row.pk).order_by("pk"))


def _check_whole(rows: list[ExamBooking], live: list[ExamBooking]) -> None:
    """What ran out or was taken away, since the basket's newest hold, ends the whole basket; not what somebody dropped
    or chose anew. A basket lives for a whole sitting: what ran out earlier was seen and chosen again."""
    if not live:
        raise HoldEnded()
    going_on, newest = {row.request_id for row in live}, max(row.created_at for row in live)
    for row in rows:
        ended = row.status == Status.CANCELLED and row.confirmed_at is None
        lost = ended and row.note not in (DROPPED, REPLACED) and row.request_id not in going_on
        if lost and row.created_at >= newest:
            raise HoldEnded()


def _confirm_plans(plans: set[int], *, now: datetime) -> None:
    """What was confirmed is what counts: lines may have been dropped meanwhile."""
    for plan in ExamPlan.objects.filter(pk__in=plans).prefetch_related("bookings"):
        rows = [row for row in plan.bookings.all() if row.holds]
        plan.trips, plan.minutes = trips_of((row.stay.lower, row.stay.upper) for row in rows)
        plan.exams, plan.confirmed_at = len(rows), plan.confirmed_at or now
        plan.save(update_fields=["trips", "minutes", "exams", "confirmed_at"])


def _withdraw(request_id: int, *, by: User | None, note: str, now: datetime) -> None:
    row = ExamRequest.objects.get(pk=request_id)
    if row.status == ExamRequest.Status.OPEN:
        requesting.take_back(row, by=by, reason=note, now=now)


def _put(moves: list[tuple[ExamBooking, Line]], asked: Asked) -> None:
    """Onto other times. Those of one sitting are lifted first: the one may take the minutes of the other. A check-in
    for another day is gone."""
    before = {row.pk: row.during.lower for row, _line in moves}
    if len(moves) > 1:
        ExamBooking.objects.filter(pk__in=before).update(holds=False)
        PatientTime.objects.filter(source="exam", source_id__in=before).delete()
    for row, line in moves:
        row.device, row.team_id, row.session = line.device, line.device.team_id, line.session
        row.day, row.during, row.stay, row.holds = clock.today(line.start), line.during, line.stay, True
        if row.status == Status.ARRIVED and row.day != clock.today(asked.now):
            claims.forget_check_in(row)
        if row.status == Status.PENDING:
            rule = rules.exam_rule(line.request.organization_id, day=clock.today(asked.now))
            row.hold_until = asked.now + policy.hold_for(asked.channel, rule)
        with claims.naming(line.exam):
            row.save()
            claims.promise(row)
        if row.status != Status.PENDING:
            said = {"from_start": before[row.pk].isoformat(), "channel": asked.channel, "hospital": asked.house}
            said["together"] = sorted(before)
            publish("exam.moved", row, by=asked.by, now=asked.now, **said)


def publish(topic: str, row: ExamBooking, *, by: User | None, now: datetime, **payload) -> None:
    payload = {"booking": row.pk, "request": row.request_id, "device": row.device_id, **payload}
    outbox.publish(topic=topic, key=f"exam:{row.pk}", payload=payload, actor=by, now=now)
