"""账单 of the account's people for programs: what is to be paid, and paying it. Another's is not found."""

from contextlib import suppress

from django.db.models import Exists, OuterRef
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.response import Response

from appointments.api.appointments import KEY, family_of
from appointments.api.appointments import own as own_bookings
from billing.api.shapes import InvoiceOut, OpenIn, PayIn
from billing.errors import GatewayAway
from billing.models import ChargeItem, Invoice, Way
from billing.services import asking, invoicing
from hospital import clock
from hospital.api import plain, rates
from hospital.api.authentication import BOOK
from hospital.api.endpoint import DetailEndpoint, ListEndpoint
from hospital.api.errors import NothingHere
from hospital.api.filters import FromDay, RowNumber, ToDay

SHOWN = ("lines__appointment__slot", "lines__exam", "payments__refunds")


def own(caller):
    """Of the people whom the account books for; of a lower institution, with what it booked; a programme that books
    anyone reaches all."""
    rows = Invoice.objects.select_related("patient", "organization").prefetch_related(*SHOWN)
    if caller.partner_id:
        booked = ChargeItem.objects.filter(invoice=OuterRef("pk"), appointment__partner=caller.partner_id)
        rows = rows.filter(Exists(booked))
    if caller.books_anyone:
        return rows
    return rows.filter(Exists(family_of(caller).exclude(proof="registered").filter(patient=OuterRef("patient"))))


class InvoiceFilter(filters.FilterSet):
    patient = RowNumber(label="Patient's id.")
    status = filters.MultipleChoiceFilter(choices=Invoice.Status.choices, label="One or several.")
    opened_from = FromDay("opened_at", label="First day on which it was opened.")
    opened_to = ToDay("opened_at", label="Last such day, included.")


class InvoiceRows:
    scopes = BOOK
    serializer_class = InvoiceOut
    queryset = Invoice.objects.none()
    asks_privacy = True

    def get_queryset(self):
        return own(self.request.auth)


@extend_schema_view(
    get=extend_schema(operation_id="listInvoices", tags=["money"], summary="Invoices 账单"),
    post=extend_schema(
        operation_id="openInvoice",
        tags=["money"],
        summary="What a booking costs 开单",
        request=OpenIn,
        responses={200: InvoiceOut},
    ),
)
class Invoices(InvoiceRows, ListEndpoint):
    """The latest first. Opening again is the same invoice, brought up to date; it confirms nothing. 409
    `nothing_to_charge`: the booking is gone."""

    filterset_class = InvoiceFilter
    order = ("-opened_at", "-id")
    also_answers = {"POST": {404}}

    def post(self, request):
        said = self.read(request, OpenIn)
        booking = own_bookings(request.auth).filter(pk=said["appointment"]).first()
        if booking is None:
            raise NothingHere()
        rates.spend(request.auth)
        row = invoicing.open_for_booking(booking=booking, by=request.user, now=clock.now())
        return Response(InvoiceOut(own(request.auth).get(pk=row.pk)).data)


@extend_schema_view(get=extend_schema(operation_id="getInvoice", tags=["money"], summary="One invoice"))
class OneInvoice(InvoiceRows, DetailEndpoint):
    """As it stands now, with its lines, payments and refunds: ask again until it is `paid`."""


@extend_schema_view(
    post=extend_schema(
        operation_id="payInvoice",
        tags=["money"],
        summary="Begin to pay 支付",
        parameters=[KEY],
        request=PayIn,
        responses={200: InvoiceOut},
    )
)
class Pay(InvoiceRows, DetailEndpoint):
    """All that is owed, on the payer's phone: the newest pending payment has the gateway's `url`. One code at a time:
    with one key, or while one waits, the same. 409 `nothing_to_pay`, `invoice_over`, `no_gateway`, `gateway_refused`. A
    gateway that does not answer leaves the payment pending without an address: ask again in a moment; nothing is
    charged twice. When the money is there, what it pays for is confirmed by itself."""

    http_method_names = ["post", "options"]

    def post(self, request, pk):
        key = plain.request_key(request._request)
        said, row = self.read(request, PayIn), self.get_object()
        rates.spend(request.auth)
        with suppress(GatewayAway):
            asking.start(
                invoice=row, means=said["means"], way=Way.PHONE, by=request.user, request_key=key, now=clock.now(),
                payer_ip=said.get("payer_ip", ""),
            )  # fmt: skip
        return Response(InvoiceOut(own(request.auth).get(pk=pk)).data)
