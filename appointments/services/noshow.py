"""爽约 (B15): counted at the schedule's end, excused for who comes after all, suspended when too many."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value
from django.utils.translation import gettext as _

from appointments.models import Appointment, NoShow, PatientSuspension, Schedule
from appointments.policies import visit as policy
from appointments.selectors import rules
from hospital import clock, outbox
from hospital.models import Patient

BATCH = 500
MINUTE = Value(timedelta(minutes=1))


def mark_noshows(*, now: datetime, batch: int = BATCH) -> int:
    """Mark booked visits whose schedule (and number, for an add-on after the end) is over; how many were marked.

    Finds its own work by state, so a missed run heals and a second run does nothing. Held numbers that were never
    confirmed and stopped schedules are not no-shows. One transaction a batch. Publishes appointment.noshow
    and, where the rule says so, patient.suspended.
    """
    marked = 0
    after = 0
    while True:
        with transaction.atomic():
            rows = list(_due(now=now).filter(pk__gt=after)[:batch])
            marked += _mark(rows, now=now)
        if len(rows) < batch:
            return marked
        after = rows[-1].pk


def _due(*, now: datetime):
    over = ExpressionWrapper(F("start") + F("slot__minutes") * MINUTE, output_field=DateTimeField())
    return (
        Appointment.objects.annotate(over=over)
        .filter(
            status=Appointment.Status.BOOKED,
            day__lte=clock.today(now),
            schedule__ends_at__lte=now,
            schedule__status=Schedule.Status.OPEN,
            over__lte=now,
        )
        .order_by("pk")
    )


def _mark(rows: list[Appointment], *, now: datetime) -> int:
    """Patients by id, then appointments by id. Whoever is being served this very moment is left for the next run."""
    patients = Patient.objects.select_for_update(no_key=True, skip_locked=True).order_by("pk")
    mine = set(patients.filter(pk__in={row.patient_id for row in rows}).values_list("pk", flat=True))
    locked = (  # asked again under the lock: one that was moved to another day meanwhile is not due any more
        _due(now=now)
        .filter(pk__in=[row.pk for row in rows], patient__in=mine)
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("schedule")
    )
    missed = list(locked)
    Appointment.objects.filter(pk__in=[row.pk for row in missed]).update(status=Appointment.Status.NOSHOW)
    known = {
        noshow.appointment_id: noshow for noshow in NoShow.objects.filter(appointment__in=[row.pk for row in missed])
    }
    for row in missed:
        _write(row, known.get(row.pk), now=now)
    for row in {row.patient_id: row for row in missed}.values():
        _suspend_if_too_many(row.patient_id, row.schedule.organization_id, now=now)
    return len(missed)


def _write(row: Appointment, known: NoShow | None, *, now: datetime) -> None:
    """A check-in that was undone after a late arrival leaves an excused row: it counts again."""
    if known:
        known.marked_at, known.excused_at = now, None
        known.save(update_fields=["marked_at", "excused_at"])
    else:
        NoShow.objects.create(appointment=row, patient_id=row.patient_id, day=row.day, marked_at=now)
    outbox.publish(
        topic="appointment.noshow",
        key=f"appointment:{row.pk}",
        payload={"schedule": row.schedule_id, "department": row.department_id},
        now=now,
    )


def _counted(patient_id: int, rule, *, now: datetime) -> int:
    """No-shows in the rolling window that no standing suspension has already answered."""
    since = clock.today(now) - timedelta(days=rule.noshow_days)
    noshows = NoShow.objects.filter(patient=patient_id, day__gt=since, excused_at__isnull=True)
    standing = PatientSuspension.objects.filter(patient=patient_id, lifted_at__isnull=True)
    last = standing.order_by("-starts_at").values_list("starts_at", flat=True).first()
    return noshows.filter(marked_at__gt=last).count() if last else noshows.count()


def _suspend_if_too_many(patient_id: int, organization_id: int, *, now: datetime) -> None:
    rule = rules.organization_booking_rule(organization_id, day=clock.today(now))
    count = _counted(patient_id, rule, now=now)
    if not policy.too_many_noshows(count=count, rule=rule):
        return
    suspension = PatientSuspension.objects.create(
        patient_id=patient_id,
        starts_at=now,
        ends_at=now + timedelta(days=rule.suspension_days),
        reason=_("%(days)s天内爽约%(count)s次") % {"days": rule.noshow_days, "count": count},
    )
    outbox.publish(
        topic="patient.suspended",
        key=f"patient:{patient_id}",
        payload={"suspension": suspension.pk, "noshows": count},
        now=now,
    )


def excuse_who_came(appointment: Appointment, *, now: datetime) -> None:
    """The patient came after all, the same day: the no-show does not count, nor does a suspension it set off.

    Called under the patient's lock. Publishes noshow.excused.
    """
    noshow = NoShow.objects.select_for_update(no_key=True).filter(appointment=appointment).first()
    if noshow is None or noshow.excused_at:
        return
    noshow.excused_at = now
    noshow.save(update_fields=["excused_at"])
    set_off = PatientSuspension.objects.filter(
        patient=appointment.patient_id, starts_at=noshow.marked_at, lifted_at__isnull=True
    )
    lifted = set_off.update(lifted_at=now)
    outbox.publish(
        topic="noshow.excused", key=f"appointment:{appointment.pk}", payload={"suspensions_lifted": lifted}, now=now
    )
    if lifted:  # the others of that run may still be too many
        _suspend_if_too_many(appointment.patient_id, appointment.schedule.organization_id, now=now)
