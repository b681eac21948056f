"""候补 (B9): joining the line of a half-day that is full, and what became of it. The list stands in 我的预约."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments import errors
from appointments.forms.bookings import PersonForm
from appointments.forms.waiting import ActForm, JoinForm, SessionForm
from appointments.models.rules import Channel
from appointments.policies import waitlist as policy
from appointments.selectors import rules
from appointments.selectors import waitlist as selectors
from appointments.selectors.candidates import Candidate, Chosen
from appointments.selectors.patient import waits
from appointments.services import waitlist
from appointments.views.bookings.reach import lacks_consent, paid_at
from hospital import clock, family
from hospital.errors import Refused
from hospital.permissions import patient_required
from hospital.prepaid import PayFirst

from .addresses import slots_page

OF_THE_PERSON = (
    errors.WaitingAlready,
    errors.TooManyWaits,
    errors.PatientSuspended,
    errors.LimitReached,
    errors.AlreadyBooked,
    errors.TimeConflict,
)
"""Said beside the radio; every other refusal is about the half-day: back to its page, which is fresh."""


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def waitlist_join(request: HttpRequest):
    """谁候补, the rule in plain words, one button. Pressed twice it is one entry."""
    asked = SessionForm(request.GET)
    now = clock.now()
    chosen = waits.session(asked.cleaned_data["schedule"], now=now) if asked.is_valid() else None
    if chosen is None:
        messages.warning(request, errors.NoSuchNumber().in_full)
        return redirect("appointments:departments")
    people = family.people_of(request.user)
    if not people:
        return redirect(f"{reverse('family_add')}?{urlencode({'next': request.get_full_path()})}")
    page = Page(request, chosen, waits.candidates(people, chosen, account=request.user, now=now), now)
    if request.method == "POST":
        return _join(page, JoinForm(request.POST, people=people))
    refusal = selectors.may_join(chosen.schedule, channel=Channel.WEB, now=now)
    return page.back_to_slices(refusal) if refusal else page.render()


def _join(page: "Page", form: JoinForm):
    if not form.is_valid():
        return page.render(status=422, said=form.errors.get("patient"))
    person = next(each for each in page.candidates if each.pk == form.cleaned_data["patient"])
    if person.consent:  # as before booking: what is accepted later is a booking (O4)
        return page.render(status=409, person=person.pk)
    try:
        entry = waitlist.join(
            schedule_id=page.chosen.schedule.pk,
            patient_id=person.pk,
            by=page.request.user,
            channel=Channel.WEB,
            now=clock.deciding(),
        )
    except OF_THE_PERSON as refusal:
        return page.render(refusal=refusal, person=person.pk)
    except Refused as refusal:
        return page.back_to_slices(refusal, person=person.pk)
    return redirect("appointments:waiting", entry.pk)


@dataclass(frozen=True)
class Page:
    """The half-day that is full, and who may wait for it."""

    request: HttpRequest
    chosen: Chosen
    candidates: list[Candidate]
    now: datetime

    def render(self, *, status: int = 200, refusal: Refused | None = None, person: int | None = None, said=()):
        """`person` is the radio that stays chosen; `refusal` stands beside it."""
        schedule = self.chosen.schedule
        context = {
            "chosen": self.chosen,
            "schedule": schedule,
            "rule": self.chosen.rule,
            "candidates": self.candidates,
            "checked": person or self._likely(),
            "refusal": refusal,
            "refused": person if refusal else None,
            "said": said,
            "joinable": any(each.bookable for each in self.candidates),
            "waiting": selectors.line_of(schedule.pk).count(),
            "closes": policy.closes_at(schedule.day, self.chosen.rule),
            "here": self.request.get_full_path(),
            "slots_at": slots_page(schedule),
        }
        return render(self.request, "patient/waiting_join.html", context, status=refusal.status if refusal else status)

    def _likely(self) -> int | None:
        """Who was named in the address; else the only person there is."""
        named = PersonForm(self.request.GET).said()
        if any(each.pk == named for each in self.candidates):
            return named
        return self.candidates[0].pk if len(self.candidates) == 1 else None

    def back_to_slices(self, refusal: Refused, *, person: int | None = None):
        """Numbers came back meanwhile, or the line is closed: what happened, over the numbers as they are now."""
        free = isinstance(refusal, errors.StillNumbers)
        messages.add_message(self.request, messages.SUCCESS if free else messages.ERROR, refusal.in_full)
        if isinstance(refusal, errors.Inactive):  # that page is gone, too
            return redirect("appointments:doctors", self.chosen.schedule.department_id)
        return redirect(slots_page(self.chosen.schedule, **({"patient": person} if person else {})))


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def waiting(request: HttpRequest, pk: int):
    """One entry: its place in line, the number to accept, or how it ended. Another account's does not exist."""
    wait = _own(request, pk)
    if request.method == "GET":
        return _show(request, wait)
    form = ActForm(request.POST)
    if not form.is_valid():
        return _show(request, wait)
    try:
        return _act(request, wait, form.cleaned_data["act"])
    except Refused as refusal:
        return _show(request, _own(request, pk), refusal=refusal)


def _own(request: HttpRequest, pk: int) -> waits.Waiting:
    wait = waits.one(request.user, pk, now=clock.now())
    if wait is None:
        raise Http404
    return wait


def _act(request: HttpRequest, wait: waits.Waiting, act: str):
    asked = {"entry_id": wait.entry.pk, "by": request.user, "now": clock.deciding()}
    if act == ActForm.LEAVE:
        (waitlist.decline if wait.offered else waitlist.leave)(**asked)
        return redirect("appointments:waiting", wait.entry.pk)
    person = lacks_consent(wait.entry, account=request.user, now=clock.now()) if wait.offered else None
    if person:  # asked by the law (O4); the offer's time goes on meanwhile
        messages.error(request, _("预约前，需要先看过并同意告知书。"))
        back = urlencode({"next": reverse("appointments:waiting", args=[wait.entry.pk])})
        return redirect(f"{reverse('consent_person', args=[person.pk])}?{back}")
    try:
        return redirect("appointments:booking_done", waitlist.accept(**asked).pk)
    except PayFirst as refusal:
        page = paid_at(wait.offer.appointment) if wait.offered else None
        if page is None:
            raise
        messages.info(request, refusal.in_full)
        return redirect(page)


def _show(request: HttpRequest, wait: waits.Waiting, *, refusal: Refused | None = None):
    schedule = wait.entry.schedule
    context = {
        "wait": wait,
        "entry": wait.entry,
        "schedule": schedule,
        "rule": rules.booking_rule_for(schedule, day=clock.today(clock.now())),
        "refusal": refusal,
        "sure": request.GET.get("sure") == "1",
        "slots_at": slots_page(schedule),
    }
    return render(request, "patient/waiting.html", context, status=refusal.status if refusal else 200)
