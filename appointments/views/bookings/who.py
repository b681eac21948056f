"""第四步：选就诊人并确认. One decision, one POST, one booking, however often the button is pressed."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments import errors
from appointments.forms.bookings import BookForm, ChoiceForm, PersonForm
from appointments.models import Appointment, Schedule
from appointments.models.rules import Channel
from appointments.selectors import candidates as selectors
from appointments.selectors import rules
from appointments.services import booking, walkin
from appointments.views.patient.addresses import slots_page
from hospital import clock, family
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import patient_required

from .reach import paid_at

CHOOSE_ANOTHER = (
    errors.SoldOut,
    errors.PastNumber,
    errors.NotOpen,
    errors.Stopped,
    errors.Inactive,
    errors.NoPrice,
    errors.NeedsTeamReferral,
    errors.NoSuchNumber,
)
"""Wrong with the slice, not with the person: back to the slices, whose list is fresh."""

REMEMBERED = "booking_for"
"""In the session: whom the account was booking for when it lost a race."""


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def book_who(request: HttpRequest):
    choice = ChoiceForm(request.GET)
    if not choice.is_valid():
        return _nothing_chosen(request)
    people = family.people_of(request.user)
    if not people:
        return redirect(f"{reverse('family_add')}?{urlencode({'next': request.get_full_path()})}")
    now = clock.now()
    said = choice.cleaned_data
    chosen = selectors.chosen_slice(schedule_id=said["schedule"], start=said["start"], now=now)
    if chosen is None:
        return _gone(request, schedule_id=said["schedule"])
    page = Page(request, chosen, selectors.candidates_for(people, chosen, account=request.user, now=now), now)
    stopped = chosen.schedule.status == Schedule.Status.STOPPED
    return _book(page, people) if request.method == "POST" and not stopped else _look(page)


def _nothing_chosen(request: HttpRequest):
    """The slices' button without a slice, in a browser that lets it through: back to where it was pressed."""
    messages.warning(request, _("请先选一个就诊时段。"))
    came_from = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    if safe and urlsplit(came_from).path not in {request.path, reverse("sign_in")}:
        return redirect(came_from)
    return redirect("appointments:departments")


def _gone(request: HttpRequest, *, schedule_id: int):
    """An old link: to what there is now, as near as can be told."""
    messages.warning(request, _("这个时段已过，请另选。"))
    schedule = selectors.schedule_shown(schedule_id)
    return redirect(slots_page(schedule) if schedule else "appointments:departments")


def _look(page: "Page"):
    """A slice that is gone already leads back, unless this account is who took it (the back button).

    Whoever holds a number of a clinic that was stopped is led to it: it says so, and what can be done.
    """
    if page.chosen.schedule.status == Schedule.Status.STOPPED:
        return redirect("appointments:booking", page.mine[0].pk) if page.mine else page.back_to_slices(errors.Stopped())
    if page.chosen.left or page.mine:
        return page.render(key=uuid4())
    if page.chosen.over(page.now):
        return _gone(page.request, schedule_id=page.chosen.schedule.pk)
    return page.back_to_slices(errors.SoldOut())


def _book(page: "Page", people: list):
    form = BookForm(page.request.POST, people=people)
    if not form.is_valid():
        return page.render(key=_key_of(page.request), status=422, said=form.errors.get("patient"))
    person = next(each for each in page.candidates if each.pk == form.cleaned_data["patient"])
    key = form.cleaned_data["request_key"]
    if person.consent:  # asked by the law, not by the claim (O4)
        return page.render(key=key, status=409, person=person.pk)
    try:
        row = _give(page, person.person.patient, key=key)
    except CHOOSE_ANOTHER as refusal:
        return page.back_to_slices(refusal, person=person.pk)
    except errors.KeyReused:
        return page.render(key=uuid4(), refusal=errors.PageUsed(), person=person.pk)
    except errors.HoldLapsed:
        return page.render(key=uuid4(), refusal=errors.GivenBack(), person=person.pk)
    except Refused as refusal:
        return page.render(key=key, refusal=refusal, person=person.pk)
    page.request.session.pop(REMEMBERED, None)
    return redirect(paid_at(row) or reverse("appointments:booking_done", args=[row.pk]))


def _give(page: "Page", patient: Patient, *, key: UUID) -> Appointment:
    schedule = page.chosen.schedule
    return booking.book(
        schedule=schedule,
        patient=patient,
        channel=Channel.WEB,
        by=page.request.user,
        request_key=str(key),
        start=page.chosen.start,
        basket=uuid5(key, str(page.request.user.pk)),  # what the code on the success card names: never another's
        visit_type=walkin.visit_type(patient, schedule),
        confirmed=True,
        now=clock.deciding(),
    )


def _key_of(request: HttpRequest) -> UUID:
    """The page keeps its key while it is drawn again; a broken one is replaced."""
    try:
        return UUID(request.POST.get("request_key", ""))
    except ValueError:
        return uuid4()


@dataclass(frozen=True)
class Page:
    """Step 4 as it stands: what was chosen, and for whom it may be booked."""

    request: HttpRequest
    chosen: selectors.Chosen
    candidates: list[selectors.Candidate]
    now: datetime

    @property
    def mine(self) -> list[selectors.Standing]:
        """What the account's people hold of this very schedule."""
        return [each.standing for each in self.candidates if each.standing and each.standing.here]

    def render(self, *, key: UUID, status: int = 200, refusal: Refused | None = None, person=None, said=()):
        """`person` is the radio that stays chosen; `refusal` stands beside it, or above all if it is about the page."""
        about_page = isinstance(refusal, (errors.Busy, errors.PageUsed, errors.GivenBack))
        schedule = self.chosen.schedule
        context = {
            "chosen": self.chosen,
            "schedule": schedule,
            "candidates": self._in_order(),
            "mine": self.mine,
            "hurry": self.chosen.hurry(self.now),
            "checked": person or self._likely(),
            "refusal": refusal,
            "about_page": about_page,
            "refused": person if refusal and not about_page else None,
            "said": said,
            "busy": isinstance(refusal, errors.Busy),
            "bookable": self.chosen.left and any(each.bookable for each in self.candidates),
            "request_key": key,
            "here": self.request.get_full_path(),
            "slots_at": slots_page(schedule, **_for(person)),
            "too_late": self.now > self.chosen.cancel_by,
            "house": rules.organization_booking_rule(schedule.organization_id, day=clock.today(self.now)),
        }
        status = refusal.status if refusal else status
        response = render(self.request, "bookings/who.html", context, status=status)
        if status == 503:
            response["Retry-After"] = "1"
        return response

    def _in_order(self) -> list[selectors.Candidate]:
        """Who was just added or named by the page before stands first, to be seen without looking for."""
        named = PersonForm(self.request.GET).said()
        return sorted(self.candidates, key=lambda each: each.pk != named)

    def _likely(self) -> int | None:
        """Who was named in the address or before a lost race; else the only person there is."""
        named = PersonForm(self.request.GET).said() or self.request.session.get(REMEMBERED)
        if any(each.pk == named and each.bookable for each in self.candidates):
            return named
        return self.candidates[0].pk if len(self.candidates) == 1 else None

    def back_to_slices(self, refusal: Refused, *, person: int | None = None):
        """The list there is fresh; the person is remembered."""
        person = person or self._likely()
        if person:
            self.request.session[REMEMBERED] = person
        if isinstance(refusal, errors.SoldOut):
            return redirect(slots_page(self.chosen.schedule, lost=1, **_for(person)))
        messages.error(self.request, refusal.in_full)
        if isinstance(refusal, errors.Inactive):  # that page is gone, too
            return redirect("appointments:doctors", self.chosen.schedule.department_id)
        return redirect(slots_page(self.chosen.schedule, **_for(person)))


def _for(person: int | None) -> dict:
    return {"patient": person} if person else {}
