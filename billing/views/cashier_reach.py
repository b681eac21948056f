"""Who sits at the window, their drawer, and which bills are within reach: those of their own house."""

from functools import wraps
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from billing.errors import ShiftNotOpen
from billing.models import CashierShift, Invoice
from billing.selectors import drawers
from hospital.models import Patient, Role
from hospital.permissions import organizations_of, role_required

ROLES = (Role.CASHIER,)
CHECKERS = (Role.CASHIER, Role.FINANCE)
"""Who sees the drawers of a house, counts one that was left behind, and closes what another counted."""


def houses(request: HttpRequest, *roles: str) -> frozenset[int]:
    return organizations_of(request.user, *(roles or ROLES))


def cashier_page(view):
    return never_cache(role_required(*ROLES)(view))


def drawers_page(view):
    return never_cache(role_required(*CHECKERS)(view))


def open_drawer(request: HttpRequest) -> CashierShift | None:
    """The cashier's open shift, at a house where they still hold the role."""
    shift = drawers.current(request.user)
    if shift is None or shift.status != CashierShift.Status.OPEN or shift.organization_id not in houses(request):
        return None
    return shift


def at_the_drawer(view):
    """The view gets the cashier's open shift. Without one a page leads to opening it, an act is refused."""

    @cashier_page
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs):
        shift = open_drawer(request)
        if shift is None:
            if request.method in ("GET", "HEAD"):
                return redirect("billing:cashier_shift")
            raise ShiftNotOpen
        return view(request, shift, *args, **kwargs)

    return guarded


@sensitive_variables("token")
def invoice_at(shift: CashierShift, token: UUID) -> Invoice:
    rows = Invoice.objects.select_related("patient", "organization")
    return get_object_or_404(rows, token=token, organization=shift.organization_id)


def patient_at(pk: int) -> Patient:
    return get_object_or_404(Patient, pk=pk, active=True)
