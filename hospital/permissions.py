"""May I: which roles (岗位, O10) may do which acts. One line each; pages grey what these refuse, views ask the same.

A role is held at an organization, or at one department of it. Superusers exist to set up the house: they count as
the two administrators, never as a doctor or the office.
"""

from datetime import timedelta
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.urls import reverse

from . import clock
from .errors import NotAllowed, StaffAccount
from .models import AccountPhone, DataRequest, Organization, Role, RoleAssignment

DESK_ROLES = frozenset({Role.TRIAGE, Role.COUNTER, Role.PHONE})
CONSULT_ROLES = frozenset({Role.DOCTOR, Role.WARD})
OFFICE_ROLES = frozenset({Role.OFFICE})
WINDOW_ROLES = frozenset({Role.COUNTER, Role.OFFICE})
BOOKING_ROLES = frozenset({Role.PHONE, Role.WARD, Role.PARTNER})
ADMIN_ROLES = frozenset({Role.OFFICE, Role.AUDITOR, Role.SYSADMIN, Role.SECADMIN})
PATIENT_ROLES = CONSULT_ROLES | DESK_ROLES | OFFICE_ROLES


def assignments(user) -> list[RoleAssignment]:
    """The user's roles with their places, asked once per request."""
    if not user.is_authenticated or not user.is_active:
        return []
    if not hasattr(user, "_assignments"):
        user._assignments = list(RoleAssignment.objects.filter(user=user).select_related("organization").order_by("pk"))
    return user._assignments


def roles_of(user) -> frozenset[str]:
    held = {assignment.role for assignment in assignments(user)}
    return frozenset(held | {Role.SYSADMIN, Role.SECADMIN} if getattr(user, "is_superuser", False) else held)


def has_role(user, *roles: str) -> bool:
    return not roles_of(user).isdisjoint(roles)


def organizations_of(user, *roles: str) -> frozenset[int]:
    """Where the user holds any of these roles (any role at all, if none is named)."""
    return frozenset(row.organization_id for row in assignments(user) if not roles or row.role in roles)


def may_act_in(user, organization_id: int, *roles: str) -> bool:
    return organization_id in organizations_of(user, *roles)


def may_act_for(user, department, *roles: str) -> bool:
    """A role bound to a department reaches only that department; without one, the whole organization."""
    return any(
        row.organization_id == department.organization_id and row.department_id in {None, department.pk}
        for row in assignments(user)
        if row.role in roles
    )


def may_consult(user) -> bool:
    return has_role(user, *CONSULT_ROLES)


def may_sit_in_a_room(user) -> bool:
    """The role alone is not enough: the account must be that of a doctor in the hospital's workbook."""
    return may_consult(user) and hasattr(user, "practitioner")


def may_see_own_sessions(user) -> bool:
    return has_role(user, Role.DOCTOR) and hasattr(user, "practitioner")


def may_call_patients(user) -> bool:
    """The list of a stop's unanswered patients, of whoever has it in no menu."""
    return has_role(user, Role.PHONE)


def may_work_the_desk(user) -> bool:
    return has_role(user, Role.TRIAGE, Role.COUNTER, Role.OFFICE)


def may_work_the_exam_centre(user) -> bool:
    return has_role(user, Role.EXAM)


def may_read_exam_reports(user) -> bool:
    """What an exam showed. The exam centre and doctors also write and release it; a ward reads."""
    return has_role(user, Role.EXAM, Role.DOCTOR, Role.WARD)


def may_see_critical_values(user) -> bool:
    return has_role(user, Role.EXAM, Role.OFFICE, Role.DOCTOR, Role.WARD)


def may_work_the_exam_rooms(user) -> bool:
    """Check-in before the exams and the devices' queues."""
    return has_role(user, Role.EXAM, Role.TRIAGE)


def may_run_admissions(user) -> bool:
    """住院与日间手术: the referral office and the wards; the doctor who asked opens it from the consult room."""
    return has_role(user, Role.REFERRAL, Role.WARD)


def may_book_for_others(user) -> bool:
    """The page of those who book for a person that calls, is discharged or was sent: phone desk, ward, partners."""
    return has_role(user, *BOOKING_ROLES)


def may_look_at_the_money(user) -> bool:
    """财务: finance acts, auditors read."""
    return has_role(user, Role.FINANCE, Role.AUDITOR)


def may_work_the_referral_office(user) -> bool:
    return has_role(user, Role.REFERRAL)


def works_at_a_partner(user) -> bool:
    """The family doctor's page at a lower institution: its numbers, letters and signed residents."""
    return has_role(user, Role.PARTNER)


def may_take_money(user) -> bool:
    """收费窗口, and what is paid out there."""
    return has_role(user, Role.CASHIER)


def is_a_kiosk(user) -> bool:
    """The account of a machine in the hall: it opens the kiosk's pages and nothing else."""
    return has_role(user, Role.KIOSK)


def may_look_at_the_office(user) -> bool:
    return has_role(user, Role.OFFICE, Role.AUDITOR, Role.SYSADMIN)


def may_open_the_admin(user) -> bool:
    return user.is_active and has_role(user, *ADMIN_ROLES)


def may_search_patients(user) -> bool:
    return has_role(user, *PATIENT_ROLES)


def may_serve_accounts(user) -> bool:
    """At the window, with the document in hand: bind a person to an account, correct a record (B22, O4)."""
    return has_role(user, *WINDOW_ROLES)


def may_keep_the_index(user) -> bool:
    """疑似重复 and merging (P10): the window and the office of a whole hospital, never of one department or of a lower
    institution."""
    keepers = (row for row in assignments(user) if row.role in WINDOW_ROLES and row.department_id is None)
    return any(row.organization.kind == Organization.Kind.HOSPITAL for row in keepers)


def may_decide_on(user, kind: str) -> bool:
    """Requests about personal data: erasure by the security administrator, correction by the office (O4)."""
    return has_role(user, Role.SECADMIN if kind == DataRequest.Kind.ERASURE else Role.OFFICE)


def patient_required(view):
    """A page of a patient's own account: strangers sign in by phone and come back, staff hear why not."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), login_url=reverse("sign_in"))
        if not is_patient_account(request.user):
            raise StaffAccount
        return view(request, *args, **kwargs)

    guarded.for_patients = True  # the walk over the address table reads it
    return guarded


CODE_AT = "code_at"  # in the session: when the account's phone last answered a code, seconds since 1970
FRESH = timedelta(minutes=15)
"""So long a code counts for pages where a lost phone or an open browser would cost most."""


def freshly_signed_in(view):
    """As patient_required, and the account's phone answered a code in the last 15 minutes (FRESH): else the person
    gets a new code on the page `code_again` and comes back. For export, erasure, binding family, change of phone.

    A form posted too late comes back as a fresh page to be filled in again: guard the page that shows it, too.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if clock.now().timestamp() - request.session.get(CODE_AT, 0) > FRESH.total_seconds():
            return redirect_to_login(request.get_full_path(), login_url=reverse("code_again"))
        return view(request, *args, **kwargs)

    return patient_required(guarded)


def is_patient_account(user) -> bool:
    """Signed in by phone. A member of staff who is ill has a second account, as a patient."""
    if not user.is_authenticated:
        return False
    if not hasattr(user, "_by_phone"):
        user._by_phone = AccountPhone.objects.filter(user=user).exists()
    return user._by_phone


def role_required(*roles: str):
    """A view for these roles: strangers go to the sign-in page, others hear that their role does not include it."""

    def protect(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not has_role(request.user, *roles):
                raise NotAllowed
            return view(request, *args, **kwargs)

        guarded.roles = frozenset(roles)  # the permissions walk reads it
        return guarded

    return protect
