"""Rows of the waitlist that must never be. For tests/booking/test_constraints."""

from datetime import time, timedelta

from appointments.models import BookingRule, WaitlistEntry, WaitlistOffer
from tests.factories import NOW, OrganizationFactory, PatientFactory, appointment_row, open_schedule

HOUR = timedelta(hours=1)


def entry(**fields) -> WaitlistEntry:
    given = {"channel": "web", "seat": 1, "most": 3, "joined_at": NOW, "closes_at": NOW + HOUR}
    for name, make in (("schedule", open_schedule), ("patient", PatientFactory)):
        if name not in fields:
            given[name] = make()
    return WaitlistEntry.objects.create(**{**given, **fields})


def offer(**fields) -> WaitlistOffer:
    whose = fields.pop("entry", None) or entry(status="offered")
    row = appointment_row(open_schedule(), whose.patient, status="pending")
    given = {"entry": whose, "appointment": row, "made_at": NOW, "deadline": NOW + HOUR}
    return WaitlistOffer.objects.create(**{**given, **fields})


def twice_in_one_line():
    first = entry()
    entry(schedule=first.schedule, patient=first.patient, seat=2)


def one_seat_twice():
    first = entry()
    entry(patient=first.patient)


def two_open_offers():
    first = offer()
    later = appointment_row(open_schedule(), first.entry.patient, number=2, status="pending")
    WaitlistOffer.objects.create(entry=first.entry, appointment=later, made_at=NOW, deadline=NOW + HOUR)


WAITLIST_ROWS = {
    "waitlist_one_open_per_schedule": twice_in_one_line,
    "waitlist_one_open_per_seat": one_seat_twice,
    "waitlist_seat_within_most": lambda: entry(seat=4),
    "waitlist_seat_within_most ": lambda: entry(seat=0),
    "waitlist_over_has_a_time": lambda: entry(status="withdrawn"),
    "waitlist_over_has_a_time ": lambda: entry(ended_at=NOW),
    "waitlist_ended_has_a_reason": lambda: entry(status="ended", ended_at=NOW),
    "waitlist_ended_has_a_reason ": lambda: entry(status="withdrawn", ended_at=NOW, why="cutoff"),
    "waitlist_joined_before_cut_off": lambda: entry(closes_at=NOW),
    "waitlist_one_open_offer": two_open_offers,
    "waitlist_offer_in_order": lambda: offer(deadline=NOW),
    "waitlist_settled_has_a_time": lambda: offer(state="lapsed"),
    "bookingrule_waitlist_hours_in_order": lambda: BookingRule.objects.create(
        organization=OrganizationFactory(), effective_from=NOW, waitlist_from=time(23), waitlist_until=time(6)
    ),
}
