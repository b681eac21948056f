"""What the patient hears about an admission: when and where to come, that it is put off, that it will not be."""

from datetime import datetime, timedelta

from hospital import clock, messages
from referrals.models import AdmissionRequest

TOLD = ("scheduled", "put_off", "refused", "cancelled", "reminder")
"""Steps of which a message is sent: admission.<step>. The rest stands on the patient's page."""


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


def remind(*, now: datetime) -> int:
    """On the eve, once per day that was told. Safe to repeat; how many stand for tomorrow."""
    tomorrow = clock.today(now) + timedelta(days=1)
    rows = AdmissionRequest.objects.filter(status=AdmissionRequest.Status.SCHEDULED, scheduled_on=tomorrow)
    for row in (found := list(rows.select_related("patient", "department", "organization").order_by("pk"))):
        tell(row, what="reminder", dedupe=f"admission:{row.pk}:eve:{tomorrow}", now=now)
    return len(found)
