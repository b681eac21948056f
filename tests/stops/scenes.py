"""A doctor's sessions with booked patients, colleagues who could step in, and the worker's rounds."""

from datetime import timedelta

from appointments.models import StopCase, Suspension
from appointments.services import stops
from appointments.services.stops.orders import Wish
from hospital import messages, outbox
from hospital.models import Message, Role, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    ServiceFactory,
    StaffFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

IN_A_WEEK = TODAY + timedelta(days=7)


def level(name: str, price: str = "G"):
    return ServiceFactory(code=name, name=name, level=name, price_code=price)


def doctor(department=None, *, of="associate", **more):
    """A role of a fresh doctor, of a level."""
    return RoleFactory(department=department or DepartmentFactory(), service=level(of), **more)


def session(role, *, day=IN_A_WEEK, booked=3, numbers=6, **more):
    """A session of this doctor with its first numbers booked."""
    row = open_schedule(role=role, day=day, numbers=numbers, **more)
    for number in range(1, booked + 1):
        appointment_row(row, PatientFactory(), number=number)
    return row


def wish(*schedules, cause="leave", substitutes=None, **more):
    days = [each.day for each in schedules]
    fields = {
        "organization": schedules[0].organization_id,
        "first_day": min(days),
        "last_day": max(days),
        "schedules": tuple(each.pk for each in schedules),
        "cause": cause,
        "reason": "家里有事",
        "substitutes": {pk: (role, None) for pk, role in (substitutes or {}).items()},
    }
    return Wish(**{**fields, **more})


def stop(*schedules, by=None, now=NOW, **more) -> Suspension:
    return stops.stop(wish=wish(*schedules, **more), by=by or StaffFactory(roles="office"), now=now)


def substitute(schedule, role, *, now=NOW, **more) -> Suspension:
    return stop(schedule, substitutes={schedule.pk: role.pk}, now=now, **more)


def work(now=NOW) -> None:
    """The worker's rounds: facts to their handlers, then messages out."""
    for _round in range(4):
        outbox.fan_out(now=now)
        while outbox.deliver(now=now):
            pass
    messages.send_waiting(now=now)


def told(patient) -> list[str]:
    """Templates of the SMS that this patient got, in order."""
    rows = Message.objects.filter(patient=patient, channel="sms", status="sent")
    return list(rows.order_by("pk").values_list("template", flat=True))


def case_of(appointment) -> StopCase:
    return StopCase.objects.filter(appointment=appointment).latest("pk")


def link_of(case) -> str:
    """The path in the patient's SMS, as the development gateway took it."""
    from hospital.models import GatewayReceipt

    text = GatewayReceipt.objects.get(request_id=f"stop:{case.pk}:sms").text
    return "/answer/" + text.split("/answer/")[1].split("/")[0] + "/"


def doctors_account(role):
    """The account of a role's practitioner."""
    user = StaffFactory(roles="doctor")
    role.practitioner.user = user
    role.practitioner.save()
    return user


def office_of(department):
    """Somebody of the office who is responsible for one department."""
    user = StaffFactory()
    RoleAssignment.objects.create(
        user=user, role=Role.OFFICE, organization=department.organization, department=department
    )
    return user


def practitioner(**more):
    return PractitionerFactory(**more)


def unreleased(schedule, *, count, opens):
    """Public numbers that open later."""
    return add_numbers(schedule, count=count, pool="public", opened=opens)
