"""班次 at the window: open, count, close with the difference; and the shifts of the house, to check and to print."""

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing.errors import ShiftNotCounted, ShiftNotOpen
from billing.forms.cashier import CloseForm, CountForm, OpenShiftForm
from billing.models import CashierShift, Payment
from billing.selectors import drawers
from billing.services import shifts as service
from hospital import clock
from hospital.errors import Refused

from .cashier_reach import CHECKERS, cashier_page, drawers_page, houses

MOST = 200
"""Payments, and refunds, that are listed one by one."""


@require_safe
@cashier_page
def mine(request: HttpRequest):
    """交班: what went through the drawer, what should be in it, count and close; without a shift: open one."""
    return _show(request)


def _show(request: HttpRequest, *, form=None, refusal: Refused | None = None):
    now, shift = clock.now(), drawers.current(request.user)
    last = drawers.last_closed(request.user)
    if form is not None and not isinstance(form, _asked_of(shift)):  # opened, counted or closed in another window
        form, refusal = None, refusal or (ShiftNotCounted() if shift else ShiftNotOpen())
    context = {"shift": shift, "last": last, "form": form, "refusal": refusal, "now": now}
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    if shift is None:
        context["form"] = form or _to_open(request, initial=_as_last_time(last))
        if last is None:
            context["form"].fields["window"].widget.attrs["autofocus"] = True
        return render(request, "billing/cashier/open.html", context, status=status)
    if shift.status == CashierShift.Status.OPEN:
        context["form"] = form or CountForm(label_suffix="", initial={"cheques": drawers.cheques(shift)})
    else:
        context["form"] = _to_close(shift, form)
    context |= _through(shift)
    return render(request, "billing/cashier/shift.html", context, status=status)


def _to_close(shift: CashierShift, form: CloseForm | None) -> CloseForm:
    """What has to be explained is where one begins to type."""
    form = form or CloseForm(label_suffix="")
    if shift.difference or (shift.cheques is not None and shift.cheques != drawers.cheques(shift)):
        form.fields["note"].widget.attrs["autofocus"] = True
    return form


def _asked_of(shift: CashierShift | None) -> type:
    if shift is None:
        return OpenShiftForm
    return CountForm if shift.status == CashierShift.Status.OPEN else CloseForm


def _as_last_time(last: CashierShift | None) -> dict:
    if last is None:
        return {"change": 0}
    return {"window": last.window, "change": last.change, "organization": last.organization_id}


def _to_open(request: HttpRequest, data=None, **more) -> OpenShiftForm:
    return OpenShiftForm(data, houses=houses(request), label_suffix="", **more)


def _through(shift: CashierShift) -> dict:
    return {
        "through": drawers.through(shift),
        "expected": shift.expected if shift.expected is not None else drawers.expected_cash(shift),
        "cheques": drawers.cheques(shift),
        "uncertain": drawers.uncertain(shift),
        "waiting": drawers.waiting_here(shift),
        "payments": (payments := list(drawers.payments(shift)[: MOST + 1]))[:MOST],
        "refunds": (refunds := list(drawers.refunds(shift)[: MOST + 1]))[:MOST],
        "most": MOST if max(len(payments), len(refunds)) > MOST else 0,
    }


@require_POST
@cashier_page
def open_(request: HttpRequest):
    form = _to_open(request, request.POST)
    if not form.is_valid():
        return _show(request, form=form)
    service.open_(cashier=request.user, now=clock.now(), **form.cleaned_data)
    return redirect("billing:cashier")


@require_POST
@cashier_page
def count(request: HttpRequest):
    form = CountForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _show(request, form=form)
    try:
        service.count(shift=_mine(request), by=request.user, now=clock.now(), **form.cleaned_data)
    except Refused as refusal:
        return _show(request, form=form, refusal=refusal)
    return redirect("billing:cashier_shift")


@require_POST
@cashier_page
def reopen(request: HttpRequest):
    service.reopen(shift=_mine(request), by=request.user, now=clock.now())
    messages.success(request, _("已重新开班，可以继续收款。"))
    return redirect("billing:cashier_shift")


@require_POST
@drawers_page
def count_left(request: HttpRequest, pk: int):
    """代点: the drawer of a colleague who did not come back."""
    shift, form = _of_the_house(request, pk), CountForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _show_one(request, shift, form=form)
    try:
        service.count(shift=shift, by=request.user, now=clock.now(), **form.cleaned_data)
    except Refused as refusal:
        return _show_one(request, shift, form=form, refusal=refusal)
    messages.success(request, _("已代点。请另一位同事或财务复核并交班。"))
    return redirect("billing:cashier_shift_one", shift.pk)


@require_POST
@drawers_page
def close(request: HttpRequest, pk: int):
    """交班: one's own, or (复核) that of a colleague of the same house."""
    shift, form = _of_the_house(request, pk), CloseForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _show_one(request, shift, form=form)
    try:
        service.close(shift=shift, note=form.cleaned_data["note"], by=request.user, now=clock.now())
    except Refused as refusal:
        return _show_one(request, shift, form=form, refusal=refusal)
    messages.success(request, _("已交班。"))
    return redirect("billing:cashier_shift_one", shift.pk)


@require_POST
@drawers_page
def received(request: HttpRequest, payment: int):
    """Of a payment by hand that was cut off: is the money in the drawer?"""
    rows = Payment.objects.select_related("shift__cashier").exclude(shift=None)
    row = get_object_or_404(rows, pk=payment, shift__organization__in=houses(request, *CHECKERS))
    answer = request.POST.get("answer")
    if answer == "yes":
        service.was_received(payment=row, by=request.user, now=clock.now())
        messages.success(request, _("已记为收到。"))
    elif answer == "no":
        service.was_not_received(payment=row, by=request.user, now=clock.now())
        messages.success(request, _("已记为没有收。"))
    if row.shift.cashier_id != request.user.pk:
        return redirect("billing:cashier_shift_one", row.shift_id)
    return redirect("billing:cashier_shift")


def _mine(request: HttpRequest) -> CashierShift:
    shift = drawers.current(request.user)
    if shift is None:
        raise ShiftNotOpen
    return shift


# ---- the house's shifts ----


@require_safe
@drawers_page
def listed(request: HttpRequest):
    now = clock.now()
    rows = drawers.recent(organizations=houses(request, *CHECKERS), now=now)[:200]
    open_ = [shift for shift in rows if shift.status == CashierShift.Status.OPEN]
    left = {shift.pk for shift in open_ if drawers.left_behind(shift, now=now)}
    return render(request, "billing/cashier/shifts.html", {"shifts": rows, "left": left})


@require_safe
@drawers_page
def one(request: HttpRequest, pk: int):
    """交班单: to check, to count and close for a colleague, to print."""
    return _show_one(request, _of_the_house(request, pk))


def _show_one(request: HttpRequest, shift: CashierShift, *, form=None, refusal: Refused | None = None):
    now, open_ = clock.now(), shift.status == CashierShift.Status.OPEN
    left = open_ and drawers.left_behind(shift, now=now)
    if open_ and not left and shift.cashier_id != request.user.pk:
        raise refusal or Http404
    if form is not None and not isinstance(form, _asked_of(shift)):  # counted or closed in another window
        form, refusal = None, refusal or ShiftNotCounted()
    if left:
        form = form or CountForm(label_suffix="", initial={"cheques": drawers.cheques(shift)})
    else:
        form = _to_close(shift, form)
    context = {"shift": shift, "left": left, "form": form, "refusal": refusal, "now": now, **_through(shift)}
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "billing/cashier/shift_one.html", context, status=status)


def _of_the_house(request: HttpRequest, pk: int) -> CashierShift:
    rows = CashierShift.objects.select_related("cashier", "checked_by", "counted_by", "organization")
    return get_object_or_404(rows, pk=pk, organization__in=houses(request, *CHECKERS))
