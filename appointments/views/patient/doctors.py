"""Step 2 of 4: whom to see, and on which day."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.patient import DoctorsAsked
from appointments.selectors.patient import days as strips
from appointments.selectors.patient import doctors as lists
from appointments.selectors.patient import places
from hospital import clock


@require_safe
@never_cache
def doctors(request, pk):
    """The department's doctors, teams and plain clinics on one day; below, who sits on other days."""
    now = clock.now()
    department = get_object_or_404(places.departments_shown(), pk=pk)
    asked = DoctorsAsked(request.GET)
    wanted = asked.wanted
    span = lists.days_of(department, now=now)
    every = lists.in_department(department, days=span, now=now)
    openings = [each for each in every if wanted.admits(each)]
    days = strips.strip(span, openings, wanted=asked.given.get("day"), today=clock.today(now))
    day = next(each for each in days if each.chosen)
    lines = lists.lines_of(each for each in openings if each.schedule.day == day.day)
    here = {lists.key_of(line.first) for line in lines}
    others = [line for line in lists.lines_of(openings) if lists.key_of(line.first) not in here]
    lists.name_leaders([*lines, *others])
    context = {
        "department": department,
        "days": days,
        "day": day,
        "lines": lines,
        "others": others,
        "wanted": wanted,
        "offered": lists.offered(every),
        "next_day": strips.first_with_a_number(openings, after=day.day),
        "any": bool(every),
    }
    return render(request, "patient/doctors.html", context)
