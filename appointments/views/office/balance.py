"""号源结构: how the numbers of some days lie, by department, with definition and target, down to the week."""

from datetime import timedelta

from django.http import HttpRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.balance import LONGEST, BalanceForm
from appointments.selectors import balance as selectors
from appointments.selectors.office import monday_of
from hospital import clock
from hospital.models import Department, Organization
from hospital.permissions import role_required

from .reach import READERS, reach_of
from .rules import house_of


@require_safe
@never_cache
@role_required(*READERS)
def balance(request: HttpRequest):
    """Mornings and afternoons, levels, and what is open on line: all together and by department."""
    reach = reach_of(request)
    house, now = house_of(request, reach), clock.now()
    first, last = BalanceForm(request.GET).days(clock.today(now))
    whole, parts = selectors.balance(house=house.pk, first=first, last=last, departments=reach.departments, now=now)
    departments = Department.objects.filter(pk__in=parts).select_related("campus").order_by("order", "code")
    step = last - first + timedelta(days=1)
    context = {
        "house": house,
        "houses": Organization.objects.filter(pk__in=reach.organizations).order_by("pk"),
        "whole": whole,
        "rows": [(department, parts[department.pk]) for department in departments],
        "first": first,
        "last": last,
        "before": (first - step, last - step),
        "after": (first + step, last + step),
        "monday": monday_of(first),
        "longest": LONGEST,
        "target": selectors.TARGET,
        "organizations": [house],
    }
    return render(request, "office/balance.html", context)
