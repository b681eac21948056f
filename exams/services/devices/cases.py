"""检查改约单: one question to each displaced patient, the time that is kept for them, and how it ends."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from appointments.models.rules import Channel
from appointments.services.stops.cases import new_token
from exams.models import Downtime, DowntimeCase, ExamBooking
from exams.policies import devices as policy
from exams.selectors import others
from exams.services import booking
from hospital import outbox
from hospital.errors import Refused
from hospital.fields import keyed_hash
from hospital.models import Fact, User

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


def related() -> QuerySet[DowntimeCase]:
    return DowntimeCase.objects.select_related(
        "patient", "downtime__device__organization", "booking__variant__item__organization", "booking__device__room",
        "booking__request", "offer__device__room__campus", "offer__device__room__department", "offer__device__zone",
    )  # fmt: skip


def payload(case: DowntimeCase, **more) -> dict:
    return {"case": case.pk, "booking": case.booking_id, **more}


def publish_opened(made: Iterable[DowntimeCase], *, now: datetime) -> None:
    outbox.publish_many(topic=OPENED, facts=[(f"exam:{case.booking_id}", payload(case)) for case in made], now=now)


def open_for(down: Downtime, *, bookings: list[ExamBooking], now: datetime) -> list[DowntimeCase]:
    """A question for each of these, which the caller holds. Publishes exam.case_opened per booking.

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


@transaction.atomic
def keep_another_time(case: int, *, now: datetime) -> DowntimeCase | None:
    """Hold the best other time for this patient until the deadline. None: nothing is asked any more.

    Safe to repeat: what is kept already stays. Without a fitting time the case goes on without an offer.
    """
    row = related().filter(pk=case).first()
    if row is None or row.answer or policy.refusal_to_answer(row, row.booking):
        return None
    if is_kept(row.offer, now=now):
        return row
    offer = _hold(row, now=now)
    fresh = DowntimeCase.objects.select_for_update(no_key=True).get(pk=case)
    if fresh.answer:
        if offer:
            booking.drop(booking=offer, by=None, now=now)
        return None
    fresh.offer = offer
    if offer:
        fresh.deadline = offer.hold_until
    fresh.save(update_fields=["offer", "deadline"])
    return related().get(pk=case)


def _hold(case: DowntimeCase, *, now: datetime) -> ExamBooking | None:
    until = max(case.deadline, policy.deadline_of(case.booking.during.lower, now=now))
    best_first = others.best_other_times(case.booking, channel=CHANNEL, now=now)
    for place in best_first[:TRIES]:
        try:
            with transaction.atomic():
                return booking.hold_one(
                    request=case.booking.request,
                    device=place.device,
                    start=place.start,
                    channel=CHANNEL,
                    by=None,
                    basket=None,
                    now=now,
                    hold_until=min(until, place.start),
                )
        except Refused:
            continue
    return None


def drop_offer(case: DowntimeCase, *, by: User | None, now: datetime) -> None:
    """The caller holds the offer's session, the patient and both bookings."""
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
    """Moved or cancelled on another page, or by the centre: the question is answered by that. Repeating is once."""
    key = int(fact.key.partition(":")[2])
    case = DowntimeCase.objects.filter(booking=key, answer=Answer.NONE, opened_at__lte=fact.happened_at).first()
    if case is None:
        return
    from_here = DowntimeCase.objects.select_for_update(no_key=True).get(pk=case.pk)
    if not from_here.answer:
        settle(from_here, answer=ELSEWHERE[fact.topic], by=fact.actor, now=fact.happened_at)
