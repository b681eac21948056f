"""改约 in one step: another slice of the same doctor, team or clinic. The same booking moves, or the old one stays."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments import errors
from appointments.forms.bookings import ChangeForm, DayForm
from appointments.models import Appointment, Schedule
from appointments.models.rules import Channel
from appointments.policies.booking import cancel_deadline
from appointments.selectors import bookings as selectors
from appointments.selectors import rules
from appointments.selectors.patient import days as strips
from appointments.selectors.patient import slices
from appointments.selectors.patient.openings import days_shown, openings_of, to_come
from appointments.services import booking
from appointments.views.to_pay import after_a_move
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import patient_required

from .reach import lacks_consent, own_booking

NEW_KEY = (errors.KeyReused, errors.HoldLapsed)
"""The page had done its work: the next click is a new request."""


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def booking_change(request: HttpRequest, pk: int):
    row = own_booking(request, pk)
    if request.method == "GET":
        return _show(request, row, day=DayForm(request.GET).said())
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _show(request, row, said=form.errors.get("slot"), status=422)
    schedule_id, start = form.cleaned_data["slot"]
    schedule = _of_the_same_place(row.schedule).filter(pk=schedule_id).select_related("service").first()
    if schedule is None:
        raise Http404
    if lacks_consent(row, account=request.user, now=clock.now()):  # asked by the law, not by the claim (O4)
        return _show(request, row, chosen=slices.Chosen(schedule_id, start), day=schedule.day, status=409)
    fee = row.fee
    try:
        moved = booking.reschedule(
            appointment=row,
            schedule=schedule,
            start=start,
            channel=Channel.WEB,
            by=request.user,
            request_key=str(form.cleaned_data["request_key"]),
            now=clock.deciding(),
        )
    except Refused as refusal:
        chosen = slices.Chosen(schedule_id, start)
        return _show(request, own_booking(request, pk), chosen=chosen, day=schedule.day, refusal=refusal)
    messages.success(request, _("已改约，原来的号已放回。") + after_a_move(moved, fee=fee))
    return redirect("appointments:booking", moved.pk)


def _of_the_same_place(schedule: Schedule):
    """The same doctor, team, or plain clinic."""
    if schedule.role_id:
        return Schedule.objects.filter(role=schedule.role_id)
    if schedule.team_id:
        return Schedule.objects.filter(team=schedule.team_id)
    return Schedule.objects.filter(role=None, team=None, department=schedule.department_id, service=schedule.service_id)


def _show(
    request: HttpRequest,
    row: Appointment,
    *,
    day=None,
    chosen: slices.Chosen | None = None,
    refusal: Refused | None = None,
    said=(),
    status: int = 200,
):
    """The strip and the slices as they are now. What can't be moved any more is grey, with the reason."""
    now = clock.now()
    card = selectors.card_of(row, now=now)
    context = {
        "card": card,
        "row": row,
        "schedule": row.schedule,
        "refusal": refusal,
        "said": said,
        "request_key": uuid4() if isinstance(refusal, NEW_KEY) else _key_of(request),
        "rule": rules.booking_rule_for(row.schedule, day=clock.today(now)),
        "house": rules.organization_booking_rule(row.schedule.organization_id, day=clock.today(now)),
    }
    if card.refusal is None:
        context |= _slices(row, day=day, chosen=chosen, now=now)
        context["cancel_by"] = cancel_deadline(context["day"].day, context["rule"])  # once it is moved there
        context["too_late"] = now > context["cancel_by"]
        context["consent"] = lacks_consent(row, account=request.user, now=now)
    status = refusal.status if refusal else status
    response = render(request, "bookings/change.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "1"
    return response


def _slices(row: Appointment, *, day, chosen: slices.Chosen | None, now) -> dict:
    span = days_shown(row.schedule.organization_id, now=now)
    openings = openings_of(to_come(span, now=now).filter(pk__in=_of_the_same_place(row.schedule)), now=now)
    days = strips.strip(span, openings, wanted=day, today=clock.today(now))
    shown = next(each for each in days if each.chosen)
    of_day = [each for each in openings if each.schedule.day == shown.day]
    parts = slices.parts_of(of_day, chosen=chosen, now=now)
    return {
        "days": days,
        "day": shown,
        "parts": parts,
        "any": any(each.left for each in openings),
        "next_day": strips.first_with_a_number(openings, after=shown.day),
    }


def _key_of(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("request_key", ""))
    except ValueError:
        return uuid4()
