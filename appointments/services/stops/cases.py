"""改约单: one question to each booked patient of a stopped or substituted session, and how it ends."""

import secrets
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from appointments.models import Appointment, Schedule, StopCase, Substitution
from appointments.policies import stops as policy
from hospital import outbox
from hospital.fields import keyed_hash
from hospital.models import Fact, PractitionerRole, User

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"
TOKEN_LENGTH = 12  # 69 bits, and short enough for an SMS
Answer = StopCase.Answer

OPENED, ANSWERED, UNDONE = "stop.case_opened", "stop.answered", "stop.undone"


def new_token() -> str:
    return "".join(secrets.choice(ALPHABET) for _letter in range(TOKEN_LENGTH))


def digest_of(token: str) -> str:
    return keyed_hash("stop_case", token)


def by_token(token: str) -> StopCase | None:
    """The question of this link, or the one that was asked since about the same booking: an older SMS is as good."""
    of_link = StopCase.objects.filter(token_hash=digest_of(token)).values("appointment")
    return related().filter(appointment__in=of_link).order_by("-pk").first()


def related() -> QuerySet[StopCase]:
    """A question with all that is said of it. Not in one statement: PostgreSQL planned its 29 joins for 0.3 s."""
    session = Schedule.objects.select_related(
        "role__practitioner", "team", "service", "room", "campus", "organization", "department"
    )
    doctor = PractitionerRole.objects.select_related("practitioner")
    return StopCase.objects.select_related(
        "patient", "appointment__slot", "appointment__department", "substitution__suspension"
    ).prefetch_related(
        Prefetch("appointment__schedule", session),
        Prefetch("substitution__schedule", session),
        Prefetch("substitution__original", doctor),
        Prefetch("substitution__substitute", doctor),
        Prefetch("moved_to", session),
    )


def open_for(row: Substitution, *, appointments: list[int], now: datetime) -> list[StopCase]:
    """A question for each of these; one that was still open about the same visit is replaced by it. The caller holds
    the schedule and its numbers. Publishes stop.case_opened per appointment: its handler writes the message.

    The token is made with the message: until then the digest is of nothing that anybody has seen.
    """
    asked = list(Appointment.objects.filter(pk__in=appointments).order_by("patient_id", "pk"))
    StopCase.objects.filter(appointment__in=appointments, answer=Answer.NONE).update(
        answer=Answer.GONE, answered_at=now
    )
    deadline = policy.deadline_of(row.schedule.starts_at, now=now)
    made = StopCase.objects.bulk_create(
        StopCase(
            substitution=row,
            appointment=each,
            patient_id=each.patient_id,
            token_hash=digest_of(new_token()),
            deadline=deadline,
            opened_at=now,
        )
        for each in asked
    )
    facts = [(f"appointment:{case.appointment_id}", _payload(case)) for case in made]
    outbox.publish_many(topic=OPENED, facts=facts, now=now)
    return made


def _payload(case: StopCase, **more) -> dict:
    return {"case": case.pk, "appointment": case.appointment_id, **more}


def settle(
    case: StopCase, *, answer: str, by: User | None, now: datetime, moved_to: Schedule | None = None, **more
) -> StopCase:
    """The answer, once. The caller holds appointment and case. Publishes stop.answered: what refunds hang on."""
    case.answer, case.answered_at, case.answered_by, case.moved_to = answer, now, by, moved_to
    case.save(update_fields=["answer", "answered_at", "answered_by", "moved_to"])
    due = "refund" if answer == Answer.CANCEL else "keep"
    payload = _payload(case, answer=answer, fee_due=due, **more)
    outbox.publish(topic=ANSWERED, key=f"appointment:{case.appointment_id}", payload=payload, actor=by, now=now)
    return case


def close_elsewhere(fact: Fact) -> None:
    """The visit was cancelled, moved or begun on another page: the question is answered by that. Repeating is once."""
    key = int(fact.key.partition(":")[2])
    case = (
        StopCase.objects.select_for_update(no_key=True, of=["self"])
        .select_related("substitution", "appointment")
        .filter(appointment=key, answer=Answer.NONE, opened_at__lte=fact.happened_at)
        .first()
    )
    if case is None:
        return
    if fact.topic == "appointment.moved":
        moved_to = fact.payload["schedule"]
        if moved_to == case.substitution.schedule_id:
            return  # another number of the same session: the question stays
        settle(case, answer=Answer.MOVE, by=fact.actor, now=fact.happened_at, moved_to=Schedule(pk=moved_to))
    elif fact.topic == "encounter.checked_in":
        if case.substitution.substitute_id:
            settle(case, answer=Answer.ACCEPT, by=fact.actor, now=fact.happened_at)
    else:
        settle(case, answer=Answer.CANCEL, by=fact.actor, now=fact.happened_at)


def close_undone(row: Substitution, *, now: datetime) -> None:
    """The session is as it was: open questions go, and everybody who still has a number of it hears so, if they had
    been told otherwise (the handler knows). Who moved or cancelled hears nothing. The caller holds the schedule."""
    row.cases.filter(answer=Answer.NONE).update(answer=Answer.GONE, answered_at=now)
    there = row.cases.filter(
        answer__in=[Answer.GONE, Answer.ACCEPT],
        appointment__status=Appointment.Status.BOOKED,
        appointment__schedule=row.schedule_id,
    )
    facts = [(f"appointment:{case.appointment_id}", _payload(case)) for case in there.order_by("pk")]
    outbox.publish_many(topic=UNDONE, facts=facts, now=now)


def locked(case: StopCase) -> StopCase:
    """The caller holds the appointment (its number first): cases are waited for last."""
    rows = StopCase.objects.select_for_update(no_key=True, of=["self"])
    return rows.select_related("substitution__schedule", "substitution__suspension").get(pk=case.pk)
