"""Making, ticking and publishing a draft from the hospital's next Monday on (P2)."""

from datetime import timedelta

from appointments.models import ScheduleTemplate
from appointments.services import drafts, patterns
from appointments.services.drafts.days import done_of
from hospital.models import PatientTime
from tests.factories import NOW, PatientFactory, appointment_row
from tests.supply.scenes import MONDAY

WEEK = timedelta(days=7)


def make(hospital, office, *, last=MONDAY, department=None):
    return drafts.make(
        organization=hospital, department=department, first_day=MONDAY, last_day=last, by=office, now=NOW
    )


def publish(draft, office, *, take=None):
    if take is not None:
        shown = set(draft.lines.values_list("pk", flat=True))
        drafts.tick(draft=draft, shown=shown, take={line.pk for line in take})
    return done_of(drafts.publish(draft=draft, by=office, now=NOW))


def changed(template, office, **changes):
    """A new pattern from Monday on."""
    said = {name: getattr(template, name) for name in patterns.KEPT} | {"effective_from": MONDAY} | changes
    wanted = ScheduleTemplate(organization=template.organization, **said)
    return patterns.change(template=template, wanted=wanted, by=office, now=NOW)


def shown(draft):
    return [(line.action, line.patients, line.take, line.outcome) for line in draft.lines.order_by("day", "pk")]


def book(schedule, number=3):
    row = appointment_row(schedule, PatientFactory(), number=number)
    end = row.start + timedelta(minutes=row.slot.minutes)
    PatientTime.objects.create(patient=row.patient, during=(row.start, end), source="appointment", source_id=row.pk)
    return row
