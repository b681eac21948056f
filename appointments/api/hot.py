"""The hot endpoints: a program books a number in two queries (booking.md). Plain views with msgspec, no serializer."""

from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from appointments.errors import NoSuchNumber, NoSuchPatient, SoldOut
from appointments.models import Appointment
from appointments.selectors import schedules, soldout
from appointments.services import booking
from appointments.services.sql import Outcome
from hospital import clock
from hospital.api import plain
from hospital.api.authentication import BOOK
from hospital.api.errors import Invalid


class BookingRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A patient, and a number or a slice's start (ISO 8601 with offset); neither: the lowest that fits."""

    patient: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=2**15 - 1)] | None = None
    start: datetime | None = None


_decoder = msgspec.json.Decoder(BookingRequest)


def book(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Hold one number of a schedule. 201 new, 200 repeated, 409 {code, message, next}, 422 by field, 401, 404, 503.

    The channel and the account come from the token, never from the body; `Idempotency-Key` is required.
    """
    plain.header(request)
    key, asked = plain.request_key(request), _read(request)
    token = plain.caller(request, scopes=BOOK, patient_id=asked.patient)
    if not token.may_book_patient:
        raise NoSuchPatient()
    if schedule_id > plain.LARGEST:
        raise NoSuchNumber()
    now = clock.now()
    if soldout.just_now(schedule_id, token.channel, now=now) and not booking.key_is_known(token.user, key):
        raise SoldOut()  # but never to a winner who asks again
    try:
        outcome = booking.give_number(
            schedule=schedules.known(schedule_id),
            patient_id=asked.patient,
            channel=token.channel,
            by=token.user,
            request_key=key,
            number=asked.number,
            start=asked.start,
            now=clock.deciding(),
        )
    except SoldOut:
        if asked.number is None and asked.start is None:
            soldout.remember(schedule_id, token.channel, now=now)
        raise
    return _answer(outcome)


def _read(request: HttpRequest) -> BookingRequest:
    asked = plain.body(request, _decoder)
    if asked.start is not None and asked.start.tzinfo is None:
        raise Invalid({"start": [_("start 必须带时区，例如 2026-12-21T08:30:00+08:00。")]})
    if asked.number is not None and asked.start is not None:
        raise Invalid({"number": [_("number 和 start 只填一个。")]})
    return asked


def _answer(outcome: Outcome) -> HttpResponse:
    if outcome.code == "replayed":
        row = Appointment.objects.select_related("slot").get(pk=outcome.appointment)
        status, slot = row.status, row.slot
        number, start, minutes, hold, fee = slot.number, slot.start, slot.minutes, slot.hold_until, row.fee
    else:
        status, number, start, minutes = "pending", outcome.number, outcome.start, outcome.minutes
        hold, fee = outcome.hold_until, outcome.fee
    body = {
        "appointment": outcome.appointment,
        "status": status,
        "number": number,
        "start": start.astimezone(clock.ZONE),
        "minutes": minutes,
        "hold_until": hold and hold.astimezone(clock.ZONE),
        "fee": str(fee),
    }
    return plain.answered(body, status=200 if outcome.code == "replayed" else 201)


schedule_appointments = plain.endpoint(post=book)
