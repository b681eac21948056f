"""What is done with a booking that stands: give it back, move it, confirm a held one."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.forms.bookings import KeyForm
from appointments.models import Appointment
from appointments.models.rules import Channel
from appointments.selectors import bookings as selectors
from appointments.selectors import rules
from appointments.services import changes
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import patient_required
from hospital.prepaid import PayFirst

from .reach import lacks_consent, own_booking, paid_at

PENDING = Appointment.Status.PENDING


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def booking_cancel(request: HttpRequest, pk: int):
    """退号, with its consequence said first; a held number is given up at once. Twice is once."""
    row = own_booking(request, pk)
    if request.method == "POST":
        try:
            return _give_back(request, row)
        except Refused as refusal:
            return _ask_to_cancel(request, own_booking(request, pk), refusal=refusal)
    if row.status == Appointment.Status.CANCELLED:
        return redirect("appointments:booking", row.pk)
    return _ask_to_cancel(request, row)


def _give_back(request: HttpRequest, row: Appointment):
    if row.status == Appointment.Status.PENDING:
        changes.drop(appointment=row, by=request.user, now=clock.deciding())
        messages.success(request, _("已放弃，号已放回。"))
        return redirect("appointments:bookings")
    changes.cancel(
        appointment=row, by=request.user, channel=Channel.WEB, request_key=_key(request), now=clock.deciding()
    )
    messages.success(request, _("已退号，号已放回。"))
    return redirect("appointments:booking", row.pk)


def _ask_to_cancel(request: HttpRequest, row: Appointment, *, refusal: Refused | None = None):
    now = clock.now()
    card = selectors.card_of(row, now=now, question=selectors.questions([row], now=now).get(row.pk))
    refusal = refusal or card.refusal
    context = {
        "card": card,
        "row": row,
        "schedule": row.schedule,
        "refusal": refusal,
        "request_key": _key(request) or uuid4(),
        "house": rules.organization_booking_rule(row.schedule.organization_id, day=clock.today(now)),
    }
    status = refusal.status if refusal and request.method == "POST" else 200
    return render(request, "bookings/cancel.html", context, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def booking_confirm(request: HttpRequest, pk: int):
    """A number that another channel held for the person: confirmed here while its clock runs."""
    row = own_booking(request, pk)
    if request.method == "POST":
        person = lacks_consent(row, account=request.user, now=clock.now()) if row.status == PENDING else None
        if person:  # asked by the law, not by the claim (O4); the clock goes on meanwhile
            messages.error(request, _("预约前，需要先看过并同意告知书。"))
            back = urlencode({"next": reverse("appointments:booking", args=[row.pk])})
            return redirect(f"{reverse('consent_person', args=[person.pk])}?{back}")
        try:
            changes.confirm(appointment=row, by=request.user, request_key=_key(request), now=clock.deciding())
        except PayFirst as refusal:
            messages.info(request, refusal.in_full)
            return redirect(paid_at(row) or reverse("appointments:booking", args=[row.pk]))
        except Refused as refusal:
            messages.error(request, refusal.in_full)
            return redirect("appointments:booking", row.pk)
        return redirect("appointments:booking_done", row.pk)
    return redirect("appointments:booking", row.pk)


def _key(request: HttpRequest) -> str | None:
    form = KeyForm(request.POST)
    key = form.is_valid() and form.cleaned_data["request_key"]
    return str(key) if key else None
