"""Step 3 of 4: when. The list alone is asked for again every few seconds; the chosen slice stays chosen."""

import hashlib

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.errors import PastNumber, SoldOut, StoppedMeanwhile
from appointments.forms.bookings import ChoiceForm
from appointments.forms.patient import SlotsAsked
from appointments.models import Schedule
from appointments.policies.scarcity import State
from appointments.selectors.patient import actors, slices, terms
from appointments.selectors.patient import days as strips
from appointments.selectors.patient.openings import days_shown, openings_of, to_come
from hospital import clock
from hospital.models import HealthcareService

from .addresses import page_of, slots_page


@require_safe
@never_cache
def doctor(request, pk):
    role = get_object_or_404(actors.roles_shown(), pk=pk)
    who = {"role": role, "department": role.department, "service": role.service}
    return _show(request, who, page_of(role=pk, team=None, department=0, service=0), role=role)


@require_safe
@never_cache
def team(request, pk):
    row = get_object_or_404(actors.teams_shown(), pk=pk)
    who = {"team": row, "department": row.department, "service": row.service, "members": actors.members_of(row)}
    return _show(request, who, page_of(role=None, team=pk, department=0, service=0), team=row)


@require_safe
@never_cache
def clinic(request, department, service):
    place = get_object_or_404(actors.departments_shown(), pk=department)
    row = get_object_or_404(HealthcareService, pk=service, active=True, organization=place.organization_id)
    who = {"department": place, "service": row}
    page = page_of(role=None, team=None, department=department, service=service)
    return _show(request, who, page, department=place, service=row, role=None, team=None)


@require_safe
@never_cache
def back(request):
    """From signing in or adding a person to the times, the chosen one still chosen. Takes what /book/who/ takes."""
    choice = ChoiceForm(request.GET)
    schedule = Schedule.objects.filter(pk=choice.cleaned_data["schedule"]).first() if choice.is_valid() else None
    if schedule is None:
        return redirect("appointments:departments")
    slot = f"{schedule.pk}@{choice.cleaned_data['start'].isoformat()}"
    return redirect(slots_page(schedule, slot=slot))


def _show(request, who: dict, page: str, **actor):
    """The page, or only its list when htmx asks; nothing at all when the list is as it was."""
    now = clock.now()
    asked = SlotsAsked(request.GET).given
    span = days_shown(who["department"].organization_id, now=now)
    openings = openings_of(to_come(span, now=now).filter(**actor), now=now)
    slot = asked.get("slot")
    wanted = asked.get("day") or (timezone.localtime(slot.start, clock.ZONE).date() if slot else None)
    days = strips.strip(span, openings, wanted=wanted, today=clock.today(now))
    day = next(each for each in days if each.chosen)
    on_the_day = [each for each in openings if each.schedule.day == day.day]
    parts = slices.parts_of(on_the_day, chosen=slot, now=now)
    chosen = slices.chosen_in(parts)
    seen = _digest(parts)
    refusal = _lost(parts, slot, now=now) if slot and not chosen else None
    if request.htmx and not refusal and asked.get("seen") == seen:
        return HttpResponse(status=204)
    context = who | {"page": page, "days": days, "day": day, "openings": openings, "parts": parts, "chosen": chosen}
    context |= {
        "seen": seen,
        "fee": _fee(parts, chosen),
        "refusal": refusal or (SoldOut() if asked.get("lost") and not chosen else None),
        "patient": asked.get("patient"),
        "next_day": strips.first_with_a_number(openings, after=day.day),
        "more_at": strips.released_on(on_the_day),
    }
    if request.htmx:
        return render(request, "patient/_fresh.html", context)
    return render(request, "patient/slots.html", context | _around(who, openings, on_the_day, day=day.day, now=now))


def _around(who: dict, openings: list, on_the_day: list, *, day, now) -> dict:
    """What stands around the list and does not change while it is looked at."""
    shown = (on_the_day or openings)[:1]
    return {
        "gate": actors.gate_of(openings),
        "terms": terms.terms_of(shown[0].schedule, now=now) if shown else None,
        "back": f"{reverse('appointments:doctors', args=[who['department'].pk])}?day={day:%Y-%m-%d}",
    }


def _lost(parts, slot, *, now):
    """Why the slice that was pointed at can't be had; of another day's or another doctor's nothing is said."""
    part = next((each for each in parts if each.schedule.pk == slot.schedule), None)
    if part is None:
        return None
    if part.opening.state is State.STOPPED:
        return StoppedMeanwhile()
    return PastNumber() if slot.start <= now else SoldOut()


def _fee(parts, chosen):
    """Of the chosen slice, else of the day when all its half-days cost the same."""
    fees = {part.opening.fee for part in parts if chosen is None or part.schedule.pk == chosen.schedule}
    return fees.pop() if len(fees) == 1 else None


def _digest(parts) -> str:
    """What the list says, so that a refresh that would change nothing changes nothing."""
    said = [
        (part.schedule.pk, part.opening.state, part.opening.waits, [(each.value, each.left) for each in part.slices])
        for part in parts
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
