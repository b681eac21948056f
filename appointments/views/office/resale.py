"""倒号线索 (P11): numbers that came back and were taken minutes later by the same hand, and what was found out."""

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from appointments.forms.trail import ResaleForm, SeenForm, written
from appointments.selectors import resale as selectors
from hospital import audit, clock, masking
from hospital.models import Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, may_act, reach_of


@require_safe
@never_cache
@role_required(*READERS)
def resale(request: HttpRequest):
    return _page(request)


@require_POST
@role_required(*ACTORS)
def seen(request: HttpRequest):
    """核实: somebody of the office has looked into one pair. The address keeps the filters."""
    form, mine = SeenForm(request.POST), reach_of(request, *ACTORS)
    if not form.is_valid():
        return _page(request, form)
    said = form.cleaned_data
    pair = {"gave": said["gave"], "took": said["took"]}
    if not selectors.clue(**pair, organizations=mine.organizations, departments=mine.departments):
        raise Http404
    audit.record(
        action=selectors.SEEN,
        actor=request.user,
        subject=f"appointment:{said['took']}",
        detail={"gave": said["gave"], "note": said["note"]},
        now=clock.now(),
        request=request,
    )
    messages.success(request, _("已记下核实结果。"))
    kept = request.META.get("QUERY_STRING", "")
    return redirect(reverse("appointments:office_resale") + (f"?{kept}" if kept else ""))


def _page(request: HttpRequest, wrong: SeenForm | None = None):
    now = clock.now()
    mine, form = reach_of(request), ResaleForm(request.GET)
    first, last = form.days(clock.today(now))
    asked = form.asked(organizations=mine.organizations, departments=mine.departments, today=clock.today(now))
    page = selectors.clues(asked)
    audit.record(
        action="resale.listed", actor=request.user, detail={"clues": len(page.clues)}, now=now, request=request
    )
    kept = {"first": first, "last": last, "reason": asked.reason, "unseen": "1" if asked.unseen else ""}
    context = {
        "page": page,
        "lines": [_line(clue, wrong) for clue in page.clues],
        "asked": asked,
        "first": first,
        "last": last,
        "may_act": may_act(request),
        "kept": urlencode({name: value for name, value in kept.items() if value}),
        "here": request.META.get("QUERY_STRING", ""),
        "next": written(page.more.at, page.more.gave, page.more.took) if page.more else "",
        "organizations": Organization.objects.filter(pk__in=mine.organizations),
    }
    return render(request, "office/resale.html", context, status=422 if wrong else 200)


def _line(clue: selectors.Clue, wrong: SeenForm | None) -> dict:
    """`wrong`: the form that was just sent for this very pair, with its sentence."""
    sent = wrong is not None and wrong.data.get("took") == str(clue.took.pk)
    return {
        "clue": clue,
        "gave": _person(clue.gave.patient),
        "took": _person(clue.took.patient),
        "minutes": max(1, round(clue.after.total_seconds() / 60)),
        "form": wrong if sent else None,
    }


def _person(patient) -> str:
    return " ".join(filter(None, (masking.name(patient.name), masking.phone(patient.phone))))
