"""Error pages: a clear sentence and the next step."""

import sys

from django.http import JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import defaults

from hospital.api.answers import answer
from hospital.api.errors import Malformed, NothingHere
from hospital.middleware import DatabaseGone, wants_json


def forbidden(request, exception=None):
    return render(request, "errors/403.html", status=403)


def bad_request(request, exception=None):
    """What Django itself can't read, e.g. a host name that is not ours."""
    if wants_json(request):
        return answer(Malformed(problem=type(exception).__name__))
    return defaults.bad_request(request, exception)


def not_found(request, exception=None):
    if request.path.startswith("/api/"):
        return answer(NothingHere())
    return render(request, "errors/404.html", status=404)


def server_error(request):
    """Django calls it while the exception is being handled, also for one that a middleware raised.

    Sessions and sign-in are read in middlewares: a database that goes away there is said as such, too.
    """
    error = sys.exc_info()[1]
    if DatabaseGone.is_gone(error):
        return DatabaseGone.unavailable(request, error)
    if wants_json(request):
        body = {
            "code": "error",
            "message": _("系统出错了，这一步没有完成。"),
            "next": _("请用同一个请求编号再试一次。"),
        }
        return JsonResponse(body, status=500)
    context = {"request_id": getattr(request, "request_id", ""), "edition": request.COOKIES.get("edition")}
    return render(None, "errors/500.html", context, status=500)


def stale_page(request, reason=""):
    """A form of a page that was drawn before the last sign-in: nothing was done, and a reload cures it."""
    return render(request, "errors/stale.html", status=403)
