"""Messages about reports. They say that there is something to read, never what: an SMS is read over a shoulder."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from exams.models import CriticalNotice, DiagnosticReport
from hospital import clock, messages
from hospital.models import Role, RoleAssignment, User

READY, CORRECTED, WITHDRAWN = "report.ready", "report.corrected", "report.withdrawn"
CRITICAL, OVERDUE, CHANGED = "report.critical", "report.critical_overdue", "report.critical_changed"


def tell_patient(*, report: int, template: str, dedupe: str, now: datetime) -> None:
    """`about` is the exam's key where there was a booking: the account that booked it may read this."""
    row = DiagnosticReport.objects.select_related("patient", "variant__item__organization").get(pk=report)
    house = row.variant.item.organization
    messages.tell(
        patient=row.patient,
        template=template,
        params={"hospital": house.short_name or house.name, "phone": house.phone, "report": row.pk},
        about=f"exam:{row.booking_id}" if row.booking_id else f"report:{row.pk}",
        link=settings.PUBLIC_URL + reverse("exams:my_reports") if settings.PUBLIC_URL else "",
        dedupe=dedupe,
        now=now,
    )


def tell_doctor(*, notice: int, dedupe: str, now: datetime) -> None:
    row = _open(notice)
    if row and row.doctor_id and row.doctor.user_id:
        _tell(row, row.doctor.user, template=CRITICAL, dedupe=dedupe, now=now)


def tell_of_change(*, report: int, dedupe: str, now: datetime) -> None:
    """A report that told a critical value was corrected or taken back: whoever was told, or acted upon it, must hear.
    Where the new version is critical too, its own notice tells."""
    rows = CriticalNotice.objects.filter(version__report=report).order_by("-pk")
    row = rows.select_related(
        "doctor__user", "acknowledged_by", "version__report__variant__item", "version__report__current"
    ).first()
    if row is None or row.version.number == row.version.report.current.number and not _taken_back(row):
        return
    people = [row.doctor.user if row.doctor_id else None, row.acknowledged_by]
    for user in {each.pk: each for each in people if each}.values():
        _tell(row, user, template=CHANGED, dedupe=f"{dedupe}:changed:{user.pk}", now=now)


def _taken_back(row: CriticalNotice) -> bool:
    return row.version.report.status == DiagnosticReport.Status.WITHDRAWN


def tell_department(*, notice: int, dedupe: str, now: datetime) -> None:
    """The doctor's colleagues, the office and the booking centre: of the whole house or of that department."""
    row = _open(notice)
    if row is None:
        return
    for user in _others(row):
        _tell(row, user, template=OVERDUE, dedupe=f"{dedupe}:{user.pk}", now=now)


def _open(notice: int) -> CriticalNotice | None:
    related = ("doctor__user", "version__report__variant__item", "version__report__booking__request__encounter")
    return CriticalNotice.objects.select_related(*related).filter(pk=notice, acknowledged_at=None).first()


def _others(row: CriticalNotice) -> list[User]:
    report = row.version.report
    departments = list(row.doctor.roles.filter(active=True).values_list("department", flat=True)) if row.doctor else []
    staff = RoleAssignment.objects.filter(organization=report.variant.item.organization_id)
    office = staff.filter(Q(department=None) | Q(department__in=departments), role__in=[Role.OFFICE, Role.EXAM])
    mates = Q(practitioner__roles__department__in=departments, practitioner__roles__active=True)
    people = User.objects.filter(Q(pk__in=office.values("user")) | mates, is_active=True)
    return list(people.exclude(pk=row.doctor.user_id if row.doctor else None).distinct().order_by("pk"))


def _tell(row: CriticalNotice, user: User, *, template: str, dedupe: str, now: datetime) -> None:
    due = row.due_at.astimezone(clock.ZONE)
    messages.tell(
        user=user,
        template=template,
        params={
            "exam": str(row.version.report.variant),
            "until": row.due_at.isoformat(),
            "time": f"{due:%H:%M}",
            "doctor": str(row.doctor or ""),
            "notice": row.pk,
        },
        about=f"report:{row.version.report_id}",
        dedupe=dedupe,
        now=now,
    )
