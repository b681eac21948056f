"""The hot endpoints: a program books a number in two queries (booking.md). Plain views with msgspec, no serializer."""

from datetime import date, datetime, timedelta

import msgspec
from django.http import HttpRequest, HttpResponse

from appointments.errors import NoSuchNumber, NoSuchPatient, SoldOut
from appointments.models import Appointment
from appointments.models.schedule import session_half
from appointments.selectors import offers, reserved, rules, schedules, soldout
from appointments.services import booking
from appointments.services.sql import Outcome
from hospital import clock
from hospital.api import plain, rates
from hospital.api.authentication import BOOK, READ
from hospital.api.errors import ConsentNeeded, Invalid, NothingHere
from hospital.models import Department
from hospital.tokens import Caller

from .shapes import YEARS, Availability, Booked, BookingRequest, DoctorRef, Offer, SliceOut, Slices, TeamRef

LONGEST = 100  # days that one question may span: the longest horizon is 92 (rules.md)
USUAL = 7  # days, when `to` is not said: the public's horizon
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
    rates.spend(token)
    if token.lacks_consent:
        raise ConsentNeeded()
    if schedule_id > plain.LARGEST:
        raise NoSuchNumber()
    now = clock.now()
    buyer = _buyer(token, asked.patient, now=now)
    if soldout.just_now(schedule_id, buyer, now=now) and not booking.key_is_known(token.user, key):
        raise SoldOut()  # but never to a winner who asks again
    try:
        outcome = booking.give_number(
            schedule=schedules.known(schedule_id),
            patient_id=asked.patient,
            channel=token.channel,
            partner=token.partner_id,
            by=token.user,
            request_key=key,
            number=asked.number,
            start=asked.start,
            now=clock.deciding(),
        )
    except SoldOut:
        if asked.number is None and asked.start is None:
            soldout.remember(schedule_id, buyer, now=now)
        raise
    return _answer(outcome)


def _buyer(token: Caller, patient_id: int, *, now: datetime) -> str:
    """Who shares pools, and so what is sold out: a lower institution's signed residents have more of them (R6)."""
    if token.partner_id is None:
        return token.channel
    signed = reserved.is_signed(patient_id, partner_id=token.partner_id, day=clock.today(now))
    return f"{token.channel}:{token.partner_id}:{'signed' if signed else ''}"


def _read(request: HttpRequest) -> BookingRequest:
    asked = plain.body(request, _decoder)
    asked.check()
    return asked


def _answer(outcome: Outcome) -> HttpResponse:
    if outcome.code == "replayed":
        row = Appointment.objects.select_related("slot").get(pk=outcome.appointment)
        status, slot = row.status, row.slot
        number, start, minutes, hold, fee = slot.number, slot.start, slot.minutes, slot.hold_until, row.fee
    else:
        status, number, start, minutes = "pending", outcome.number, outcome.start, outcome.minutes
        hold, fee = outcome.hold_until, outcome.fee
    body = Booked(
        appointment=outcome.appointment,
        status=status,
        number=number,
        start=start.astimezone(clock.ZONE),
        minutes=minutes,
        hold_until=hold and hold.astimezone(clock.ZONE),
        fee=str(fee),
    )
    return plain.answered(body, status=200 if outcome.code == "replayed" else 201)


def availability(request: HttpRequest, department_id: int) -> HttpResponse:
    """Per schedule of a department what is left for the token's channel, and when more opens. Three queries."""
    token = plain.caller(request, scopes=READ)
    now = clock.now()
    first, last = _days(request.GET, today=clock.today(now))
    organization_id = _organization_of(department_id)
    found = offers.of_department(
        department_id,
        organization_id=organization_id,
        first=first,
        last=last,
        channel=token.channel,
        partner_id=token.partner_id,
        now=now,
    )
    return plain.answered(
        Availability(department=department_id, first=first, last=last, schedules=[_offer(each) for each in found])
    )


def slices(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """A schedule's slices with what is left of each for the token's channel. Three queries."""
    token = plain.caller(request, scopes=READ)
    plain.refuse_parameters_but(request.GET, known=())
    if schedule_id > plain.LARGEST:
        raise NoSuchNumber()
    schedule, now = schedules.known(schedule_id), clock.now()
    mine = {"channel": token.channel, "partner_id": token.partner_id}
    found = offers.of_schedules([schedule_id], organizations=[schedule.organization_id], **mine, now=now)
    if schedule_id not in found:
        raise NoSuchNumber()
    offer = found[schedule_id]
    minutes = rules.booking_rule_for(schedule, day=clock.today(now)).segment_minutes
    parts = offers.slices_of(offer, **mine, minutes=minutes, now=now)
    return plain.answered(Slices(offer=_offer(offer), slices=[_slice(each) for each in parts]))


def _days(parameters, *, today: date) -> tuple[date, date]:
    """`from` and `to`, both included. Raises Invalid."""
    plain.refuse_parameters_but(parameters, known=("from", "to"))
    first = _day(parameters, "from", today)
    last = _day(parameters, "to", first + timedelta(days=USUAL - 1))
    if not timedelta(0) <= last - first < timedelta(days=LONGEST):
        raise Invalid({"to": [f"from … from + {LONGEST - 1} days"]})
    return first, last


def _day(parameters, name: str, otherwise: date) -> date:
    said = parameters.get(name)
    if said is None:
        return otherwise
    try:
        day = msgspec.convert(said, date)
    except msgspec.ValidationError:
        day = None
    if day is None or day.year not in YEARS:
        raise Invalid({name: ["YYYY-MM-DD"]})
    return day


def _organization_of(department_id: int) -> int:
    """Whose rules hold. Raises NothingHere."""
    rows = Department.objects.filter(pk=department_id, active=True).values_list("organization_id", flat=True)
    found = rows.first() if department_id <= plain.LARGEST else None
    if found is None:
        raise NothingHere()
    return found


def _offer(offer: offers.Offer) -> Offer:
    return Offer(
        schedule=offer.schedule,
        day=offer.day,
        half=session_half(offer),
        starts_at=offer.starts_at.astimezone(clock.ZONE),
        ends_at=offer.ends_at.astimezone(clock.ZONE),
        doctor=DoctorRef(offer.role, offer.doctor, offer.title) if offer.role else None,
        team=TeamRef(offer.team, offer.team_name) if offer.team else None,
        service=offer.service,
        level=offer.level,
        fee=None if offer.fee is None else str(offer.fee),
        state=offer.state.value,
        left=offer.left,
        of=offer.of,
        opens_at=offer.opens_at and offer.opens_at.astimezone(clock.ZONE),
    )


def _slice(part: offers.Slice) -> SliceOut:
    start, end = part.start.astimezone(clock.ZONE), part.end.astimezone(clock.ZONE)
    return SliceOut(start=start, end=end, left=part.left, of=part.of, numbers=part.numbers)


schedule_appointments = plain.endpoint(post=book)
department_availability = plain.endpoint(get=availability)
schedule_slices = plain.endpoint(get=slices)
