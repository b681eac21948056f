"""待付费: what staff took for a person and is held until it is paid: how much, till when, and how. The kiosk is led
to its own page of paying.
"""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.models import Appointment
from appointments.views.kiosk.visit import Visit, visiting
from billing.models import Invoice
from billing.selectors import bills
from billing.services import invoicing, sending
from exams.models import ExamBooking
from hospital import audit, clock
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import has_role, organizations_of, role_required

from .codes import pay_address, qr
from .ways import KINDS

STAFF = (Role.TRIAGE, Role.COUNTER, Role.OFFICE, Role.PHONE, Role.WARD, Role.PARTNER, Role.EXAM, Role.CASHIER,
         Role.DOCTOR, Role.REFERRAL)  # fmt: skip
HOUSE = tuple(role for role in STAFF if role != Role.PARTNER)


def _within_reach(request: HttpRequest, kind: str) -> QuerySet:
    """Bookings of the house, and those that one's own lower institution made."""
    model = KINDS.get(kind)
    if model is None:
        raise Http404
    house = "schedule__organization" if model is Appointment else "request__organization"
    mine = Q(**{f"{house}__in": organizations_of(request.user, *HOUSE)})
    return model.objects.filter(mine | Q(partner__in=organizations_of(request.user, Role.PARTNER)))


@require_safe
@never_cache
@role_required(*STAFF)
def desk_pay_for(request: HttpRequest, kind: str, pk: int):
    """The invoice of a booking that was just taken, brought up to date."""
    booking = get_object_or_404(_within_reach(request, kind), pk=pk)
    invoice = _invoice_of(booking, by=request.user)
    if invoice is None:
        raise Http404
    address = reverse("billing:desk_pay", args=[invoice.token])
    back = _back(request)
    return redirect(f"{address}?{urlencode({'back': back})}" if back else address)


def _back(request: HttpRequest) -> str:
    """Where staff go on afterwards: a page of ours."""
    said = request.GET.get("back", "")[:500]
    return said if said and url_has_allowed_host_and_scheme(said, {request.get_host()}) else ""


def _invoice_of(booking: Appointment | ExamBooking, *, by) -> Invoice | None:
    try:
        return invoicing.open_for_booking(booking=booking, by=by, now=clock.now())
    except Refused:  # its clock has run out: what became of it stands on its last invoice
        line = booking.charges.select_related("invoice").order_by("-pk").first()
        return line.invoice if line else None


def _invoice(request: HttpRequest, token) -> Invoice:
    rows = Invoice.objects.select_related("organization", "patient")
    invoice = get_object_or_404(rows, token=token)
    if invoice.organization_id in organizations_of(request.user, *HOUSE):
        return invoice
    theirs = organizations_of(request.user, Role.PARTNER)
    lines = invoice.lines.filter(Q(appointment__partner__in=theirs) | Q(exam__partner__in=theirs))
    if not theirs or not lines.exists():
        raise Http404
    return invoice


@require_safe
@never_cache
@role_required(*STAFF)
def desk_pay(request: HttpRequest, token):
    """待付费: the patient scans the code or gets the link; or goes to the cashier, the kiosk."""
    return _show(request, _invoice(request, token))


def _show(request: HttpRequest, invoice: Invoice, *, refusal: Refused | None = None):
    now = clock.now()
    audit.saw_patient(patient=invoice.patient, actor=request.user, where="desk", now=now, request=request)
    bill = bills.bill_of(invoice, now=now)
    context = {
        "bill": bill,
        "invoice": invoice,
        "patient": invoice.patient,
        "code": qr(pay_address(request, invoice)) if bill.due and not bill.free else "",
        "sent_at": sending.sent_at(invoice),
        "cashier": has_role(request.user, Role.CASHIER),
        "at_the_desk": has_role(request.user, Role.TRIAGE, Role.COUNTER, Role.OFFICE),
        "back": _back(request),
        "refusal": refusal,
        "now": now,
    }
    return render(request, "billing/desk/pay.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["POST"])
@never_cache
@role_required(*STAFF)
def send(request: HttpRequest, token):
    """发付费链接."""
    invoice = _invoice(request, token)
    now = clock.now()
    try:
        new = sending.send_link(invoice=invoice, address=pay_address(request, invoice), by=request.user, now=now)
    except Refused as refusal:
        return _show(request, invoice, refusal=refusal)
    messages.success(request, _("付费链接已发到患者手机。") if new else _("付费链接之前已经发过。"))
    address = reverse("billing:desk_pay", args=[token])
    return redirect(f"{address}?{urlencode({'back': _back(request)})}" if _back(request) else address)


@require_safe
@never_cache
@role_required(*STAFF)
def state(request: HttpRequest, token):
    """While the page waits: nothing new (204), or draw it anew."""
    bill = bills.bill_of(_invoice(request, token), now=clock.now())
    fresh = request.GET.get("seen", "") == bill.state
    return HttpResponse(status=204, headers={} if fresh else {"HX-Refresh": "true"})


@require_safe
@visiting
def kiosk_pay_for(request: HttpRequest, visit: Visit, kind: str, pk: int):
    """Of the person before the machine."""
    model = KINDS.get(kind)
    if model is None:
        raise Http404
    booking = get_object_or_404(model, pk=pk, patient=visit.patient)
    invoice = _invoice_of(booking, by=request.user)
    if invoice is None:
        return redirect("appointments:kiosk_me")
    return redirect("billing:kiosk_pay", invoice.token)
