"""Admission requests: whose they are, the office's list, the doctor's and the patient's view."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from hospital import family, permissions
from hospital.models import AuditEvent, Department, Patient, Role, User
from referrals.models import AdmissionNeed, AdmissionRequest, Referral
from referrals.models.admission import ADMISSION_OVER

OFFICE = (Role.REFERRAL, Role.WARD)
"""Who runs the list: the referral office and the wards, a ward's role its own department alone."""

READING = (*OFFICE, Role.DOCTOR)

Status = AdmissionRequest.Status
RELATED = ("patient", "department", "organization", "doctor", "referral__origin", "by")


def requests_of(user: User, *roles: str) -> QuerySet[AdmissionRequest]:
    """Of the user's hospitals, or departments where the role is bound to one: the one place that says it. A doctor
    without another role sees what the own departments take in and what the doctor asked for."""
    reach = Q(pk=None)
    for row in permissions.assignments(user):
        if row.role not in (roles or READING):
            continue
        place = Q(organization=row.organization_id)
        if row.department_id:
            place &= Q(department=row.department_id)
        elif row.role == Role.DOCTOR:
            place &= Q(doctor__user=user) | Q(by=user) | Q(department__in=_departments(user))
        reach |= place
    return AdmissionRequest.objects.filter(reach)


def _departments(user: User) -> QuerySet[Department]:
    return Department.objects.filter(roles__practitioner__user=user, roles__active=True)


def of_the_office(user: User, request: AdmissionRequest) -> bool:
    """May the user run this one, or only follow it?"""
    return permissions.may_act_for(user, request.department, *OFFICE)


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to."""

    tab: str = "open"  # open, over, or a status
    kind: str = ""
    department: int | None = None
    text: str = ""


def listed(rows: QuerySet[AdmissionRequest], wanted: Wanted, *, today: date) -> QuerySet[AdmissionRequest]:
    """Urgent ones first, then those whose day went by, then the soonest wished; what is over by its end."""
    rows = rows.filter(_tab(wanted.tab))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.department:
        rows = rows.filter(department=wanted.department)
    if wanted.text:
        rows = rows.filter(_named(wanted.text))
    rows = rows.select_related(*RELATED).annotate(missing=Count("needs", filter=Q(needs__done_at=None)))
    if wanted.tab == "over" or wanted.tab in ADMISSION_OVER:
        return rows.order_by("-ended_at", "-pk")
    late = Q(status=Status.SCHEDULED, scheduled_on__lt=today) | ~Q(status=Status.SCHEDULED) & Q(wished_to__lt=today)
    first = Case(
        When(urgency=AdmissionRequest.Urgency.URGENT, then=Value(0)),
        When(late, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.annotate(first=first, soon=Coalesce("scheduled_on", "wished_from")).order_by("first", "soon", "pk")


def _tab(tab: str) -> Q:
    if tab == "over":
        return Q(status__in=ADMISSION_OVER)
    return Q(status=tab) if tab in Status.values else ~Q(status__in=ADMISSION_OVER)


def _named(text: str) -> Q:
    """A person by name, pinyin, initials or medical number; a number of the request's own is not said to anybody."""
    low = text.lower()
    found = Patient.objects.filter(
        Q(name__startswith=text) | Q(pinyin__startswith=low) | Q(initials=low) | Q(medical_number=text.upper())
    )
    return Q(patient__in=found)


def counts(rows: QuerySet[AdmissionRequest]) -> dict[str, int]:
    """Open ones by state. One query."""
    found = rows.exclude(status__in=ADMISSION_OVER).values_list("status").annotate(count=Count("pk")).order_by()
    return dict(found)


def in_full(rows: QuerySet[AdmissionRequest]) -> QuerySet[AdmissionRequest]:
    needs = Prefetch("needs", AdmissionNeed.objects.select_related("done_by"))
    return rows.select_related(*RELATED, "encounter").prefetch_related(needs)


def open_of(patient: Patient, *, organization_id: int) -> list[AdmissionRequest]:
    """What is under way for the person in the room. Two queries."""
    rows = AdmissionRequest.objects.filter(patient=patient, organization=organization_id)
    return list(in_full(rows.exclude(status__in=ADMISSION_OVER)).order_by("-pk"))


def on_referral(referral: Referral) -> QuerySet[AdmissionRequest]:
    """What rests on it. Whoever may see the referral may see how these stand, not more."""
    return AdmissionRequest.objects.filter(referral=referral).select_related("department").order_by("-pk")


def steps_of(request: AdmissionRequest) -> list[AuditEvent]:
    """经过, the latest first."""
    rows = AuditEvent.objects.filter(subject=f"admission:{request.pk}", action__startswith="admission.")
    return list(rows.select_related("actor").order_by("-at", "-pk")[:100])


def mine(account: User) -> QuerySet[AdmissionRequest]:
    """Of the account's people whose binding was proved: an admission says what somebody is ill with."""
    return in_full(AdmissionRequest.objects.filter(family.theirs(account, proved=True)))
