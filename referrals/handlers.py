"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""

from hospital import messages, outbox
from hospital.integration import webhooks

from .selectors import events, merges
from .services import down, down_notices, following, green, next_visit, numbers, queueing, telling


@outbox.handles("encounter.checked_in")
def serve_sooner(fact, now):
    """R5, R6: an urgent referral's patient and the green channel's come first in the queue."""
    queueing.serve_sooner(appointment=int(fact.key.partition(":")[2]), now=now)


def _number(fact) -> dict:
    return {"appointment": int(fact.key.partition(":")[2]), "by": fact.actor}


@outbox.handles("appointment.cancelled", "appointment.dropped", "appointment.lapsed", "appointment.noshow")
def lose_the_number(fact, now):
    """R4: nothing disappears: the referral is back on the office's list."""
    numbers.lost(**_number(fact), why="noshow" if fact.topic == "appointment.noshow" else "cancelled", now=now)


@outbox.handles("appointment.moved")
def follow_the_number(fact, now):
    following.moved(**_number(fact), now=now)


@outbox.handles("schedule.stopped")
def lose_what_stopped(fact, now):
    """R4: each referral that came with a number of the session, whatever its patient is being asked meanwhile."""
    said = fact.payload
    following.lost_with(appointments=said["affected"], schedule=said["schedule"], by=fact.actor, now=now)


@outbox.handles("schedule.substituted", "schedule.reopened")
def hold_it_again(fact, now):
    """The session takes place after all."""
    for appointment in fact.payload["booked"]:
        following.kept(appointment=appointment, by=fact.actor, now=now)


@outbox.handles("encounter.checked_in", "encounter.check_in_undone", "encounter.left", "encounter.finished")
def follow_the_visit(fact, now):
    """R4: arrived, not arrived after all, gone without being seen, seen. One handler, so in their order."""
    step = {"checked_in": following.checked_in, "check_in_undone": following.check_in_undone, "left": following.left}
    step.get(fact.topic.partition(".")[2], following.finished)(**_number(fact), now=now)


@outbox.handles("referral.sent")
def tell_the_plan(fact, now):
    """R3: the patient hears who goes on treating them, and when the next visit is."""
    down_notices.tell_plan(referral=fact.payload["referral"], now=now)


@outbox.handles("appointment.booked", "appointment.moved", "appointment.cancelled", "appointment.noshow")
def follow_the_next_visit(fact, now):
    """R3: the plan that went down says the day that its patient was given, and that the number is gone."""
    appointment, what = int(fact.key.partition(":")[2]), fact.topic.partition(".")[2]
    if what in ("cancelled", "noshow"):
        next_visit.lost(appointment=appointment, why=what, now=now)
    else:
        {"booked": next_visit.booked, "moved": next_visit.moved}[what](appointment=appointment, now=now)


@outbox.handles("referral.redirected", "referral.rejected", "referral.withdrawn")
def rehome_follow_up(fact, now):
    """V4: the open follow-up goes where the patient goes."""
    down.rehome_follow_up(referral=fact.payload["referral"], now=now)


@outbox.handles(*telling.HEARD)
def tell(fact, now):
    """R4: whose turn it is now, who waits, the patient."""
    telling.tell(fact, now=now)


@outbox.handles(*green.TOPICS)
def tell_of_green(fact, now):
    """R5: that it rings, that nobody answered, that it is taken, what is kept free."""
    telling.tell_of_green(fact, now=now)


@outbox.handles(
    "referral.arrived", "referral.completed", "referral.returned", "referral.rejected", "referral.withdrawn"
)
def close_the_green_call(fact, now):
    green.close(fact.payload["referral"], now=now)


@outbox.handles(*events.TOPICS, only=webhooks.wanted_topics)
def push(fact, now):
    """R7: to the systems of both institutions that asked for it."""
    for organization in events.organizations_of(fact):
        webhooks.enqueue(fact, organization_id=organization, now=now)


@outbox.handles("patient.unmerged")
def part(fact, now):
    """P10: a number of the one that a referral of the other took meanwhile; nothing disappears."""
    for referral in merges.crossed(fact):
        numbers.parted(referral=referral, by=fact.actor, now=now)


@outbox.handles(*merges.TOPICS, only=webhooks.wanted_topics)
def push_merge(fact, now):
    """P10: an id that programs keep may mean another record from now on."""
    for organization in merges.organizations_of(fact):
        webhooks.enqueue(fact, organization_id=organization, now=now)


webhooks.describes(*events.TOPICS)(events.data_of)
webhooks.describes(*merges.TOPICS)(merges.data_of)
messages.only_while(telling.TO_OFFICE)(telling.still_waits)
