"""What another system is told of a fact (O1): ids and codes as they were when it happened, never who the patient is.

The status comes from the topic and the place from the fact's payload, since the booking may have moved on by the time
the event is sent. Only what can't change, and their own numbers, are looked up.
"""

from appointments.models import Appointment, Schedule, Slot
from hospital import clock
from hospital.models import ApiToken, ExternalRecord, Fact, PractitionerRole

Status = Appointment.Status

APPOINTMENT_TOPICS = {  # topic → (status of the booking, where the visit is); None: no visit yet
    "appointment.held": (Status.PENDING, None),
    "appointment.booked": (Status.BOOKED, None),
    "appointment.moved": (Status.BOOKED, None),
    "appointment.cancelled": (Status.CANCELLED, None),
    "appointment.dropped": (Status.CANCELLED, None),
    "appointment.lapsed": (Status.CANCELLED, None),
    "appointment.noshow": (Status.NOSHOW, None),
    "encounter.checked_in": (Status.ARRIVED, "waiting"),
    "encounter.check_in_undone": (Status.BOOKED, None),
    "encounter.called": (Status.ARRIVED, "called"),
    "encounter.passed_over": (Status.ARRIVED, "waiting"),
    "encounter.started": (Status.ARRIVED, "in_room"),
    "encounter.finished": (Status.FULFILLED, "finished"),
    "encounter.left": (Status.ARRIVED, "left"),
}
STOPPED, RETIMED, CHANGED = "schedule.stopped", "schedule.retimed", "schedule.changed"
SUBSTITUTED, REOPENED = "schedule.substituted", "schedule.reopened"
TOPICS = (*APPOINTMENT_TOPICS, STOPPED, SUBSTITUTED, REOPENED, RETIMED, CHANGED)

RELATED = ("organization", "department", "service", "room", "role__practitioner", "team")


def organization_of(fact: Fact) -> int | None:
    """Whose fact it is; None when what it speaks of is gone."""
    if schedule := fact.payload.get("schedule"):
        return Schedule.objects.filter(pk=schedule).values_list("organization", flat=True).first()
    rows = Appointment.objects.filter(pk=_appointment_id(fact))
    return rows.values_list("schedule__organization", flat=True).first()


def data_of(fact: Fact) -> dict | None:
    """The `data` of an event; None when there is nothing to tell."""
    if fact.topic in {RETIMED, CHANGED}:
        return _retimed(fact)
    if fact.topic in {SUBSTITUTED, REOPENED}:
        return _handed_over(fact)
    return _stopped(fact) if fact.topic == STOPPED else _appointment(fact)


def _appointment_id(fact: Fact) -> int:
    return int(fact.key.partition(":")[2])


def _appointment(fact: Fact) -> dict | None:
    together = ("slot", *(f"schedule__{name}" for name in RELATED))
    row = Appointment.objects.filter(pk=_appointment_id(fact)).select_related(*together).first()
    if row is None:
        return None
    still_there = fact.payload.get("schedule") in (None, row.schedule_id)
    schedule = row.schedule if still_there else _schedule(fact.payload["schedule"])
    slot = row.slot if fact.payload.get("slot") in (None, row.slot_id) else _slot(fact.payload["slot"])
    if schedule is None or slot is None:
        return None
    status, visit = APPOINTMENT_TOPICS[fact.topic]
    numbers = _their_numbers(row, organization_id=schedule.organization_id)
    return {
        "appointment": row.pk,
        "status": Status.PENDING if fact.payload.get("held") else status,
        "visit_status": visit,
        "patients": numbers[ExternalRecord.Kind.PATIENT],
        "visits": numbers[ExternalRecord.Kind.VISIT],
        **_place(schedule),
        "number": slot.number,
        "start": _iso(slot.start),
        "minutes": slot.minutes,
        "visit_type": row.visit_type,
        "channel": fact.payload.get("channel") or row.channel,
        "extra": bool(fact.payload.get("extra", row.extra)),
        "fee": str(row.fee) if row.schedule_id == schedule.pk else None,  # moved on since: that event says it
    }


def _schedule(pk: int) -> Schedule | None:
    return Schedule.objects.select_related(*RELATED).filter(pk=pk).first()


def _slot(pk: int) -> Slot | None:
    return Slot.objects.filter(pk=pk).first()


def _place(schedule: Schedule) -> dict:
    """Who and where, by the codes of the hospital's workbook."""
    return {
        "schedule": schedule.pk,
        "day": schedule.day.isoformat(),
        "half": schedule.half,
        "department": schedule.department.code,
        "service": schedule.service.code,
        "doctor": schedule.role.practitioner.code if schedule.role_id else None,
        "team": schedule.team.code if schedule.team_id else None,
        "room": schedule.room.code,
    }


def _stopped(fact: Fact) -> dict | None:
    """停诊: everybody in `appointments` needs another number."""
    schedule = _schedule(fact.payload["schedule"])
    return schedule and {**_place(schedule), "appointments": fact.payload["affected"]}


def _handed_over(fact: Fact) -> dict | None:
    """替诊 or 恢复出诊: who sits there from then on, instead of whom, and the bookings that go with it."""
    schedule = _schedule(fact.payload["schedule"])
    said = {"doctor": _doctor(fact.payload["role"]), "instead_of": _doctor(fact.payload.get("was"))}
    return schedule and {**_place(schedule), **said, "appointments": fact.payload.get("booked", [])}


def _doctor(role: int | None) -> str | None:
    return PractitionerRole.objects.filter(pk=role).values_list("practitioner__code", flat=True).first()


def _retimed(fact: Fact) -> dict | None:
    """The bookings of a session that have another minute or room now: 作息时间调整, or its pattern changed."""
    schedule, told = _schedule(fact.payload["schedule"]), [pk for pk, _was in fact.payload["told"]]
    rows = Appointment.objects.filter(pk__in=told, schedule=fact.payload["schedule"]).order_by("pk")
    appointments = [{"appointment": pk, "start": _iso(start)} for pk, start in rows.values_list("pk", "start")]
    return schedule and {**_place(schedule), "appointments": appointments}


def _their_numbers(row: Appointment, *, organization_id: int) -> dict[str, list[dict]]:
    """The numbers under which systems of this house sent the patient and the visit."""
    systems = ApiToken.objects.filter(organization=organization_id).exclude(system="").values("system")
    mine = ExternalRecord.objects.filter(system__in=systems)
    found = {ExternalRecord.Kind.PATIENT: [], ExternalRecord.Kind.VISIT: []}
    about = [f"appointment:{row.pk}", ""]
    for record in mine.filter(patient=row.patient_id, subject__in=about).order_by("pk"):
        if record.kind == ExternalRecord.Kind.PATIENT or record.subject:
            found[record.kind].append({"system": record.system, "number": record.number})
    return found


def _iso(moment) -> str:
    return moment.astimezone(clock.ZONE).isoformat()
