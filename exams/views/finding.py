"""找患者, for the booking centre and the check-in desk: documents and phones go by POST, never into an address."""

from django.http import HttpRequest
from django.shortcuts import redirect, render

from appointments.forms.desk import SearchForm
from appointments.selectors import slips
from appointments.views.desk import SURE
from exams.selectors import rooms, worklist
from hospital import audit, clock, patients


def find(request: HttpRequest, *, houses, where: str, template: str, target: str):
    """`target`: the address of the one who is meant; a search that names one person opens it at once."""
    now = clock.now()
    form = SearchForm(request.POST or None, label_suffix="")
    context = {"form": form, "target": target}
    if form.is_valid():
        if scanned := slips.patient_of(form.cleaned_data["q"]):
            return redirect(target, scanned.pk)
        results = patients.search(form.cleaned_data["q"])
        shown = [found.pk for found in results.people]
        audit.searched_patients(actor=request.user, how=results.by, found=shown, where=where, now=now, request=request)
        if results.by in SURE and len(shown) == 1:
            return redirect(target, shown[0])
        context |= {"results": results, "lines": _lines(results.people, houses=houses, now=now)}
    return render(request, template, context)


def _lines(people, *, houses, now) -> list[dict]:
    """Results with today's exams and how many are still to be booked. Two queries."""
    ids = [found.pk for found in people]
    todays = rooms.todays(ids, organizations=houses, now=now, today=clock.today(now))
    open_ = worklist.how_many(ids, houses)
    return [{"found": found, "exams": todays.get(found.pk, []), "open": open_.get(found.pk, 0)} for found in people]
