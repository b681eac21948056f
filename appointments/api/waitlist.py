"""候补 (B9) of the account's people: who waits for what, join, leave, accept. Another's is not found."""

import msgspec
from django.db.models import Prefetch, Q
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from appointments.errors import NoSuchPatient
from appointments.models import Appointment, WaitlistEntry, WaitlistOffer
from appointments.selectors import waitlist as selectors
from appointments.services import waitlist
from hospital import clock
from hospital.api import plain, rates
from hospital.api.authentication import BOOK
from hospital.api.endpoint import DetailEndpoint, ListEndpoint
from hospital.api.errors import ConsentNeeded, by_field
from hospital.api.filters import RowNumber
from hospital.api.places import Fee
from hospital.models import RelatedPerson

from .appointments import SHOWN, family_of
from .serializers import AppointmentOut, PatientBrief, ScheduleBrief
from .shapes import WaitRequest

OFFERS = WaitlistOffer.objects.filter(state=WaitlistOffer.State.OPEN).select_related("appointment__slot")


class OfferOut(serializers.Serializer):
    """候补兑现: a number that is held for the entry until its deadline."""

    appointment = serializers.IntegerField(source="appointment_id")
    number = serializers.IntegerField(source="appointment.slot.number")
    start = serializers.DateTimeField(source="appointment.start")
    minutes = serializers.IntegerField(source="appointment.slot.minutes")
    fee = Fee(source="appointment.fee", help_text="挂号费, yuan.")
    deadline = serializers.DateTimeField(help_text="Accept before it, or the number goes to the next in line.")


class WaitOut(serializers.Serializer):
    """候补: one patient in the line of one schedule."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(WaitlistEntry.Status.choices)
    why = serializers.CharField(help_text="Why it ended: " + ", ".join(WaitlistEntry.Why.values) + "; else empty.")
    patient = PatientBrief()
    schedule = ScheduleBrief()
    place = serializers.SerializerMethodField(help_text="In line, from 1; null of one that does not wait any more.")
    joined_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField(help_text="Nothing is offered or accepted from then on.")
    offer = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_place(self, row):
        return row.place if row.status == WaitlistEntry.Status.WAITING else None

    @extend_schema_field(OfferOut(allow_null=True))
    def get_offer(self, row):
        return OfferOut(row.standing[0]).data if row.standing else None


def own(caller):
    """Entries of the people whom the account books for now (of the unproved, its own ones); a token that books anyone
    reaches all, a lower institution's what it asked for itself."""
    rows = selectors.with_place(WaitlistEntry.objects.select_related(*selectors.RELATED))
    if caller.partner_id:
        rows = rows.filter(by=caller.user.pk)
    rows = rows.prefetch_related(Prefetch("offers", OFFERS, to_attr="standing"))
    if caller.books_anyone:
        return rows
    people = list(family_of(caller).values_list("patient", "proof"))  # as numbers: so few that their index wins
    proved = [patient for patient, proof in people if proof != RelatedPerson.Proof.REGISTERED]
    return rows.filter(Q(patient__in=proved) | Q(patient__in=[patient for patient, _proof in people], by=caller.user))


class WaitFilter(filters.FilterSet):
    patient = RowNumber(label="Patient's id.")
    schedule = RowNumber(label="Schedule's id.")
    status = filters.MultipleChoiceFilter(choices=WaitlistEntry.Status.choices, label="One or several.")


class WaitRows:
    scopes = BOOK
    serializer_class = WaitOut
    queryset = WaitlistEntry.objects.none()

    def get_queryset(self):
        return own(self.request.auth)

    def may_act_for(self, patient_id: int) -> None:
        """The account's own person, what is needed agreed to (O4), and not too often."""
        caller = plain.caller(self.request, scopes=BOOK, patient_id=patient_id)
        if not caller.may_book_patient:
            raise NoSuchPatient()
        rates.spend(self.request.auth)
        if caller.lacks_consent:
            raise ConsentNeeded()


@extend_schema_view(
    get=extend_schema(operation_id="listWaits", tags=["bookings"], summary="Waitlist 候补"),
    post=extend_schema(
        operation_id="joinWaitlist",
        tags=["bookings"],
        summary="Wait for a full schedule 加入候补",
        request={"application/json": {"$ref": "#/components/schemas/WaitRequest"}},
        responses={200: WaitOut},
    ),
)
class Waitlist(WaitRows, ListEndpoint):
    """Entries of the account's people, the latest first; a token that books anyone names the `patient`. Join
    only what is full for the token's channel (409 `still_numbers` otherwise): first come, first served; asked again it
    is the same entry. 409 `consent_needed` as in the bookings."""

    asks_privacy = True
    also_answers = {"POST": {404}}  # of a patient that is not the account's
    filterset_class = WaitFilter
    order = ("-joined_at", "-id")

    def get_queryset(self):
        caller = self.request.auth
        if not caller.books_anyone or self.request.query_params.get("patient"):
            return super().get_queryset()
        return super().get_queryset().filter(patient__in=list(family_of(caller).values_list("patient", flat=True)))

    def post(self, request):
        try:
            asked = msgspec.convert(request.data, WaitRequest)
        except msgspec.ValidationError as problem:
            raise by_field(problem) from None
        self.may_act_for(asked.patient)
        entry = waitlist.join(
            schedule_id=asked.schedule,
            patient_id=asked.patient,
            by=request.user,
            channel=request.auth.channel,
            now=clock.deciding(),
        )
        return Response(self.get_serializer(own(request.auth).get(pk=entry.pk)).data)


@extend_schema_view(
    get=extend_schema(operation_id="getWait", tags=["bookings"], summary="One entry of the waitlist"),
    delete=extend_schema(
        operation_id="leaveWaitlist", tags=["bookings"], summary="Leave 退出候补", responses={200: WaitOut}
    ),
)
class OneEntry(WaitRows, DetailEndpoint):
    """As it stands now. Left, the place in line is lost, and a number that was offered goes to the next; twice is once.
    409 `wait_over` of one that is filled or has ended, `consent_needed` as in the list."""

    asks_privacy = True

    def delete(self, request, pk):
        row = self.get_object()
        rates.spend(request.auth)
        waitlist.leave(entry_id=row.pk, by=request.user, now=clock.deciding())
        return Response(self.get_serializer(self.get_object()).data)


@extend_schema_view(
    post=extend_schema(
        operation_id="acceptOffer",
        tags=["bookings"],
        summary="Accept the offered number 接受",
        request=None,
        responses={200: AppointmentOut},
    )
)
class Accept(WaitRows, DetailEndpoint):
    """候补兑现: the number is booked. Twice is once. 409 `wait_over` where nothing is offered, `offer_over` after its
    deadline, `consent_needed` as when booking."""

    http_method_names = ["post", "options"]

    def post(self, request, pk):
        row = self.get_object()
        self.may_act_for(row.patient_id)
        booked = waitlist.accept(entry_id=row.pk, by=request.user, now=clock.deciding())
        shown = Appointment.objects.select_related(*SHOWN).get(pk=booked.pk)
        return Response(AppointmentOut(shown, context={"now": clock.now(), "request": request}).data)
