"""What becomes of an offer and of its entry. Every end is written once: by a conditional update, with its fact.

Locks: whatever is done to the appointment comes first (slot, patient, appointment), the entry and its offer last.
"""

from datetime import datetime

from django.db import transaction

from appointments.errors import HoldLapsed, NoSuchNumber, OfferOver, WaitOver, WrongState
from appointments.models import Appointment, Schedule, WaitlistEntry, WaitlistOffer
from appointments.services import changes
from appointments.services.sql import database_now
from hospital import outbox
from hospital.models import User

FILLED, ENDED = "waitlist.filled", "waitlist.ended"

Status, Why, State = WaitlistEntry.Status, WaitlistEntry.Why, WaitlistOffer.State


def entry_of(entry_id: int) -> WaitlistEntry:
    row = WaitlistEntry.objects.filter(pk=entry_id).first()
    if row is None:
        raise NoSuchNumber()
    return row


def end(entry_id: int, *, status: str, now: datetime, why: str = "", by: User | None = None) -> bool:
    """An entry that still waits is over. False: it does not wait (any more)."""
    rows = WaitlistEntry.objects.filter(pk=entry_id, status=Status.WAITING)
    return bool(rows.update(status=status, why=why, ended_at=now)) and _tell(entry_id, status, why, by=by, now=now)


@transaction.atomic
def accept(*, entry_id: int, by: User | None, now: datetime | None = None) -> Appointment:
    """确认候补到的号: its appointment is confirmed as any held one. Accepting again gives the same appointment.

    Raises OfferOver (the deadline has passed), WaitOver (nothing was offered), NoSuchNumber. Publishes
    appointment.booked and waitlist.filled.
    """
    entry = entry_of(entry_id)
    offer = WaitlistOffer.objects.filter(entry=entry).select_related("appointment").order_by("-pk").first()
    if entry.status == Status.FILLED:
        return offer.appointment
    if offer is None or (entry.status != Status.OFFERED and entry.why != Why.LAPSED):
        raise WaitOver(state=entry.get_status_display())
    try:
        row = changes.confirm(appointment=offer.appointment, by=by, now=now)
    except (HoldLapsed, WrongState) as gone:
        raise OfferOver() from gone
    settle(appointment_id=row.pk, now=now or database_now(), by=by)
    return row


def decline(*, entry_id: int, by: User | None, now: datetime | None = None) -> WaitlistEntry:
    """放弃候补到的号: it goes to the next in line, the entry has ended. Twice is once. Raises WaitOver."""
    entry = entry_of(entry_id)
    if entry.status == Status.OFFERED:
        let_go(entry, status=Status.ENDED, why=Why.DECLINED, by=by, now=now or database_now())
        entry = entry_of(entry_id)
    if (entry.status, entry.why) not in {(Status.ENDED, Why.DECLINED), (Status.ENDED, Why.LAPSED)}:
        raise WaitOver(state=entry.get_status_display())
    return entry


@transaction.atomic
def let_go(entry: WaitlistEntry, *, status: str, now: datetime, why: str = "", by: User | None = None) -> None:
    """The number of an open offer is given back, and the entry is over as said, unless it was settled meanwhile."""
    offer = WaitlistOffer.objects.filter(entry=entry, state=State.OPEN).select_related("appointment").first()
    if offer is None:
        return
    try:
        changes.drop(appointment=offer.appointment, by=by, now=now)
    except WrongState:  # confirmed on another page: it is theirs, and given back there
        settle(appointment_id=offer.appointment_id, now=now)
        return
    _close(offer, State.DECLINED, status, why, by=by, now=now)


@transaction.atomic
def settle(*, appointment_id: int, now: datetime, by: User | None = None) -> None:
    """Write down what became of the number of an open offer, wherever that was decided. Twice is once."""
    offers = WaitlistOffer.objects.filter(appointment=appointment_id, state=State.OPEN)
    offer = offers.select_related("entry", "appointment__schedule").first()
    if offer is None:
        return
    outcome = _outcome(offer, now=now)
    if outcome:
        _close(offer, *outcome, by=by, now=now)


def _outcome(offer: WaitlistOffer, *, now: datetime) -> tuple[str, str, str] | None:
    """(offer, entry, why) as they are from now on; None: it still stands."""
    row = offer.appointment
    if row.schedule_id != offer.entry.schedule_id:
        return State.DECLINED, Status.ENDED, Why.MOVED
    if row.status == Appointment.Status.PENDING:
        return None
    if row.status != Appointment.Status.CANCELLED:
        return State.ACCEPTED, Status.FILLED, ""
    if row.confirmed_at is not None:  # accepted and given back since
        return State.ACCEPTED, Status.FILLED, ""
    if row.schedule.status == Schedule.Status.STOPPED:
        return State.LAPSED, Status.ENDED, Why.STOPPED
    if row.note == "lapsed" or (row.cancelled_at and row.cancelled_at >= offer.deadline):
        return State.LAPSED, Status.ENDED, Why.LAPSED
    return State.DECLINED, Status.ENDED, Why.DECLINED


def _close(offer: WaitlistOffer, state: str, status: str, why: str, *, by: User | None, now: datetime) -> None:
    if not WaitlistOffer.objects.filter(pk=offer.pk, state=State.OPEN).update(state=state, settled_at=now):
        return
    rows = WaitlistEntry.objects.filter(pk=offer.entry_id, status=Status.OFFERED)
    if rows.update(status=status, why=why, ended_at=now):
        _tell(offer.entry_id, status, why, by=by, now=now, appointment=offer.appointment_id)


def _tell(entry_id: int, status: str, why: str, *, by: User | None, now: datetime, **more) -> bool:
    entry = entry_of(entry_id)
    said = {"entry": entry.pk, "schedule": entry.schedule_id, "status": status, "why": why, **more}
    topic = FILLED if status == Status.FILLED else ENDED
    outbox.publish(topic=topic, key=f"waitlist:{entry.pk}", payload=said, actor=by, now=now)
    return True
