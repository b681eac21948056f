"""检查改约单: one question to each displaced patient, the time that is kept for them, and how it ends."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from appointments.models.rules import Channel
from appointments.services.stops.cases import new_token
from exams.models import Downtime, DowntimeCase, ExamBooking
from exams.policies import devices as policy
from exams.selectors import others
from exams.selectors.device_cases import ASKED, leading, related, together
from exams.services import booking
from hospital import outbox
from hospital.errors import Refused
from hospital.fields import keyed_hash
from hospital.models import Fact, Message, User

Answer = DowntimeCase.Answer
OPENED, ANSWERED, UP = "exam.case_opened", "exam.case_answered", "exam.device_up"
CHANNEL = Channel.COUNTER
"""What is kept for a displaced patient may come from every pool that the house's own staff may take from."""

TRIES = 12
"""Times looked at, the best first, until one can be held."""


def digest_of(token: str) -> str:
    return keyed_hash("exam_case", token)


def by_token(token: str) -> DowntimeCase | None:
    """The question of this link, or the one that was asked since about the same booking: an older SMS is as good."""
    of_link = DowntimeCase.objects.filter(token_hash=digest_of(token)).values("booking")
    return related().filter(booking__in=of_link).order_by("-pk").first()


def payload(case: DowntimeCase, **more) -> dict:
    return {"case": case.pk, "booking": case.booking_id, **more}


def publish_opened(made: Iterable[DowntimeCase], *, now: datetime) -> None:
    outbox.publish_many(topic=OPENED, facts=[(f"exam:{case.booking_id}", payload(case)) for case in made], now=now)


def open_for(down: Downtime, *, bookings: list[ExamBooking], now: datetime) -> list[DowntimeCase]:
    """A question for each of these, which the caller holds: of a sitting the first asks for all. Publishes
    exam.case_opened per booking.

    The token is made with the message: until then the digest is of nothing that anybody has seen.
    """
    made = DowntimeCase.objects.bulk_create(
        DowntimeCase(
            downtime=down,
            booking=row,
            patient_id=row.patient_id,
            token_hash=digest_of(new_token()),
            deadline=policy.deadline_of(row.during.lower, now=now),
            opened_at=now,
        )
        for row in bookings
    )
    publish_opened(made, now=now)
    return made


def is_kept(offer: ExamBooking | None, *, now: datetime) -> bool:
    """Whether the other time is still the patient's to take."""
    return bool(offer and offer.status == ExamBooking.Status.PENDING and offer.holds and offer.hold_until > now)


def are_kept(rows: list[DowntimeCase], *, now: datetime) -> bool:
    """The other time of a whole sitting, on one device."""
    return all(is_kept(row.offer, now=now) for row in rows) and len({row.offer.device_id for row in rows}) == 1


@transaction.atomic
def keep_another_time(case: int, *, now: datetime) -> list[DowntimeCase]:
    """Hold the best other time for this patient until the deadline, for the whole sitting: its questions, the first
    first. Empty: nothing is asked any more, or another question of the sitting asks.

    Safe to repeat: what is kept already stays. Without a fitting time the cases go on without an offer.
    """
    row = related().filter(pk=case).first()
    if row is None or row.answer or policy.refusal_to_answer(row, row.booking):
        return []
    rows = together(row)
    if rows[0].pk != row.pk:
        return []
    if are_kept(rows, now=now):
        return rows
    offers = _hold(rows, now=now)
    fresh = DowntimeCase.objects.select_for_update(no_key=True).filter(pk__in=[each.pk for each in rows])
    if any(each.answer for each in fresh.order_by("pk")):
        for offer in offers.values():
            booking.drop(booking=offer, by=None, now=now)
        return []
    for each in rows:
        if not offers:
            drop_offer(each, by=None, now=now)
        each.offer = offers.get(each.booking.request_id)
        each.deadline = each.offer.hold_until if each.offer else each.deadline
        each.save(update_fields=["offer", "deadline"])
    return together(related().get(pk=case))


def _hold(rows: list[DowntimeCase], *, now: datetime) -> dict[int, ExamBooking]:
    """Request → its time. All of them or none."""
    first = rows[0]
    until = max(first.deadline, policy.deadline_of(first.booking.during.lower, now=now))
    best_first = others.best_other_times(first.booking, channel=CHANNEL, now=now)
    for place in best_first[:TRIES]:
        try:
            with transaction.atomic():
                held = booking.hold_together(
                    requests=[row.booking.request for row in rows],
                    device=place.device,
                    start=place.start,
                    channel=CHANNEL,
                    by=None,
                    basket=None,
                    now=now,
                    hold_until=min(until, place.start),
                )
                return {row.request_id: row for row in held}
        except Refused:
            continue
    return {}


def drop_offer(case: DowntimeCase, *, by: User | None, now: datetime) -> None:
    """What is kept and not taken goes. Whoever holds the case holds the patient and both bookings before."""
    offer = case.offer
    if offer and offer.status == ExamBooking.Status.PENDING:
        booking.drop(booking=offer, by=by, now=now)


def close(case: DowntimeCase, *, answer: str, by: User | None, now: datetime) -> DowntimeCase:
    """The answer, once. The caller holds the booking and the case."""
    case.answer, case.answered_at, case.answered_by = answer, now, by
    case.save(update_fields=["answer", "answered_at", "answered_by"])
    return case


def settle(case: DowntimeCase, *, answer: str, by: User | None, now: datetime) -> DowntimeCase:
    """As `close`, told: publishes exam.case_answered."""
    close(case, answer=answer, by=by, now=now)
    key = f"exam:{case.booking_id}"
    outbox.publish(topic=ANSWERED, key=key, payload=payload(case, answer=answer), actor=by, now=now)
    return case


ELSEWHERE = {"exam.moved": Answer.MOVE, "exam.cancelled": Answer.CANCEL, "exam.not_done": Answer.GONE}


def close_elsewhere(fact: Fact) -> None:
    """Moved or cancelled on another page, or by the centre: the question is answered by that, and nothing is kept any
    more. Repeating is once."""
    key = int(fact.key.partition(":")[2])
    open_ones = DowntimeCase.objects.filter(booking=key, answer=Answer.NONE, opened_at__lte=fact.happened_at)
    case = open_ones.select_related("offer").first()
    if case is None:
        return
    drop_offer(case, by=None, now=fact.happened_at)  # kept while it was being answered; its locks before the case's
    from_here = DowntimeCase.objects.select_for_update(no_key=True).get(pk=case.pk)
    if not from_here.answer:
        settle(from_here, answer=ELSEWHERE[fact.topic], by=fact.actor, now=fact.happened_at)
        _ask_the_rest(case, now=fact.happened_at)


def _ask_the_rest(case: DowntimeCase, *, now: datetime) -> None:
    """It may have been the one that asked for its sitting: whoever is left without a question gets one."""
    left = list(related().filter(downtime=case.downtime_id, patient=case.patient_id, answer="", booking__holds=False))
    if not left:
        return
    asking = leading(left)
    asked = Message.objects.filter(template=ASKED, about__in=[f"exam:{row.booking_id}" for row in left])
    asked = set(asked.values_list("about", flat=True))
    publish_opened([row for row in left if row.pk in asking and f"exam:{row.booking_id}" not in asked], now=now)
