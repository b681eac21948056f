"""The booking centre's list: requests that nobody has booked or whose time is gone, and what was heard on the phone."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from exams.models import ContactNote, Device, DeviceAbility, DowntimeCase, ExamBooking, ExamRequest
from hospital.models import Patient

from .free import next_starts

Status = ExamRequest.Status
State = ExamBooking.Status

OPEN, NOT_DONE, MISSED, DOWN = "open", "not_done", "missed", "down"
NEVER = "never"  # nobody has called yet

URGENCY = {ExamRequest.Priority.EMERGENCY: 0, ExamRequest.Priority.URGENT: 1}

RELATED = ("patient", "variant__item", "requester")


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to. `contact`: the last call's outcome, or NEVER. `days`: asked for so long ago."""

    kind: str = OPEN
    modality: str = ""
    campus: int | None = None
    days: int | None = None
    contact: str = ""


def _of(organizations: Iterable[int]) -> QuerySet[ExamRequest]:
    return ExamRequest.objects.filter(organization__in=list(organizations))


def _ended(status: str):
    return Exists(ExamBooking.objects.filter(request=OuterRef("pk"), status=status))


def _unanswered():
    """Their device is down and they have not said what they want instead."""
    return Exists(DowntimeCase.objects.filter(booking__request=OuterRef("pk"), answer=""))


def listed(organizations: Iterable[int], wanted: Wanted, *, now: datetime) -> QuerySet[ExamRequest]:
    """Urgent first, then by the day they are wanted by, then the longest waiting. For paging: see `in_full`."""
    rows = _of(organizations)
    rows = rows.filter(_unanswered(), status=Status.BOOKED) if wanted.kind == DOWN else rows.filter(status=Status.OPEN)
    if wanted.kind == NOT_DONE:
        rows = rows.filter(_ended(State.NOT_DONE))
    if wanted.kind == MISSED:
        rows = rows.filter(_ended(State.NOSHOW))
    return _in_order(_narrowed(rows, wanted, now=now))


def _narrowed(rows: QuerySet[ExamRequest], wanted: Wanted, *, now: datetime) -> QuerySet[ExamRequest]:
    rows = _with_the_last_call(rows) if wanted.contact else rows
    if wanted.modality:
        rows = rows.filter(variant__item__modality=wanted.modality)
    if wanted.campus:
        able = DeviceAbility.objects.filter(variant=OuterRef("variant"), device__zone__campus=wanted.campus)
        rows = rows.filter(Exists(able.filter(device__active=True)))
    if wanted.days:
        rows = rows.filter(asked_at__lte=now - timedelta(days=wanted.days))
    if wanted.contact == NEVER:
        rows = rows.filter(heard__isnull=True)
    elif wanted.contact:
        rows = rows.filter(heard=wanted.contact)
    return rows


def _with_the_last_call(rows: QuerySet[ExamRequest]) -> QuerySet[ExamRequest]:
    last = ContactNote.objects.filter(request=OuterRef("pk")).order_by("-at", "-pk")
    return rows.annotate(heard=Subquery(last.values("outcome")[:1]), heard_at=Subquery(last.values("at")[:1]))


def in_full(ids: Iterable[int]) -> list[ExamRequest]:
    """One page of the list, in its order, with the last call of each. One query: sorting thousands of whole rows
    would take longer than all the rest."""
    ids = list(ids)
    found = _with_the_last_call(ExamRequest.objects.filter(pk__in=ids)).select_related(*RELATED).in_bulk()
    return [found[pk] for pk in ids]


def _in_order(rows: QuerySet[ExamRequest]) -> QuerySet[ExamRequest]:
    urgency = Case(
        *(When(priority=priority, then=Value(rank)) for priority, rank in URGENCY.items()),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = rows.annotate(urgency=urgency)
    return rows.order_by("urgency", F("wanted_by").asc(nulls_last=True), "asked_at", "pk")


def counts(organizations: Iterable[int]) -> dict[str, int]:
    """How many stand on each of the lists. Two queries."""
    said = (
        _of(organizations)
        .filter(status=Status.OPEN)
        .aggregate(
            open=Count("pk"),
            not_done=Count("pk", filter=Q(_ended(State.NOT_DONE))),
            missed=Count("pk", filter=Q(_ended(State.NOSHOW))),
        )
    )
    down = _of(organizations).filter(pk__in=_down_ids(), status=Status.BOOKED).count()
    return {**said, DOWN: down}


def _down_ids():
    return DowntimeCase.objects.filter(answer="").values("booking__request")


def how_many(patients: Iterable[int], organizations: Iterable[int]) -> dict[int, int]:
    """Patient → open requests: what one call can settle. One query."""
    rows = _of(organizations).filter(patient__in=list(patients), status=Status.OPEN)
    return dict(rows.order_by().values_list("patient").annotate(n=Count("pk")))


def open_requests(patient: Patient, *, organizations: Iterable[int]) -> list[ExamRequest]:
    """What the patient still has to book, the urgent first."""
    rows = _of(organizations).filter(patient=patient, status=Status.OPEN)
    return list(_in_order(rows).select_related(*RELATED, "organization", "variant__preparation"))


def bookings_of(patient: Patient, *, organizations: Iterable[int], today: date) -> list[ExamBooking]:
    """What is booked from today on, and held (pending)."""
    rows = ExamBooking.objects.filter(patient=patient, request__organization__in=list(organizations), day__gte=today)
    rows = rows.exclude(status__in=ExamBooking.OVER)
    related = ("variant__item", "variant__preparation", "device__room", "device__zone__campus", "request__requester")
    return list(rows.select_related(*related).order_by("during", "pk"))


def missed_by(patient: Patient, *, organizations: Iterable[int], since: date):
    """No-shows that still count, the newest first."""
    rows = patient.exam_noshows.filter(
        booking__request__organization__in=list(organizations), day__gte=since, excused_at=None
    )
    return list(rows.select_related("booking__variant__item").order_by("-day", "-pk"))


def contacts_of(patient: Patient, *, organizations: Iterable[int], most: int = 10) -> list[ContactNote]:
    """The last calls about open requests and older ones, the newest first."""
    rows = ContactNote.objects.filter(patient=patient, request__organization__in=list(organizations))
    return list(rows.select_related("by", "request__variant__item").order_by("-at", "-pk")[:most])


def devices_for(variants: Iterable[int], devices: QuerySet[Device], *, now: datetime) -> dict[int, list[Device]]:
    """Variant → the devices among these that can do it, each with its `earliest` start today (None: no room), the
    soonest first. Six queries at most."""
    rows = DeviceAbility.objects.filter(variant__in=list(variants), device__in=devices.filter(active=True))
    rows = list(rows.select_related("device__room", "device__zone__campus", "variant").order_by("device__code"))
    starts = next_starts([(row.device_id, row.minutes or row.variant.minutes) for row in rows], now=now) if rows else {}
    found: dict[int, list[Device]] = defaultdict(list)
    for row in rows:
        row.device.earliest = starts[row.device_id, row.minutes or row.variant.minutes]
        found[row.variant_id].append(row.device)
    for able in found.values():
        able.sort(key=lambda device: (device.earliest is None, device.earliest or now))
    return found


OUTCOMES = dict(ContactNote.Outcome.choices)


def to_call(ids: Iterable[int], *, organizations: Iterable[int]) -> list[ExamRequest]:
    """The requests of a call list with the last outcome of each; `waits`: there is still something to settle."""
    rows = _with_the_last_call(_of(organizations).filter(pk__in=list(ids)))
    rows = list(rows.annotate(down=_unanswered()).select_related(*RELATED))
    for row in rows:
        row.waits = row.status == Status.OPEN or (row.down and row.status == Status.BOOKED)
    return rows
