"""The OpenAPI document: the framework's own reading of the views, with every refusal that an operation may give."""

from functools import cache

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from . import errors

PREFIX = "/api/v1/"
NOT_DESCRIBED = ("/api/v1/schema/", "/api/v1/docs/")

ERROR = {
    "type": "object",
    "description": "A refusal: a code for programs, a sentence and the next step for people (in the language of "
    "Accept-Language: zh-hans or en), and by field what is wrong with what was sent.",
    "required": ["code", "message", "next"],
    "properties": {
        "code": {"type": "string", "description": "Stable: branch on it, never on the sentence."},
        "message": {"type": "string", "description": "What happened."},
        "next": {"type": "string", "description": "What to do now."},
        "fields": {
            "type": "object",
            "description": "Field or parameter → sentences. Only with `invalid`.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
TAGS = [
    {
        "name": "places",
        "description": "Hospitals, campuses (院区), departments (科室), doctors, expert teams (专家团队).",
    },
    {"name": "numbers", "description": "Schedules (出诊单元) and what is left of their numbers (号源) for this token."},
    {"name": "money", "description": "What the account's bookings cost (账单), and paying it."},
    {"name": "people", "description": "The patients (就诊人) whom the account books for."},
    {"name": "bookings", "description": "Bookings (预约): hold, confirm, reschedule, cancel."},
    {
        "name": "referrals",
        "description": "Between a lower institution and a hospital (转诊): the token's own institution's, both ways.",
    },
    {"name": "integration", "description": "For the hospital's other systems: patients and visits in."},
]
RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
WORDS = {
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token's scopes do not include this.",
    404: "No such row, or not one of this account's.",
    406: "Only JSON is answered.",
    409: "A rule of the hospital refuses; `code` names it and `next` says what is possible instead.",
    413: "The body is longer than 256 KiB; a file longer than the hospital takes.",
    415: "The body is not JSON, or not the kind of file that is taken.",
    422: "What was sent is not what this document describes; `fields` names what.",
    429: "Too many bookings and changes by this account in a short time.",
    503: "Busy, or the database is away: nothing was done, ask again with the same Idempotency-Key.",
}
HEADERS = {
    401: {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}}},
    429: RETRY,
    503: RETRY,
}
EXAMPLES = {
    401: errors.Unauthorized(),
    403: errors.OutOfScope(scope="book"),
    404: errors.NothingHere(),
    406: errors.NotAcceptable(),
    413: errors.TooLarge(limit=262_144),
    415: errors.WrongMediaType(),
    422: errors.Invalid({"patient": ["Expected `int`, got `str`"]}),
    429: errors.TooMany(seconds=12),
}


class HospitalSchema(AutoSchema):
    """Adds the refusals to what each view says of itself."""

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        for body in bodies.values():
            body["description"] = body["description"] or ("One page." if self._is_list_view() else "As it stands now.")
        for status in refusals_of(self):
            bodies.setdefault(str(status), refusal(status))
        return dict(sorted(bodies.items()))


def refusals_of(operation: AutoSchema) -> set[int]:
    """By what the operation takes: a body, parameters, a place in the path."""
    statuses = {401, 403, 406, 503}
    if "{" in operation.path:
        statuses.add(404)
    if operation.method in {"POST", "PUT", "PATCH"}:
        statuses |= {409, 413, 415, 422, 429}
    elif operation.method == "DELETE":
        statuses |= {409, 429}
    elif getattr(operation.view, "takes_parameters", False):
        statuses.add(422)
    statuses |= getattr(operation.view, "also_answers", {}).get(operation.method, set())
    if getattr(operation.view, "asks_privacy", False):
        statuses.add(409)
    return statuses - getattr(operation.view, "never_answers", frozenset())


def refusal(status: int) -> dict:
    content = {"schema": {"$ref": "#/components/schemas/Error"}}
    if status in EXAMPLES:
        content["examples"] = {EXAMPLES[status].code: {"value": EXAMPLES[status].body()}}
    return {
        "description": WORDS[status],
        "content": {"application/json": content},
        **({"headers": HEADERS[status]} if status in HEADERS else {}),
    }


def only_version_one(endpoints, **_kwargs):
    return [each for each in endpoints if each[0].startswith(PREFIX) and not each[0].startswith(NOT_DESCRIBED)]


def finish(result, generator, request, public):
    """What belongs to no single operation."""
    components = result.setdefault("components", {})
    schemas = {**components.get("schemas", {}), "Error": ERROR}
    components["schemas"] = dict(sorted(schemas.items()))
    result["tags"] = TAGS
    return result


@cache
def document() -> dict:
    """Built once a process: it says nothing of the caller. In English; the sentences of refusals follow the request."""
    with translation.override("en"):
        return SchemaGenerator().get_schema(request=None, public=True)


@cache
def written(form: str) -> bytes:
    renderer = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}[form]()
    return renderer.render(document(), renderer_context={})
