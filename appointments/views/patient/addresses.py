"""Where a schedule is shown to patients: its doctor's, its team's or its plain clinic's page of slices."""

from urllib.parse import urlencode

from django.urls import reverse

from appointments.models import Schedule


def page_of(*, role: int | None, team: int | None, department: int, service: int) -> str:
    if role:
        return reverse("appointments:doctor_slots", args=[role])
    if team:
        return reverse("appointments:team_slots", args=[team])
    return reverse("appointments:clinic_slots", args=[department, service])


def slots_page(schedule: Schedule, **query) -> str:
    """Step three for this schedule on its day. `lost=1` says that the slice was taken in the meantime."""
    page = page_of(
        role=schedule.role_id, team=schedule.team_id, department=schedule.department_id, service=schedule.service_id
    )
    return f"{page}?{urlencode({'day': schedule.day.isoformat(), **query})}"
