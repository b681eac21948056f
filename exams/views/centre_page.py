"""A page of the centre or the rooms. Its frame is boosted: an answer that refuses comes by htmx and is a whole page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

REFUSED = 400


def render_page(request: HttpRequest, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    if request.htmx and status >= REFUSED:
        response["HX-Retarget"] = "body"  # the form with what is wrong in its place, not a notice above the old one
    return response
