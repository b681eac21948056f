"""Where a signed-in person lands."""

from django.http import HttpResponse


def landing(request):
    return HttpResponse("ok")
