"""What staff are told, and where they are led, after they took or moved a number that is paid (hospital.prepaid)."""

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from appointments.models import Appointment
from hospital import prepaid


def at_the_desk(
    request: HttpRequest, *, booking: int, back: str = "", kind: str = "appointment"
) -> HttpResponse | None:
    """To the page that says how much, till when and how it is paid; `back`: where they go on afterwards. None: nobody
    takes money here, and the number is only held."""
    page = prepaid.page(kind=kind, booking=booking, where="desk")
    if page is None:
        return None
    address = f"{page}?{urlencode({'back': back})}" if back else page
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def after_a_move(moved: Appointment, *, fee: Decimal) -> str:
    """To be said with 已改约, where the new number costs something else. `fee`: of the old one. "": nothing to say."""
    if moved.fee == fee or prepaid.page(kind="appointment", booking=moved.pk, where="desk") is None:
        return ""
    said = {"new": moved.fee, "old": fee, "difference": abs(moved.fee - fee)}
    if moved.fee > fee:
        words = _(
            "新号 ¥%(new)s，原来 ¥%(old)s：已经付过费的，还要补缴 ¥%(difference)s，可在“我的账单”、自助机或收费窗口付。"
        )
    else:
        words = _("新号 ¥%(new)s，原来 ¥%(old)s：已经付过费的，退回差价 ¥%(difference)s。")
    return words % said + _("用医保结算过的，退回后按新号重新结算。")
