"""PUT /api/v1/integration/patients/{number}/: their patients in."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from hospital import clock
from hospital.api.authentication import INTEGRATE
from hospital.api.endpoint import Endpoint

from . import persons, shapes
from .records import Result

NUMBER = OpenApiParameter(
    "number",
    {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[^\x00-\x20\x7f/]{1,64}$"},
    OpenApiParameter.PATH,
    description="The other system's own number; never the number of a document.",
)


class IntegratedPatient(Endpoint):
    """Whose number it is says the token. 201 new, 200 known; repeating a message changes nothing."""

    scopes = INTEGRATE

    @extend_schema(
        operation_id="putPatient",
        tags=["integration"],
        summary="Create or bring up to date a patient 患者",
        parameters=[NUMBER],
        request=shapes.PatientIn,
        responses={200: shapes.PatientResult, 201: shapes.PatientResult},
    )
    def put(self, request, number: str):
        shape = shapes.PatientIn(data=request.data)
        shape.is_valid(raise_exception=True)
        caller = request.auth
        done = persons.upsert(
            system=caller.system, number=number, said=said(shape.validated_data), by=caller.user, now=clock.now()
        )
        return Response(answer(number, done), status=201 if done.result == Result.CREATED else 200)


def said(fields: dict) -> persons.Said:
    documents = tuple((each["kind"], each["number"]) for each in fields["documents"])
    lists = {name: tuple(fields[name]) for name in ("allergies", "problems") if name in fields}
    return persons.Said(**{**fields, "documents": documents, **lists})


def answer(number: str, done: persons.Upserted) -> dict:
    patient = done.patient
    return {
        "number": number,
        "patient": patient.pk,
        "medical_number": patient.medical_number,
        "result": done.result.value,
    }
