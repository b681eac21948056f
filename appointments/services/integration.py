"""Visits as another system keeps them (O1): linked to our booking, or booked here, and brought as far as theirs.

Their bookkeeping may be ahead of ours by several steps, and messages repeat and overtake each other: ours walks the
same moves in order, never back, and by the same services as every page. One transaction: a refusal leaves nothing.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from appointments.errors import NotOpen, PastNumber, SoldOut, WrongState
from appointments.models import Appointment, Encounter, ScheduleParticipant
from appointments.models.rules import Channel
from appointments.selectors import theirs
from hospital.errors import Refused
from hospital.integration import records
from hospital.integration.records import Result
from hospital.models import ExternalRecord, Patient, Practitioner, User

from . import booking, changes, visit, walkin

KIND = ExternalRecord.Kind.VISIT
Status = Appointment.Status
Stage = Encounter.Status


class Theirs(StrEnum):
    """How far the visit is in their system."""

    REGISTERED = "registered"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    LEFT = "left"


OVER = frozenset({Theirs.CANCELLED, Theirs.LEFT})
ENDED = OVER | {Theirs.FINISHED}


class NoSuchAppointment(Refused):
    code = "not_found"
    status = 404
    message = _("本机构没有编号为%(appointment)s的预约。")
    next_step = _("请核对 appointment，或不填它，由系统按患者、医生和日期查找。")


class VisitOfAnother(Refused):
    code = "visit_of_another"
    message = _("这个就诊或预约属于另一位患者，没有做任何改动。")
    next_step = _("请核对患者编号、就诊编号和 appointment。")


class LinkedElsewhere(Refused):
    code = "linked_elsewhere"
    message = _("这个预约或就诊已经与另一个编号对应。")
    next_step = _("请核对就诊编号和 appointment；一个预约只对应一次就诊。")


class SeveralBookings(Refused):
    code = "several_bookings"
    message = _("这位患者当天有几个符合的预约，无法确定是哪一个。")
    next_step = _("请在 appointment 里写明预约编号后重新发送。")


class VisitMoved(Refused):
    """Their day is not ours any more: somebody moved the booking, here or there."""

    code = "visit_moved"
    message = _("这次就诊对应的预约是%(day)s的，不是发来的日期。")
    next_step = _("在本系统改约后会有事件通知，请按新日期发送；在对方系统改期，请先取消，再用新的就诊编号登记。")


class VisitCancelled(Refused):
    code = "visit_cancelled"
    message = _("这次就诊对应的预约已经退号。")
    next_step = _("请用新的就诊编号重新登记。")


class NoSession(Refused):
    code = "no_session"
    message = _("当天没有符合的出诊单元，或已经结束。")
    next_step = _("请核对医生、科室、号别和日期；确有出诊请门诊办公室先在本系统排班。")


class NoNumberLeft(Refused):
    """Registered at their window beyond our inventory: nobody is squeezed in silently."""

    code = "no_number_left"
    message = _("没有号了：这次登记超出了号源。")
    next_step = _("请由医生在本系统加号，或换一个时段；之后用同一个就诊编号重新发送。")


class VisitOver(Refused):
    """The workstation opens a visit that can't be seen any more."""

    code = "visit_over"
    message = _("这次就诊是“%(state)s”，不能再打开。")
    next_step = _("需要再看，请患者重新挂号；其他患者请在诊间页面叫号。")


class NotYourSitting(Refused):
    code = "not_your_sitting"
    message = _("这位患者挂的不是您的号，您今天也没有在这个门诊坐诊。")
    next_step = _("请先在诊间页面选诊室坐诊，或在医生工作站核对出诊医生，再重新打开。")


@dataclass(frozen=True)
class Said:
    """A visit as they describe it. Codes are those of the hospital's workbook."""

    patient: str  # their number
    status: Theirs
    day: date
    changed_at: datetime
    doctor: str | None = None
    department: str | None = None
    service: str | None = None
    room: str | None = None
    start: datetime | None = None
    appointment: int | None = None
    document_seen: bool = False
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Upserted:
    result: Result
    appointment: Appointment | None  # None: it had ended before we heard of it


def upsert(
    *, organization_id: int, system: str, number: str, said: Said, by: User, now: datetime | None = None
) -> Upserted:
    """Link, book if need be, and move as far as theirs. Safe to repeat and in any order.

    Raises Invalid (422 by field), UnknownPatient, the refusals above, and those of booking and of visits.
    """
    moment = now or changes.database_now()
    records.refuse_bad(number=number, changed_at=said.changed_at, now=moment)
    places = theirs.places(organization_id, said)
    digest = records.digest_of({**asdict(said), "changed_at": None})
    with transaction.atomic():
        record = records.claim(system=system, kind=KIND, number=number)
        if result := records.seen_before(record, digest=digest, changed_at=said.changed_at, now=moment):
            return Upserted(result, theirs.appointment_of(record))
        patient = records.patient_with(system=system, number=said.patient)
        row = _linked(record, said, patient) if record and record.subject else None
        fitting = [row] if row else _fitting(said, patient, places, system=system, moment=moment)
        row = row or _one_of(fitting, said)
        if row and row.day != said.day and row.live and said.status not in OVER:
            raise VisitMoved(day=row.day.isoformat())
        if row is None and said.status not in OVER and not fitting:
            row = _booked(said, patient, places, by=by, now=now, moment=moment)
        if row is not None:
            _walk(row, said, places, by=by, moment=moment)
        records.remember(
            record, system=system, kind=KIND, number=number, patient=patient,
            subject=f"appointment:{row.pk}" if row else "", digest=digest, changed_at=said.changed_at, now=moment,
        )  # fmt: skip
        result = Result.UPDATED if record else Result.CREATED
        return Upserted(result, row and theirs.fresh(row.pk))


# ---- which booking ----


def _linked(record: ExternalRecord, said: Said, patient: Patient) -> Appointment:
    row = theirs.appointment_of(record)
    if record.patient_id != patient.pk or row.patient_id != patient.pk:
        raise VisitOfAnother
    if said.appointment not in (None, row.pk):
        raise LinkedElsewhere
    return row


def _fitting(
    said: Said, patient: Patient, places: theirs.Places, *, system: str, moment: datetime
) -> list[Appointment]:
    """The one that they name, or those that may be meant. Raises NoSuchAppointment, VisitOfAnother, LinkedElsewhere."""
    if said.appointment is None:
        return theirs.bookings(said, patient, places, system=system, now=moment)
    row = theirs.appointment(said.appointment, organization_id=places.organization_id)
    if row is None:
        raise NoSuchAppointment(appointment=said.appointment)
    if row.patient_id != patient.pk:
        raise VisitOfAnother
    if theirs.is_linked(row, system=system):
        raise LinkedElsewhere
    return [row]


def _one_of(rows: list[Appointment], said: Said) -> Appointment | None:
    """What ended before we heard of it is perhaps not what was booked here: only a named one, or one of that very time.

    Raises SeveralBookings.
    """
    if said.appointment is None and said.status in ENDED:
        rows = [row for row in rows if row.start == said.start]
    if len(rows) > 1:
        raise SeveralBookings
    return rows[0] if rows else None


def _booked(
    said: Said, patient: Patient, places: theirs.Places, *, by: User, now: datetime | None, moment: datetime
) -> Appointment:
    """现场挂号 at their window, on the same inventory; paid, or not, there. Raises NoSession, NoNumberLeft, and what
    booking raises."""
    schedules = theirs.schedules(said, places, now=moment)
    if not schedules:
        raise NoSession
    for schedule in schedules:
        try:
            taken = booking.give_number(
                schedule=schedule,
                patient_id=patient.pk,
                channel=Channel.COUNTER,
                written=Channel.COUNTER,
                by=by,
                request_key=None,  # their number is the key: its record is written in this transaction
                start=said.start,
                visit_type=walkin.visit_type(patient, schedule),
                confirm=True,
                now=now,
            )
        except (SoldOut, NotOpen, PastNumber):
            continue
        return Appointment.objects.select_related("slot", "schedule").get(pk=taken.appointment)
    raise NoNumberLeft


# ---- as far as theirs ----


def _walk(row: Appointment, said: Said, places: theirs.Places, *, by: User, moment: datetime) -> None:
    [row] = changes.lock(row.pk)  # everything in the house's order, once
    if row.status == Status.CANCELLED:
        if said.status in OVER:
            return
        raise VisitCancelled
    if said.status == Theirs.CANCELLED:
        _cancel(row, by=by, moment=moment)
        return
    if row.status == Status.PENDING:
        changes.confirm(appointment=row, by=by, now=moment)
    if said.status == Theirs.LEFT:
        _leave(row, said, by=by, moment=moment)
    elif said.status != Theirs.REGISTERED:
        _bring_forward(row, said, places, by=by, moment=moment)


def _bring_forward(row: Appointment, said: Said, places: theirs.Places, *, by: User, moment: datetime) -> None:
    """Checked in, in the room, finished: what is done already is not done again."""
    arrived, started, finished = _moments(said, moment)
    encounter = _checked_in(row, said, by=by, moment=arrived)
    if said.status == Theirs.ARRIVED:
        return
    room = places.room_of(row.schedule)
    if encounter.status in {Stage.WAITING, Stage.CALLED}:
        if encounter.status == Stage.CALLED and room and encounter.room_id != room.pk:
            encounter = visit.pass_over(encounter=encounter, by=by, now=started)  # seen elsewhere than called to
        encounter = visit.start(encounter=encounter, by=by, practitioner=places.doctor, room=room, now=started)
    if said.status == Theirs.FINISHED:
        visit.finish(encounter=encounter, by=by, now=max(finished, encounter.started_at))


def _checked_in(row: Appointment, said: Said, *, by: User, moment: datetime) -> Encounter:
    encounter = Encounter.objects.filter(appointment=row).first()
    if encounter and encounter.status != Stage.LEFT:
        return encounter
    return visit.check_in(appointment=row, by=by, document_seen=said.document_seen, now=moment)


def _moments(said: Said, moment: datetime) -> tuple[datetime, datetime, datetime]:
    """When they arrived, went in and were finished: what was told, else the message's own time; in order, not ahead."""
    last = min(said.changed_at, moment)
    finished = min(said.finished_at or last, moment)
    started = min(said.started_at or finished, finished)
    arrived = min(said.arrived_at or started, started)
    return arrived, started, finished


def _leave(row: Appointment, said: Said, *, by: User, moment: datetime) -> None:
    encounter = Encounter.objects.filter(appointment=row).first()
    if encounter is None:
        encounter = _checked_in(row, said, by=by, moment=_moments(said, moment)[0])
    visit.left(encounter=encounter, by=by, now=min(said.changed_at, moment))


def _cancel(row: Appointment, *, by: User, moment: datetime) -> None:
    """退号. Who waits is taken out of the queue first; who never came or left keeps that state. Raises WrongState."""
    encounter = Encounter.objects.filter(appointment=row).first()
    if row.status == Status.NOSHOW or (encounter and encounter.status == Stage.LEFT):
        return
    if encounter and encounter.status not in {Stage.WAITING, Stage.CALLED}:
        raise WrongState(state=encounter.get_status_display())
    if encounter:
        row = visit.undo_check_in(appointment=row, by=by, now=moment)
    changes.cancel(appointment=row, by=by, channel=Channel.COUNTER, now=moment)


# ---- opened at the workstation ----


@transaction.atomic
def admit(*, appointment: Appointment, practitioner: Practitioner, by: User, now: datetime) -> Encounter:
    """The doctor opened this visit at the workstation: the patient is here, checked in if nobody did it.

    Repeating it changes nothing. Raises VisitOver, NotYourSitting, and what check-in raises.
    """
    [row] = changes.lock(appointment.pk)
    if row.status in {Status.CANCELLED, Status.FULFILLED}:
        raise VisitOver(state=row.get_status_display())
    if not ScheduleParticipant.objects.filter(
        schedule=row.schedule_id, practitioner=practitioner, active=True
    ).exists():
        raise NotYourSitting
    if row.status == Status.PENDING:
        changes.confirm(appointment=row, by=by, now=now)
    encounter = Encounter.objects.filter(appointment=row).first()
    if encounter is None or encounter.status == Stage.LEFT:
        encounter = visit.check_in(appointment=row, by=by, now=now)
    return encounter
