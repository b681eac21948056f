"""绿色通道 (R5): what rings on every page of the office, acknowledging it, and what is kept free."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital import clock
from hospital.errors import Refused
from hospital.permissions import role_required
from referrals.forms.green import ArrangeForm
from referrals.policies import hands
from referrals.policies.moves import Side
from referrals.selectors import ringing as selectors
from referrals.services import green as service

from .detail import Page, open_page, show
from .office import OFFICE, houses


@require_safe
@never_cache
@role_required(*OFFICE)
def ringing(request: HttpRequest) -> HttpResponse:
    """The bar that rings, asked for every few seconds, also of a tab that nobody looks at: its title says so there.
    Nothing is swapped while it is as the page has it (`seen`), so that it is read aloud once."""
    calls, seen = selectors.ringing_at(houses(request)), request.GET.get("seen", "")
    if seen == selectors.seen_as(calls):
        return HttpResponse(status=204)
    context = {**selectors.bar_of(calls, now=clock.now()), "was": bool(seen)}
    return render(request, "referrals/office/_ringing.html", context)


def _mine(request: HttpRequest, pk: int) -> Page:
    """404 for whoever isn't the receiver's office."""
    opened = open_page(request, pk)
    if opened.side != Side.RECEIVER or opened.referral.receiver_id not in houses(request):
        raise Http404
    return opened


@require_POST
@never_cache
@role_required(*hands.ACTING)
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    opened = _mine(request, pk)
    try:
        service.acknowledge(referral=opened.referral, by=request.user, now=clock.now())
    except Refused as refusal:
        return show(open_page(request, pk), refusal=refusal)
    messages.success(request, _("已确认收到，转出机构会马上看到。请接着写预留情况。"))
    return redirect(opened.address)


@require_POST
@never_cache
@role_required(*hands.ACTING)
def arrange(request: HttpRequest, pk: int) -> HttpResponse:
    opened = _mine(request, pk)
    call = getattr(opened.referral, "green", None)
    if call is None:
        raise Http404
    form = ArrangeForm(request.POST, call=call, now=opened.now)
    if not form.is_valid():
        return show(opened, green_form=form)
    try:
        service.arrange(referral=opened.referral, by=request.user, now=opened.now, **form.said())
    except Refused as refusal:
        return show(open_page(request, pk), green_form=form, refusal=refusal)
    messages.success(request, _("预留情况已更新，转出机构会看到。"))
    return redirect(opened.address)
