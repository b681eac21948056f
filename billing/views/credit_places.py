"""One settlement of all that is owed, where the person stands (M4): at the kiosk, in the consult room. On the phone and
at the window: views.credit and views.credit_window.
"""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from appointments.views.kiosk.visit import Visit, visiting
from billing.errors import NothingOwed
from billing.models import Invoice
from billing.services import crediting, gathering
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization, Patient, Role
from hospital.permissions import organizations_of, role_required

from . import kiosk_pay

ROOMS = (Role.DOCTOR, Role.WARD)


@require_POST
@visiting
def at_the_kiosk(request: HttpRequest, visit: Visit):
    """一次付清: of the person before the machine."""
    invoice = gathering.gather(patient=visit.patient, organization=visit.house, by=request.user, now=visit.now)
    if invoice is None:
        return redirect("billing:kiosk_dues")
    return redirect("billing:kiosk_pay", invoice.token)


@require_POST
@visiting
@sensitive_variables("token")
def later_at_the_kiosk(request: HttpRequest, visit: Visit, token: UUID):
    """先诊疗后付费 of a bill of the person before the machine."""
    rows = Invoice.objects.filter(patient=visit.patient, organization=visit.house)
    rows = rows.select_related("organization", "patient")
    invoice = get_object_or_404(rows, token=token)
    try:
        crediting.put_on_credit(invoice=invoice, by=request.user, now=visit.now)
    except Refused as refusal:
        return kiosk_pay.show(request, visit, invoice, refusal=refusal)
    return redirect("billing:kiosk_pay", invoice.token)


@require_POST
@role_required(*ROOMS)
def in_the_room(request: HttpRequest, house: int, patient: int):
    """一次付清: onto the page with the code that the patient scans, or whose link is sent to their phone. Only of a
    house where the user works, and of somebody who owes it."""
    if house not in organizations_of(request.user, *ROOMS):
        raise Http404
    owed = Invoice.objects.filter(organization=house, patient=patient, status=Invoice.Status.OWED)
    person = get_object_or_404(Patient, pk=patient, active=True)
    organization = Organization.objects.get(pk=house)
    if not owed.exists():
        messages.warning(request, NothingOwed().in_full)
        return redirect("appointments:consult")
    invoice = gathering.gather(patient=person, organization=organization, by=request.user, now=clock.now())
    back = urlencode({"back": reverse("appointments:consult")})
    return redirect(f"{reverse('billing:desk_pay', args=[invoice.token])}?{back}")
