"""Moving one exam and giving it back (E5). The same booking moves, or the old time stays."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.models.rules import Channel
from appointments.views.bookings.reach import lacks_consent
from exams import errors
from exams.forms.patient import DayForm, TimeForm
from exams.models import Device, ExamBooking
from exams.selectors import mine as selectors
from exams.selectors.company import company_of
from exams.selectors.my_days import choice_of
from exams.services import booking, self_service
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import patient_required

from .reach import own_booking


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def move(request: HttpRequest, pk: int):
    row = own_booking(request, pk)
    if row.status == ExamBooking.Status.PENDING:  # nothing to move yet: another time is simply chosen
        return redirect("exams:my_exam_times", row.request_id)
    if request.method == "GET":
        return _asked(row) or _show(request, row, day=DayForm(request.GET).said())
    form = TimeForm(request.POST)
    if not form.is_valid():
        return _show(request, row, day=DayForm(request.GET).said(), said=form.errors["slot"], status=422)
    device, start = form.cleaned_data["slot"]
    if row.device_id == device and row.start == start and row.holds:  # pressed twice
        return redirect("exams:my_exam", row.pk)
    day = clock.today(start)
    found = Device.objects.filter(pk=device, organization=row.request.organization_id, active=True).first()
    if found is None:
        return _show(request, row, day=day, refusal=errors.NotFree(exam=row.variant.name))
    if lacks_consent(row, account=request.user, now=clock.now()):  # asked by the law, not by the claim (O4)
        return _show(request, row, chosen=(device, start), day=day, status=409)
    try:
        booking.move(booking=row, device=found, start=start, channel=Channel.WEB, by=request.user, now=clock.deciding())
    except Refused as refusal:
        row = own_booking(request, pk)
        if row.device_id == device and row.start == start and row.holds:  # pressed twice at once: the first did it
            return redirect("exams:my_exam", row.pk)
        return _show(request, row, day=day, chosen=(device, start), refusal=refusal)
    messages.success(request, _("已改时间，原来的时间已放回。请看新的准备时间。"))
    return redirect("exams:my_exam", row.pk)


def _show(request: HttpRequest, row: ExamBooking, *, day=None, chosen=None, refusal=None, said=(), status: int = 200):
    """The times as they are now, with what the day costs. What can't be moved any more says why."""
    now = clock.now()
    [card] = selectors.cards_of([row], now=now)
    context = {
        "card": card,
        "row": row,
        "organization": row.request.organization,
        "refusal": refusal,
        "stop": card.no_move,
        "said": said,
    }
    if card.no_move is None:
        choice = choice_of(row.request, wanted=day, chosen=chosen, moving=row, now=now)
        company = company_of(row, account=request.user, now=now)
        context |= {
            "apart_from": company if company.costs_a_trip(choice.day.day) else None,
            "choice": choice,
            "day": choice.day,
            "consent": lacks_consent(row, account=request.user, now=now),
        }
    status = refusal.status if refusal else status
    return render(request, "exams/patient/move.html", context, status=status)


def _asked(row: ExamBooking):
    """While the house asks what to do instead, that page alone says what became of the time and what is kept."""
    [card] = selectors.cards_of([row], now=clock.now())
    return redirect("exams:booking_answer", row.pk) if card.case else None


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def cancel(request: HttpRequest, pk: int):
    """取消, with its consequence said first; a held time is given up at once. Twice is once."""
    row = own_booking(request, pk)
    if row.status == ExamBooking.Status.CANCELLED:
        return redirect("exams:my_exam", row.pk)
    if request.method == "GET":
        [card] = selectors.cards_of([row], now=clock.now())
        return redirect("exams:my_exam", row.pk) if card.lapsed else _asked(row) or _ask(request, row)
    try:
        if row.status == ExamBooking.Status.PENDING:
            self_service.drop(held=row, by=request.user, now=clock.deciding())
            messages.success(request, _("已放弃，时间已放回。"))
            return redirect("exams:mine")
        booking.cancel(booking=row, by=request.user, channel=Channel.WEB, now=clock.deciding())
    except Refused as refusal:
        row = own_booking(request, pk)
        if row.status == ExamBooking.Status.CANCELLED:
            return redirect("exams:my_exam", row.pk)
        return _ask(request, row, refusal=refusal)
    messages.success(request, _("已取消，时间已放回。"))
    return redirect("exams:my_exam", row.pk)


def _ask(request: HttpRequest, row: ExamBooking, *, refusal: Refused | None = None):
    now = clock.now()
    [card] = selectors.cards_of([row], now=now)
    others = selectors.bookings_of(request.user).filter(
        patient=row.patient_id, day=row.day, holds=True, status=ExamBooking.Status.BOOKED
    )
    said = refusal or (None if card.pending else card.no_cancel)
    context = {
        "card": card,
        "row": row,
        "others": selectors.cards_of(others.exclude(pk=row.pk).order_by("during"), now=now),
        "organization": row.request.organization,
        "refusal": said,
    }
    status = said.status if said and request.method == "POST" else 200
    return render(request, "exams/patient/cancel.html", context, status=status)
