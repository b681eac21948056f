"""Where staff are led after they took a number that is held until it is paid (hospital.prepaid)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

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
