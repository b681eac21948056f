"""The hot endpoints in the document. They are plain views, which the framework's reading does not see: here each has a
view that is never called and only says what the plain one takes and gives. Shapes come from the very msgspec classes.
"""

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from hospital.api.authentication import BOOK, READ
from hospital.api.endpoint import Endpoint

from .appointments import KEY
from .shapes import (
    Availability,
    Booked,
    BookingRequest,
    CancelRequest,
    ConfirmRequest,
    RescheduleRequest,
    Slices,
    WaitRequest,
)

SHAPES = (Availability, Booked, BookingRequest, CancelRequest, ConfirmRequest, RescheduleRequest, Slices, WaitRequest)
NEEDED = (BookingRequest, RescheduleRequest, WaitRequest)  # the other bodies may be left out
COMPONENT = "#/components/schemas/{name}"
DAY = {"type": "string", "format": "date"}
HELD = {
    "appointment": 17,
    "status": "pending",
    "number": 3,
    "start": "2026-12-21T08:30:00+08:00",
    "minutes": 10,
    "hold_until": "2026-11-23T10:15:00+08:00",
    "fee": "20.00",
}


def schema_of(shape: type) -> dict:
    return {"$ref": COMPONENT.format(name=shape.__name__)}


def place(name: str, words: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "integer"}, OpenApiParameter.PATH, description=words)


class Hot(Endpoint):
    serializer_class = None


class Book(Hot):
    scopes = BOOK

    @extend_schema(
        operation_id="bookAppointment",
        tags=["bookings"],
        summary="Hold a number 锁号",
        parameters=[KEY, place("schedule_id", "Schedule's id.")],
        request={"application/json": schema_of(BookingRequest)},
        responses={
            201: OpenApiResponse(schema_of(Booked), "A number is held until `hold_until`: confirm it before that."),
            200: OpenApiResponse(schema_of(Booked), "The same key again: the same answer, nothing done."),
        },
        examples=[
            OpenApiExample("The lowest number that fits", value={"patient": 4}, request_only=True),
            OpenApiExample("A slice", value={"patient": 4, "start": "2026-12-21T08:30:00+08:00"}, request_only=True),
            OpenApiExample("One number", value={"patient": 4, "number": 3}, request_only=True),
            OpenApiExample("A hold", value=HELD, response_only=True, status_codes=["200", "201"]),
        ],
    )
    def post(self, request, schedule_id):
        """For a patient of the account (a token that books anyone: for every patient). The channel is the token's."""


class DepartmentAvailability(Hot):
    scopes = READ
    takes_parameters = True

    @extend_schema(
        operation_id="getAvailability",
        tags=["numbers"],
        summary="What a department has left 余号",
        parameters=[
            place("department_id", "Department's id."),
            OpenApiParameter("from", DAY, description="First day; today."),
            OpenApiParameter("to", DAY, description="Last day, included; six days later. At most 100 days in all."),
        ],
        responses={200: schema_of(Availability)},
    )
    def get(self, request, department_id):
        """Per schedule what this token's channel could take now, and when more opens to it: what booking would find."""


class ScheduleSlices(Hot):
    scopes = READ
    takes_parameters = True

    @extend_schema(
        operation_id="getSlices",
        tags=["numbers"],
        summary="A schedule's slices 时段",
        parameters=[place("schedule_id", "Schedule's id.")],
        responses={200: schema_of(Slices)},
    )
    def get(self, request, schedule_id):
        """Segments of at most 30 minutes with what is left of each; a slice's `start` is what booking takes."""


HOT = [
    ("/api/v1/departments/{department_id}/availability/", "GET", DepartmentAvailability),
    ("/api/v1/schedules/{schedule_id}/slices/", "GET", ScheduleSlices),
    ("/api/v1/schedules/{schedule_id}/appointments/", "POST", Book),
]


def add_hot(endpoints, **_kwargs):
    return [*endpoints, *((path, path, method, view.as_view()) for path, method, view in HOT)]


def add_components(result, generator, request, public):
    _refs, components = msgspec.json.schema_components(SHAPES, ref_template=COMPONENT)
    result["components"]["schemas"] |= components
    for methods in result["paths"].values():
        body = methods.get("post", {}).get("requestBody", {})
        sent = body.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        if sent in {schema_of(each)["$ref"] for each in NEEDED}:
            body["required"] = True
    return result
