"""停诊后的选择: the patient's page behind the link of the message. No account, one decision, three answers (B13).

The key in the address is all that is asked for, so the page shows a masked name and nothing else of the person, takes
part in no search and is not kept by the browser. Guessing keys is limited per network address, answers per question.
"""

from datetime import timedelta
from uuid import uuid4

from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from appointments.forms.stops import AnswerForm
from appointments.models import StopCase
from appointments.models.rules import Channel
from appointments.selectors.stops import elsewhere
from appointments.services import stops as service
from appointments.services.stops import cases
from hospital import clock, masking
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused

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
    now = clock.now()
    if case is None or case.substitution.schedule.ends_at + KEPT < now:
        rates.spend_of(f"stop.guess.{client_address(request)}", *GUESSES)
        return _quiet(render(request, "answer/unknown.html", status=404))
    if request.method != "POST":
        return _show(request, token, case)
    rates.spend_of(f"stop.answer.{case.pk}", *ANSWERS)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, token, case, said=form.errors.get("slot"), status=422)
    try:
        _answer(case, form)
    except Refused as refusal:
        return _show(request, token, cases.by_token(token), refusal=refusal, form=form)
    return _quiet(redirect("appointments:stop_answer", token))


def _answer(case: StopCase, form: AnswerForm) -> None:
    said = form.cleaned_data
    key = f"stop:{case.pk}:{said['request_key']}" if said["request_key"] else None
    now = clock.deciding()
    if said["answer"] == Answer.ACCEPT:
        service.accept(case=case, by=None, now=now)
    elif said["answer"] == Answer.CANCEL:
        service.cancel(case=case, by=None, channel=Channel.WEB, request_key=key, now=now)
    else:
        schedule, number = form.place
        service.move(
            case=case, schedule=schedule, number=number, by=None, channel=Channel.WEB, request_key=key, now=now
        )


def _show(
    request: HttpRequest,
    token: str,
    case: StopCase,
    *,
    refusal: Refused | None = None,
    said=(),
    form: AnswerForm | None = None,
    status: int = 200,
):
    now = clock.now()
    row = case.appointment
    here = row.status == "booked" and row.schedule_id == case.substitution.schedule_id
    asks = case.answer == Answer.NONE and here and row.start > now
    asked_to_cancel = request.GET.get("sure") == "1"
    context = {
        "case": case,
        "row": row,
        "schedule": case.substitution.schedule,
        "substitute": case.substitution.substitute,
        "doctor": _doctor(case),
        "masked": masking.name(case.patient.name),
        "asks": asks,
        "late": case.deadline <= now,
        "here": here,
        "over": row.start <= now,
        "places": elsewhere.places_for(case, now=now) if asks else [],
        "chosen": form.cleaned_data.get("slot") if form else "",
        "request_key": uuid4(),
        "refusal": refusal,
        "said": said or (),
        "sure": asked_to_cancel,
        "token": token,
    }
    status = refusal.status if refusal else status
    response = render(request, "answer/answer.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "1"
    return _quiet(response)


def _doctor(case: StopCase) -> str:
    """Whom the person had booked."""
    original = case.substitution.original
    return str(original.practitioner) if original else case.substitution.schedule.actor_name


def _quiet(response):
    """No search engine, and no other site learns the address."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
