"""One place that turns refusals, and whatever the REST framework raises, into the API's error body."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, JsonResponse
from rest_framework import exceptions

from hospital.errors import Refused

from . import errors

COME_BACK = {503: "1"}
"""Seconds, where the refusal itself names none."""


def answer(refusal: Refused) -> JsonResponse:
    response = JsonResponse(refusal.body(), status=refusal.status, headers=dict(refusal.headers))
    if refusal.status in COME_BACK:
        response.headers.setdefault("Retry-After", COME_BACK[refusal.status])
    return response


def handle(problem: Exception, context: dict) -> JsonResponse | None:
    """EXCEPTION_HANDLER of the REST framework. None: not ours to word (a lost database, a fault of the program)."""
    refusal = problem if isinstance(problem, Refused) else _worded(problem, context)
    return refusal and answer(refusal)


def _worded(problem: Exception, context: dict) -> Refused | None:
    match problem:
        case exceptions.ValidationError():
            return errors.Invalid(dict(flat(problem.detail)))
        case exceptions.ParseError():
            return errors.Malformed(problem=str(problem.detail))
        case exceptions.AuthenticationFailed() | exceptions.NotAuthenticated():
            return errors.Unauthorized()
        case exceptions.PermissionDenied() | PermissionDenied():
            return errors.OutOfScope(scope=", ".join(sorted(getattr(context["view"], "scopes", ()))))
        case Http404() | exceptions.NotFound():
            return errors.NothingHere()
        case exceptions.MethodNotAllowed():
            return errors.WrongMethod(allow=", ".join(context["view"].allowed_methods))
        case exceptions.NotAcceptable():
            return errors.NotAcceptable()
        case exceptions.UnsupportedMediaType():
            return getattr(context["view"], "wrong_media", errors.WrongMediaType)()
        case RequestDataTooBig():
            return errors.TooLarge(limit=settings.API_BODY_LIMIT)
    return None


def flat(detail, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """A nested answer of serializers as names with dots: {"patient": {"phone": […]}} → "patient.phone"."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from flat(inner, f"{name}.{key}".strip("."))
    elif isinstance(detail, list) and any(isinstance(each, dict | list) for each in detail):
        for place, inner in enumerate(detail):
            yield from flat(inner, f"{name}.{place}".strip("."))
    else:
        yield name or "request", detail if isinstance(detail, list) else [detail]
