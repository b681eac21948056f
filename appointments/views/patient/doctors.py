"""Step 2 of 4: whom to see, and on which day."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from hospital.models import Department


@require_safe
def doctors(request, pk):
    department = get_object_or_404(Department, pk=pk, active=True)
    return render(request, "patient/doctors.html", {"department": department})
