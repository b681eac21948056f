"""Step 1 of 4: which department."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.patient import DepartmentsAsked
from appointments.selectors.patient import places
from hospital import clock


@require_safe
@never_cache
def departments(request):
    """All departments in groups, or what was searched for."""
    asked = DepartmentsAsked(request.GET).given
    text, campus = asked.get("q", "").strip(), asked.get("campus")
    campuses = places.campuses()
    context = {
        "q": text,
        "campuses": campuses,
        "campus": next((each for each in campuses if each.pk == campus), None),
    }
    if text:
        context["found"] = places.search(text, campus=campus, now=clock.now())
        if not context["found"]:
            context["unsure"] = places.unsure(campus=campus, now=clock.now())
            context["houses"] = {each.organization for each in campuses if not each.organization.parent_id}
    else:
        context["groups"] = places.grouped(places.departments_shown(campus=campus))
    return render(request, "patient/departments.html", context)
