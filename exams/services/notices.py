"""What patients are told about their exams: when to be where, how to prepare by the clock. The words are templates."""

from collections.abc import Collection, Iterable
from datetime import datetime

from exams.models import ExamBooking, ExamRequest
from exams.policies import preparing
from exams.policies import self_service as policy
from exams.selectors import mine, rules
from hospital import clock, messages

BOOKED, MOVED, CANCELLED, REMINDER = "exam.booked", "exam.moved", "exam.cancelled", "exam.reminder"

State = ExamBooking.Status


def tell_booked(*, booking: int, now: datetime) -> None:
    """All that was confirmed in one go is told in one message, whichever of its facts comes first."""
    [row] = _rows([booking])
    if row.walk_in:
        return
    together = [row]
    if row.basket:
        rows = ExamBooking.objects.filter(basket=row.basket, patient=row.patient_id, confirmed_at=row.confirmed_at)
        rows = list(rows.filter(status=State.BOOKED, holds=True).select_related(*mine.RELATED).order_by("during", "pk"))
        together = rows if row in rows else [row]
    first = min(each.pk for each in together)
    dedupe = f"exam-booked:{first}:{row.confirmed_at.timestamp():.0f}:{len(together)}"
    say(together, template=BOOKED, dedupe=dedupe, now=now, steps=steps_in_params(_with_their_days(together)))


def tell_moved(*, booking: int, was: str, dedupe: str, now: datetime, together: Collection[int] = ()) -> None:
    """With how to prepare for all of that day, since it may have changed for the others, too. `together`: what moved
    with it as one sitting."""
    rows = _rows([booking, *together])
    steps = steps_in_params(_with_their_days(rows))
    say(rows, template=MOVED, dedupe=dedupe, now=now, was=was, steps=steps, exams=_as_one(rows))


def _rows(bookings: Iterable[int]) -> list[ExamBooking]:
    rows = ExamBooking.objects.filter(pk__in=set(bookings)).select_related(*mine.RELATED)
    return sorted(rows, key=lambda row: row.during.lower)


def _as_one(rows: list[ExamBooking]) -> list[dict]:
    return [{"name": "、".join(row.variant.name for row in rows), "start": rows[0].start.isoformat()}]


def _with_their_days(rows: list[ExamBooking]) -> list[ExamBooking]:
    """And what else the person has on those days: a day is prepared for as one."""
    days = ExamBooking.objects.filter(patient=rows[0].patient_id, day__in={row.day for row in rows})
    others = days.filter(status=State.BOOKED, holds=True).exclude(pk__in=[row.pk for row in rows])
    return [*rows, *others.select_related(*mine.RELATED).order_by("during", "pk")]


def tell_cancelled(*, booking: int, by_house: bool, dedupe: str, now: datetime, together: Collection[int] = ()) -> None:
    """Whether it can be booked again: the request may have gone with it. `together`: cancelled with it as one."""
    rows = _rows([booking, *together])
    more = {"withdrawn": all(row.request.status == ExamRequest.Status.CANCELLED for row in rows), "steps": []}
    say(rows, template=CANCELLED, dedupe=dedupe, now=now, by_house=by_house, exams=_as_one(rows), **more)


def say(rows: list[ExamBooking], *, template: str, dedupe: str, now: datetime, **more) -> None:
    """About exams of one person."""
    messages.tell(
        patient=rows[0].patient,
        template=template,
        params={**params_of(rows, now=now), **more},
        about=f"exam:{rows[0].pk}",
        dedupe=dedupe,
        now=now,
    )


def params_of(rows: list[ExamBooking], *, now: datetime) -> dict:
    """Where and when, and what to do before. Nothing of the person: the name is read, masked, when words are made."""
    first = rows[0]
    house = first.request.organization
    rule = rules.exam_rule(house.pk, day=clock.today(now))
    until = min(policy.cancel_deadline(row.start, rule) for row in rows)
    return {
        "booking": first.pk,
        "bookings": [[row.pk, row.start.isoformat()] for row in rows],
        "hospital": house.short_name or house.name,
        "phone": house.phone,
        "exams": [{"name": row.variant.name, "start": row.start.isoformat()} for row in rows],
        "start": first.start.isoformat(),
        "arrive": (first.stay.lower - policy.ARRIVE_EARLY).isoformat(),
        "place": mine.place_of(first.device),
        "steps": steps_in_params(rows),
        "until": until.isoformat() if until > now else "",
    }


def steps_in_params(rows: Iterable[ExamBooking]) -> list[dict]:
    """By day: who is examined on two days fasts twice."""
    days: dict = {}
    for row in rows:
        days.setdefault(row.day, []).append(mine.as_coming(row))
    steps = [step for _day, coming in sorted(days.items()) for step in preparing.steps_of(coming)]
    return [{"kind": step.kind, "at": step.at.isoformat(), "exam": step.exam, "after": step.after} for step in steps]
