"""For the hot endpoints, which are plain views: the checks that the REST framework makes for the others."""

import re
from collections.abc import Callable
from functools import wraps

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from hospital import clock, tokens

from .errors import Invalid, Malformed, NotAcceptable, OutOfScope, Unauthorized, WrongMediaType, WrongMethod, by_field

JSON = "application/json"
KEY = re.compile(r"[\x21-\x7e]{1,80}")
LARGEST = 2**63 - 1
_encoder = msgspec.json.Encoder()


def endpoint(**views: Callable) -> Callable:
    """One address, a view for each method: endpoint(get=…, post=…). HEAD is GET without the body."""
    methods = {method.upper(): view for method, view in views.items()}
    if "GET" in methods:
        methods["HEAD"] = methods["GET"]
    allow = ", ".join([*methods, "OPTIONS"])
    any_view = next(iter(views.values()))

    @csrf_exempt  # no cookie is read here: the token is the only credential
    @wraps(any_view)
    def dispatch(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        view = methods.get(request.method)
        if view is None:
            if request.method == "OPTIONS":
                return HttpResponse(status=204, headers={"Allow": allow})
            raise WrongMethod(allow=allow)
        if not takes_json(request.META.get("HTTP_ACCEPT")):
            raise NotAcceptable()
        return view(request, *args, **kwargs)

    return dispatch


def takes_json(accept: str | None) -> bool:
    """The usual cases first: parsing the header costs more than the rest of the checks together."""
    if not accept or accept == JSON or "*/*" in accept:
        return True
    return any(part.split(";")[0].strip().lower() in {JSON, "application/*"} for part in accept.split(","))


def header(request: HttpRequest) -> str:
    """The Authorization header. Who sends none is told so before anything else is read."""
    said = request.META.get("HTTP_AUTHORIZATION", "")
    if not said:
        raise Unauthorized()
    return said


def caller(request: HttpRequest, *, scopes: frozenset[str], patient_id: int | None = None) -> tokens.Caller:
    """Who calls, in one query. Raises Unauthorized, OutOfScope."""
    found = tokens.bearer(header(request), patient_id=patient_id, now=clock.now())
    if found is None:
        raise Unauthorized()
    if not scopes & found.scopes:
        raise OutOfScope(scope=" / ".join(sorted(scopes)))
    return found


def request_key(request) -> str:
    """Idempotency-Key: with it a request may be sent again without being done again. Raises Invalid."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not KEY.fullmatch(key):
        raise Invalid({"Idempotency-Key": [_("请求头 Idempotency-Key 必填，1–80 个可见的 ASCII 字符。")]})
    return key


def refuse_parameters_but(parameters, *, known) -> None:
    """As the ordinary endpoints do: a parameter that the document does not name is a typing error."""
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise Invalid({name[:60]: [_("没有这个参数。")] for name in unknown[:20]})


def body(request: HttpRequest, decoder: msgspec.json.Decoder):
    """Raises WrongMediaType, Malformed, Invalid."""
    if request.content_type != JSON:
        raise WrongMediaType()
    try:
        return decoder.decode(request.body)
    except msgspec.ValidationError as problem:
        raise by_field(problem) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise Malformed(problem=str(problem)) from None


def answered(content, *, status: int = 200) -> HttpResponse:
    return HttpResponse(_encoder.encode(content), content_type=JSON, status=status)
