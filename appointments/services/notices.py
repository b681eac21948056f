"""What patients are told about their appointments. The words are templates; here is who, when and with which facts."""

from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from appointments.models import Appointment, Schedule
from appointments.policies import booking as policy
from appointments.selectors import rules
from appointments.selectors.bookings import RELATED
from hospital import clock, messages
from hospital.models import Message

BOOKED, CANCELLED, MOVED = "appointment.booked", "appointment.cancelled", "appointment.moved"
REMINDER, STOPPED = "appointment.reminder", "schedule.stopped"
RETIMED = "schedule.retimed"
CHANGED = "schedule.changed"

QUIET_UNTIL = time(7)
"""A reminder that a dead worker owes from yesterday evening is not sent in the night."""

BATCH = 500


def tell(*, appointment: int, template: str, dedupe: str, now: datetime, **more) -> None:
    """Tell the patient about one appointment, once per `dedupe`. `more` adds parameters of that template."""
    row = Appointment.objects.select_related(*RELATED).get(pk=appointment)
    _tell(row, template=template, dedupe=dedupe, now=now, **more)


def tell_changed(*, schedule: int, told: list[list], template: str, dedupe: str, now: datetime) -> None:
    """Other room or hours (P2, O8): `told` are appointments with their time until then. Who has gone meanwhile hears
    nothing of it."""
    was = dict(told)
    rows = Appointment.objects.select_related(*RELATED).filter(pk__in=was, schedule=schedule)
    for row in rows.filter(status__in=[Appointment.Status.BOOKED, Appointment.Status.ARRIVED]).order_by("pk"):
        _tell(row, template=template, dedupe=f"{dedupe}:{row.pk}", now=now, was=was[row.pk])


def _tell(row: Appointment, *, template: str, dedupe: str, now: datetime, **more) -> None:
    messages.tell(
        patient=row.patient,
        template=template,
        params={**params_of(row, now=now), **more},
        about=f"appointment:{row.pk}",
        dedupe=dedupe,
        now=now,
    )


def params_of(row: Appointment, *, now: datetime) -> dict:
    """Where, when and with whom. Nothing of the person: the name is read, masked, when the words are made."""
    schedule = row.schedule
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    until = policy.cancel_deadline(row.day, rule)
    place = f"{schedule.campus.name} {row.department.way_to(schedule.room)}"
    return {
        "appointment": row.pk,
        "hospital": schedule.organization.short_name or schedule.organization.name,
        "phone": schedule.organization.phone,
        "department": row.department.name,
        "doctor": schedule.actor_name,
        "start": row.start.isoformat(),
        "number": row.slot.number,
        "place": place,
        "transit": schedule.campus.transit,
        "until": until.isoformat() if until > now else "",
    }


def remind(*, now: datetime) -> int:
    """Remind of tomorrow's visits from the rule's hour on, each once. Returns how many reminders were written.

    Finds its own work, so a gap heals: what was owed yesterday evening is said this morning while the visit is still
    ahead. Who confirmed after the hour has just been told, and is not reminded.
    """
    if now.astimezone(clock.ZONE).time() < QUIET_UNTIL:
        return 0
    owed = [row.pk for row in _unreminded(now=now) if _owed(row, now=now)]
    for place in range(0, len(owed), BATCH):
        with transaction.atomic():
            for row in Appointment.objects.select_related(*RELATED).filter(pk__in=owed[place : place + BATCH]):
                _tell(row, template=REMINDER, dedupe=reminder_key(row), now=now)
    return len(owed)


def _unreminded(*, now: datetime):
    """Booked visits of today and tomorrow that are still ahead and have no reminder for their number yet."""
    today = clock.today(now)
    key = Concat(Value("reminder:"), Cast("pk", CharField()), Value(":"), Cast("slot_id", CharField()), Value(":sms"))
    said = Message.objects.filter(dedupe=OuterRef("key"))
    due = Appointment.objects.filter(
        status=Appointment.Status.BOOKED,
        day__in=[today, today + timedelta(days=1)],
        start__gt=now,
        schedule__status=Schedule.Status.OPEN,
    )
    return due.annotate(key=key).filter(~Exists(said)).select_related("schedule").order_by("pk")


def _owed(row: Appointment, *, now: datetime) -> bool:
    rule = rules.booking_rule_for(row.schedule, day=row.day - timedelta(days=1))
    moment = clock.days_before(row.day, 1, rule.reminder_time)
    return moment <= now and row.confirmed_at < moment


def reminder_key(row: Appointment) -> str:
    """Once per appointment and number: a moved one is reminded again."""
    return f"reminder:{row.pk}:{row.slot_id}"


def reminder_still_holds(message: Message) -> bool:
    """Asked right before sending: the visit was cancelled, moved or stopped meanwhile? Then nothing is said."""
    row = Appointment.objects.select_related("schedule").filter(pk=message.params["appointment"]).first()
    return (
        row is not None
        and row.status == Appointment.Status.BOOKED
        and row.start.isoformat() == message.params["start"]
        and row.schedule.status == Schedule.Status.OPEN
    )
