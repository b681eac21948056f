"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""

from hospital import messages, outbox
from hospital.integration import webhooks

from .selectors import events
from .services import cutover, notices, waitlist
from .services.stops import cases, telling
from .services.waitlist import telling as waitlist_telling


@outbox.handles("appointment.booked")
def tell_booked(fact, now):
    """O2: not who booked in the system before, and knows."""
    if cutover.came_by_cutover(fact.payload["appointment"]):
        return
    notices.tell(appointment=fact.payload["appointment"], template=notices.BOOKED, dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles("appointment.cancelled")
def tell_cancelled(fact, now):
    template = telling.CANCELLED if fact.payload.get("hospital") else notices.CANCELLED
    notices.tell(appointment=fact.payload["appointment"], template=template, dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles("appointment.moved")
def tell_moved(fact, now):
    """A held number that was exchanged for another is still the person's own choosing: nothing to tell yet."""
    if fact.payload.get("held"):
        return
    notices.tell(
        appointment=fact.payload["appointment"],
        template=notices.MOVED,
        dedupe=f"fact:{fact.pk}",
        now=now,
        was=fact.payload.get("from_start", ""),
    )


@outbox.handles("schedule.retimed")
def tell_retimed(fact, now):
    """O8: each patient whose number moved with the house's hours, once, with the time it was."""
    _tell_changed(fact, notices.RETIMED, now)


@outbox.handles("schedule.stopped")
def tell_stopped(fact, now):
    """B13: everybody who holds a number of it; with a question of their own they get that (ask_and_tell)."""
    if fact.payload.get("asked"):
        return
    for appointment in fact.payload["affected"]:
        notices.tell(appointment=appointment, template=notices.STOPPED, dedupe=f"fact:{fact.pk}:{appointment}", now=now)


@outbox.handles("schedule.changed")
def tell_changed(fact, now):
    """P2: everybody whose clinic got another room or other hours."""
    _tell_changed(fact, notices.CHANGED, now)


def _tell_changed(fact, template, now):
    said, dedupe = fact.payload, f"fact:{fact.pk}"
    notices.tell_changed(schedule=said["schedule"], told=said["told"], template=template, dedupe=dedupe, now=now)


@outbox.handles(cases.OPENED, cases.UNDONE)
def ask_and_tell(fact, now):
    """B13: the question to each touched patient; undone, that the visit stands. One handler, so in their order."""
    if fact.topic == cases.OPENED:
        telling.ask(case=fact.payload["case"], now=now)
    else:
        telling.say_it_stands(case=fact.payload["case"], dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles("appointment.cancelled", "appointment.moved", "encounter.checked_in")
def answered_elsewhere(fact, now):
    """B13: whoever cancelled, moved or came has answered."""
    cases.close_elsewhere(fact)


@outbox.handles(*waitlist.TOPICS, only=waitlist.wanted_topics)
def serve_the_waitlist(fact, now):
    """B9: a number came back, an offer was settled, or somebody need not wait any more."""
    waitlist.follow(fact, now=now)


@outbox.handles(waitlist_telling.OFFERED, waitlist_telling.ENDED)
def tell_the_waitlist(fact, now):
    """B9: there is a number to confirm; waiting is over."""
    said = fact.payload
    if fact.topic == waitlist_telling.OFFERED:
        waitlist_telling.say_offered(entry=said["entry"], appointment=said["appointment"], now=now)
    else:
        waitlist_telling.say_ended(entry=said["entry"], why=said["why"], now=now)


@outbox.handles(*events.TOPICS, only=webhooks.wanted_topics)
def push(fact, now):
    """O1: to the house's other systems that asked for it."""
    organization = events.organization_of(fact)
    if organization:
        webhooks.enqueue(fact, organization_id=organization, now=now)


webhooks.describes(*events.TOPICS)(events.data_of)
messages.only_while(*telling.QUESTIONS)(telling.still_asks)
messages.only_while(notices.REMINDER)(notices.reminder_still_holds)
messages.only_while(waitlist_telling.OFFERED)(waitlist_telling.still_offered)
