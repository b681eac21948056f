"""停机后的选择: one decision, three answers (E10). Behind the link of the message without an account, and the same page
for the account, from "my exams".

The key in the address is all that the link asks for, so the page shows a masked name and nothing else of the person, is
no search engine's, and is not kept by the browser. Guessing keys is limited per network address, answers per question.
"""

from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from appointments.models.rules import Channel
from appointments.views.answer import ANSWERS, GUESSES
from exams.errors import TimeTaken
from exams.forms.devices import AnswerForm
from exams.models import Device, DowntimeCase, ExamBooking
from exams.policies import devices as policy
from exams.policies import preparing
from exams.selectors import others
from exams.selectors.device_cases import answered_together, names_of
from exams.selectors.mine import as_coming, bookings_of
from exams.services import devices as service
from exams.services.devices import cases
from hospital import clock, masking
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.models import User
from hospital.permissions import patient_required

Answer = DowntimeCase.Answer

KEPT = timedelta(days=2)
"""So long after the exam's own time, or the offered one, the page still says what was answered."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("token")
def answer(request: HttpRequest, token: str) -> HttpResponse:
    case = cases.by_token(token)
    if case is None or _last(case) + KEPT < clock.now():
        rates.spend_of(f"exam.guess.{client_address(request)}", *GUESSES)
        return _quiet(render(request, "answer/unknown.html", status=404))
    return _quiet(_page(request, case, at=reverse("exams:case_answer", args=[token]), by=None))


def _last(case: DowntimeCase) -> datetime:
    return max([case.booking.during.upper, *([case.offer.during.upper] if case.offer else [])])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@patient_required
def booking_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The latest question about an exam of the account's people."""
    row = get_object_or_404(bookings_of(request.user), pk=pk)
    case = cases.related().filter(booking=row).order_by("-pk").first()
    if case is None:
        raise Http404
    return _page(request, case, at=reverse("exams:booking_answer", args=[pk]), by=request.user)


def _page(request: HttpRequest, case: DowntimeCase, *, at: str, by: User | None) -> HttpResponse:
    if request.method != "POST":
        return _show(request, case, at=at)
    rates.spend_of(f"exam.answer.{case.pk}", *ANSWERS)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, case, at=at, said=form.sentences, status=422)
    try:
        given(case, form, by=by, channel=Channel.WEB)
    except Refused as refusal:
        return _show(request, cases.related().get(pk=case.pk), at=at, refusal=refusal)
    return redirect(at)


def given(case: DowntimeCase, form: AnswerForm, *, by: User | None, channel: str) -> None:
    """Done as answered; raises what answering raises."""
    said, now = form.cleaned_data["answer"], clock.deciding()
    if said == Answer.ACCEPT:
        service.accept(case=case, by=by, channel=channel, now=now)
    elif said == Answer.CANCEL:
        service.cancel(case=case, by=by, channel=channel, now=now)
    else:
        pk, start = form.where
        device = Device.objects.filter(pk=pk, organization=case.downtime.device.organization_id, active=True).first()
        if device is None:
            raise TimeTaken(exam=case.booking.variant.name)
        service.move(case=case, device=device, start=start, by=by, channel=channel, now=now)


def _show(request: HttpRequest, case: DowntimeCase, *, at: str, refusal: Refused | None = None, said=(), status=200):
    now = clock.now()
    sitting = answered_together(case)
    row, rows = sitting[0].booking, [each.booking for each in sitting]
    asks = case.answer == Answer.NONE and policy.refusal_to_answer(case, case.booking) is None
    kept, offer = asks and cases.are_kept(sitting, now=now), sitting[0].offer
    places = others.best_other_times(row, channel=cases.CHANNEL, now=now) if asks else []
    house = row.variant.item.organization
    stands = row.holds and row.status in ("booked", "arrived", "called") and row.during.lower > now
    context = {
        "case": case,
        "row": row,
        "names": names_of(sitting),
        "offer": offer if kept else None,
        "masked": masking.name(case.patient.name),
        "asks": asks,
        "late": case.deadline <= now,
        "stands": stands,
        "offer_steps": _steps(rows, start=offer.during.lower) if kept else [],
        "steps": _steps(rows, start=row.during.lower) if stands and row.status == "booked" else [],
        "now": now,
        "days": others.by_day(places),
        "several": len(others.campuses(places)) > 1,
        "phone": house.phone,
        "refusal": refusal,
        "said": said,
        "sure": request.GET.get("sure") == "1",
        "here_at": at,
    }
    response = render(request, "exams/devices/answer.html", context, status=refusal.status if refusal else status)
    if response.status_code == 503:
        response["Retry-After"] = "1"
    return response


def _steps(rows: list[ExamBooking], *, start: datetime) -> list[preparing.Step]:
    """From when to fast if the sitting begins then, with all that the person has that day."""
    day = ExamBooking.objects.filter(patient=rows[0].patient_id, day=clock.today(start), status="booked", holds=True)
    others = day.exclude(pk__in=[row.pk for row in rows]).select_related("variant__item", "variant__preparation")
    these = [preparing.Coming(row.variant.name, start, row.variant.preparation) for row in rows]
    return preparing.steps_of([*these, *map(as_coming, others)])


def _quiet(response: HttpResponse) -> HttpResponse:
    """No search engine, and no other site learns the address."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response
