"""What every request passes through: refusals become pages, a lost database becomes a clear 503."""

from django.db import InterfaceError, OperationalError
from django.http import JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from .errors import Refused


def wants_json(request) -> bool:
    return request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json")


class ShowRefusals:
    """A refusal is shown in one place: its sentence and what to do next, as a page, a fragment or JSON."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Refused):
            return None
        if wants_json(request):
            body = {"code": exception.code, "message": exception.sentence, "next": exception.next}
            response = JsonResponse(body, status=exception.status)
        else:
            template = "errors/_refused.html" if getattr(request, "htmx", False) else "errors/refused.html"
            response = render(request, template, {"refusal": exception}, status=exception.status)
        if exception.status == 503:
            response["Retry-After"] = "1"
        return response


class DatabaseGone:
    """The database is away (restart, failover): say so and ask to come back, never a bare 500.

    Outermost of ours, because sessions and sign-in also live in the database.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return self.unavailable(request)

    def process_exception(self, request, exception):
        return self.unavailable(request) if isinstance(exception, (OperationalError, InterfaceError)) else None

    @staticmethod
    def unavailable(request):
        sentence = _("系统暂时连不上数据库，已确认的预约不受影响。")
        advice = _("请稍等几秒后重试。")
        if wants_json(request):
            response = JsonResponse({"code": "unavailable", "message": sentence, "next": advice}, status=503)
        else:
            response = render(None, "errors/503.html", {"sentence": sentence, "advice": advice}, status=503)
        response["Retry-After"] = "3"
        return response


class StaffSecurity:
    """Idle log-out and second factor by role (RolePolicy)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)
