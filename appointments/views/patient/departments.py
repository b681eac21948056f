"""Step 1 of 4: which department."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def departments(request):
    return render(request, "patient/departments.html", {})
