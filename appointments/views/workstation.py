"""The consult room, opened from the other system's workstation by a signed link (O1): nobody types twice.

GET, because a workstation opens an address; it is used up by that and answers with a redirect, so that neither the
address bar nor the history keeps it. Every opening and every refusal leaves a trace.
"""

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from appointments.models import Appointment, Encounter
from appointments.selectors import consult as selectors
from appointments.selectors import theirs
from appointments.services import integration, visit
from hospital import audit, clock, masking
from hospital.errors import Refused
from hospital.integration import links
from hospital.models import Practitioner, RolePolicy, User
from hospital.permissions import CONSULT_ROLES, may_act_in, roles_of

from .consult import HOME

BACKEND = "django.contrib.auth.backends.ModelBackend"


class NoConsultRoom(Refused):
    code = "no_consult_room"
    status = 403
    message = _("这个工号在本系统没有诊间权限。")
    next_step = _("请联系系统管理员分配医生岗位。")


class OwnSignIn(Refused):
    """The account can do more than consult, or its role asks for a second factor: a link is not enough."""

    code = "own_sign_in"
    status = 403
    message = _("这个账号的岗位要求本人登录，不能由链接代替。")
    next_step = _("请先用账号、密码（和动态码）登录，再从医生工作站打开。")


@require_GET
@never_cache
def open_visit(request: HttpRequest) -> HttpResponse:
    """Check the link, sign the doctor in, bring the patient in. Whatever is refused says so, with the next step."""
    now = clock.now()
    try:
        link = links.opened(_fields(request), now=now)
        doctor = _doctor(link)
        appointment = _appointment(link)
        _refuse_by_account(request, doctor.user)
    except Refused as refusal:
        audit.record(action="link.refused", actor=None, now=now, detail={"code": refusal.code}, request=request)
        return _refused(request, refusal)
    _sign_in(request, doctor.user)
    audit.record(
        action="link.opened",
        actor=doctor.user,
        patient=appointment.patient,
        subject=f"appointment:{appointment.pk}",
        detail={"system": link.system},
        now=now,
        request=request,
    )
    return _into_the_room(request, doctor, appointment, now=now)


def _into_the_room(request: HttpRequest, doctor: Practitioner, appointment: Appointment, *, now) -> HttpResponse:
    """The consult page with exactly this patient, or a page that says why not: never the page with somebody else."""
    try:
        encounter = integration.admit(appointment=appointment, practitioner=doctor, by=doctor.user, now=now)
        current = selectors.room_of(doctor=doctor, now=now).current
        if current and current.pk != encounter.pk:
            return _somebody_inside(request, current, encounter)
        visit.start(encounter=encounter, by=doctor.user, practitioner=doctor, now=now)
    except Refused as refusal:
        return _refused(request, refusal)
    return redirect(HOME)


def _fields(request: HttpRequest) -> dict[str, str]:
    """Each field once: of two values nobody could say which one was signed."""
    return {name: values[0] if len(values) == 1 else "" for name, values in request.GET.lists()}


def _doctor(link: links.Link) -> Practitioner:
    rows = Practitioner.objects.filter(organization=link.organization, code=link.doctor, active=True)
    doctor = rows.filter(user__is_active=True).select_related("user").first()
    if doctor is None:
        raise links.UnknownInLink(what=_("医生工号"))
    if not may_act_in(doctor.user, link.organization.pk, *CONSULT_ROLES):
        raise NoConsultRoom
    return doctor


def _appointment(link: links.Link) -> Appointment:
    """Exactly that patient's visit, in the house whose key signed the link."""
    patient = links.patient_of(link)
    subject = links.subject_of(link, patient)
    row = theirs.appointment_named(subject, organization_id=link.organization.pk)
    if row is None or row.patient_id != patient.pk:
        raise links.UnknownInLink(what=_("就诊编号"))
    return row


def _refuse_by_account(request: HttpRequest, user: User) -> None:
    """Who is signed in already needs no link for it."""
    if request.user.pk == user.pk:
        return
    roles = roles_of(user)
    if (
        user.is_superuser
        or roles - CONSULT_ROLES  # the desk and the till too
        or RolePolicy.objects.filter(role__in=roles, second_factor=True).exists()
    ):
        raise OwnSignIn


def _sign_in(request: HttpRequest, user: User) -> None:
    """A session like any other of the doctor's: idle log-out holds, and the browser forgets it when it is closed."""
    if request.user.pk == user.pk:
        return
    auth.logout(request)  # whoever sat here before, and what they had open
    auth.login(request, user, backend=BACKEND)
    request.session.set_expiry(0)


def _somebody_inside(request: HttpRequest, current: Encounter, wanted: Encounter) -> HttpResponse:
    """Another patient is still in the room: never finished silently, and never mistaken for this one."""
    context = {
        "current": current,
        "current_name": masking.name(current.patient.name),
        "wanted": wanted,
        "wanted_name": masking.name(wanted.patient.name),
    }
    return render(request, "consult/switch.html", context, status=409)


def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    return render(request, "consult/link_refused.html", {"refusal": refusal}, status=refusal.status)
