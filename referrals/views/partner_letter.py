"""转诊单, written on one page: kept while it is typed, its number held beside it, sent with or without one (R1).

Everything on the page is one form: whatever is pressed, what was typed is kept first.
"""

from datetime import date
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.models import Appointment
from appointments.selectors import operator
from appointments.views.to_pay import at_the_desk
from hospital import audit, clock, masking, permissions
from hospital.errors import Refused
from hospital.models import CareTeam, Department, PractitionerRole, Role
from hospital.prepaid import PayFirst
from referrals import errors
from referrals.forms.partner import ActForm, LetterForm, wish_of
from referrals.models import Referral
from referrals.selectors import scope
from referrals.selectors.holding import held_by
from referrals.selectors.partner import signings_of
from referrals.services import sending_up, trail, writing

from . import partner_windows as windows
from .partner_reach import Place, partner_required
from .partner_sheet import Letter

WISHES = {"department": Department, "role": PractitionerRole, "team": CareTeam}


def _row(place: Place, pk: int) -> Referral:
    """A letter of the account's institutions; the desk is then that institution's. Raises Http404."""
    related = ("patient", "receiver", "origin", "department", "role__practitioner", "team", "by", "doctor")
    mine = permissions.organizations_of(place.request.user, Role.PARTNER)
    rows = scope.referrals_of(place.request.user, Role.PARTNER)
    rows = rows.filter(origin__in=mine, direction=Referral.Direction.UP)
    row = get_object_or_404(rows.select_related(*related), pk=pk)
    place.sit_at(row.origin, row.receiver)
    return row


def _read(place: Place, row: Referral) -> Letter:
    initial = LetterForm.initial_of(row) | {"consenter": windows.consenter_of(place.request, row)}
    initial["wish_q"] = place.request.GET.get("wish_q", "")[:40]  # without script: what fits, after saving
    form = LetterForm(initial=initial, houses=place.houses)
    return Letter(place.request, place, row, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@partner_required
def letter(request: HttpRequest, place: Place, pk: int):
    """The page; what is pressed on it comes back here. One that was sent is read on its own page."""
    row = _row(place, pk)
    if row.status != Referral.Status.DRAFT:
        return redirect("referrals:referral", row.pk)
    if request.method == "POST":
        return _press(place, row)
    audit.saw_patient(patient=row.patient, actor=request.user, where="partner", now=place.now, request=request)
    return _draw(_read(place, row))


def _press(place: Place, row: Referral):
    """Keep what was typed; then what was pressed, if all of it could be kept."""
    form = LetterForm(place.request.POST, houses=place.houses)
    page = Letter(place.request, place, row, form)
    act, what = ActForm(place.request.POST).said()
    try:
        _keep(page)
        if form.errors or (act.startswith("send") and form.lacks_to_send()):
            return _draw(page, status=422)
        return ACTS.get(act, _kept)(page, what)
    except Refused as refusal:
        return _refused(page, refusal)


@transaction.atomic
def _keep(page: Letter) -> None:
    """Each field that is right, also where another is not."""
    form, row, request = page.form, page.referral, page.request
    form.is_valid()
    if windows.overtaken(request, trail.locked(row.pk)):
        raise errors.DraftChanged()
    written = form.written()
    if not held_by(row, now=page.place.now):
        written |= _wished(page)
    receiver = form.cleaned_data.get("receiver")
    if receiver and receiver.pk != row.receiver_id and not page.held:
        written |= {"receiver": receiver, "department": None, "role": None, "team": None}
    changed = writing.change(referral=row, now=page.place.now, **written)
    for name in ("patient", "by", "doctor"):
        setattr(changed, name, getattr(row, name))
    page.referral, page.saved = changed, True
    windows.saved(request, changed, consenter=form.cleaned_data.get("consenter"))
    page.__dict__.pop("scope", None)


def _wished(page: Letter) -> dict:
    """Department, doctor or team as ticked; none where nothing is. A page that showed a hold instead says nothing."""
    if not {"wish", "wish_q"} & page.form.data.keys():
        return {}
    none = {"department": None, "role": None, "team": None}
    if page.form.place is None:
        return none
    if page.chosen is None:
        page.form.add_error("wish", _("这个科室、医生或团队已不能选，请重新选。"))
        return {}
    sort, pk = page.form.place
    wish = WISHES[sort].objects.get(pk=pk)
    return none | ({"department": wish} if sort == "department" else {sort: wish, "department": wish.department})


def _kept(page: Letter, _what: str):
    messages.success(page.request, _("已保存草稿。"))
    sought = page.form.cleaned_data.get("wish_q", "") if page.form.place is None else ""
    return redirect(_address(page) + (f"?{urlencode({'wish_q': sought})}" if sought else ""))


def _looked(page: Letter, what: str):
    """Another day of the numbers: `since` or `day`, as the address has them."""
    since, _slash, day = what.partition("/")
    return redirect(_address(page, since=since, day=day, at="numbers"))


def _hold(page: Letter, _what: str):
    pressed = ActForm(page.request.POST)
    pressed.is_valid()
    wanted = pressed.slice
    schedule = operator.sitting_at(page.scope, wanted.schedule) if wanted and page.scope else None
    if schedule is None:
        raise Http404
    sending_up.hold(
        referral=page.referral,
        schedule=schedule,
        start=wanted.start,
        by=page.request.user,
        request_key=pressed.key,
        opened_at=page.referral.created_at,
        now=page.place.now,
        decided=clock.deciding(),
    )
    return redirect(_address(page, at="numbers", day=f"{schedule.day:%Y-%m-%d}"))


def _let_go(page: Letter, _what: str):
    sending_up.release(referral=page.referral, by=page.request.user, now=page.place.now, decided=clock.deciding())
    return redirect(_address(page, at="numbers"))


def _send_booked(page: Letter, _what: str):
    """转诊并预约."""
    if page.held is None:
        raise errors.NoNumberHeld()
    return _send(page, page.held)


def _send_own(page: Letter, what: str):
    """With a number that the patient has there already; one that was held besides goes back."""
    number = next((row for row in page.own if str(row.pk) == what), None)
    if number is None:
        raise errors.NumberOfAnother()
    done = _send(page, number)
    sending_up.release(referral=page.referral, by=page.request.user, now=page.place.now, decided=clock.deciding())
    return done


def _send(page: Letter, number: Appointment):
    try:
        row = sending_up.send_with_number(
            referral=page.referral,
            appointment=number,
            by=page.request.user,
            consenter=page.form.cleaned_data.get("consenter", ""),
            now=page.place.now,
            decided=clock.deciding(),
        )
    except PayFirst as refusal:  # the draft and the hold stay; paid, it is sent as any other
        messages.info(page.request, refusal.sentence + _("付款后回到转诊单，再点发出。"))
        to_pay = at_the_desk(page.request, booking=number.pk, back=_address(page, at="numbers"))
        if to_pay is None:
            raise
        return to_pay
    windows.forget(page.request, row)
    messages.success(page.request, _("转诊单 %(number)s 已发出，号已约好。") % {"number": row.number})
    return redirect("referrals:referral", row.pk)


def _send_to_office(page: Letter, _what: str):
    """发出，请转诊办代约."""
    row = sending_up.send_to_office(
        referral=page.referral,
        by=page.request.user,
        consenter=page.form.cleaned_data.get("consenter", ""),
        now=page.place.now,
        decided=clock.deciding(),
    )
    windows.forget(page.request, row)
    messages.success(page.request, _("转诊单 %(number)s 已发出，由转诊办约号。") % {"number": row.number})
    return redirect("referrals:referral", row.pk)


ACTS = {
    "save": _kept,
    "look": _looked,
    "hold": _hold,
    "release": _let_go,
    "send_booked": _send_booked,
    "send_own": _send_own,
    "send": _send_to_office,
}


def _refused(page: Letter, refusal: Refused):
    """The page again with what was typed, the hold as it is, and the sentence; what is missing at its field."""
    page.referral = _row(page.place, page.referral.pk)
    if page.referral.status != Referral.Status.DRAFT:  # a colleague was quicker, or pressed twice
        if not page.referral.events.filter(kind="sent", by=page.request.user).exists():
            messages.error(page.request, refusal.in_full)
        return redirect("referrals:referral", page.referral.pk)
    for name, said in (getattr(refusal, "fields", None) or {}).items():
        page.form.add_error("wish" if name == "department" else name, said)
    page.refusal = refusal
    for name in ("held", "own", "chosen", "found", "strip", "sittings"):
        page.__dict__.pop(name, None)
    return _draw(page, status=refusal.status)


def _draw(page: Letter, *, status: int = 200):
    row, place = page.referral, page.place
    signed = [one for one in signings_of(row.patient) if one.effective_from <= place.today <= one.effective_to]
    context = {
        "page": page,
        "place": place,
        "form": page.form,
        "referral": row,
        "patient": row.patient,
        "documents": list(row.patient.identifiers.order_by("pk")),
        "phone": masking.phone(row.patient.phone),
        "signed": next((one for one in signed if one.organization_id == place.institution.pk), None),
        "call": place.call_to(row.patient_id, identified=True) if place.seat else "",
        "window": windows.window_of(page.request),
        "theirs": _theirs(page) if isinstance(page.refusal, errors.DraftChanged) else [],
        "request_key": uuid4(),
    }
    return render(page.request, "referrals/partner/letter.html", context, status=status)


def _theirs(page: Letter) -> list[tuple[str, str]]:
    """Field and text, where the draft now says something else than what stands in this window."""
    kept, form = LetterForm(initial=LetterForm.initial_of(page.referral), houses=page.place.houses), page.form
    form.is_valid()
    named = {"urgency": page.referral.get_urgency_display(), "consent": page.referral.get_consent_display()}
    named["wish"] = str(page.referral.role or page.referral.team or page.referral.department or "")
    names = ("wish", "urgency", "diagnosis", "reason", "history", "medication", "allergies", "results", "consent")
    found = []
    for name in names:
        was = kept[name].value() or ""
        if was != (form.cleaned_data.get(name) or ""):
            found.append((str(form[name].label), str(named.get(name, was)) or _("（空着）")))
    return found


def _address(page: Letter, *, at: str = "", **said: str) -> str:
    here = reverse("referrals:partner_draft", args=[page.referral.pk])
    days = "&".join(f"{name}={date.fromisoformat(day)}" for name, day in said.items() if _is_day(day))
    return here + (f"?{days}" if days else "") + (f"#{at}" if at else "")


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


@require_POST
@never_cache
@partner_required
def keep(request: HttpRequest, place: Place, pk: int):
    """While it is typed: kept, and said so in one line."""
    row = _row(place, pk)
    before = wish_of(row)
    page = Letter(request, place, row, LetterForm(request.POST, houses=place.houses))
    if row.status == Referral.Status.DRAFT:
        try:
            _keep(page)
        except Refused as refusal:
            page.refusal = refusal
    else:
        page.refusal = errors.NotTheirTurn(status=row.get_status_display())
    status = 422 if page.refusal or page.form.errors else 200
    context = {"page": page, "referral": page.referral, "window": windows.window_of(request)}
    response = render(request, "referrals/partner/_saved.html", context, status=status)
    if status != 200:
        response["HX-Retarget"] = "#saved"  # else what is refused of a save that nobody pressed is not shown
    if wish_of(page.referral) != before:
        response["HX-Trigger"] = "wished"  # the panel of numbers looks there
    return response


@require_POST
@never_cache
@partner_required
def places(request: HttpRequest, place: Place, pk: int):
    """Departments, doctors and teams while their initials are typed. Changes nothing."""
    page = Letter(request, place, _row(place, pk), LetterForm(request.POST, houses=place.houses))
    return render(request, "referrals/partner/_wish.html", {"page": page, "form": page.form})


@require_safe
@never_cache
@partner_required
def numbers(request: HttpRequest, place: Place, pk: int):
    """The panel of numbers as they are now: asked again while the page is open, and when a hold has run out."""
    page = _read(place, _row(place, pk))
    context = {"page": page, "referral": page.referral, "form": page.form, "request_key": uuid4()}
    return render(request, "referrals/partner/_letter_numbers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@partner_required
def discard(request: HttpRequest, place: Place, pk: int):
    """删除草稿, asked once more."""
    row = _row(place, pk)
    if row.status != Referral.Status.DRAFT:
        return redirect("referrals:referral", row.pk)
    if request.method != "POST":
        context = {"place": place, "referral": row, "held": held_by(row, now=place.now)}
        return render(request, "referrals/partner/discard.html", context)
    sending_up.discard(referral=row, by=request.user, now=place.now, decided=clock.deciding())
    windows.forget(request, row)
    messages.success(request, _("草稿已删除，锁着的号已放回。"))
    return redirect("referrals:partner")
