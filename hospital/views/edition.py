"""版本: larger text and targets on the same pages, remembered by the browser for a year (V2)."""

from django.conf import settings
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from .code_pages import onward

COOKIE = "edition"
A_YEAR = 365 * 86400  # seconds
EDITIONS = {
    "standard": _("标准版"),
    "elderly": _("长辈版"),
    "largest": _("特大字"),
}


def of(request) -> str:
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in EDITIONS else "standard"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def edition(request):
    """A page with the three to choose from; a post of one of them, from here or from any page's own button."""
    chosen = request.POST.get("edition")
    if chosen not in EDITIONS:
        context = {"editions": EDITIONS.items(), "chosen": of(request), "after": onward(request)}
        return render(request, "me/edition.html", context, status=422 if request.method == "POST" else 200)
    response = redirect(onward(request) or "home")
    if chosen == "standard":
        response.delete_cookie(COOKIE, samesite="Lax")
    else:
        response.set_cookie(
            COOKIE,
            chosen,
            max_age=A_YEAR,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    return response
