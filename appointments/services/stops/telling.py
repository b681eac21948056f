"""What the touched patients are told: one message with the question, and one that the visit stands if it was undone.

Called by the handlers, in the order of each appointment's facts. The link's key is made here, with the message that
carries it: the case keeps its digest, the message keeps it encrypted until the SMS is settled.
"""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from appointments.models import Appointment, StopCase, Substitution, Suspension
from appointments.services import notices
from hospital import messages
from hospital.models import Message

from . import cases

STOPPED, SUBSTITUTED, STANDS, CANCELLED = "stop.asked", "stop.substituted", "stop.undone", "stop.cancelled"
QUESTIONS = (STOPPED, SUBSTITUTED)
DECIDED, STEP_IN = "stop.decided", "stop.step_in"


def ask(*, case: int, now: datetime) -> None:
    """The question, unless it is none any more by now."""
    row = cases.related().filter(pk=case).first()
    if row is None or row.answer or row.appointment.status != Appointment.Status.BOOKED:
        return
    if row.appointment.start <= now:
        return  # follow_up settles it and tells the person
    token = cases.new_token()
    StopCase.objects.filter(pk=row.pk).update(token_hash=cases.digest_of(token))
    substitution = row.substitution
    params = notices.params_of(row.appointment, now=now) | {
        "case": row.pk,
        "was_doctor": str(substitution.original.practitioner) if substitution.original_id else "",
        "until": row.deadline.isoformat() if row.deadline > now else "",
    }
    messages.tell(
        patient=row.patient,
        template=SUBSTITUTED if substitution.substitute_id else STOPPED,
        params=params,
        about=f"appointment:{row.appointment_id}",
        dedupe=dedupe_of(row.pk),
        link=address_of(token),
        now=now,
    )


def dedupe_of(case: int) -> str:
    return f"stop:{case}"


def address_of(token: str) -> str:
    """Empty where the house has not said under which address the public finds it: then the text names other ways."""
    return settings.PUBLIC_URL + reverse("appointments:stop_answer", args=[token]) if settings.PUBLIC_URL else ""


def say_it_stands(*, case: int, now: datetime, dedupe: str) -> None:
    """After an undone stop: who was told otherwise hears that the visit stands; a question that nobody has seen yet is
    dropped, and then nothing is said at all."""
    row = cases.related().filter(pk=case).first()
    if row is None or row.appointment.status != Appointment.Status.BOOKED:
        return
    about = f"appointment:{row.appointment_id}"
    questions = Message.objects.filter(about=about, template__in=QUESTIONS)
    unseen = questions.filter(status=Message.Status.WAITING, tries=0)
    unseen.update(status=Message.Status.DROPPED, link="")
    if questions.filter(status=Message.Status.SENT).exists() or questions.filter(tries__gt=0).exists():
        notices.tell(appointment=row.appointment_id, template=STANDS, dedupe=dedupe, now=now)


def still_asks(message: Message) -> bool:
    """Asked right before sending: answered, replaced or undone meanwhile? Then the question is not sent."""
    return StopCase.objects.filter(
        pk=message.params["case"],
        answer=StopCase.Answer.NONE,
        appointment__status=Appointment.Status.BOOKED,
    ).exists()


def say_decided(order: Suspension, *, now: datetime) -> None:
    """To the doctor who asked, in the app: approved, or not and why. In the caller's transaction."""
    days = f"{order.first_day:%m-%d}" if order.one_day else f"{order.first_day:%m-%d} – {order.last_day:%m-%d}"
    params = {"approved": order.status == Suspension.Status.ACTIVE, "days": days, "answer": order.decision}
    messages.tell(user=order.asked_by, template=DECIDED, params=params, dedupe=f"stop:{order.pk}:decided", now=now)


def ask_to_step_in(row: Substitution, *, now: datetime, off: bool = False) -> None:
    """To the substitute, in the app: where and when, or (`off`) that it is not needed any more."""
    account = row.substitute.practitioner.user
    if account is None:
        return
    schedule = row.schedule
    params = {
        "off": off,
        "start": schedule.starts_at.isoformat(),
        "department": schedule.department.name,
        "place": str(schedule.room),
        "was_doctor": str(row.original.practitioner),
    }
    kind = "off" if off else "in"
    messages.tell(user=account, template=STEP_IN, params=params, dedupe=f"stop:step:{row.pk}:{kind}", now=now)
