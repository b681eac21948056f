"""The document itself, and a page that shows it and tries it out, all from this server."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from . import schema
from .errors import NotAcceptable, WrongMethod

TYPES = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}


@csrf_exempt
@cache_control(public=True, max_age=300)
def document(request):
    """JSON, or YAML by ?format=yaml or by the Accept header."""
    refuse_to_write(request)
    form = request.GET.get("format") or ("yaml" if "yaml" in request.headers.get("Accept", "") else "json")
    if form not in TYPES:
        raise NotAcceptable()
    kind = TYPES[form] if "vnd.oai" in request.headers.get("Accept", "") else f"application/{form}"
    return HttpResponse(schema.written(form), content_type=kind)


def docs(request):
    refuse_to_write(request)
    return render(request, "api/docs.html")


def refuse_to_write(request):
    if request.method not in {"GET", "HEAD"}:
        raise WrongMethod(allow="GET, HEAD")
