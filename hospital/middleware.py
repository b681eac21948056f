"""What every request passes through: refusals become pages, a lost database becomes a clear 503."""

from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django_structlog.middlewares import RequestMiddleware

from . import account_rules, audit, clock, devices
from .addresses import client_address
from .api.answers import answer
from .errors import Refused
from .models import RolePolicy
from .permissions import is_patient_account, roles_of

IDLE_MINUTES = 30  # for a role without a policy row


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
            return answer(exception)
        template = "errors/_refused.html" if getattr(request, "htmx", False) else "errors/refused.html"
        response = render(request, template, {"refusal": exception}, status=exception.status)
        if exception.status == 503:
            response["Retry-After"] = "1"
        return response


class NothingHidden:
    """PostgreSQL keeps no NUL in a text: an address with one is nobody's page, and in what is asked (?q=) it is as if
    it were not there. A program is told which of its parameters it was (hospital.api).
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "\0" in request.path_info:
            raise Http404
        if not request.path_info.startswith("/api/"):
            while "%00" in request.META.get("QUERY_STRING", ""):  # taking one out may make one
                request.META["QUERY_STRING"] = request.META["QUERY_STRING"].replace("%00", "")
        return self.get_response(request)


class DatabaseGone:
    """The database is away (restart, failover): say so and ask to come back, never a bare 500.

    Outermost of ours, because sessions and sign-in also live in the database. Waiting too long for a lock is not
    being away: the sentence differs, the advice is the same.
    """

    BUSY = frozenset({"55P03", "40P01", "57014"})  # lock_not_available, deadlock_detected, query_canceled

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        except (DatabaseError, InterfaceError) as error:
            if not self.is_gone(error):
                raise
            return self.unavailable(request, error)

    def process_exception(self, request, exception):
        return self.unavailable(request, exception) if self.is_gone(exception) else None

    @staticmethod
    def is_gone(error: BaseException | None) -> bool:
        """A connection cut in the middle of an answer is a plain DatabaseError, of no kind of its own."""
        return isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError

    @classmethod
    def unavailable(cls, request, error):
        busy = getattr(error.__cause__, "pgcode", None) in cls.BUSY
        sentence = _("系统正忙，这一步没有完成。") if busy else _("系统暂时连不上数据库，已确认的预约不受影响。")
        advice = _("请稍等几秒后重试。")
        if wants_json(request):
            response = JsonResponse({"code": "unavailable", "message": sentence, "next": advice}, status=503)
        else:
            context = {"sentence": sentence, "advice": advice, "edition": request.COOKIES.get("edition")}
            response = render(None, "errors/503.html", context, status=503)
        response["Retry-After"] = "3"
        return response


class RequestLog(RequestMiddleware):
    """One line a request with its id: method and path, never the query string (search words may be names)."""

    @staticmethod
    def format_request(request):
        """A key in the address opens a page to whoever has it: a log is no place for it."""
        match = getattr(request, "resolver_match", None)
        key = match.kwargs.get("token") if match else None
        return f"{request.method} {request.path.replace(str(key), '…') if key else request.path}"

    def prepare(self, request):
        """Ours is leaner: no line at the start, and whose request it is stands in the line at the end."""
        request.request_id = str(uuid4())
        structlog.contextvars.bind_contextvars(request_id=request.request_id, ip=client_address(request))

    def handle_response(self, request, response):
        response["X-Request-ID"] = request.request_id
        super().handle_response(request, response)


class DeviceMark:
    """Gives a browser its mark when a page asked for it (hospital.devices): limits of codes, "is it still you?"."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(request, "device_is_new", False):
            response.set_cookie(
                devices.COOKIE,
                request.device_mark,
                max_age=devices.COOKIE_AGE,
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response


class StaffSecurity:
    """Idle log-out and second factor by role (RolePolicy); patients stay signed in for AccountRule.session_days.

    What applies to a session is kept in it and looked up again once a minute, so that a request costs no query; of a
    patient's session once a day, which also begins its days anew.
    A page that refreshes by itself says so with the header X-Passive: that is no sign of a person.
    """

    KEY = "staff_security"
    PATIENT_ASKED = "patient_asked"
    A_DAY = 86400  # seconds
    ALWAYS_OPEN = ("account_", "mfa_", "set_language", "healthz-", "workstation")  # names of addresses
    OWN_SIGN_IN = "/consult/open/"  # brings its own proof of who comes: an idle session is ended, not sent to sign in

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith(("/healthz/", settings.STATIC_URL)) or not request.user.is_authenticated:
            return self.get_response(request)
        now = clock.now().timestamp()
        if self._is_patient(request, now):
            return self.get_response(request)
        kept = request.session.get(self.KEY)
        if kept and now - kept["seen"] > kept["idle_minutes"] * 60:
            self._end(request)
            if request.path == self.OWN_SIGN_IN:
                return self.get_response(request)
            return self._send_to_sign_in(request, minutes=kept["idle_minutes"])
        passive = "X-Passive" in request.headers
        if kept is None or now - kept["asked"] > 60 or kept["factor_missing"]:
            kept = {**self._terms(request.user), "asked": now, "seen": kept["seen"] if kept and passive else now}
            request.session[self.KEY] = kept
        elif not passive and now - kept["seen"] > min(60, kept["idle_minutes"] * 6):
            request.session[self.KEY] = {**kept, "seen": now}
        if kept["factor_missing"] and not self._open(request):
            return self._send(request, reverse("mfa_activate_totp"), status=403)
        return self.get_response(request)

    def _is_patient(self, request, now: float) -> bool:
        """A session that asked today whose it is doesn't ask again: an account that loses its phone or gets a role
        loses its sessions (accounts), and PostgreSQL refuses a phone and a role together."""
        asked = request.session.get(self.PATIENT_ASKED)
        if self.KEY in request.session or (asked is None and not is_patient_account(request.user)):
            return False
        request.user._by_phone = True  # what permissions.is_patient_account keeps
        if asked is None or now - asked > self.A_DAY:
            self._keep_patient(request, now)
        return True

    def _keep_patient(self, request, now: float) -> None:
        request.session[self.PATIENT_ASKED] = now
        moment = clock.now()
        request.session.set_expiry(account_rules.in_force(now=moment).session_days * self.A_DAY)
        devices.touch(user=request.user, device=devices.digest_of(request), now=moment)

    @staticmethod
    def _terms(user) -> dict:
        """The strictest of the user's roles."""
        policies = list(RolePolicy.objects.filter(role__in=roles_of(user)))
        wanted = any(policy.second_factor for policy in policies)
        return {
            "idle_minutes": min((policy.idle_minutes for policy in policies), default=IDLE_MINUTES),
            "factor_missing": wanted and not is_mfa_enabled(user, [Authenticator.Type.TOTP]),
        }

    def _open(self, request) -> bool:
        try:
            return (resolve(request.path_info).url_name or "").startswith(self.ALWAYS_OPEN)
        except Resolver404:
            return False

    @staticmethod
    def _end(request) -> None:
        audit.record(action="account.idle_signed_out", actor=request.user, now=clock.now(), request=request)
        logout(request)

    def _send_to_sign_in(self, request, *, minutes: int):
        page = request.get_full_path() if request.method == "GET" else "/"
        if request.headers.get("HX-Request"):
            page = urlsplit(request.headers.get("HX-Current-URL", "/")).path or "/"
        messages.info(request, _("已空闲 %(minutes)d 分钟，为保护患者信息已自动退出。") % {"minutes": minutes})
        return self._send(request, f"{reverse('account_login')}?{urlencode({'next': page})}", status=401)

    @staticmethod
    def _send(request, address: str, *, status: int):
        """To another page: by redirect, by htmx's own header, or in words for a machine."""
        if wants_json(request):
            return JsonResponse({"code": "sign_in", "message": _("请重新登录。"), "next": address}, status=status)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)
