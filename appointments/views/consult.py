"""诊间预约: the consult room's page, its freshness, its search, and who comes in next."""

from functools import wraps

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from appointments.errors import PatientChanged
from appointments.forms.consult import ReferralForm
from appointments.models import Encounter, ScheduleParticipant
from appointments.selectors import consult as selectors
from appointments.services import referral, sitting, visit
from hospital import audit, clock
from hospital.errors import NotAllowed, Refused
from hospital.models import Practitioner, Role
from hospital.permissions import role_required

from .consult_context import Page

HOME = "appointments:consult"


def doctor_of(request: HttpRequest) -> Practitioner:
    """The signed-in doctor; an account without a doctor behind it has no consult room."""
    doctor = Practitioner.objects.filter(user=request.user, active=True).first()
    if doctor is None:
        raise NotAllowed
    return doctor


def page_of(request: HttpRequest, address=None) -> Page:
    address = request.GET if address is None else address
    return Page(request, doctor=doctor_of(request), address=address, now=clock.now())


def pressed(view):
    """A verb is posted. Its bare address, as after a new sign-in or a reload, leads to the page."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        return view(request, *args, **kwargs) if request.method == "POST" else redirect(HOME)

    return guarded


def encounters_of(doctor: Practitioner) -> QuerySet[Encounter]:
    """Those that this doctor may ask in or is seeing: of own sittings, not with a colleague."""
    sittings = ScheduleParticipant.objects.filter(practitioner=doctor, active=True).values("schedule")
    return Encounter.objects.filter(schedule__in=sittings).select_related("schedule", "patient", "room")


def draw(page: Page, *, status: int = 200) -> HttpResponse:
    """The whole page, or for a key its middle, kinds and basket."""
    request = page.request
    if page.patient:
        page.opened  # noqa: B018 - the moment is kept from the first look on
        audit.saw_patient(patient=page.patient, actor=request.user, where="consult", now=page.now, request=request)
    part = request.htmx and not request.htmx.history_restore_request
    response = render(request, "consult/_desk.html" if part else "consult/page.html", {"page": page}, status=status)
    if status >= 400 and request.htmx:
        response["HX-Retarget"] = "#main"
    return response


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def room(request):
    """诊间. Works without script: every key is a link or a form of this page."""
    return draw(page_of(request))


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def fresh(request):
    """What changed since the page was drawn: nothing (204), or queue, numbers and basket in their places."""
    page = page_of(request)
    page.focus = ""
    shown = request.GET.get("encounter", "")
    if shown != str(page.current.pk if page.current else ""):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    if request.GET.get("stamp") == page.stamp:
        return HttpResponse(status=204)
    return render(request, "consult/_fresh.html", {"page": page, "oob": True})


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def search(request):
    """科室、医生、团队 by Chinese, pinyin or initials."""
    page = page_of(request)
    if not page.patient:
        raise PatientChanged
    return render(request, "consult/_places.html", {"page": page})


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def next_patient(request):
    """下一位, one key: the one in the room is finished, the next is called and in the room.

    A second press of the same page's key changes nothing. Held numbers are neither lost nor taken along: confirm first.
    """
    page = page_of(request, address=QueryDict())
    shown = _number(request.POST.get("current"))
    try:
        if page.current and page.current.pk == shown and (why := page.refusal_to_leave):
            raise why
        visit.call_next(by=request.user, practitioner=page.doctor, finish_current=True, current=shown, now=page.now)
    except Refused as refusal:
        return _refused(request, refusal)
    return redirect(HOME)


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def call_patient(request):
    """请进: somebody out of turn, by name, when nobody else is in the room."""
    page = page_of(request, address=QueryDict())
    wanted = get_object_or_404(encounters_of(page.doctor), pk=_number(request.POST.get("encounter")))
    shown = _number(request.POST.get("current"))
    try:
        if page.current and page.current.pk == shown and (why := page.refusal_to_leave):
            raise why
        if page.current and page.current.pk == shown and shown != wanted.pk:
            visit.finish(encounter=page.current, by=request.user, now=page.now)
        visit.start(encounter=wanted, by=request.user, practitioner=page.doctor, now=page.now)
    except Refused as refusal:
        return _refused(request, refusal)
    return redirect(HOME)


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def finish(request):
    """结束就诊 without calling anybody."""
    page = page_of(request, address=QueryDict())
    shown = _number(request.POST.get("encounter"))
    try:
        if page.current and page.current.pk == shown:
            if why := page.refusal_to_leave:
                raise why
            visit.finish(encounter=page.current, by=request.user, now=page.now)
    except Refused as refusal:
        return _refused(request, refusal)
    return redirect(HOME)


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def sit(request):
    """坐诊: take a room of today's plain clinic."""
    doctor = doctor_of(request)
    now = clock.now()
    seats = {seat.pk: seat for seat in selectors.free_seats(doctor=doctor, now=now)}
    seat = seats.get(_number(request.POST.get("seat")))
    if seat:
        try:
            sitting.sit_down(seat=seat, practitioner=doctor, now=now)
        except Refused as refusal:
            return _refused(request, refusal)
    return redirect(HOME)


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def refer(request):
    """组内转诊 (B11): with a reason, the leader's numbers open for this patient."""
    page = page_of(request, address=QueryDict(f"kind=leader&encounter={_number(request.POST.get('encounter'))}"))
    if not page.current or page.current.pk != _number(request.POST.get("encounter")):
        return _refused(request, PatientChanged())
    form = ReferralForm(request.POST)
    if not form.is_valid():
        page.referral_form = form
        return draw(page, status=422)
    try:
        row = referral.refer_within_team(
            encounter=page.current, by=page.doctor, reason=form.cleaned_data["reason"], now=page.now
        )
    except Refused as refusal:
        return _refused(request, refusal)
    return redirect(page.href(kind="leader", team=row.team_id))


def _refused(request, refusal: Refused) -> HttpResponse:
    """The page as it is now, with what was refused and the next step on it. Nothing that was held is lost."""
    page = page_of(request, address=QueryDict())
    page.refusal = refusal
    page.focus = ""
    return draw(page, status=refusal.status)
