"""Taking away sessions with their numbers, sittings and openings: only those that nothing else hangs on.

A patient who moved to another session leaves no booking behind, so bookings alone do not say what hangs on one.
"""

from appointments.models import (
    Allotment,
    Appointment,
    DraftLine,
    Schedule,
    ScheduleParticipant,
    Slot,
    StopCase,
    StopOffer,
    Substitution,
    WaitlistEntry,
)

AT_ONCE = 500  # sessions in one statement: about 12,000 numbers


def in_the_books(schedules: list[int]) -> set[int]:
    """Of these, those that somebody has or had a number of, waited for or moved to, whose numbers were blocked, or
    that a stop or its patients have to do with (B13): they are never deleted."""
    if not schedules:
        return set()
    used = Slot.objects.exclude(status=Slot.Status.FREE)
    found: set[int] = set()
    for rows, name in (
        (Appointment.objects, "schedule"),
        (used, "schedule"),
        (Substitution.objects, "schedule"),
        (StopOffer.objects, "slot__schedule"),
        (StopCase.objects, "moved_to"),
        (WaitlistEntry.objects, "schedule"),
    ):
        found |= set(rows.filter(**{f"{name}__in": schedules}).order_by().values_list(name, flat=True).distinct())
    return found


def take_away(schedules: list[int]) -> None:
    """The caller holds them and their numbers, and has asked `in_the_books`."""
    for place in range(0, len(schedules), AT_ONCE):
        some = schedules[place : place + AT_ONCE]
        for model in (Slot, Allotment, ScheduleParticipant):
            rows = model.objects.filter(schedule__in=some)
            rows._raw_delete(rows.db)
        DraftLine.objects.filter(schedule__in=some).update(schedule=None)
        rows = Schedule.objects.filter(pk__in=some)
        rows._raw_delete(rows.db)
