"""Step 3 of 4: when."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def doctor(request, pk):
    return render(request, "patient/slots.html", {})


@require_safe
def team(request, pk):
    return render(request, "patient/slots.html", {})


@require_safe
def clinic(request, department, service):
    return render(request, "patient/slots.html", {})
