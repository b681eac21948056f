"""预约单: one key, one request. Each answers with the basket and, out of band, with the numbers that changed."""

from functools import wraps

import segno
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from appointments.errors import HoldLapsed, PatientChanged
from appointments.forms.consult import ExtraForm, LineForm
from appointments.models import Appointment, Schedule
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.selectors import consult as selectors
from appointments.selectors import rules, slips
from appointments.services import booking, changes, extras
from hospital import clock, masking
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required

from . import consult_neighbours
from .consult import _number, doctor_of, draw, page_of, pressed
from .consult_context import Page
from .to_pay import after_a_move


def answer(page: Page, *, status: int = 200) -> HttpResponse:
    """The basket with the changed numbers for a key; the whole page without script."""
    request = page.request
    if not request.htmx:
        return draw(page, status=status)
    if not page.patient:
        return draw(page, status=status)
    response = render(request, "consult/_changed.html", {"page": page}, status=status)
    if status >= 400:
        response["HX-Retarget"] = "#basket"
    return response


def _elsewhere(page: Page) -> HttpResponse:
    """What was asked for is done and its form closed: the page goes back to where it was."""
    response = draw(page)
    response["HX-Retarget"], response["HX-Push-Url"] = "#main", page.address
    return response


def _address(request) -> QueryDict:
    """Where the doctor was: the query of this request, or what the form carried along.

    The session whose number was pressed stays open, also when that was its last one.
    """
    address = (request.GET if request.GET else QueryDict(request.POST.get("back", "")[:500])).copy()
    if request.POST.get("schedule"):
        address["schedule"] = request.POST["schedule"]
    return address


def with_the_patient(view):
    """POST by a doctor, about the patient whom the page showed and who is still in the room.

    A refusal is shown beside the basket, which is drawn from what is true now.
    """

    @pressed
    @role_required(Role.DOCTOR, Role.WARD)
    @wraps(view)
    def guarded(request):
        page = page_of(request, address=_address(request))
        try:
            if not page.current or page.current.pk != _number(request.POST.get("encounter")):
                raise PatientChanged
            return view(request, page)
        except Refused as refusal:
            now_true = page_of(request, address=_address(request))
            now_true.refusal = refusal
            return answer(now_true, status=refusal.status)

    return guarded


def again(page: Page, **said) -> Page:
    """The page after something was done, from fresh rows."""
    after = page_of(page.request, address=_address(page.request))
    for name, value in said.items():
        setattr(after, name, value)
    return after


def _line_of(page: Page, pk: int) -> Appointment:
    """A line of this basket. Any other number is not found, whoever asks."""
    rows = Appointment.objects.filter(basket=page.basket, patient=page.patient)
    return get_object_or_404(rows.select_related("slot", "schedule"), pk=pk)


def _schedules(page: Page) -> QuerySet[Schedule]:
    return Schedule.objects.filter(organization=page.doctor.organization_id).select_related("service")


def _referral_for(page: Page, schedule: Schedule):
    if not schedule.gate_team_id:
        return None
    return selectors.valid_referrals(patient=page.patient, now=page.now).filter(team=schedule.gate_team_id).first()


@with_the_patient
def lines(request, page):
    """A number's key: take it into the basket and hold it; the same key again lets it go."""
    if request.POST.get("drop"):
        return _drop(request, page)
    form = LineForm(request.POST)
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    schedule = get_object_or_404(_schedules(page), pk=asked["schedule"])
    booking.book(
        schedule=schedule,
        number=asked["number"],
        patient=page.patient,
        channel=Channel.CONSULT,
        by=request.user,
        request_key=f"{asked['request_key']}:{schedule.pk}:{asked['number']}",
        basket=page.basket,
        encounter=page.current,
        referral=_referral_for(page, schedule),
        opened_at=page.opened,
        now=clock.deciding(),
    )
    return answer(again(page, focus="confirm"))


@with_the_patient
def drop(request, page):
    """撤销上一项."""
    return _drop(request, page)


def _drop(request, page: Page) -> HttpResponse:
    line = _line_of(page, _number(request.POST.get("drop")))
    changes.drop(appointment=line, by=request.user, now=clock.deciding())
    dropped = {"schedule": line.schedule_id, "number": line.slot.number, "take_url": page.with_address("consult_lines")}
    return answer(again(page, dropped=dropped))


@with_the_patient
def confirm(request, page):
    """确认: all that is held becomes booked at once, and the patient is told. Twice is once."""
    before = {line.line.pk for line in page.held}
    booked, refusals = _confirm_numbers(request, page, before=before)
    theirs = [one.confirm(page, by=request.user) for one in page.neighbours]
    refusals += [said.refusal for said in theirs if said.refusal]
    after = again(page, focus="notice", refusals=refusals)
    if count := booked + sum(said.count for said in theirs):
        words = [_("号%(count)s项") % {"count": booked}] * bool(booked) + [said.words for said in theirs if said.count]
        parts = _("（%(parts)s）") % {"parts": _("，").join(words)} if len(words) > 1 else ""
        after.notice = _("已约好%(count)s项%(parts)s，正在发给患者。") % {"count": count, "parts": parts}
        after.notice_next = _("按 P 打印预约条，按 N 叫下一位。")
    return answer(after, status=200 if count or not refusals else refusals[0].status)


def _confirm_numbers(request, page: Page, *, before: set[int]) -> tuple[int, list[Refused]]:
    """How many numbers are booked, and why others are not. A refusal here leaves other apps' lines their turn."""
    key = request.POST.get("request_key", "")[:36] or None
    try:
        done = changes.confirm_basket(basket=page.basket, by=request.user, request_key=key, now=clock.deciding())
    except Refused as refusal:
        return 0, [refusal]
    lapsed = any(row.status == Appointment.Status.PENDING for row in done.lapsed)
    booked = len(before & {row.pk for row in done.booked}) or (0 if before or page.their_held else len(done.booked))
    return booked, [HoldLapsed()] * lapsed


@with_the_patient
def extra(request, page):
    """加号 (B10): a number beyond the doctor's own schedule, booked at once, within the limit and with a reason."""
    form = ExtraForm(request.POST)
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    own = _schedules(page).filter(role__practitioner=page.doctor)
    row = extras.add_extra(
        schedule=get_object_or_404(own, pk=asked["schedule"]),
        patient=page.patient,
        by=request.user,
        reason=asked["reason"],
        request_key=f"{asked['request_key']}:{asked['schedule']}:extra",
        encounter=page.current,
        basket=page.basket,
        now=clock.deciding(),
    )
    start = row.start.astimezone(clock.ZONE)
    held = row.status == Appointment.Status.PENDING
    words = _("已加号%(start)s，付费后确认。") if held else _("已加号%(start)s。")
    return _elsewhere(again(page, focus="notice", notice=words % {"start": f"{start:%m-%d %H:%M}"}))


@with_the_patient
def move(request, page):
    """改约: the booked appointment takes this number in one step; refused, it keeps the old one."""
    form = LineForm(request.POST)
    if not form.is_valid():
        raise Http404
    if not page.moving:
        raise PatientChanged
    asked = form.cleaned_data
    schedule = get_object_or_404(_schedules(page), pk=asked["schedule"])
    fee = page.moving.fee
    moved = booking.reschedule(
        appointment=page.moving,
        schedule=schedule,
        number=asked["number"],
        by=request.user,
        channel=Channel.CONSULT,
        request_key=f"{asked['request_key']}:{schedule.pk}:{asked['number']}",
        encounter=page.current,
        referral=_referral_for(page, schedule),
        now=clock.deciding(),
    )
    start = moved.start.astimezone(clock.ZONE)
    after = page_of(request, address=QueryDict("kind=booked"))
    said = _("已改到%(start)s。") % {"start": f"{start:%m-%d %H:%M}"}
    after.notice, after.focus = said + after_a_move(moved, fee=fee), "notice"
    return _elsewhere(after)


@with_the_patient
def cancel(request, page):
    """退号 of one of this patient's coming appointments."""
    wanted = _number(request.POST.get("appointment"))
    row = next((each for each in page.coming if each.pk == wanted), None)
    if row is None:
        raise Http404
    key = request.POST.get("request_key", "")[:36] or None
    changes.cancel(
        appointment=row,
        by=request.user,
        channel=Channel.CONSULT,
        reason=_("诊间退号"),
        request_key=key,
        now=clock.deciding(),
    )
    after = page_of(request, address=QueryDict("kind=booked"))
    after.notice, after.focus = _("已退号。"), "notice"
    return draw(after)


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def slip(request, basket):
    """预约条 to print: what was booked in one sitting, the name masked, a signed code to check in with."""
    now, doctor = clock.now(), doctor_of(request)
    appointments = _booked_of(basket, doctor=doctor, now=now)
    theirs = [
        said
        for one in consult_neighbours.joined()
        if (said := one.on_slip(basket=basket, organization=doctor.organization, now=now))
    ]
    if not appointments and not theirs:
        raise Http404
    patient = appointments[0].patient if appointments else theirs[0][0]
    code = segno.make(slips.code_of(basket), error="m") if appointments else None
    context = {
        "organization": doctor.organization,
        "appointments": appointments,
        "theirs": [(template, items) for _patient, template, items in theirs],
        "patient_name": masking.name(patient.name),
        "last4": patient.medical_number[-4:],
        "code": code and mark_safe(code.svg_inline(omitsize=True, svgclass=None, lineclass=None)),  # noqa: S308 - drawn by us
        "printed_at": now,
    }
    return render(request, "consult/slip.html", context)


def _booked_of(basket, *, doctor, now) -> list[Appointment]:
    rows = Appointment.objects.filter(
        basket=basket,
        schedule__organization=doctor.organization_id,
        status__in=[Appointment.Status.BOOKED, Appointment.Status.ARRIVED],
    )
    related = ("slot", "patient", "schedule__organization", *(f"schedule__{name}" for name in selectors.ACTOR))
    appointments = list(rows.select_related(*related).order_by("start"))
    for appointment in appointments:
        rule = rules.booking_rule_for(appointment.schedule, day=clock.today(now))
        appointment.deadline = policy.cancel_deadline(appointment.day, rule)
    return appointments
