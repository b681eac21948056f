"""A doctor's morning at this very hour: the booking function asks the database's clock, so these days are real."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.urls import reverse

from appointments.models import Appointment, Encounter, Schedule
from hospital import clock
from hospital.models import Patient, Practitioner, PractitionerRole, User
from tests.factories import (
    EncounterFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    ServiceFactory,
    StaffFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)


def now():
    return clock.now()


def today():
    return clock.today(now())


@dataclass
class ConsultRoom:
    user: User
    doctor: Practitioner
    role: PractitionerRole
    schedule: Schedule
    waiting: list[Encounter]

    @property
    def first(self) -> Patient:
        return self.waiting[0].patient


def half_day(*, role, day, half="am", numbers=16, consult=0, **more) -> Schedule:
    """A future half-day of a doctor: `numbers` public ones and `consult` of the consult pool, open since yesterday."""
    opened = now() - timedelta(days=1)
    schedule = open_schedule(role=role, day=day, half=half, numbers=numbers, opened=opened, minutes=5, **more)
    if consult:
        add_numbers(schedule, count=consult, pool="consult", opened=opened, minutes=5)
    return schedule


def checked_in(
    schedule: Schedule, *, number: int, name: str = "", minutes_ago: int = 20, channel: str = "web", **patient
) -> Encounter:
    """A patient who booked this number and waits."""
    fields = {"name": name} if name else {}
    appointment = appointment_row(
        schedule,
        PatientFactory(**fields, **patient),
        number=number,
        status="arrived",
        channel=channel,
        created_at=now() - timedelta(days=3),
    )
    return EncounterFactory(appointment=appointment, checked_in_at=now() - timedelta(minutes=minutes_ago))


def doctor_with_a_room(
    *, waiting: int = 2, name: str = "王建国", title: str = "主任医师", service=None, **schedule
) -> ConsultRoom:
    """A signed-in-able doctor whose half-day runs now, with patients who have checked in."""
    user = StaffFactory(roles="doctor", full_name=name)
    doctor = PractitionerFactory(name=name, title=title, user=user, pinyin="wangjianguo", initials="wjg")
    role = RoleFactory(practitioner=doctor, service=service or ServiceFactory())
    running = open_schedule(
        role=role,
        day=today(),
        half="am",
        numbers=32,
        minutes=5,
        starts_at=now() - timedelta(hours=2),
        ends_at=now() + timedelta(hours=2),
        opened=now() - timedelta(days=7),
        **schedule,
    )
    names = ["李秀英", "张桂兰", "周志明", "何淑珍", "郑国平", "孙丽华"]
    queue = [
        checked_in(
            running,
            number=place + 1,
            name=names[place % len(names)],
            minutes_ago=40 - place,
            phone=f"1380013{place:04d}",
        )
        for place in range(waiting)
    ]
    return ConsultRoom(user=user, doctor=doctor, role=role, schedule=running, waiting=queue)


def bring_in(room: ConsultRoom, encounter: Encounter | None = None) -> Encounter:
    """The first of the queue is in the room."""
    encounter = encounter or room.waiting[0]
    moment = now()
    Encounter.objects.filter(pk=encounter.pk).update(
        status="in_room",
        practitioner=room.doctor,
        room=room.schedule.room,
        called_at=moment,
        started_at=moment,
        calls=1,
    )
    encounter.refresh_from_db()
    return encounter


def held(basket=None) -> list[Appointment]:
    rows = Appointment.objects.filter(status="pending")
    return list(rows.filter(basket=basket) if basket else rows)


def key() -> str:
    return str(uuid4())


FOUR_WEEKS = ((26, "am"), (27, "pm"), (28, "am"), (30, "am"), (33, "pm"), (35, "am"))
"""Days from today and half-days around "in four weeks"."""


def with_a_strip(room: ConsultRoom, *, days=FOUR_WEEKS, numbers=6, consult=10) -> list[Schedule]:
    return [
        half_day(role=room.role, day=today() + timedelta(days=ahead), half=half, numbers=numbers, consult=consult)
        for ahead, half in days
    ]


def open_page(client, **address):
    return client.get(reverse("appointments:consult"), address)


def take(client, room, schedule, number=1, **more):
    said = {"schedule": schedule.pk, "number": number, "encounter": room.waiting[0].pk, "request_key": key(), **more}
    return client.post(reverse("appointments:consult_lines"), said, headers={"HX-Request": "true"})


def confirm(client, room, **more):
    said = {"encounter": room.waiting[0].pk, "request_key": key(), **more}
    return client.post(reverse("appointments:consult_confirm"), said, headers={"HX-Request": "true"})


def press_next(client, current=""):
    return client.post(reverse("appointments:consult_next"), {"current": current})
