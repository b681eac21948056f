"""How far stops are: requests, sessions carried out, "27 of 29" answered, what is still to be called."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import CharField, Count, Exists, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from appointments.models import Appointment, CallNote, StopCase, Substitution, Suspension
from hospital import clock, masking
from hospital.models import Message, PractitionerRole

from . import scope

Answer = StopCase.Answer
Status = Suspension.Status


def within(organizations, departments=None) -> QuerySet[Suspension]:
    """Those of these houses; with `departments`, what touches one of them."""
    rows = Suspension.objects.filter(organization__in=organizations)
    if departments is not None:
        of_doctor = PractitionerRole.objects.filter(practitioner=OuterRef("practitioner"), department__in=departments)
        touched = Substitution.objects.filter(suspension=OuterRef("pk"), schedule__department__in=departments)
        rows = rows.filter(Q(department__in=departments) | Exists(of_doctor) | Exists(touched))
    return rows.select_related("practitioner", "department", "organization", "asked_by", "decided_by", "undone_by")


def requests_waiting(organizations, departments=None) -> int:
    """The count in the menu."""
    return within(organizations, departments).filter(status=Status.REQUESTED).count()


@dataclass
class Line:
    """One order of the list."""

    stop: Suspension
    sessions: int = 0
    substituted: int = 0
    left: int = 0  # sessions not carried out yet
    cases: int = 0  # asked, without those who need not answer any more
    done: int = 0
    gone: int = 0  # 已无需答复
    late: int = 0  # past the deadline and not answered
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.cases) if self.cases else 100

    @property
    def settled(self) -> bool:
        return not self.left and self.done == self.cases


def lines_of(stops: list[Suspension], *, now: datetime) -> list[Line]:
    """Two queries for all, and one for each that is in force and may have sessions left: its days are not over."""
    found = {stop.pk: Line(stop) for stop in stops}
    sessions = Substitution.objects.filter(suspension__in=stops).values("suspension")
    for row in sessions.annotate(all=Count("pk"), given=Count("substitute")):
        found[row["suspension"]].sessions, found[row["suspension"]].substituted = row["all"], row["given"]
    cases = StopCase.objects.filter(substitution__suspension__in=stops).values("substitution__suspension", "answer")
    for row in cases.annotate(all=Count("pk"), late=Count("pk", filter=Q(deadline__lte=now))).order_by():
        line = found[row["substitution__suspension"]]
        line.answers[row["answer"]] = row["all"]
        if row["answer"] == Answer.GONE:
            line.gone += row["all"]
            continue
        line.cases += row["all"]
        if row["answer"] == Answer.NONE:
            line.late += row["late"]
        else:
            line.done += row["all"]
    for line in found.values():
        if line.stop.status == Status.ACTIVE and line.stop.last_day >= clock.today(now):
            line.left = len(scope.waiting(line.stop, now=now))
    return list(found.values())


@dataclass
class CaseLine:
    """One patient of a stop, masked. `told` is the state of the SMS in words' codes: sent, waiting, failed, none."""

    case: StopCase
    told: str
    late: bool
    last_call: CallNote | None = None

    @property
    def masked(self) -> str:
        return masking.name(self.case.patient.name)

    @property
    def open(self) -> bool:
        return self.case.answer == Answer.NONE

    @property
    def undelivered(self) -> bool:
        return self.told in ("failed", "none")


RELATED = (
    "patient",
    "appointment__slot",
    "substitution__schedule__role__practitioner",
    "substitution__schedule__team",
    "substitution__schedule__service",
    "substitution__schedule__department",
    "substitution__original__practitioner",
    "substitution__substitute__practitioner",
    "substitution__suspension",
    "moved_to__role__practitioner",
    "moved_to__team",
    "moved_to__service",
    "answered_by",
)


def case_lines(cases: QuerySet[StopCase], *, now: datetime) -> list[CaseLine]:
    """With what became of each message, and the last call. Three queries."""
    rows = list(cases.select_related(*RELATED))
    told = _told([row.pk for row in rows])
    notes = CallNote.objects.filter(case__in=rows).values("case").annotate(last=Max("pk"))
    latest = notes.values_list("last", flat=True)
    calls = {note.case_id: note for note in CallNote.objects.filter(pk__in=list(latest)).select_related("by")}
    return [
        CaseLine(
            case=row,
            told=told.get(row.pk, "waiting"),
            late=row.answer == Answer.NONE and row.deadline <= now,
            last_call=calls.get(row.pk),
        )
        for row in rows
    ]


def _told(cases: list[int]) -> dict[int, str]:
    """Case → state of its SMS. A dropped one had no phone to go to (or was answered first)."""
    names = {"sent": "sent", "waiting": "waiting", "failed": "failed", "dropped": "none"}
    keys = [f"stop:{pk}:sms" for pk in cases]
    rows = Message.objects.filter(dedupe__in=keys).values_list("dedupe", "status")
    return {int(dedupe.split(":")[1]): names[status] for dedupe, status in rows}


def sessions_of(stop: Suspension) -> list[Substitution]:
    """Each session of an order with its cases counted, but for those who need not answer any more."""
    rows = Substitution.objects.filter(suspension=stop).select_related(
        "schedule__department",
        "schedule__room",
        "schedule__role__practitioner",
        "schedule__team",
        "schedule__service",
        "original__practitioner",
        "substitute__practitioner",
    )
    asked = ~Q(cases__answer=Answer.GONE) & Q(cases__isnull=False)
    answered = asked & ~Q(cases__answer=Answer.NONE)
    rows = rows.annotate(all_cases=Count("cases", filter=asked), done_cases=Count("cases", filter=answered))
    return list(rows.order_by("schedule__starts_at", "pk"))


def to_call(organizations, departments=None, *, now: datetime) -> QuerySet[StopCase]:
    """Who did not answer by the deadline, and whom no SMS reached; the visit nearest in time first."""
    undelivered = Message.objects.filter(
        about=_about(), template__in=("stop.asked", "stop.substituted"), channel="sms", status__in=["failed", "dropped"]
    )
    rows = StopCase.objects.filter(
        answer=Answer.NONE,
        appointment__start__gt=now,
        appointment__status=Appointment.Status.BOOKED,
        substitution__schedule__organization__in=organizations,
    )
    if departments is not None:
        rows = rows.filter(substitution__schedule__department__in=departments)
    return rows.filter(Q(deadline__lte=now) | Exists(undelivered)).order_by("appointment__start", "pk")


def _about():
    return Concat(Value("appointment:"), Cast(OuterRef("appointment_id"), CharField()))
