"""停诊后的选择: one decision, three answers (B13). Behind the link of the message without an account, and the same page
for the account, from "my bookings".

The key in the address is all that the link asks for, so the page shows a masked name and nothing else of the person, is
no search engine's, and is not kept by the browser. Guessing keys is limited per network address, answers per question.
"""

from datetime import timedelta
from uuid import uuid4

from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from appointments.forms.stops import AnswerForm
from appointments.models import Appointment, StopCase
from appointments.models.rules import Channel
from appointments.selectors.stops import elsewhere
from appointments.services import stops as service
from appointments.services.stops import cases
from hospital import clock, masking
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.models import User
from hospital.permissions import patient_required

from .bookings.reach import own_booking

Answer = StopCase.Answer

GUESSES = (20, 600)
"""Unknown keys a network address may ask for, per so many seconds."""

ANSWERS = (20, 600)

KEPT = timedelta(days=1)
"""So long after the visit the page still says what was answered; then the link is as unknown as any other."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("token")
def answer(request: HttpRequest, token: str):
    case = cases.by_token(token)
    if case is None or case.substitution.schedule.ends_at + KEPT < clock.now():
        rates.spend_of(f"stop.guess.{client_address(request)}", *GUESSES)
        return _quiet(render(request, "answer/unknown.html", status=404))
    return _quiet(_page(request, case, at=reverse("appointments:stop_answer", args=[token]), by=None))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@patient_required
def booking_answer(request: HttpRequest, pk: int):
    """The latest question about a booking of the account's people."""
    row = own_booking(request, pk)
    case = cases.related().filter(appointment=row).order_by("-pk").first()
    if case is None:
        raise Http404
    return _page(request, case, at=reverse("appointments:booking_answer", args=[pk]), by=request.user)


def _page(request: HttpRequest, case: StopCase, *, at: str, by: User | None):
    if request.method != "POST":
        return _show(request, case, at=at)
    rates.spend_of(f"stop.answer.{case.pk}", *ANSWERS)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, case, at=at, said=form.sentences, status=422)
    try:
        _answer(case, form, by=by)
    except Refused as refusal:
        return _show(request, cases.related().get(pk=case.pk), at=at, refusal=refusal)
    return redirect(at)


def _answer(case: StopCase, form: AnswerForm, *, by: User | None) -> None:
    said = form.cleaned_data
    key = f"stop:{case.pk}:{said['request_key']}" if said["request_key"] else None
    now = clock.deciding()
    if said["answer"] == Answer.ACCEPT:
        service.accept(case=case, by=by, now=now)
    elif said["answer"] == Answer.CANCEL:
        service.cancel(case=case, by=by, channel=Channel.WEB, request_key=key, now=now)
    else:
        schedule, number = form.place
        service.move(case=case, schedule=schedule, number=number, by=by, channel=Channel.WEB, request_key=key, now=now)


def _show(request: HttpRequest, case: StopCase, *, at: str, refusal: Refused | None = None, said=(), status: int = 200):
    now = clock.now()
    row, substitution = case.appointment, case.substitution
    here = row.status == Appointment.Status.BOOKED and row.schedule_id == substitution.schedule_id
    asks = case.answer == Answer.NONE and here and row.start > now
    context = {
        "case": case,
        "row": row,
        "substitute": substitution.substitute,
        "doctor": str(substitution.original.practitioner) if substitution.original_id else row.schedule.actor_name,
        "masked": masking.name(case.patient.name),
        "asks": asks,
        "late": case.deadline <= now,
        "here": here,
        "undone": here and not substitution.stands,
        "over": row.start <= now,
        "places": elsewhere.places_for(case, now=now) if asks else [],
        "request_key": uuid4(),
        "refusal": refusal,
        "said": said or (),
        "sure": request.GET.get("sure") == "1",
        "here_at": at,
    }
    response = render(request, "answer/answer.html", context, status=refusal.status if refusal else status)
    if response.status_code == 503:
        response["Retry-After"] = "1"
    return response


def _quiet(response):
    """No search engine, and no other site learns the address. (`no-referrer` would hide the origin of our own forms,
    which the check of their token asks for.)"""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response
