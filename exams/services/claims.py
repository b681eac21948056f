"""Taking time for exams: locks, what stands against it, and the rows. Every way of booking an exam goes through here.

Locks in one order, by everybody: sessions by id, teams by id, patients by id, requests by id, bookings by id. Sessions
and teams make the answer "free" last; whose hold has run out is locked with the patients and let go. Who changes a
device, or takes its time outside of all sessions, locks the device before them.
"""

from collections.abc import Collection, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from appointments.errors import Busy
from appointments.selectors import promised
from appointments.selectors.promised import key
from exams.errors import AlreadyBookedExam, NotFree, PatientBusy, TimeTaken, WrongExamState
from exams.models import (
    STEP,
    Device,
    DeviceAbility,
    DeviceSession,
    ExamBooking,
    ExamRequest,
    ExamVariant,
    StaffTeam,
)
from exams.policies import booking as policy
from exams.selectors.holding import holding
from hospital import clock, outbox, patients
from hospital.models import Patient, PatientTime, User

Status = ExamBooking.Status
OPEN = ExamRequest.Status.OPEN
BOOKED = ExamRequest.Status.BOOKED


@dataclass(frozen=True)
class Line:
    """One exam at one time: what will be a row."""

    request: ExamRequest
    device: Device
    start: datetime
    end: datetime
    stay_start: datetime
    stay_end: datetime
    session: DeviceSession | None = None
    fee: Decimal | None = None

    @property
    def variant(self) -> ExamVariant:
        return self.request.variant

    @property
    def exam(self) -> str:
        return self.request.variant.name

    @property
    def during(self) -> DateTimeTZRange:
        return DateTimeTZRange(self.start, self.end)

    @property
    def stay(self) -> DateTimeTZRange:
        return DateTimeTZRange(self.stay_start, self.stay_end)


def requests_of(patient: Patient, ids: Collection[int]) -> dict[int, ExamRequest]:
    """With all that rules ask of them. Raises WrongExamState for one that isn't this patient's."""
    rows = ExamRequest.objects.filter(pk__in=ids, patient=patient)
    rows = rows.select_related("variant__item", "variant__preparation", "patient").prefetch_related("variant__groups")
    found = {row.pk: row for row in rows}
    if len(found) != len(set(ids)):
        raise WrongExamState()
    return found


def lines_for(wanted: Iterable[tuple[ExamRequest, int, datetime]]) -> list[Line]:
    """Each (request, device id, start) with its length on that device. Three queries. Raises NotFree."""
    wanted = list(wanted)
    devices = Device.objects.filter(pk__in={device for _request, device, _start in wanted}, active=True)
    devices = {row.pk: row for row in devices.select_related("team", "zone", "room")}
    abilities = DeviceAbility.objects.filter(device__in=devices).values_list("device_id", "variant_id", "minutes")
    lengths = {(device, variant): minutes for device, variant, minutes in abilities}
    lines = []
    for request, device, start in wanted:
        variant = request.variant
        known = (device, variant.pk) in lengths and devices[device].organization_id == request.organization_id
        if not known or start.timestamp() % (STEP * 60):
            raise NotFree(exam=variant.name)
        end = start + timedelta(minutes=lengths[device, variant.pk] or variant.minutes)
        stay = start - timedelta(minutes=variant.before), end + timedelta(minutes=variant.after)
        lines.append(Line(request, devices[device], start, end, *stay))
    return sorted(_in_sessions(lines), key=lambda line: line.start)


def length_of(request: ExamRequest, device: Device) -> int:
    """Minutes on this device. Raises NotFree where it can't do the exam."""
    able = DeviceAbility.objects.filter(device=device, variant=request.variant, device__active=True)
    minutes = able.values_list("minutes", flat=True)
    if not minutes:
        raise NotFree(exam=request.variant.name)
    return minutes[0] or request.variant.minutes


def _in_sessions(lines: list[Line]) -> list[Line]:
    places = (Q(device=key(line.device.pk), during__contains=line.during) for line in lines)
    sessions = list(DeviceSession.objects.filter(reduce(or_, places), closed=False))
    return [replace(line, session=_session_of(line, sessions)) for line in lines]


def _session_of(line: Line, sessions: list[DeviceSession]) -> DeviceSession | None:
    for session in sessions:
        if session.device_id == line.device.pk and session.during.lower <= line.start < session.during.upper:
            return session
    return None


def look_first(lines: list[Line], *, patient: Patient, moving: Collection[int] = (), now: datetime) -> None:
    """Before the locks and again right behind them: whose time is gone by then neither waits nor makes others wait.
    One query. Raises TimeTaken."""
    places = reduce(or_, (Q(device=key(line.device.pk), during__overlap=line.during) for line in lines))
    rows = ExamBooking.objects.filter(holding(now), places).exclude(pk__in=moving)
    taken = list(rows.exclude(patient=patient).values_list("device_id", "during"))
    for line in lines:
        for device, during in taken:
            if device == line.device.pk and during.lower < line.end and line.start < during.upper:
                raise TimeTaken(exam=line.exam)


# ---- locks ----


def lock_places(*, sessions: Iterable[int | None], teams: Iterable[int | None]) -> None:
    """Sessions by id, then teams by id: from here on nobody else books in them."""
    _lock(DeviceSession, sessions)
    _lock(StaffTeam, teams)


def lock_device(device: Device) -> None:
    """Nobody takes it down, changes it, or puts another walk-in onto it meanwhile."""
    _lock(Device, [device.pk])


def lock_people(*, patients: Iterable[int], requests: Iterable[int], bookings: Iterable[int]) -> list[ExamBooking]:
    """Patients, requests, bookings, each by id. Returns the bookings as they are now."""
    _lock(Patient, patients)
    _lock(ExamRequest, requests)
    rows = ExamBooking.objects.select_for_update(no_key=True, of=["self"]).filter(pk__in=set(bookings))
    return list(rows.select_related("request", "variant__item", "device").order_by("pk"))


def _lock(model, ids: Iterable[int | None]) -> None:
    wanted = {pk for pk in ids if pk is not None}
    if wanted:
        rows = model.objects.select_for_update(no_key=True).filter(pk__in=wanted)
        list(rows.order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class Held:
    """What one claim found under its locks."""

    replaced: list[ExamBooking]  # the patient's own holds of the same exams
    lapsed: list[ExamBooking]  # anybody's holds that have run out and are in the way
    moving: list[ExamBooking]

    def again(self, basket: UUID | None, by: User | None) -> list[ExamBooking]:
        """Of this basket already; or this account's, which pressed twice at once and got a basket for each."""
        return [row for row in self.replaced if basket and row.basket == basket or by and row.by_id == by.pk]


def lock_all(
    *,
    patient: Patient,
    lines: list[Line],
    moving: Collection[ExamBooking] = (),
    now: datetime,
) -> Held:
    """All locks of a claim, if its time is still free. `moving`: bookings that change their place; their old places
    are locked as well. Raises TimeTaken, SwitchedOff."""
    own = {row.pk for row in moving}
    look_first(lines, patient=patient, moving=own, now=now)
    lock_places(
        sessions=[*(line.session.pk for line in lines if line.session), *(row.session_id for row in moving)],
        teams=[*(line.device.team_id for line in lines), *(row.team_id for row in moving)],
    )
    look_first(lines, patient=patient, moving=own, now=now)
    _look_at_devices(lines)
    requests = {line.request.pk for line in lines}
    seen = ExamBooking.objects.filter(_in_the_way(patient, lines, requests, now)).exclude(pk__in=own)
    seen = list(seen.values_list("pk", "patient_id", "request_id"))
    rows = lock_people(
        patients={patient.pk, *(holder for _pk, holder, _request in seen)},
        requests={*requests, *(request for _pk, _holder, request in seen)},
        bookings={*own, *(pk for pk, _holder, _request in seen)},
    )
    patients.locked(patient.pk)
    pending = [row for row in rows if row.pk not in own and row.status == Status.PENDING and row.holds]
    replaced = [row for row in pending if row.patient_id == patient.pk and row.request_id in requests]
    lapsed = [row for row in pending if row not in replaced and row.hold_until <= now]
    return Held(replaced, lapsed, [row for row in rows if row.pk in own])


def _look_at_devices(lines: list[Line]) -> None:
    """As they were read before the wait: in use, with the same team. Raises NotFree."""
    found = Device.objects.filter(pk__in={line.device.pk for line in lines}, active=True)
    teams = dict(found.values_list("pk", "team_id"))
    for line in lines:
        if teams.get(line.device.pk, 0) != line.device.team_id:
            raise NotFree(exam=line.exam)


def _in_the_way(patient: Patient, lines: list[Line], requests: set[int], now: datetime) -> Q:
    """Holds that have run out where time is wanted or the patient's own, and the patient's holds of these exams."""
    where = Q(patient=patient)
    for line in lines:
        place = Q(device=key(line.device.pk))
        if line.device.team_id:
            place |= Q(team=key(line.device.team_id))
        where |= place & Q(during__overlap=line.during)
    same = Q(patient=patient, request__in=requests)
    return Q(status=Status.PENDING, holds=True) & (Q(hold_until__lte=now) & where | same)


# ---- writing ----


def let_go(rows: Iterable[ExamBooking], *, note: str, now: datetime) -> None:
    """End these, whose locks the caller has: their times are free, and a request that has no other booking is open.
    Publishes exam.lapsed or exam.dropped of holds; who ends a confirmed one says so itself."""
    rows = list(rows)
    ids = [row.pk for row in rows]
    if not ids:
        return
    ExamBooking.objects.filter(pk__in=ids).update(
        status=Status.CANCELLED, holds=False, hold_until=None, ended_at=now, note=note
    )
    PatientTime.objects.filter(source="exam", source_id__in=ids).delete()
    reopen({row.request_id for row in rows})
    if topic := GIVEN_UP.get(note):
        facts = [(f"exam:{row.pk}", {"booking": row.pk, "request": row.request_id}) for row in rows]
        outbox.publish_many(topic=topic, facts=facts, now=now)


GIVEN_UP = {policy.LAPSED: "exam.lapsed", policy.DROPPED: "exam.dropped", policy.REPLACED: "exam.dropped"}
"""Of a hold that never was confirmed: what was charged for it is asked for no more."""


def reopen(requests: Collection[int]) -> None:
    """Booked requests without a live booking are to be booked again."""
    live = ExamBooking.objects.exclude(status__in=[*ExamBooking.OVER, Status.DONE])
    rows = ExamRequest.objects.filter(pk__in=requests, status=BOOKED)
    rows.exclude(pk__in=live.filter(request__in=requests).values("request")).update(status=OPEN)


def check_open(lines: Iterable[Line], *, offered: bool) -> None:
    """No exam twice, and what was answered is still what was judged. The caller has let go what is replaced. Raises
    AlreadyBookedExam, WrongExamState."""
    requests = {line.request.pk: line.request for line in lines}
    states = {}
    for pk, status, answers in ExamRequest.objects.filter(pk__in=requests).values_list("pk", "status", "answers"):
        states[pk] = status
        if answers != requests[pk].answers:
            raise WrongExamState()
    live = ExamBooking.objects.filter(request__in=requests).exclude(status__in=ExamBooking.OVER)
    live = list(live.only("pk", "request_id", "holds", "status"))
    for pk, request in requests.items():
        request.status = states[pk]
        refusal = policy.refusal_to_hold(request, live=[row for row in live if row.request_id == pk], offered=offered)
        if refusal:
            raise refusal


def take(line: Line, *, now: datetime, **more) -> ExamBooking:
    """One row with the patient's time."""
    variant = line.request.variant
    with naming(line.exam):
        row = ExamBooking.objects.create(
            request=line.request,
            patient_id=line.request.patient_id,
            variant=variant,
            device=line.device,
            team_id=line.device.team_id,
            session=line.session,
            day=clock.today(line.start),
            during=line.during,
            stay=line.stay,
            fee=line.fee,
            created_at=now,
            **more,
        )
        PatientTime.objects.create(source="exam", source_id=row.pk, patient_id=row.patient_id, during=row.stay)
    return row


def promise(row: ExamBooking) -> None:
    """The patient is there then: one PatientTime a booking that holds."""
    PatientTime.objects.update_or_create(
        source="exam", source_id=row.pk, defaults={"patient_id": row.patient_id, "during": row.stay}
    )


def forget_check_in(row: ExamBooking) -> None:
    """Booked, as if nobody had come: what was answered and allowed then is asked anew. The caller saves."""
    row.status = Status.BOOKED
    row.checked_in_at = row.called_at = row.passed_at = row.override_by = None
    row.calls, row.priority, row.answers, row.override = 0, 0, {}, ""


REFUSALS = {
    "a_device_does_one_exam_at_a_time": TimeTaken,
    "exambooking_within_the_team": TimeTaken,
    "exambooking_not_during_downtime": NotFree,
    "exambooking_inside_its_session": NotFree,
    "exambooking_one_per_request": AlreadyBookedExam,
    "patienttime_not_in_two_places": PatientBusy,
}
"""What PostgreSQL refuses, as the sentence that the service would have said."""


@contextmanager
def naming(exam: str):
    """A broken constraint as its refusal. The caller's transaction is spent."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        refusal = REFUSALS.get(name)
        if refusal is None:
            raise
        raise refusal(exam=exam) from error


WAITED_TOO_LONG = {"55P03", "40P01"}
"""lock_timeout, deadlock_detected."""


@contextmanager
def in_one():
    """All or nothing; who waited too long for a lock is told to try again, never shown an error page."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) in WAITED_TOO_LONG:
            raise Busy() from error
        raise


def is_busy(patient_id: int, *, line: Line, ignoring: Collection[int]) -> bool:
    """The patient is promised to be elsewhere. Own holds that ran out are gone by now."""
    rows = promised.times_of([patient_id], between=(line.stay.lower, line.stay.upper))
    own = list(ignoring)
    return rows.exclude(source="exam", source_id__in=own).exists() if own else rows.exists()
