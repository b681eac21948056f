"""转诊 for programs: list, read, draft, change, send, answer, withdraw. Another institution's is not found."""

from datetime import datetime

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.response import Response

from appointments.api.appointments import KEY
from appointments.errors import NoSuchPatient
from appointments.models import Appointment
from appointments.services.booking import fingerprint
from hospital import audit, clock
from hospital.api import plain, rates
from hospital.api.authentication import REFER
from hospital.api.endpoint import DetailEndpoint, ListEndpoint
from hospital.api.errors import Invalid
from hospital.api.filters import FromDay, ToDay
from hospital.models import Organization, Patient
from referrals.errors import NumberOfAnother
from referrals.models import Referral
from referrals.policies.moves import Act
from referrals.selectors import known
from referrals.services import real_person, sending_up, writing
from referrals.services.once import once

from .rows import in_full, may, own, places
from .shapes import AnswerIn, ChangeIn, DossierOut, DraftIn, ReferralOut, SendIn, WithdrawIn

BOXES = (("sent", "sent"), ("received", "received"))


class ReferralFilter(filters.FilterSet):
    box = filters.ChoiceFilter(method="by_side", choices=BOXES, label="What your institution sent, or received.")
    direction = filters.ChoiceFilter(choices=Referral.Direction.choices, label="上转 or 下转.")
    status = filters.MultipleChoiceFilter(choices=Referral.Status.choices, label="One or several.")
    created_from = FromDay("created_at", label="First day on which it was begun.")
    created_to = ToDay("created_at", label="Last such day, included.")

    def by_side(self, rows, name, box):
        side = "origin" if box == "sent" else "receiver"
        return rows.filter(**{side: self.request.auth.organization_id})


class ReferralRows:
    scopes = REFER
    queryset = Referral.objects.none()

    def get_queryset(self):
        return own(self.request.auth)

    def answer(self, pk: int, *, status: int = 200) -> Response:
        """As it stands now, in full."""
        row = in_full(own(self.request.auth)).get(pk=pk)
        return Response(DossierOut(row, context={"request": self.request}).data, status=status)

    def once(self, request, *asked, act) -> tuple[Referral, bool]:
        """Under the request's key. `asked`: what it is about, so that the key serves nothing else."""
        key = plain.request_key(request._request)
        rates.spend(request.auth)
        body = fingerprint("referral", request.auth.organization_id, *asked)
        return once(by=request.user, request_key=key, body=body, now=clock.now(), act=act)


def sorted_words(said: dict) -> str:
    """The same body is the same text, in whatever order its fields came."""
    return repr(sorted((name, str(value)) for name, value in said.items()))


@extend_schema_view(
    get=extend_schema(operation_id="listReferrals", tags=["referrals"], summary="Referrals 转诊"),
    post=extend_schema(
        operation_id="draftReferral",
        tags=["referrals"],
        summary="Begin a referral 起草上转",
        parameters=[KEY],
        request=DraftIn,
        responses={201: DossierOut, 200: DossierOut},
    ),
)
class Referrals(ReferralRows, ListEndpoint):
    """What the token's institution sent and received, the latest first. A draft is seen by nobody else until it is
    sent. Repeated with its key, the answer is 200."""

    serializer_class = ReferralOut
    filterset_class = ReferralFilter
    order = ("-created_at", "-id")
    also_answers = {"POST": {404}}  # of a patient whom the institution does not know

    def post(self, request):
        said = self.read(request, DraftIn)
        row, before = self.once(
            request, "draft", sorted_words(said), act=lambda: _draft(request, said, now=clock.now())
        )
        return self.answer(row.pk, status=200 if before else 201)


def _draft(request, said: dict, *, now: datetime) -> Referral:
    caller = request.auth
    written = places(said, origin=caller.organization_id)
    return writing.draft(
        patient=_patient(request, said, now=now), origin=Organization.objects.get(pk=caller.organization_id),
        receiver=written["department"].organization, direction=Referral.Direction.UP, by=caller.user, now=now,
        **written,
    )  # fmt: skip


def _patient(request, said: dict, *, now: datetime) -> Patient:
    """Raises NoSuchPatient, and what registering raises."""
    caller = request.auth
    if "person" in said:
        person = {**said["person"], "document": tuple(said["person"]["document"].values())}
        return real_person.found_or_registered(**person, by=caller.user, now=now)
    found = known.active(said["patient"])
    if found is None or not known.knows(caller.organization_id, found.pk, system=caller.system):
        raise NoSuchPatient()
    return found


@extend_schema_view(
    get=extend_schema(operation_id="getReferral", tags=["referrals"], summary="One referral in full"),
    patch=extend_schema(
        operation_id="changeReferral",
        tags=["referrals"],
        summary="Change a draft 修改草稿",
        request=ChangeIn,
        responses={200: DossierOut},
    ),
)
class OneReferral(ReferralRows, DetailEndpoint):
    """Dossier, trail, attachments and, of one down, the plan; reading leaves a trace. What was sent is never changed:
    409 `referral_not_their_turn`."""

    serializer_class = DossierOut
    http_method_names = ["get", "head", "patch", "options"]

    def get_queryset(self):
        return in_full(super().get_queryset())

    def get(self, request, *args, **kwargs):
        answer = super().get(request, *args, **kwargs)
        pk = answer.data["id"]
        audit.record(
            action="referral.read", actor=request.user, now=clock.now(), subject=f"referral:{pk}",
            patient=Patient(pk=answer.data["patient"]["id"]), detail={"token": request.auth.organization_id},
        )  # fmt: skip
        return answer

    def patch(self, request, pk):
        said, row = self.read(request, ChangeIn), self.get_object()
        may(row, Act.SEND, request.auth)
        rates.spend(request.auth)
        written = places(said, origin=row.origin_id, department=row.department)
        if "department" in written:
            written = {"role": None, "team": None, **written, "receiver": written["department"].organization}
        writing.change(referral=row, now=clock.now(), **written)
        return self.answer(row.pk)


class Verb(ReferralRows, DetailEndpoint):
    """POST of one act on one referral, done once however often it is sent with its key."""

    serializer_class = DossierOut
    http_method_names = ["post", "options"]
    asks: type
    act: Act

    def post(self, request, pk):
        said, row = self.read(request, self.asks), self.get_object()

        def act() -> Referral:
            may(row, self.act, request.auth)
            return self.done(row, said, by=request.user, now=clock.now())

        self.once(request, self.act, row.pk, sorted_words(said), act=act)
        return self.answer(row.pk)

    def done(self, row: Referral, said: dict, *, by, now: datetime) -> Referral:
        raise NotImplementedError


def verb(operation: str, summary: str, asks: type):
    return extend_schema_view(
        post=extend_schema(
            operation_id=operation, tags=["referrals"], summary=summary, parameters=[KEY], request=asks,
            responses={200: DossierOut},
        )
    )  # fmt: skip


@verb("sendReferral", "Send 发出", SendIn)
class Send(Verb):
    """From here the hospital's clock runs. 409 `referral_incomplete` names in `message` what is missing,
    `already_referred` the other referral that is on its way (`referred_elsewhere`: another institution's);
    `agreement_ended`, `referral_receiver_closed`, `child_cannot_consent`. 422 names `consenter` where a guardian agreed
    and nobody says who. With `appointment` all of it happens or nothing."""

    asks, act = SendIn, Act.SEND

    def done(self, row, said, *, by, now):
        wanted, who = said.get("appointment"), said["consenter"]
        if row.consent == Referral.Consent.GUARDIAN and not who:
            raise Invalid({"consenter": [_("请写明是谁同意的：姓名和关系。")]})
        if wanted is None:
            return writing.send(referral=row, by=by, consenter=who, now=now)
        mine = Appointment.objects.filter(partner=row.origin_id, patient=row.patient_id, pk=wanted)
        number = mine.select_related("schedule", "slot").first()
        if number is None:
            raise NumberOfAnother()
        return sending_up.send_with_number(
            referral=row, appointment=number, by=by, consenter=who, now=now, decided=clock.deciding()
        )


@verb("answerReferral", "Answer what was asked back 补充", AnswerIn)
class Answer(Verb):
    """Only while the hospital asks (`asked`); its clock then runs anew. Files come as attachments."""

    asks, act = AnswerIn, Act.ANSWER

    def done(self, row, said, *, by, now):
        return writing.answer(referral=row, text=said["text"], by=by, now=now)


@verb("withdrawReferral", "Withdraw 撤回", WithdrawIn)
class Withdraw(Verb):
    """Before the patient came. A number stays the patient's own: cancel it under appointments/ if nobody comes."""

    asks, act = WithdrawIn, Act.WITHDRAW

    def done(self, row, said, *, by, now):
        return writing.withdraw(referral=row, reason=said["reason"], by=by, now=now)
