"""One simple exam alone, in three steps: questions, time, confirm (E2). One decision a page."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.selectors.desk import fees_on
from exams import errors
from exams.forms.patient import AnswersForm, DayForm, ReadForm, TimeForm
from exams.models import Device, ExamBooking
from exams.selectors import mine as selectors
from exams.selectors import rules
from exams.selectors.my_days import choice_of
from exams.services import self_service
from hospital import clock, prepaid
from hospital.errors import Refused
from hospital.permissions import patient_required
from hospital.prepaid import PayFirst

from .reach import Way, own_booking, own_request, way_of


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def questions(request: HttpRequest, pk: int):
    """1/3. What stops the exam is written down and said at once, with where to go."""
    now = clock.now()
    way = way_of([own_request(request, pk)], account=request.user, now=now)
    times = redirect("exams:my_exam_times", pk)
    if request.method == "GET":
        return times if way.open and not way.questions else ask(request, way)
    return answered(request, way, then=times)


def answered(request: HttpRequest, way: Way, *, then):
    """Both for one exam and for several together."""
    if way.stop or way.consent:
        return ask(request, way, status=409)
    form = AnswersForm(request.POST, questions=way.questions, given=way.answers)
    if not form.is_valid():
        return ask(request, way, form=form, status=422)
    now = clock.now()
    try:
        rows = self_service.answer(requests=way.requests, answers=form.answers(), by=request.user, now=now)
    except Refused as refusal:
        return ask(request, way, form=form, refusal=refusal, status=refusal.status)
    way = way_of(rows, account=request.user, now=now)
    return then if way.open else ask(request, way, form=form, status=409)


def ask(request: HttpRequest, way: Way, *, form=None, refusal=None, status: int = 200):
    context = {
        "way": way,
        "row": way.first,
        "requests": way.requests,
        "organization": way.first.organization,
        "masked": selectors.ToBook(way.first.patient, way.requests).masked,
        "asked": (form or AnswersForm(questions=way.questions, given=way.answers)).shown(),
        "invalid": form is not None and not form.is_valid(),
        "unfit": way.unfit if way.verdict.complete else None,
        "refusal": way.stop or refusal,
    }
    return render(request, "exams/patient/questions.html", context, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def times(request: HttpRequest, pk: int):
    """2/3. The strip of days and the half-hours; the button keeps the time until the page's clock has run."""
    row = own_request(request, pk)
    way = way_of([row], account=request.user, now=clock.now())
    if not way.open:
        return redirect("exams:my_exam_request", pk)
    if request.method == "GET":
        return _show_times(request, way, day=DayForm(request.GET).said())
    form = TimeForm(request.POST)
    if not form.is_valid():
        return _show_times(request, way, day=DayForm(request.GET).said(), said=form.errors["slot"], status=422)
    device, start = form.cleaned_data["slot"]
    found = Device.objects.filter(pk=device, organization=row.organization_id, active=True).first()
    day = clock.today(start)
    if found is None:
        return _show_times(request, way, day=day, refusal=errors.NotFree(exam=row.variant.name))
    try:
        held = self_service.hold(request=row, device=found, start=start, by=request.user, now=clock.deciding())
    except Refused as refusal:
        return _show_times(request, way, day=day, chosen=(device, start), refusal=refusal)
    return redirect("exams:my_exam_confirm", held.pk)


def _show_times(request: HttpRequest, way: Way, *, day=None, chosen=None, refusal=None, said=(), status: int = 200):
    now, row = clock.now(), way.first
    choice = choice_of(row, wanted=day, chosen=chosen, now=now)
    context = {
        "row": row,
        "organization": row.organization,
        "masked": selectors.ToBook(row.patient, [row]).masked,
        "choice": choice,
        "day": choice.day,
        "refusal": refusal,
        "said": said,
        "sentences": way.verdict.sentences,
        "asks": bool(way.questions),
        "fee": fees_on(row.organization_id, day=choice.day.day).get(row.variant.price_code),
        "rule": rules.exam_rule(row.organization_id, day=clock.today(now)),
    }
    return render(request, "exams/patient/times.html", context, status=refusal.status if refusal else status)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def confirm(request: HttpRequest, pk: int):
    """3/3. All that is held together: preparation, price, the clock of the hold. Twice is once."""
    row = own_booking(request, pk)
    if row.status == ExamBooking.Status.BOOKED:
        return redirect("exams:my_exam_done", row.pk)
    if row.status != ExamBooking.Status.PENDING:
        if request.method == "POST":
            messages.error(request, errors.HoldEnded().in_full)
        return redirect("exams:my_exam", row.pk)
    if request.method == "GET":
        return _show_held(request, row)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return _show_held(request, row, said=form.errors["read"], status=422)
    if way_of([row.request], account=request.user, now=clock.now()).consent:
        return _show_held(request, row, status=409)
    try:
        self_service.confirm(held=row, by=request.user, now=clock.deciding())
    except PayFirst as refusal:
        if page := prepaid.page(kind="exam", booking=row.pk, where="patient"):
            self_service.read(held=row, by=request.user, now=clock.now())
            return redirect(page)
        return _show_held(request, own_booking(request, pk), refusal=refusal, status=refusal.status)
    except Refused as refusal:
        return _show_held(request, own_booking(request, pk), refusal=refusal, status=refusal.status)
    return redirect("exams:my_exam_done", row.pk)


def _show_held(request: HttpRequest, row: ExamBooking, *, refusal=None, said=(), status: int = 200):
    now = clock.now()
    rows = selectors.bookings_of(request.user).filter(patient=row.patient_id, status=ExamBooking.Status.PENDING)
    rows = rows.filter(basket=row.basket) if row.basket else rows.filter(pk=row.pk)
    cards = selectors.cards_of(rows.order_by("during", "pk"), now=now)
    way = way_of([card.row.request for card in cards] or [row.request], account=request.user, now=now)
    others = selectors.beside(request.user, person=row.patient_id, days=[card.row.day for card in cards])
    lapsed = not cards or any(card.lapsed for card in cards)
    context = {
        "row": row,
        "cards": cards,
        "trips": selectors.trips_of(cards, beside=others),
        "total": sum((card.row.fee for card in cards), start=0),
        "until": min((card.row.hold_until for card in cards), default=now),
        "lapsed": lapsed,
        "refusal": None if lapsed else refusal,
        "said": said,
        "sentences": way.verdict.sentences,
        "consent": way.consent,
        "organization": row.request.organization,
        "again": again_at(cards, row),
        "now": now,
    }
    return render(request, "exams/patient/confirm.html", context, status=status)


def again_at(cards, row: ExamBooking) -> str:
    """Where another time is chosen."""
    if len(cards) > 1:
        return reverse("exams:my_exams_plans", args=[row.patient_id])
    return reverse("exams:my_exam_times", args=[row.request_id])
