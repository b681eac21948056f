"""What is heard about an admission: the patient, when and where to come, that it is put off, that it will not be; who
runs the list, that one is asked for; the asking doctor, what became of it.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from hospital import clock, messages
from hospital.models import Role, User
from referrals.models import AdmissionRequest

TOLD = ("scheduled", "put_off", "refused", "cancelled", "reminder")
"""Steps of which a message is sent: admission.<step>. The rest stands on the patient's page."""

TO_STAFF = "admission.to_staff"
TO_DOCTOR = ("scheduled", "put_off", "refused", "cancelled")


def tell(row: AdmissionRequest, *, what: str, dedupe: str, now: datetime) -> None:
    if what not in TOLD:
        return
    house = row.organization
    params = {
        "admission": row.pk,
        "hospital": house.short_name or house.name,
        "phone": house.phone,
        "department": row.department.name,
        "day_surgery": row.kind == AdmissionRequest.Kind.DAY_SURGERY,
        "day": row.scheduled_on.isoformat() if row.scheduled_on else "",
        "place": row.place,
    }
    messages.tell(
        patient=row.patient, template=f"admission.{what}", params=params, about=f"admission:{row.pk}", dedupe=dedupe,
        now=now,
    )  # fmt: skip


def tell_staff(row: AdmissionRequest, *, what: str, but: User, dedupe: str, now: datetime) -> None:
    """In the app, whoever did it excepted. What is written in the request is read behind the sign-in."""
    if what not in ("asked", *TO_DOCTOR):
        return
    params = {
        "admission": row.pk, "kind": what, "department": row.department.name, "urgency": row.urgency,
        "day_surgery": row.kind == AdmissionRequest.Kind.DAY_SURGERY,
        "day": row.scheduled_on.isoformat() if row.scheduled_on else "",
    }  # fmt: skip
    for user in (_runners(row) if what == "asked" else _asked_by(row)).exclude(pk=but.pk):
        messages.tell(
            user=user, template=TO_STAFF, params=params, about=f"admission:{row.pk}", dedupe=f"{dedupe}:{user.pk}",
            now=now,
        )  # fmt: skip


def _runners(row: AdmissionRequest) -> QuerySet[User]:
    """The referral office, and the department's own ward."""
    office = Q(role_assignments__role=Role.REFERRAL)
    ward = Q(role_assignments__role=Role.WARD, role_assignments__department=row.department_id)
    there = User.objects.filter(office | ward, role_assignments__organization=row.organization_id, is_active=True)
    return there.distinct().order_by("pk")


def _asked_by(row: AdmissionRequest) -> QuerySet[User]:
    asked = {row.by_id, row.doctor.user_id if row.doctor_id else None} - {None}
    return User.objects.filter(pk__in=asked, is_active=True).order_by("pk")


def remind(*, now: datetime) -> int:
    """On the eve, once per day that was told. Safe to repeat; how many stand for tomorrow."""
    tomorrow = clock.today(now) + timedelta(days=1)
    rows = AdmissionRequest.objects.filter(status=AdmissionRequest.Status.SCHEDULED, scheduled_on=tomorrow)
    for row in (found := list(rows.select_related("patient", "department", "organization").order_by("pk"))):
        tell(row, what="reminder", dedupe=f"admission:{row.pk}:eve:{tomorrow}", now=now)
    return len(found)
