"""自动执行记录: which job ran when, how late, how long, and how much it did."""

from django.http import HttpRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.releases import RunsForm
from appointments.models import JobRun
from appointments.selectors import runs as selectors
from hospital import clock
from hospital.models import Organization
from hospital.permissions import role_required

from . import reach


@require_safe
@never_cache
@role_required(*reach.READERS)
def runs(request: HttpRequest):
    looked = RunsForm(request.GET).looked()
    page = selectors.page_of(**looked, now=clock.now())
    context = {
        "page": page,
        "looked": looked,
        "jobs": JobRun.Job.choices,
        "filtered": bool(looked["job"] or looked["trouble"] or looked["day"]),
        "organizations": Organization.objects.filter(pk__in=reach.reach_of(request).organizations),
    }
    return render(request, "office/runs.html", context)
