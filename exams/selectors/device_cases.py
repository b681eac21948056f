"""How far a downtime's patients are: "27 of 29" answered, what is still to be called."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from exams.models import ContactNote, Device, Downtime, DowntimeCase, ExamBooking
from exams.selectors import around
from hospital import clock, masking
from hospital.models import Fact, Message

Answer = DowntimeCase.Answer
ASKED = "exam.device_asked"
"""The message with the question."""

SEARCHING = timedelta(minutes=5)
"""Another time has been looked for by then, also for who gets no SMS."""


def related() -> QuerySet[DowntimeCase]:
    return DowntimeCase.objects.select_related(
        "patient", "downtime__device__organization", "booking__variant__item__organization",
        "booking__device__room", "booking__device__zone",
        "booking__variant__preparation", "booking__request__variant__item", "offer__device__room__campus",
        "offer__device__room__department", "offer__device__zone__campus",
    )  # fmt: skip


def together(case: DowntimeCase) -> list[DowntimeCase]:
    """The open questions about what was one sitting, the first first: that one asks for all, an answer is for all."""
    bookings = [] if case.answer else around.taken_together(case.booking)
    if len(bookings) < 2:
        return [case]
    found = related().filter(booking__in=bookings, downtime=case.downtime_id, answer="")
    found = {row.booking_id: row for row in found}
    return [found[row.pk] for row in bookings if row.pk in found] if case.booking_id in found else [case]


def answered_together(case: DowntimeCase) -> list[DowntimeCase]:
    """What was answered with it; of an open one, what will be."""
    if not case.answer:
        return together(case)
    rows = related().filter(downtime=case.downtime_id, patient=case.patient_id, answer=case.answer)
    rows = rows.filter(answered_at=case.answered_at).order_by(F("booking__during__startswith"), "pk")
    runs: list[list[DowntimeCase]] = []
    for row in rows:
        if runs and _follows(runs[-1][-1].booking, row.booking):
            runs[-1].append(row)
        else:
            runs.append([row])
    return next((run for run in runs if case.pk in {row.pk for row in run}), [case])


def _follows(one: ExamBooking, other: ExamBooking) -> bool:
    return one.device_id == other.device_id and one.during.upper == other.during.lower


def names_of(rows: Iterable[DowntimeCase]) -> str:
    return "、".join(row.booking.variant.name for row in rows)


def leading(rows: Iterable[DowntimeCase]) -> dict[int, list[DowntimeCase]]:
    """Open question that asks → those of its sitting. One query, more only for who has several."""
    rows, several = list(rows), defaultdict(int)
    within = {"downtime__in": {row.downtime_id for row in rows}, "patient__in": {row.patient_id for row in rows}}
    for key in DowntimeCase.objects.filter(answer="", **within).values_list("downtime", "patient"):
        several[key] += 1
    found = {row.pk: together(row) if several[row.downtime_id, row.patient_id] > 1 else [row] for row in rows}
    return {pk: sitting for pk, sitting in found.items() if sitting[0].pk == pk}


def torn(device: Device, during: DateTimeTZRange, *, now: datetime) -> list[int]:
    """Exams outside of a downtime that are one sitting with one inside: nobody comes twice for one needle or one
    anaesthesia. Mostly one query."""
    held = ExamBooking.objects.filter(device=device, holds=True, status__in=around.TAKEN_AWAY)
    inside = held.filter(during__overlap=during)
    days = (clock.today(during.lower), clock.today(during.upper))
    beside = held.filter(day__in=days, patient__in=inside.values("patient")).exclude(pk__in=inside.values("pk"))
    beside = beside.select_related("request__variant__item", "device__zone__campus")
    pks, within = [], set(inside.values_list("pk", flat=True)) if (rows := list(beside)) else set()
    for row in rows:
        if within & {each.pk for each in around.sitting_of(row, now=now)}:
            pks.append(row.pk)
    return pks


@dataclass
class Line:
    """One downtime, its patients counted."""

    downtime: Downtime
    cases: int = 0  # asked, without those who need not answer any more
    done: int = 0
    late: int = 0
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def gone(self) -> int:
        return self.answers.get(Answer.GONE, 0)

    @property
    def waiting(self) -> int:
        return self.answers.get(Answer.NONE, 0)

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.cases) if self.cases else 100

    @property
    def settled(self) -> bool:
        return self.done == self.cases

    @property
    def said(self) -> list[tuple[str, int]]:
        """What was answered, for the board."""
        return [
            (str(Answer(value).label), self.answers.get(value, 0)) for value in ("accept", "move", "cancel", "gone")
        ]


def lines_of(rows: list[Downtime], *, now: datetime) -> list[Line]:
    """One query for all."""
    found = {row.pk: Line(row) for row in rows}
    counted = DowntimeCase.objects.filter(downtime__in=rows).values_list("downtime", "answer").order_by()
    for pk, answer, count, late in counted.annotate(all=Count("pk"), late=Count("pk", filter=Q(deadline__lte=now))):
        line = found[pk]
        line.answers[answer] = count
        if answer == Answer.GONE:
            continue
        line.cases += count
        if answer == Answer.NONE:
            line.late += late
        else:
            line.done += count
    return list(found.values())


@dataclass
class CaseLine:
    """One patient of a downtime, masked. `told`: the state of the SMS: sent, waiting, failed, none."""

    case: DowntimeCase
    told: str
    late: bool
    kept: bool  # the other time is still held
    was: datetime  # when the exam was to begin: the booking may have moved since
    last_call: ContactNote | None = None
    exams: str = ""  # all that is asked about
    searched: bool = True  # another time has been looked for

    @property
    def masked(self) -> str:
        return masking.name(self.case.patient.name)

    @property
    def open(self) -> bool:
        return self.case.answer == Answer.NONE


RELATED = (
    "patient", "answered_by", "downtime__device", "booking__variant__item", "booking__device__room",
    "offer__device__room",
)  # fmt: skip
STATES = {"sent": "sent", "waiting": "waiting", "failed": "failed", "dropped": "none"}


def case_lines(cases: QuerySet[DowntimeCase], *, now: datetime) -> list[CaseLine]:
    """With what became of each message, the first time, and the last call; in the order of those times. Four
    queries."""
    rows = list(cases.select_related(*RELATED).order_by(F("booking__during__startswith"), "pk"))
    told, calls, left = _told(rows), _calls(rows), _left(rows)
    lines = [
        CaseLine(
            case=row,
            told=told.get(row.booking_id, "waiting"),
            late=row.answer == Answer.NONE and row.deadline <= now,
            kept=_is_kept(row.offer, now=now),
            was=left.get(row.booking_id) or row.booking.during.lower,
            last_call=calls.get(row.booking.request_id),
            exams=row.booking.variant.name,
            searched=row.booking_id in told or row.opened_at < now - SEARCHING,
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: line.was)


def _is_kept(offer: ExamBooking | None, *, now: datetime) -> bool:
    return bool(offer and offer.status == ExamBooking.Status.PENDING and offer.hold_until > now)


def _told(rows: list[DowntimeCase]) -> dict[int, str]:
    """Booking → state of its last question by SMS."""
    about = {f"exam:{row.booking_id}": row.booking_id for row in rows}
    sent = Message.objects.filter(about__in=about, template=ASKED, channel=Message.Channel.SMS).order_by("pk")
    found = {about[key]: STATES[status] for key, status in sent.values_list("about", "status")}
    asked = {(row.downtime_id, row.patient_id): found[row.booking_id] for row in rows if row.booking_id in found}
    for row in rows:  # one message is for the whole sitting
        if (state := asked.get((row.downtime_id, row.patient_id))) and row.booking_id not in found:
            found[row.booking_id] = state
    return found


def _left(rows: list[DowntimeCase]) -> dict[int, datetime]:
    """Booking → the time it was moved from, first after the question."""
    since = {f"exam:{row.booking_id}": row for row in rows if row.answer in (Answer.ACCEPT, Answer.MOVE)}
    found: dict[int, datetime] = {}
    for fact in Fact.objects.filter(topic="exam.moved", key__in=since).order_by("pk"):
        row = since[fact.key]
        if fact.happened_at >= row.opened_at and fact.payload.get("from_start"):
            found.setdefault(row.booking_id, datetime.fromisoformat(fact.payload["from_start"]))
    return found


def _calls(rows: list[DowntimeCase]) -> dict[int, ContactNote]:
    """Request → the last call since the question."""
    since = {row.booking.request_id: row.opened_at for row in rows}
    notes = ContactNote.objects.filter(request__in=since).select_related("by").order_by("at", "pk")
    return {note.request_id: note for note in notes if note.at >= since[note.request_id]}


def to_call(within: Q, *, now: datetime) -> list[DowntimeCase]:
    """Who did not answer by the deadline, and whom no SMS reached; a sitting once. `within`: a Q on Device."""
    about = Concat(Value("exam:"), Cast(OuterRef("booking_id"), CharField()))
    unheard = Message.objects.filter(
        about=about, template=ASKED, channel=Message.Channel.SMS, status__in=["failed", "dropped"]
    )
    rows = DowntimeCase.objects.filter(
        answer="", booking__holds=False, downtime__device__in=Device.objects.filter(within)
    )
    rows = rows.filter(Q(deadline__lte=now) | Exists(unheard)).order_by(F("booking__during__startswith"), "pk")
    rows = list(rows.select_related("booking__request__variant__item"))
    asking = leading(rows) if rows else {}
    return [row for row in rows if row.pk in asking]
