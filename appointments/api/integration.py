"""PUT /api/v1/integration/visits/{number}/: their registrations and how far each visit is."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from appointments.models import Appointment, Encounter
from appointments.services import integration
from hospital import clock
from hospital.api.authentication import INTEGRATE
from hospital.api.endpoint import Endpoint
from hospital.integration.api import NUMBER
from hospital.integration.records import Result
from hospital.integration.shapes import Choice, Day, Moment, Strict, Text, Whole, YesNo

CODE = {"max_length": 20, "required": False, "allow_null": True}
TIME = {"required": False, "allow_null": True}


class VisitIn(Strict):
    """A visit as the other system has it. `doctor`, or `department` with `service`, unless `appointment` says which."""

    patient = Text(max_length=64, help_text="Their number of the patient, sent before.")
    status = Choice(choices=[(each.value, each.value) for each in integration.Theirs])
    day = Day(help_text="Of the visit, at the hospital.")
    changed_at = Moment(help_text="When it changed in their system. An older one never overwrites a newer one.")
    doctor = Text(help_text="工号.", **CODE)
    department = Text(help_text="Code.", **CODE)
    service = Text(help_text="号别 code.", **CODE)
    room = Text(help_text="Code of the room where the patient is seen.", **CODE)
    start = Moment(help_text="The time on their slip; a booking made for them takes a number of that time.", **TIME)
    appointment = Whole(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True, help_text="Ours, as told by the events."
    )
    document_seen = YesNo(default=False, help_text="Their window checked the document and the person.")
    arrived_at = Moment(**TIME)
    started_at = Moment(**TIME)
    finished_at = Moment(**TIME)


class VisitResult(serializers.Serializer):
    number = serializers.CharField(help_text="Theirs.")
    result = serializers.ChoiceField(
        ["created", "updated", "unchanged", "ignored"], help_text="ignored: older than what is known."
    )
    appointment = serializers.IntegerField(allow_null=True, help_text="Ours; null: it was over before we heard of it.")
    status = serializers.ChoiceField(Appointment.Status.choices, allow_null=True)
    visit_status = serializers.ChoiceField(Encounter.Status.choices, allow_null=True)
    schedule = serializers.IntegerField(allow_null=True)
    queue_number = serializers.IntegerField(allow_null=True, help_text="序号 on the slip.")
    start = serializers.DateTimeField(allow_null=True)


class IntegratedVisit(Endpoint):
    """Links a visit to the booking it means, or books it on the same inventory as channel counter, and moves it."""

    scopes = INTEGRATE

    @extend_schema(
        operation_id="putVisit",
        tags=["integration"],
        summary="Create or bring up to date a visit 就诊",
        parameters=[NUMBER],
        request=VisitIn,
        responses={200: VisitResult, 201: VisitResult},
    )
    def put(self, request, number: str):
        shape = VisitIn(data=request.data)
        shape.is_valid(raise_exception=True)
        caller = request.auth
        fields = {**shape.validated_data, "status": integration.Theirs(shape.validated_data["status"])}
        done = integration.upsert(
            organization_id=caller.organization_id,
            system=caller.system,
            number=number,
            said=integration.Said(**fields),
            by=caller.user,
            now=clock.deciding(),
        )
        return Response(answer(number, done), status=201 if done.result == Result.CREATED else 200)


def answer(number: str, done: integration.Upserted) -> dict:
    row = done.appointment
    encounter = getattr(row, "encounter", None) if row else None
    return {
        "number": number,
        "result": done.result.value,
        "appointment": row and row.pk,
        "status": row and row.status,
        "visit_status": encounter and encounter.status,
        "schedule": row and row.schedule_id,
        "queue_number": row and row.slot.number,
        "start": row and row.start.astimezone(clock.ZONE).isoformat(),
    }
