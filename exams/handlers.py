"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""

from hospital import messages, outbox

from .services import notices, reminders
from .services.devices import cases as device_cases
from .services.devices import telling as device_telling
from .services.reports import telling


@outbox.handles("exam.booked", "exam.moved", "exam.cancelled")
def tell_of_exam(fact, now):
    """E2: what was booked in one go in one message; a held time that was exchanged is still the person's choosing. One
    handler, so in their order."""
    booking, dedupe = fact.payload["booking"], f"fact:{fact.pk}"
    together = fact.payload.get("together", [booking])
    if fact.topic == "exam.booked":
        notices.tell_booked(booking=booking, now=now)
    elif booking != together[0]:
        return  # one sitting is told of once
    elif fact.topic == "exam.moved":
        was = fact.payload.get("from_start", "")
        notices.tell_moved(booking=booking, together=together, was=was, dedupe=dedupe, now=now)
    else:
        by_house = bool(fact.payload.get("hospital"))
        notices.tell_cancelled(booking=booking, together=together, by_house=by_house, dedupe=dedupe, now=now)


@outbox.handles("report.released", "report.corrected", "report.withdrawn")
def tell_of_report(fact, now):
    """E7: there is something to read, or not any more; one handler, so in their order."""
    template = {"report.released": telling.READY}.get(fact.topic, fact.topic)
    telling.tell_patient(report=fact.payload["report"], template=template, dedupe=f"fact:{fact.pk}", now=now)
    if fact.topic != "report.released":
        telling.tell_of_change(report=fact.payload["report"], dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles("report.critical", "report.critical_escalated")
def tell_of_critical(fact, now):
    """E7: the doctor who asked; when nobody answered in time, the department and the office."""
    tell = telling.tell_doctor if fact.topic == "report.critical" else telling.tell_department
    tell(notice=fact.payload["notice"], dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles(device_cases.OPENED, device_cases.UP)
def ask_the_displaced(fact, now):
    """E10: another time is kept and the question sent; or the exam stands. One handler, so in their order."""
    if fact.topic == device_cases.OPENED:
        device_telling.ask(case=fact.payload["case"], dedupe=f"examcase:{fact.payload['case']}:{fact.pk}", now=now)
    else:
        device_telling.say_it_stands(case=fact.payload["case"], dedupe=f"fact:{fact.pk}", now=now)


@outbox.handles(*device_cases.ELSEWHERE)
def answered_elsewhere(fact, now):
    """E10: whoever moved or cancelled has answered."""
    device_cases.close_elsewhere(fact)


messages.only_while(device_telling.ASKED)(device_telling.still_asks)
messages.only_while(notices.REMINDER)(reminders.still_holds)
