"""The hot endpoint: a program books a number in two queries (booking.md). A plain view with msgspec, no serializer."""

from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from appointments.errors import NoSuchPatient, SoldOut
from appointments.models import Appointment
from appointments.selectors import schedules, soldout
from appointments.services import booking
from appointments.services.sql import Outcome
from hospital import clock, tokens
from hospital.errors import Refused

LONGEST_KEY = 80


class BookingRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A patient, and a number or a slice's start (ISO 8601 with offset); neither: the lowest that fits."""

    patient: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=2**15 - 1)] | None = None
    start: datetime | None = None


class MalformedRequest(Refused):
    """What was sent is not what the document describes; names the field."""

    code = "malformed"
    status = 422
    message = "%(problem)s"
    next_step = "POST {patient, number | start}, Idempotency-Key"


_decoder = msgspec.json.Decoder(BookingRequest)
_encoder = msgspec.json.Encoder()


@csrf_exempt  # no cookie is read here: the token is the only credential
@require_POST
def book(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Hold one number of a schedule. 201 new, 200 repeated, 409 {code, message, next}, 422 by field, 401, 404, 503.

    The channel and the account come from the token, never from the body; `Idempotency-Key` is required.
    """
    key, asked = _read(request)
    now = clock.now()
    token = tokens.bearer(request.headers.get("Authorization", ""), patient_id=asked.patient, now=now)
    if token is None:
        return _unauthorized()
    if not token.may_book_patient:
        raise NoSuchPatient()
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


def _read(request: HttpRequest) -> tuple[str, BookingRequest]:
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= LONGEST_KEY:
        raise MalformedRequest(problem=_("请求头 Idempotency-Key 必填，最多80个字符。"))
    try:
        asked = _decoder.decode(request.body)
    except (msgspec.ValidationError, msgspec.DecodeError) as problem:
        raise MalformedRequest(problem=str(problem)) from None
    if asked.start is not None and asked.start.tzinfo is None:
        raise MalformedRequest(problem=_("start 必须带时区，例如 2026-12-21T08:30:00+08:00。"))
    if asked.number is not None and asked.start is not None:
        raise MalformedRequest(problem=_("number 和 start 只填一个。"))
    return key, asked


def _unauthorized() -> HttpResponse:
    body = {"code": "unauthorized", "message": _("令牌无效或已过期。"), "next": _("请换用有效的令牌。")}
    return JsonResponse(body, status=401, headers={"WWW-Authenticate": "Bearer"})


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
    return HttpResponse(
        _encoder.encode(body), content_type="application/json", status=200 if outcome.code == "replayed" else 201
    )
