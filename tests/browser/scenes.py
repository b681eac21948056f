"""A consult room that looks like the picture: departments, doctors, teams, history. For screenshots and axe."""

from datetime import timedelta

from appointments.models import NoShow
from hospital.models import Condition, Patient
from tests.consult.rooms import ConsultRoom, checked_in, doctor_with_a_room, half_day, now, today
from tests.factories import (
    CampusFactory,
    DepartmentFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    add_numbers,
    appointment_row,
)

DEPARTMENTS = [
    ("内分泌科", "neifenmike", "nfmk", "4层"),
    ("心脏康复门诊", "xinzangkangfumenzhen", "xzkfmz", "3层"),
    ("眼科", "yanke", "yk", "2层"),
    ("神经内科", "shenjingneike", "sjnk", "5层"),
    ("呼吸与危重症医学科", "huxiyuweizhongzhengyixueke", "hxywzzyxk", "6层"),
    ("肾内科", "shenneike", "snk", "5层"),
    ("消化内科", "xiaohuaneike", "xhnk", "4层"),
    ("骨科", "guke", "gk", "2层"),
]
DOCTORS = [("张颖", "zhangying", "zy", "副主任医师"), ("周海燕", "zhouhaiyan", "zhy", "主任医师")]


def service(level: str):
    names = {"general": "普通号", "specialty": "专科号", "associate": "副主任医师号", "chief": "主任医师号"}
    return ServiceFactory(code=level, name=names[level], level=level)


def fill(schedule, *, taken: range) -> None:
    """Other patients have these numbers."""
    for number in taken:
        appointment_row(schedule, PatientFactory(), number=number)


def a_busy_cardiologist(*, waiting: int = 6) -> ConsultRoom:
    CampusFactory(name="本部")
    room = doctor_with_a_room(waiting=waiting, service=service("chief"), room=RoomFactory(name="12诊室", floor="3层"))
    department = room.role.department
    department.name, department.pinyin, department.initials = "心血管内科", "xinxueguanneike", "xxgnk"
    department.save()
    place = RoomFactory(name="12诊室", floor="3层")
    for ahead, half, taken in (
        (26, "am", 15),
        (27, "pm", 13),
        (28, "am", 8),
        (30, "am", 4),
        (33, "pm", 2),
        (35, "am", 0),
    ):
        schedule = half_day(
            role=room.role, day=today() + timedelta(days=ahead), half=half, numbers=6, consult=9, room=place
        )
        fill(schedule, taken=range(1, taken + 1) if taken != 8 else (1, 3, 5, 8, 10, 11, 14))
        if ahead == 35:
            schedule.status, schedule.stop_reason = "stopped", "外出会诊"
            schedule.save()
    _other_departments(room)
    _history(room)
    for number in range(20, 24):
        appointment_row(room.schedule, PatientFactory(), number=number)
    for number in range(8, 20):
        seen = checked_in(room.schedule, number=number, channel="consult" if number % 2 else "web")
        seen.appointment.status = "fulfilled"
        seen.appointment.save()
        seen.status, seen.practitioner = "finished", room.doctor
        seen.called_at = seen.started_at = seen.finished_at = now()
        seen.save()
    return room


def _other_departments(room: ConsultRoom) -> None:
    for order, (name, pinyin, initials, location) in enumerate(DEPARTMENTS):
        department = DepartmentFactory(name=name, pinyin=pinyin, initials=initials, location=location, order=order)
        if name != "内分泌科":
            continue
        for doctor, spelled, first, title in DOCTORS:
            level = "chief" if title == "主任医师" else "associate"
            role = RoleFactory(
                practitioner=PractitionerFactory(name=doctor, pinyin=spelled, initials=first, title=title),
                department=department,
                service=service(level),
            )
            half_day(role=role, day=today() + timedelta(days=28), numbers=4, consult=4)
    team = TeamFactory(
        name="冠心病团队", pinyin="guanxinbingtuandui", initials="gxbtd", department=room.role.department
    )
    TeamMemberFactory(team=team, role=room.role)
    sitting = ScheduleFactory(
        role=None, team=team, department=team.department, service=team.service, day=today() + timedelta(days=29)
    )
    add_numbers(sitting, count=6, opened=now() - timedelta(days=1))


def _history(room: ConsultRoom) -> None:
    patient: Patient = room.first
    patient.medical_number = "202603817724"
    patient.save()
    for kind, text in (("allergy", "青霉素"), ("problem", "冠心病 PCI术后3月"), ("problem", "2型糖尿病")):
        Condition.objects.create(patient=patient, kind=kind, text=text)
    eyes = DepartmentFactory(name="眼科门诊", location="2层", order=90)
    doctor = RoleFactory(
        department=eyes, service=service("general"), practitioner=PractitionerFactory(name="何明", title="主治医师")
    )
    past = half_day(role=doctor, day=today() - timedelta(days=30), numbers=2)
    seen = checked_in(past, number=1)
    seen.patient = seen.appointment.patient = patient
    seen.appointment.status = "fulfilled"
    seen.appointment.save()
    seen.status, seen.started_at, seen.finished_at = "finished", now() - timedelta(days=30), now() - timedelta(days=30)
    seen.save()
    ahead = half_day(role=doctor, day=today() + timedelta(days=12), numbers=3)
    appointment_row(ahead, patient, number=2)


def with_a_noshow(patient: Patient, room: ConsultRoom) -> None:
    past = half_day(role=room.role, day=today() - timedelta(days=20), numbers=2)
    missed = appointment_row(past, patient, number=1, status="noshow")
    NoShow.objects.create(appointment=missed, patient=patient, day=past.day, marked_at=now())
