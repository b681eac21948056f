"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""

from hospital import messages, outbox
from hospital.integration import webhooks

from .selectors import money_events, rules
from .services import dunning, following, insurance_choosing, money_notices, receipts


@outbox.handles("appointment.cancelled", "appointment.dropped", "appointment.lapsed")
def give_back_the_number(fact, now):
    """M6: cancelled in time, stopped, or never confirmed: what was paid goes back, what was not leaves the invoice."""
    following.ended(kind="appointment", topic=fact.topic, key=fact.key, payload=fact.payload, by=fact.actor, now=now)


@outbox.handles("appointment.moved")
def charge_the_move(fact, now):
    """A number moved to a doctor with another price: the difference is owed, or goes back."""
    following.moved(booking=int(fact.key.partition(":")[2]), by=fact.actor, now=now)


@outbox.handles("encounter.checked_in")
def charge_who_came_after_all(fact, now):
    """A no-show who was given the money back and comes the same day."""
    if rules.anywhere():
        following.came_after_all(booking=int(fact.key.partition(":")[2]), by=fact.actor, now=now)


@outbox.handles("exam.cancelled", "exam.dropped", "exam.lapsed", "exam.not_done")
def give_back_the_exam(fact, now):
    following.ended(kind="exam", topic=fact.topic, key=fact.key, payload=fact.payload, by=fact.actor, now=now)


@outbox.handles("appointment.noshow", "exam.noshow")
def charge_no_visit(fact, now):
    """Nobody came: what was not paid is not owed; what was paid stays, and goes back at the window by the rule."""
    kind = fact.topic.partition(".")[0]
    following.missed(kind=kind, booking=int(fact.key.partition(":")[2]), by=fact.actor, now=now)


@outbox.handles(
    "invoice.paid",
    "invoice.owed",
    "line.returned",
    "line.exchanged",
    "refund.asked",
    "refund.refused",
    "refund.done",
)
def tell_of_money(fact, now):
    """Paid, owed, given back and how: one handler, so in their order."""
    said, about = fact.payload, {"now": now, "dedupe": f"fact:{fact.pk}"}
    invoice = said["invoice"]
    if fact.topic == "invoice.paid":
        money_notices.tell_paid(invoice=invoice, **about)
    elif fact.topic == "invoice.owed":
        money_notices.tell_owed(invoice=invoice, **about)
    elif fact.topic == "line.returned":
        money_notices.tell_returned(invoice=invoice, line=said["line"], reason=said["reason"], **about)
    elif fact.topic == "line.exchanged":
        money_notices.tell_exchanged(invoice=invoice, line=said["line"], instead_of=said["instead_of"], **about)
    else:
        tell = {"refund.asked": money_notices.tell_surplus, "refund.refused": money_notices.tell_refused}
        tell.get(fact.topic, money_notices.tell_done)(refund=said["refund"], **about)


@outbox.handles("invoice.paid", "line.returned", "line.exchanged")
def nobody_owes_it(fact, now):
    """M4: what is paid, given back or brought onto another invoice needs nobody who asks for it."""
    dunning.settled(invoice=fact.payload["invoice"], line=fact.payload.get("instead_of"), now=now)


@outbox.handles("line.returned", "line.exchanged", "invoice.unsettled", "insurance.settled", "invoice.paid")
def keep_receipts_true(fact, now):
    """M9: a receipt that says more than was paid in the end is voided, and issued anew of what stays."""
    receipts.follow(invoice=fact.payload["invoice"], now=now)


@outbox.handles("invoice.unsettled")
def settle_anew(fact, now):
    """M5: lines came or went, so the insurance took its settlement back: what stays is settled again."""
    insurance_choosing.settle_anew(settlement=fact.payload["settlement"], now=now)


@outbox.handles(*money_events.TOPICS, only=webhooks.wanted_topics)
def push_money(fact, now):
    """O1: to the house's other systems that asked for it."""
    if organization := money_events.organization_of(fact):
        webhooks.enqueue(fact, organization_id=organization, now=now)


webhooks.describes(*money_events.TOPICS)(money_events.data_of)
messages.only_while(money_notices.OWED, money_notices.MORE, money_notices.OVERDUE)(money_notices.still_owed)
