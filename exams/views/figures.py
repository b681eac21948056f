"""检查指标: a month's figures by modality, with their definitions, and the five months before."""

from django.http import HttpRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.views.office.reach import READERS, reach_of
from appointments.views.office.rules import house_of
from exams import stats
from exams.forms.figures import MonthForm
from hospital import clock
from hospital.models import Organization
from hospital.permissions import role_required


@require_safe
@never_cache
@role_required(*READERS)
def figures(request: HttpRequest):
    """Plans and repeats are the whole house's: the office of one department sees its own devices' figures only."""
    reach = reach_of(request)
    house, today = house_of(request, reach), clock.today(clock.now())
    month = MonthForm(request.GET).first(today)
    following = stats.month_before(month, -1)
    departments = None if reach.departments is None else sorted(reach.departments)
    context = {
        "house": house,
        "houses": Organization.objects.filter(pk__in=reach.organizations).order_by("pk"),
        "figures": stats.figures(organization=house.pk, month=month, departments=departments),
        "month": month,
        "before": stats.month_before(month, 1),
        "after": following if following <= today else None,
        "this_month": month == today.replace(day=1),
        "target": stats.SEGMENT_TARGET,
        "whole_house": reach.departments is None,
        "organizations": [house],
    }
    return render(request, "exams/figures/figures.html", context)
