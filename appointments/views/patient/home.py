"""首页 of patients. Whole without script, useful before anybody has signed in."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request):
    return render(request, "patient/home.html", {})
