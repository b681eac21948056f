"""How far a downtime's patients are: "27 of 29" answered, what is still to be called."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from exams.models import ContactNote, Device, Downtime, DowntimeCase, ExamBooking
from hospital import masking
from hospital.models import Fact, Message

Answer = DowntimeCase.Answer
ASKED = "exam.device_asked"
"""The message with the question."""


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
    """With what became of each message, the first time, and the last call. Four queries."""
    rows = list(cases.select_related(*RELATED).order_by(F("booking__during__startswith"), "pk"))
    told, calls, left = _told(rows), _calls(rows), _left(rows)
    return [
        CaseLine(
            case=row,
            told=told.get(row.booking_id, "waiting"),
            late=row.answer == Answer.NONE and row.deadline <= now,
            kept=_is_kept(row.offer, now=now),
            was=left.get(row.booking_id) or row.booking.during.lower,
            last_call=calls.get(row.booking.request_id),
        )
        for row in rows
    ]


def _is_kept(offer: ExamBooking | None, *, now: datetime) -> bool:
    return bool(offer and offer.status == ExamBooking.Status.PENDING and offer.hold_until > now)


def _told(rows: list[DowntimeCase]) -> dict[int, str]:
    """Booking → state of its last question by SMS."""
    about = {f"exam:{row.booking_id}": row.booking_id for row in rows}
    sent = Message.objects.filter(about__in=about, template=ASKED, channel=Message.Channel.SMS).order_by("pk")
    return {about[key]: STATES[status] for key, status in sent.values_list("about", "status")}


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


def to_call(within: Q, *, now: datetime) -> QuerySet[DowntimeCase]:
    """Who did not answer by the deadline, and whom no SMS reached. `within`: a Q on Device."""
    about = Concat(Value("exam:"), Cast(OuterRef("booking_id"), CharField()))
    unheard = Message.objects.filter(
        about=about, template=ASKED, channel=Message.Channel.SMS, status__in=["failed", "dropped"]
    )
    rows = DowntimeCase.objects.filter(
        answer="", booking__holds=False, downtime__device__in=Device.objects.filter(within)
    )
    return rows.filter(Q(deadline__lte=now) | Exists(unheard)).order_by(F("booking__during__startswith"), "pk")
