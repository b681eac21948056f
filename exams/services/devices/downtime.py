"""停机: a device goes down and is brought up again. Each is one transaction; what follows for each patient hangs on the
facts that it publishes, so a worker that dies loses nothing.

Locks: the device, its sessions by id, then teams, patients, requests and bookings by id, as everybody who books.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet

from exams.errors import DowntimeOver, DowntimeThere
from exams.models import Device, DeviceSession, Downtime, DowntimeCase, ExamBooking
from exams.policies import devices as policy
from exams.policies.booking import LAPSED
from exams.selectors import device_cases
from exams.services import claims, visit
from hospital import audit, clock, outbox
from hospital.models import PatientTime, User

from . import cases

Status = ExamBooking.Status
DISPLACED = (Status.BOOKED, *ExamBooking.WAITING)
FAULT_NOTE = "设备故障"


@dataclass
class Lifted:
    """What bringing a device up did for those who had not answered."""

    back: list[int] = field(default_factory=list)  # bookings that stand again
    left: list[int] = field(default_factory=list)  # their own time is gone: they still choose


@transaction.atomic
def take_down(*, device: Device, during: DateTimeTZRange, cause: str, reason: str, by: User, now: datetime) -> Downtime:
    """停机. What is booked in it holds nothing any more, with all of a sitting that it tears, and each patient gets a
    case; times on hold are let go; with a fault right now, the exam on the device ends as not done.

    Publishes exam.case_opened per patient (its handler keeps another time for them and writes the message). Raises
    DowntimeWrong, DowntimeThere.
    """
    if refusal := policy.refusal_to_take_down(during, now=now):
        raise refusal
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    days = (clock.today(during.lower), clock.today(during.upper))
    there = DeviceSession.objects.filter(Q(during__overlap=during) | Q(day__in=days), device=device)
    claims.lock_places(sessions=there.values_list("pk", flat=True), teams=[device.team_id])
    other = Downtime.objects.filter(device=device, stands=True, during__overlap=during).first()
    if other:
        raise DowntimeThere(during=policy.said(other.during))
    torn = device_cases.torn(device, during, now=now)
    rows = _locked(ExamBooking.objects.filter(Q(during__overlap=during) | Q(pk__in=torn), device=device, holds=True))
    down = Downtime(device=device, during=during, cause=cause, reason=reason, by=by, created_at=now)
    displaced = _clear(rows, down, by=by, now=now)
    down.save()
    made = cases.open_for(down, bookings=displaced, now=now)
    audit.record(
        action="device.taken_down", actor=by, now=now, subject=f"downtime:{down.pk}",
        detail={"device": device.pk, "cause": cause, "starts": during.lower.isoformat(),
                "ends": during.upper.isoformat(), "cases": len(made), "why": reason},
    )  # fmt: skip
    return down


def _clear(rows: list[ExamBooking], down: Downtime, *, by: User, now: datetime) -> list[ExamBooking]:
    """Nobody is on the device then. Returns the displaced, the earliest first."""
    _let_go([row for row in rows if row.status == Status.PENDING], now=now)
    for row in rows:
        if row.status == Status.RUNNING and down.cause == Downtime.Cause.FAULT and _is_now(down.during, now):
            visit.not_done(booking=row, reason=FAULT_NOTE, by=by, now=now)
    displaced = [row for row in rows if row.status in DISPLACED]
    pks = [row.pk for row in displaced]
    ExamBooking.objects.filter(pk__in=pks, status=Status.CALLED).update(status=Status.ARRIVED)
    ExamBooking.objects.filter(pk__in=pks).update(holds=False)
    PatientTime.objects.filter(source="exam", source_id__in=pks).delete()
    return sorted(displaced, key=lambda row: (row.during.lower, row.pk))


def _is_now(during: DateTimeTZRange, now: datetime) -> bool:
    return during.lower <= now < during.upper


def _let_go(rows: list[ExamBooking], *, now: datetime) -> None:
    """Times on hold. Were they kept for patients of another downtime, then they are asked again, once a sitting."""
    asked = list(cases.related().filter(offer__in=rows, answer=""))
    claims.let_go(rows, note=LAPSED, now=now)  # not dropped: what was held with it cannot be confirmed without it
    asking = {first.pk: first for first in (cases.together(case)[0] for case in asked)}
    cases.publish_opened(asking.values(), now=now)


def _locked(wanted: QuerySet[ExamBooking]) -> list[ExamBooking]:
    """These bookings that still hold, with their patients and requests, read after the wait. The caller holds their
    sessions."""
    found = list(wanted.values_list("pk", "patient_id", "request_id"))
    rows = claims.lock_people(
        patients=[row[1] for row in found], requests=[row[2] for row in found], bookings=[row[0] for row in found]
    )
    return [row for row in rows if row.holds]


@transaction.atomic
def bring_up(*, downtime: Downtime, by: User, now: datetime) -> Lifted:
    """恢复, sooner than planned, or never down at all. Who has not answered is put back where their own time is still
    free and to come, and hears that it stands; the others still choose. Publishes exam.device_up per patient put back.
    Raises DowntimeOver.
    """
    Device.objects.select_for_update(no_key=True).get(pk=downtime.device_id)
    row = Downtime.objects.select_for_update(no_key=True).select_related("device").get(pk=downtime.pk)
    if not row.stands or row.ended_at or row.during.upper <= now:
        raise DowntimeOver()
    asked = _hold_all(row)
    before = row.during
    if now <= before.lower:
        row.stands = False
    else:
        row.during = DateTimeTZRange(before.lower, now)
    row.ended_by, row.ended_at = by, now
    row.save(update_fields=["stands", "during", "ended_by", "ended_at"])
    lifted = Lifted()
    for sitting in cases.leading(asked).values():
        begins = sitting[0].booking.during.lower
        back = begins >= now - timedelta(minutes=1) and _put_back(sitting, by=by, now=now)
        (lifted.back if back else lifted.left).extend(case.booking_id for case in sitting)
    audit.record(
        action="device.brought_up", actor=by, now=now, subject=f"downtime:{row.pk}",
        detail={"before": before.upper.isoformat(), "after": now.isoformat(), "back": len(lifted.back),
                "left": len(lifted.left)},
    )  # fmt: skip
    return lifted


def _hold_all(row: Downtime) -> list[DowntimeCase]:
    """Everything that the unanswered cases of a downtime touch, locked in the house's order; read after the wait."""
    open_ones = row.cases.filter(answer="").select_related("booking", "offer")
    found = list(open_ones)
    bookings = [one.booking for one in found] + [one.offer for one in found if one.offer_id]
    claims.lock_places(sessions=[each.session_id for each in bookings], teams=[each.team_id for each in bookings])
    claims.lock_people(
        patients=[each.patient_id for each in bookings],
        requests=[each.request_id for each in bookings],
        bookings=[each.pk for each in bookings],
    )
    list(row.cases.filter(answer="").select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    return list(open_ones.order_by("booking__during", "pk"))


def _put_back(sitting: list[DowntimeCase], *, by: User, now: datetime) -> bool:
    """The offer goes, all of it take their time again. False: the patient, the team or the day is taken by now."""
    rows = [case.booking for case in sitting]
    if any(row.holds or row.status not in DISPLACED for row in rows):
        return False
    try:
        with transaction.atomic():
            for case in sitting:
                cases.drop_offer(case, by=None, now=now)
            ExamBooking.objects.filter(pk__in=[row.pk for row in rows]).update(holds=True)
            for row in rows:
                claims.promise(row)
    except IntegrityError:
        return False
    for case in sitting:
        cases.close(case, answer=cases.Answer.GONE, by=by, now=now)
        key = f"exam:{case.booking_id}"
        outbox.publish(topic=cases.UP, key=key, payload=cases.payload(case), actor=by, now=now)
    return True
