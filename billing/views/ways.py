"""Where a held booking is paid (hospital.prepaid.page), and the doors behind those addresses."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.models import Appointment
from appointments.selectors import bookings as numbers
from appointments.views.bookings.reach import lacks_consent
from billing.models import ChargeItem
from billing.services import invoicing
from exams.models import ExamBooking
from exams.selectors import mine as exams
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import patient_required

DOORS = {"patient": "pay_for", "kiosk": "kiosk_pay_for", "desk": "desk_pay_for"}
KINDS = {"appointment": Appointment, "exam": ExamBooking}


def page(*, kind: str, booking: int, where: str) -> str:
    return reverse(f"billing:{DOORS[where]}", args=[kind, booking])


@require_safe
@never_cache
@patient_required
def pay_for(request: HttpRequest, kind: str, pk: int):
    """去付费: the invoice of a booking of one's own, brought up to date; opened twice it is one."""
    rows = {"appointment": numbers.of_account, "exam": exams.bookings_of}.get(kind)
    booking = rows(request.user).filter(pk=pk).first() if rows else None
    if booking is None:
        raise Http404
    now = clock.now()
    if person := lacks_consent(booking, account=request.user, now=now):  # asked by the law before it is booked (O4)
        messages.error(request, _("预约前，需要先看过并同意告知书。"))
        return redirect(f"{reverse('consent_person', args=[person.pk])}?{urlencode({'next': request.path})}")
    try:
        invoice = invoicing.open_for_booking(booking=booking, by=request.user, now=now)
    except Refused:
        return redirect(_nothing_to_pay(kind, booking))
    return redirect("billing:pay", invoice.token)


def _nothing_to_pay(kind: str, booking: Appointment | ExamBooking) -> str:
    """Its clock has run out, or it is given back: what became of it stands on its own page, or on its last invoice."""
    line = ChargeItem.objects.filter(**{kind: booking.pk}).select_related("invoice").order_by("-pk").first()
    if line:
        return reverse("billing:pay", args=[line.invoice.token])
    name = "appointments:booking" if kind == "appointment" else "exams:my_exam"
    return reverse(name, args=[booking.pk])
