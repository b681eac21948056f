"""What the consult room shows of a patient's exams: asked for in this visit, in the basket, and known from before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch, Q

from appointments.models import Encounter
from exams.models import DiagnosticReport, ExamBooking, ExamRequest
from exams.policies.booking import LAPSED
from hospital.models import Patient

State = ExamBooking.Status

STANDING = (ExamRequest.Status.OPEN, ExamRequest.Status.BOOKED)
REPORTS_DAYS = 365
"""How old a result may be to be listed beside a new request."""

MOST_REPORTS = 6

WHERE = ("variant__item", "variant__preparation", "device__room", "device__zone__campus")


def standing_requests(*, patient: Patient, organization_id: int) -> list[ExamRequest]:
    """Asked for and not done, in any visit, the oldest first, each with the booking that goes on. Two queries."""
    rows = ExamRequest.objects.filter(patient=patient, organization=organization_id, status__in=STANDING)
    going_on = ExamBooking.objects.exclude(status__in=ExamBooking.OVER).order_by("pk")  # an offer after what it is for
    going_on = going_on.select_related("device__room", "device__zone")
    rows = rows.select_related("variant__item", "variant__preparation", "requester")
    return list(rows.prefetch_related(Prefetch("bookings", going_on, to_attr="going_on")).order_by("pk"))


def to_plan(requests: Iterable[ExamRequest], *, encounter: Encounter, now: datetime) -> list[ExamRequest]:
    """Of this visit, without a time: nobody booked it, or the hold has run out."""
    return [row for row in requests if row.encounter_id == encounter.pk and not has_a_time(row, now=now)]


def has_a_time(request: ExamRequest, *, now: datetime) -> bool:
    """`request` comes from standing_requests."""
    return any(row.status != State.PENDING or row.hold_until > now for row in request.going_on)


def in_basket(*, patient: Patient, basket: UUID) -> list[ExamBooking]:
    """Held, confirmed, or run out, in the order of time. One query."""
    rows = ExamBooking.objects.filter(patient=patient, basket=basket)
    rows = rows.filter(~Q(status=State.CANCELLED) | Q(note=LAPSED)).exclude(status__in=(State.NOSHOW, State.NOT_DONE))
    return list(rows.select_related(*WHERE, "request").order_by("during", "pk"))


def booked_in(*, basket: UUID, organization_id: int) -> list[ExamBooking]:
    """For the slip: what is booked, in the order of time."""
    rows = ExamBooking.objects.filter(
        basket=basket,
        request__organization=organization_id,
        status__in=(State.BOOKED, State.ARRIVED, State.CALLED, State.RUNNING),
    )
    return list(rows.select_related(*WHERE, "patient", "request").order_by("during", "pk"))


@dataclass(frozen=True)
class Known:
    """What is listed under 已有预约."""

    requests: list[ExamRequest]
    reports: list[DiagnosticReport]


def known(*, patient: Patient, organization_id: int, now: datetime) -> Known:
    """Three queries."""
    reports = DiagnosticReport.objects.filter(
        patient=patient,
        status=DiagnosticReport.Status.RELEASED,
        performed_at__gt=now - timedelta(days=REPORTS_DAYS),
    ).select_related("variant__item", "organization", "current")
    return Known(
        requests=standing_requests(patient=patient, organization_id=organization_id),
        reports=list(reports.order_by("-performed_at", "-pk")[:MOST_REPORTS]),
    )
