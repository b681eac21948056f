"""预约 of the account's people: look, confirm, cancel, reschedule. Another's is not found, whatever its number."""

import msgspec
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.forms import Field
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.response import Response

from appointments.models import Appointment, Schedule
from appointments.services import booking, changes
from hospital import clock, prepaid
from hospital.api import plain, rates
from hospital.api.authentication import BOOK
from hospital.api.endpoint import DetailEndpoint, ListEndpoint
from hospital.api.errors import ConsentNeeded, Invalid, NothingHere, by_field
from hospital.api.filters import RowNumber
from hospital.models import RelatedPerson
from hospital.prepaid import PayFirst

from .serializers import AppointmentOut
from .shapes import CancelRequest, ConfirmRequest, RescheduleRequest

SHOWN = ("patient", "slot", "schedule__campus", "schedule__department", "schedule__room", "schedule__service",
         "schedule__role__practitioner", "schedule__team")  # fmt: skip
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[\\x21-\\x7e]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="New for each act, the same when it is sent again: it is then done once and answered alike.",
)


def own(caller):
    """Bookings of the people whom the account books for now (of the unproved, its own ones); a token that books anyone
    reaches all, a lower institution's what that institution booked."""
    rows = Appointment.objects.select_related(*SHOWN)
    if caller.partner_id:
        rows = rows.filter(partner=caller.partner_id)
    if caller.books_anyone:
        return rows
    proved = family_of(caller).exclude(proof=RelatedPerson.Proof.REGISTERED)
    return rows.filter(
        Exists(family_of(caller).filter(patient=OuterRef("patient"))),
        Q(by=caller.user.pk) | Exists(proved.filter(patient=OuterRef("patient"))),
    )


def family_of(caller):
    return RelatedPerson.objects.filter(account=caller.user.pk, ended_at=None, patient__active=True)


class AppointmentFilter(filters.FilterSet):
    patient = RowNumber(label="Patient's id.")
    status = filters.MultipleChoiceFilter(choices=Appointment.Status.choices, label="One or several.")
    day_from = filters.DateFilter(field_name="day", lookup_expr="gte", label="First day of visit.")
    day_to = filters.DateFilter(field_name="day", lookup_expr="lte", label="Last day of visit, included.")


class AppointmentRows:
    scopes = BOOK
    serializer_class = AppointmentOut
    queryset = Appointment.objects.none()

    def get_queryset(self):
        return own(self.request.auth)

    def get_serializer_context(self):
        return super().get_serializer_context() | {"now": clock.now()}


@extend_schema_view(get=extend_schema(operation_id="listAppointments", tags=["bookings"], summary="Bookings 预约"))
class Appointments(AppointmentRows, ListEndpoint):
    """The latest visit first, past and cancelled ones too. A token that books anyone names the `patient`; without it,
    the list is of the account's own people. 409 `consent_needed` until the account has agreed, on the pages, to the
    privacy notice in force; not for a token that books anyone."""

    asks_privacy = True
    filterset_class = AppointmentFilter
    order = ("-day", "-start", "-id")

    def get_queryset(self):
        named = self.request.query_params.get("patient")
        if named == "":  # to the filter that is nobody in particular: everybody
            raise Invalid({"patient": [Field.default_error_messages["required"]]})
        if self.request.auth.books_anyone and named:
            return super().get_queryset()
        mine = list(
            family_of(self.request.auth).values_list("patient", flat=True)
        )  # as numbers: so few that their index wins
        return super().get_queryset().filter(patient__in=mine)


@extend_schema_view(get=extend_schema(operation_id="getAppointment", tags=["bookings"], summary="One booking"))
class OneAppointment(AppointmentRows, DetailEndpoint):
    """As it stands now. 409 `consent_needed` as in the list."""

    asks_privacy = True


class Verb(AppointmentRows, DetailEndpoint):
    """POST of one act on one booking, done once however often it is sent with its key."""

    http_method_names = ["post", "options"]
    asks: type
    asks_consent = False  # to what booking for this patient needs (O4)

    def post(self, request, pk):
        key = plain.request_key(request._request)
        asked = self._read(request)
        row = self.get_object()
        rates.spend(request.auth)
        if self.asks_consent and plain.caller(request, scopes=BOOK, patient_id=row.patient_id).lacks_consent:
            raise ConsentNeeded()
        self.act(row, asked, key=key, by=request.user, channel=request.auth.channel)
        return Response(self.get_serializer(self.get_object()).data)

    def _read(self, request):
        sent = request.data if request.body else {}
        try:
            return msgspec.convert(sent, self.asks)
        except msgspec.ValidationError as problem:
            raise by_field(problem) from None

    def act(self, row, asked, *, key, by, channel):
        raise NotImplementedError


def verb(operation: str, summary: str, asks: type, **more):
    """What the document says of a verb."""
    body = {"application/json": {"$ref": f"#/components/schemas/{asks.__name__}"}}
    described = extend_schema(
        operation_id=operation, tags=["bookings"], summary=summary, parameters=[KEY], request=body,
        responses={200: AppointmentOut}, **more,
    )  # fmt: skip
    return extend_schema_view(post=described)


@verb("confirmAppointment", "Confirm a hold 确认", ConfirmRequest)
class Confirm(Verb):
    """锁号 → 已预约, while the hold's clock runs; 409 `lapsed` after it, `consent_needed` as when booking, `must_pay`
    where the house wants it paid first: `pay` is the page on which the person does, and the money confirms it."""

    asks = ConfirmRequest
    asks_consent = True

    def act(self, row, asked, *, key, by, channel):
        try:
            changes.confirm(appointment=row, by=by, request_key=key, now=clock.deciding())
        except PayFirst as refusal:
            page = prepaid.page(kind="appointment", booking=row.pk, where="patient")
            refusal.pay = settings.PUBLIC_URL + page if page else ""
            raise


@verb("cancelAppointment", "Cancel 退号", CancelRequest)
class Cancel(Verb):
    """Until `cancel_until`; a hold at any time. Cancelling twice is once."""

    asks = CancelRequest

    def act(self, row, asked, *, key, by, channel):
        changes.cancel(
            appointment=row, by=by, channel=channel, reason=asked.reason, request_key=key, now=clock.deciding()
        )


@verb("rescheduleAppointment", "Reschedule in one step 改约", RescheduleRequest)
class Reschedule(Verb):
    """The same booking on another number; on a refusal the old number is kept. A hold's clock runs on, but for
    staff's. 409 `consent_needed` as when booking; `suspended` unless it stays on its schedule or that was stopped."""

    asks = RescheduleRequest
    asks_consent = True

    def act(self, row, asked, *, key, by, channel):
        asked.check()
        try:
            schedule = Schedule.objects.select_related("service").get(pk=asked.schedule)
        except Schedule.DoesNotExist:
            raise NothingHere() from None
        booking.reschedule(
            appointment=row,
            schedule=schedule,
            by=by,
            channel=channel,
            partner=self.request.auth.partner_id,
            request_key=key,
            number=asked.number,
            start=asked.start,
            now=clock.deciding(),
        )
