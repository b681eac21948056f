"""代约, with a patient open: ask who it is, find a place and a slice, book, cancel, move. One screen.

The address holds the signed call (call.py); everything that is looked at is filtered by the seat's scope.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from appointments.forms.desk import CancelForm
from appointments.forms.phone import BookForm, LookForm
from appointments.models import Appointment, PatientSuspension, Schedule
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.selectors import operator as selectors
from appointments.selectors import rules
from appointments.selectors.bookings import slice_of
from appointments.services import booking, changes, walkin
from appointments.views.to_pay import after_a_move, at_the_desk
from hospital import audit, clock, masking
from hospital.errors import Refused
from hospital.models import Patient

from .call import Call, patient_of, read_call
from .seat import Seat, seat_required

JUMPS = ((7, _lazy("1 周")), (14, _lazy("2 周")), (30, _lazy("1 个月")), (84, _lazy("12 周")))
"""Days after today at which a discharged patient is seen again (B5)."""


@dataclass(frozen=True)
class Page:
    """Everything a request with an open patient stands on."""

    request: HttpRequest
    seat: Seat
    text: str
    call: Call
    patient: Patient
    now: datetime

    @property
    def scope(self) -> selectors.Scope:
        if not hasattr(self.request, "_scope"):
            self.request._scope = self.seat.scope(patient_id=self.patient.pk, now=self.now)
        return self.request._scope

    def address(self, **said) -> str:
        said = {name: value for name, value in said.items() if value}
        here = reverse("appointments:operator_call", args=[self.text])
        return f"{here}?{urlencode(said)}" if said else here

    def booking(self, pk: int | None) -> Appointment:
        """One of the patient's own that this seat may see, else 404."""
        return get_object_or_404(self.scope.bookings(), pk=pk)


def _open(request: HttpRequest, seat: Seat, text: str, *, identified: bool = True) -> Page:
    """Acts need an identified caller; the page itself asks for it."""
    call = read_call(request, seat, text)
    if identified and not call.identified:
        raise Http404
    return Page(request, seat, text, call, patient_of(call), clock.now())


@require_safe
@never_cache
@seat_required
def call(request: HttpRequest, seat: Seat, text: str):
    """来电人: masked until identified; then places, days, slices, and what is booked already."""
    page = _open(request, seat, text, identified=False)
    documents = list(page.patient.identifiers.order_by("pk"))
    context = {"seat": seat, "call": text, "patient": page.patient, "documents": documents}
    context |= {"masked": masking.name(page.patient.name), "phone": masking.phone(page.patient.phone)}
    if not page.call.identified:
        return render(request, "phone/ask.html", context)
    audit.saw_patient(patient=page.patient, actor=request.user, where=seat.channel, now=page.now, request=request)
    form = LookForm(request.GET)
    if bool(request.htmx) and request.htmx.target == "places":
        return render(request, "phone/_places.html", context | _places(page, form))
    return render(request, "phone/call.html", context | _whole(page, form))


def _whole(page: Page, form: LookForm) -> dict:
    moving = page.booking(form.said("move")) if form.said("move") else None
    context = {"moving": moving, "today": page.scope.today, "over": page.scope.over, **_places(page, form)}
    context |= {"lines": [_line(page, row) for row in selectors.coming(page.scope)], "suspension": _suspension(page)}
    context |= _done(page, form.said("done"))
    place = _place(page, form, context["places"], moving)
    if place:
        context |= _looked(page, form, place, moving)
    return context


def _places(page: Page, form: LookForm) -> dict:
    """By what was typed; before anything is typed what is likely."""
    text = form.said("q") or ""
    wanted = text.lstrip("/ ")  # the key of the box, pressed while it had the focus already
    found = selectors.places(page.scope, wanted) if wanted else _likely(page)
    return {"q": text, "places": found, "call": page.text, "move": form.said("move")}


def _likely(page: Page) -> list[selectors.Place]:
    return selectors.likely(page.scope, own=page.seat.own(page.request.user))


def _place(page: Page, form: LookForm, places: list, moving: Appointment | None) -> selectors.Place | None:
    """The chosen one; where the booking is that moves; else the likeliest, so that the next key is a time."""
    if chosen := form.place:
        return selectors.place_at(page.scope, *chosen)
    if moving:
        return selectors.place_of_schedule(page.scope, moving.schedule)
    return places[0] if places and not form.said("q") and not form.said("done") else None


def _looked(page: Page, form: LookForm, place: selectors.Place, moving: Appointment | None) -> dict:
    scope = page.scope
    ahead = JUMPS[0][0] if page.seat.channel == Channel.WARD else 0
    strip = selectors.strip(
        scope, place, since=form.said("since"), day=form.said("day"), target=scope.today + timedelta(days=ahead)
    )
    sittings = selectors.sittings(scope, place, day=strip.chosen) if strip.chosen else []
    keep = {"at": place.key, "move": moving.pk if moving else None}
    return {
        "place": place,
        "strip": strip,
        "sittings": sittings,
        "here": page.address(**keep),
        "base": urlencode({name: value for name, value in keep.items() if value}),
        "jumps": _jumps(page) if page.seat.channel == Channel.WARD else [],
        "chosen": _chosen(page, form, sittings),
        "request_key": uuid4(),
    }


def _jumps(page: Page) -> list[dict]:
    today = page.scope.today
    days = [(today + timedelta(days=days), words) for days, words in JUMPS]
    return [{"since": day, "words": words} for day, words in days if day <= page.scope.last_day]


def _chosen(page: Page, form: LookForm, sittings: list[selectors.Sitting]) -> dict | None:
    """The slice to be confirmed, if it still has a number."""
    wanted = form.slice
    for sitting in sittings:
        for each in sitting.slices:
            if wanted and each.schedule == wanted.schedule and each.start == wanted.start:
                return {"slice": each, "sitting": sitting}
    return None


def _line(page: Page, row: Appointment) -> dict:
    rule = rules.booking_rule_for(row.schedule, day=page.scope.today)
    refusal = policy.refusal_to_cancel(row, channel=page.seat.channel, rule=rule, now=page.now)
    return {
        "row": row,
        "refusal": refusal,
        "request_key": uuid4(),
        "slice": slice_of(row, minutes=rule.segment_minutes),
    }


def _suspension(page: Page) -> PatientSuspension | None:
    rows = PatientSuspension.objects.filter(
        patient=page.patient, lifted_at=None, starts_at__lte=page.now, ends_at__gt=page.now
    )
    return rows.order_by("-ends_at").first()


def _done(page: Page, pk: int | None) -> dict:
    """回执: what to read to the caller."""
    row = page.scope.bookings().filter(pk=pk).first() if pk else None
    if row is None:
        return {}
    rule = rules.booking_rule_for(row.schedule, day=page.scope.today)
    cancel_by = policy.cancel_deadline(row.day, rule)
    seconds = round((row.confirmed_at - row.opened_at).total_seconds()) if row.opened_at and row.confirmed_at else None
    return {
        "done": row,
        "done_slice": slice_of(row, minutes=rule.segment_minutes),
        "cancel_by": cancel_by,
        "too_late": page.now > cancel_by,
        "seconds": seconds,
    }


@require_POST
@seat_required
def identify(request: HttpRequest, seat: Seat, text: str):
    """核对身份: name and last four were asked and are right. Leaves a trace; the page opens fully from here on."""
    page = _open(request, seat, text, identified=False)
    audit.record(
        action="patient.identified",
        actor=request.user,
        patient=page.patient,
        detail={"channel": seat.channel},
        now=page.now,
        request=request,
    )
    return redirect("appointments:operator_call", page.call.answered().sign(request, seat))


@require_POST
@seat_required
def book(request: HttpRequest, seat: Seat, text: str):
    """约号 or 改约, confirmed at once; a double click is one. A refusal stands above fresh times."""
    page = _open(request, seat, text)
    form = BookForm(request.POST)
    if not form.is_valid():
        return redirect(page.address())
    said = form.cleaned_data
    schedule = selectors.sitting_at(page.scope, said["slot"].schedule)
    if schedule is None:
        raise Http404
    moving = page.booking(said["move"]) if said["move"] else None
    fee = moving.fee if moving else None
    try:
        row = _give(page, schedule, moving, said)
    except Refused as refusal:
        return _refused(page, refusal, schedule, moving)
    if row.status == Appointment.Status.PENDING and (
        to_pay := at_the_desk(request, booking=row.pk, back=page.address())
    ):
        return to_pay
    if moving and (difference := after_a_move(row, fee=fee)):
        messages.success(request, difference)
    return redirect(page.address(done=row.pk))


def _give(page: Page, schedule: Schedule, moving: Appointment | None, said: dict) -> Appointment:
    asked = {
        "schedule": schedule,
        "start": said["slot"].start,
        "channel": page.seat.channel,
        "by": page.request.user,
        "partner": page.scope.partner_id,
        "request_key": str(said["request_key"]),
        "now": clock.deciding(),
    }
    if moving:
        return booking.reschedule(appointment=moving, **asked)
    return booking.book(
        patient=page.patient,
        visit_type=walkin.visit_type(page.patient, schedule),
        opened_at=page.call.opened_at,
        confirmed=True,
        **asked,
    )


def _refused(page: Page, refusal: Refused, schedule: Schedule, moving: Appointment | None):
    """The same page with the sentence and the times as they are now."""
    look = {"day": schedule.day.isoformat(), "at": page.request.POST.get("at", "")}
    form = LookForm(look | ({"move": moving.pk} if moving else {}))
    documents = list(page.patient.identifiers.order_by("pk"))
    context = {"seat": page.seat, "call": page.text, "patient": page.patient, "documents": documents}
    context |= {"phone": masking.phone(page.patient.phone), "refusal": refusal, **_whole(page, form)}
    response = render(page.request, "phone/call.html", context, status=refusal.status)
    if page.request.htmx:
        response["HX-Retarget"] = "body"
    return response


@require_POST
@seat_required
def cancel(request: HttpRequest, seat: Seat, text: str, pk: int):
    page = _open(request, seat, text)
    row = page.booking(pk)
    form = CancelForm(request.POST)
    if form.is_valid():
        changes.cancel(
            appointment=row,
            by=request.user,
            channel=seat.channel,
            reason=form.cleaned_data["reason"],
            request_key=str(form.cleaned_data["request_key"]),
            now=clock.deciding(),
        )
        messages.success(request, _("已退号，号已放回。"))
    return redirect(page.address())
