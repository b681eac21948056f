"""代约号 /referrals/<pk>/book/ (R4): find a place and a slice for the referral's patient, and take it, on one page."""

from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.forms.phone import BookForm, LookForm
from appointments.models import Appointment, Schedule
from appointments.selectors import operator
from appointments.views.to_pay import at_the_desk
from hospital import audit, clock, permissions
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required
from hospital.prepaid import PayFirst
from referrals.policies import hands
from referrals.policies.moves import Act
from referrals.services import booking_for, numbers

from .detail import Page, open_page

WHOSE = {"own": _lazy("本院的号"), "partner": _lazy("留给转出机构的号")}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*hands.ACTING)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """A refusal stands above fresh times."""
    opened = open_page(request, pk)
    if Act.BOOK not in opened.acts:
        opened.must(Act.BOOK)
        messages.error(request, _("转诊单现在是“%s”，不能再约号。") % opened.referral.get_status_display())
        return redirect(opened.address)
    sources = booking_for.sources_of(opened.referral, opened.side)
    if request.method == "POST":
        return _book(opened, sources)
    audit.saw_patient(
        patient=opened.referral.patient, actor=request.user, where="referral", now=opened.now, request=request
    )
    return _show(opened, sources, LookForm(request.GET))


def _scope(page: Page, source: booking_for.Source) -> operator.Scope:
    row = page.referral
    return operator.Scope(
        channel=source.channel,
        house=row.receiver,
        partner_id=source.partner,
        patient_id=row.patient_id,
        department_id=None,
        now=page.now,
    )


def _show(page: Page, sources: dict, form: LookForm, *, refusal: Refused | None = None) -> HttpResponse:
    said = page.request.POST if page.request.method == "POST" else page.request.GET
    whose = said.get("from") if said.get("from") in sources else next(iter(sources))
    scope, text = _scope(page, sources[whose]), (form.said("q") or "").lstrip("/ ")
    place = operator.place_at(scope, *_place(page, form))
    keep = {"from": whose}
    context = {
        "page": page,
        "referral": page.referral,
        "patient": page.referral.patient,
        "whose": whose,
        "sources": [(key, WHOSE[key]) for key in sources],
        "over": scope.over,
        "q": text,
        "places": operator.places(scope, text) if text else [],
        "keep": urlencode(keep),
        "moving": numbers.standing(page.referral),
        "stopped": numbers.stopped(page.referral),
        "own_numbers": _own(page),
        "in_office": permissions.has_role(page.request.user, Role.REFERRAL),
        "refusal": refusal,
        "late": page.referral.due_at is not None and page.referral.due_at <= page.now,
        **(_times(page, scope, place, form, keep) if place else {}),
    }
    response = render(page.request, "referrals/office/book.html", context, status=refusal.status if refusal else 200)
    if page.request.htmx and refusal:
        response["HX-Retarget"] = "body"
    return response


def _place(page: Page, form: LookForm) -> tuple[str, int]:
    """The chosen one, else what the sender wished for."""
    row = page.referral
    wished = ("role", row.role_id) if row.role_id else ("team", row.team_id) if row.team_id else None
    return form.place or wished or ("department", row.department_id or 0)


def _times(page: Page, scope: operator.Scope, place: operator.Place, form: LookForm, keep: dict) -> dict:
    strip = operator.strip(scope, place, since=form.said("since"), day=form.said("day"), target=scope.today)
    sittings = operator.sittings(scope, place, day=strip.chosen) if strip.chosen else []
    wanted = form.slice
    chosen = [
        {"slice": each, "sitting": sitting}
        for sitting in sittings
        for each in sitting.slices
        if wanted and (each.schedule, each.start) == (wanted.schedule, wanted.start)
    ]
    return {
        "place": place,
        "strip": strip,
        "sittings": sittings,
        "chosen": chosen[0] if chosen else None,
        "base": urlencode({"at": place.key, **keep}),
        "request_key": uuid4(),
    }


def _own(page: Page) -> list[Appointment]:
    """Numbers that the patient has at this house already and that no referral holds: one of these may be the one."""
    row = page.referral
    rows = Appointment.objects.filter(
        patient=row.patient_id, schedule__organization=row.receiver_id, referred_by=None,
        day__gte=clock.today(page.now), status__in=[Appointment.Status.BOOKED, Appointment.Status.ARRIVED],
    ).exclude(schedule__status=Schedule.Status.STOPPED)  # fmt: skip
    related = [f"schedule__{name}" for name in operator.ACTOR]
    return list(rows.select_related("slot", *related).order_by("start", "pk"))


def _book(page: Page, sources: dict) -> HttpResponse:
    form, source = BookForm(page.request.POST), sources.get(page.request.POST.get("from", ""))
    if source is None or not form.is_valid():
        return redirect("referrals:referral_book", page.referral.pk)
    said = form.cleaned_data
    schedule = operator.sitting_at(_scope(page, source), said["slot"].schedule)
    if schedule is None:
        raise Http404
    try:
        booking_for.book(
            referral=page.referral, schedule=schedule, start=said["slot"].start, source=source, side=page.side,
            by=page.request.user, request_key=str(said["request_key"]), moving=said["move"], now=clock.deciding(),
        )  # fmt: skip
    except PayFirst as refusal:
        if to_pay := _to_pay(page, refusal):
            return to_pay
        raise
    except Refused as refusal:
        look = {"day": schedule.day.isoformat(), "at": page.request.POST.get("at", "")}
        page = open_page(page.request, page.referral.pk)
        return _show(page, sources, LookForm(look), refusal=refusal)
    return _done(page)


def _to_pay(page: Page, refusal: Refused) -> HttpResponse | None:
    """The number is held and paid by the patient; then the referral takes it by 用这个号."""
    rows = Appointment.objects.filter(patient=page.referral.patient_id, status=Appointment.Status.PENDING)
    number = rows.filter(by=page.request.user).order_by("-pk").first()
    if number is None:
        return None
    messages.info(page.request, refusal.sentence + _("付款后回到转诊单，点“用这个号”。"))
    back = reverse("referrals:referral_book", args=[page.referral.pk])
    return at_the_desk(page.request, booking=number.pk, back=back)


@require_POST
@never_cache
@role_required(*hands.ACTING)
def link(request: HttpRequest, pk: int, appointment: int) -> HttpResponse:
    """用这个号: one that the patient has already."""
    opened = open_page(request, pk)
    opened.must(Act.BOOK)
    if opened.referral.appointment_id == appointment:
        return _done(opened)  # pressed twice
    number = next((each for each in _own(opened) if each.pk == appointment), None)
    if number is None:
        raise Http404
    try:
        booking_for.use(referral=opened.referral, appointment=number, by=request.user, side=opened.side, now=opened.now)
    except Refused as refusal:
        sources = booking_for.sources_of(opened.referral, opened.side)
        return _show(opened, sources, LookForm({}), refusal=refusal)
    return _done(opened)


def _done(page: Page) -> HttpResponse:
    messages.success(page.request, _("%s 约好了，患者会收到短信。") % page.referral.number)
    return redirect(reverse("referrals:referral", args=[page.referral.pk]))
