"""为什么约不上: one patient, one channel, one clinic; every step of the claim with its rule and what to do next."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.forms.desk import SearchForm
from appointments.forms.why import WhyPageForm
from appointments.models import Schedule
from appointments.models.rules import Channel
from appointments.selectors import why as selectors
from hospital import audit, clock, patients, permissions
from hospital.errors import NotAllowed
from hospital.models import Department, Organization, Patient
from hospital.permissions import role_required

from .reach import READERS, Reach, reach_of

KEPT = ("patient", "channel", "department", "role", "day", "schedule", "number", "at", "partner")
RELATED = (
    "organization", "campus", "department", "service", "team", "room", "role__practitioner", "role__department",
)  # fmt: skip


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*READERS)
def why(request: HttpRequest):
    """The text of a search goes by POST; what is chosen stands in the address as ids."""
    now, reach = clock.now(), reach_of(request)
    form = WhyPageForm(request.GET)
    results = _search(request, now=now) if request.method == "POST" else None
    if results is not None and len(results.people) == 1 and results.by in ("document", "phone", "number"):
        return redirect(_address(request, patient=results.people[0].pk))
    patient, schedule = _patient(request, form), _schedule(form, reach)
    channel = form.said("channel") or Channel.WEB
    day = schedule.day if schedule else form.day_from(clock.today(now))
    department = form.said("department") or (schedule.department_id if schedule else None)
    context = {
        "search": SearchForm(request.POST or None, label_suffix=""),
        "results": results,
        "found": [(one, _address(request, patient=one.pk)) for one in results.people] if results else [],
        "may_search": permissions.may_search_patients(request.user),
        "patient": patients.masked([patient])[0] if patient else None,
        "without_patient": _address(request, patient=""),
        "channels": Channel.choices,
        "channel": channel,
        "day": day,
        "departments": _departments(reach),
        "department": department,
        "schedules": _schedules(reach, department, day),
        "schedule": schedule,
        "partners": _partners(schedule) if channel == Channel.PARTNER and schedule else [],
        "partner": form.said("partner"),
        "number": form.said("number") or "",
        "at": form.said("at"),
        "answer": _answer(request, form, schedule, patient, channel, now=now) if schedule else None,
        "organizations": Organization.objects.filter(pk__in=reach.organizations),
    }
    return render(request, "office/why.html", context)


def _search(request: HttpRequest, *, now) -> patients.Results | None:
    """As the desk searches, and as there it leaves a trace."""
    if not permissions.may_search_patients(request.user):
        raise NotAllowed
    form = SearchForm(request.POST)
    if not form.is_valid():
        return None
    results = patients.search(form.cleaned_data["q"])
    shown = [one.pk for one in results.people]
    audit.searched_patients(actor=request.user, how=results.by, found=shown, where="why", now=now, request=request)
    return results


def _address(request: HttpRequest, **changes) -> str:
    kept = {name: request.GET.get(name, "") for name in KEPT} | changes
    return f"{reverse('appointments:office_why')}?{urlencode({name: value for name, value in kept.items() if value})}"


def _patient(request: HttpRequest, form: WhyPageForm) -> Patient | None:
    pk = form.said("patient")
    if not pk or not permissions.may_search_patients(request.user):
        return None
    return Patient.objects.filter(pk=pk).first()


def _schedule(form: WhyPageForm, reach: Reach) -> Schedule | None:
    pk = form.said("schedule")
    rows = Schedule.objects.filter(reach.schedules).select_related(*RELATED)
    return rows.filter(pk=pk).first() if pk else None


def _departments(reach: Reach):
    rows = Department.objects.filter(organization__in=reach.organizations, active=True)
    return rows if reach.departments is None else rows.filter(pk__in=reach.departments)


def _schedules(reach: Reach, department: int | None, day) -> list[Schedule]:
    if not department:
        return []
    rows = Schedule.objects.filter(reach.schedules, department=department, day=day)
    return list(rows.select_related(*RELATED).order_by("starts_at", "pk"))


def _partners(schedule: Schedule):
    return Organization.objects.filter(active=True).exclude(pk=schedule.organization_id).order_by("code")


def _answer(request: HttpRequest, form: WhyPageForm, schedule: Schedule, patient: Patient | None, channel, *, now):
    if patient:
        audit.saw_patient(patient=patient, actor=request.user, where="why", now=now, request=request)
    asked = selectors.Asked(
        schedule=schedule,
        channel=channel,
        patient=patient,
        number=form.said("number"),
        start=form.start_of(schedule),
        partner=form.said("partner") if channel == Channel.PARTNER else None,
    )
    return selectors.explain(asked, now=now)
