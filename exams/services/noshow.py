"""检查爽约 (E5): counted once the patient is too late, excused for who comes after all or whose appeal is granted."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from exams.errors import NotInQueue, ReasonMissing
from exams.models import ExamBooking, ExamNoShow, ExamRequest, ExamRule
from exams.policies import visit as policy
from exams.selectors.rules import exam_rule
from hospital import audit, clock
from hospital.models import Patient, User

from . import visit

Status = ExamBooking.Status

FORGOTTEN = timedelta(hours=12)
"""So long after its time nobody comes back to an exam whose patient was checked in and never examined."""

LOOKED_FOR = timedelta(days=30)


def mark(*, now: datetime) -> int:
    """Mark booked exams whose patients are too late, and give back those that were here and forgotten.

    Returns how many were marked. Finds its own work, so a missed run heals and a second run does nothing. Their times
    are free again, their requests open and on the booking centre's list. Exams of a device that is down (they hold
    nothing) are nobody's fault. One transaction a patient. Publishes exam.noshow, exam.not_done.
    """
    rules: dict[tuple, ExamRule] = {}
    marked = 0
    for row in _over(now=now):
        key = (row.request.organization_id, row.day)
        if key not in rules:
            rules[key] = exam_rule(key[0], day=row.day)
        if row.walk_in or row.status != Status.BOOKED:
            _give_back(row, now=now)
        elif now >= policy.closes_at(row, rules[key]):
            marked += _mark(row, rule=rules[key], now=now)
    return marked


def _over(*, now: datetime) -> list[ExamBooking]:
    """Begun and not examined, the oldest first. Who was here is looked for a month back, not in all history. A walk-in
    stood at the desk, so it is no no-show, checked in or not."""
    today = clock.today(now)
    rows = ExamBooking.objects.filter(holds=True, day__lte=today, during__startswith__lte=now)
    rows = rows.select_related("request").order_by("day", "pk")
    were_here = rows.filter(Q(status__in=ExamBooking.WAITING) | Q(status=Status.BOOKED, walk_in=True))
    forgotten = were_here.filter(day__gte=today - LOOKED_FOR, during__endswith__lte=now - FORGOTTEN)
    return [*rows.filter(status=Status.BOOKED, walk_in=False), *forgotten]


@transaction.atomic
def _mark(row: ExamBooking, *, rule: ExamRule, now: datetime) -> int:
    """Asked again under the locks: who is being checked in this very moment has come."""
    if not _mine(row):
        return 0
    row = visit.locked(row)
    if row.status != Status.BOOKED or not row.holds or now < policy.closes_at(row, rule):
        return 0
    miss(row, by=None, now=now)
    return 1


def _mine(row: ExamBooking) -> bool:
    """A patient who is being served right now is left for the next run."""
    rows = Patient.objects.select_for_update(no_key=True, skip_locked=True)
    return rows.filter(pk=row.patient_id).first() is not None


def miss(row: ExamBooking, *, by: User | None, now: datetime) -> ExamNoShow:
    """A locked booking becomes a no-show."""
    visit.end_without(row, status=Status.NOSHOW, note=_("爽约"), now=now)
    noshow = ExamNoShow.objects.create(booking=row, patient_id=row.patient_id, day=row.day, marked_at=now)
    visit.publish("exam.noshow", row, by=by, now=now)
    return noshow


@transaction.atomic
def _give_back(row: ExamBooking, *, now: datetime) -> None:
    row = visit.locked(row)
    if row.holds and row.status in ExamBooking.WAITING:
        visit.not_done(booking=row, reason=_("报到后没有检查，系统退回"), by=None, now=now)
    elif row.holds and row.walk_in and row.status == Status.BOOKED:
        visit.not_done(booking=row, reason=_("现场检查没有报到，系统退回"), by=None, now=now)


def excuse(*, noshow: ExamNoShow, reason: str, by: User | None, now: datetime) -> ExamNoShow:
    """The patient came after all, or an appeal is granted: it does not count, nor does a suspension it set off."""
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=noshow.patient_id)
        row = ExamNoShow.objects.select_for_update(no_key=True).select_related("booking").get(pk=noshow.pk)
        if row.excused_at:
            return row
        row.excused_at = now
        row.save(update_fields=["excused_at"])
        audit.record(
            action="exam.noshow_excused",
            actor=by,
            patient=row.booking.patient,
            subject=f"exambooking:{row.booking_id}",
            detail={"why": reason.strip()},
            now=now,
        )
        visit.publish("exam.noshow_excused", row.booking, by=by, now=now)
        return row


@transaction.atomic
def came_after_all(*, request: ExamRequest, by: User | None, now: datetime) -> None:
    """The patient of this request stands at the desk, too late: what was missed today is excused, and a booking that
    nobody has marked yet is closed, so that the exam can be done now."""
    booking = request.bookings.filter(status=Status.BOOKED, holds=True).first()
    if booking is not None:
        row = visit.locked(booking)
        if row.status == Status.BOOKED:
            rule = exam_rule(request.organization_id, day=row.day)
            if now < policy.closes_at(row, rule):
                raise NotInQueue(state=row.get_status_display())
            miss(row, by=by, now=now)
    today = clock.today(now)
    near = ExamNoShow.objects.filter(booking__request=request, day__gte=today - timedelta(days=1), excused_at=None)
    for noshow in near.order_by("pk"):
        excuse(noshow=noshow, reason=_("迟到，当天补做"), by=by, now=now)
