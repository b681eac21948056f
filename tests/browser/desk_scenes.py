"""A morning at the desk and a week of the office, at this very hour: the browser's server runs on the real clock."""

from datetime import time, timedelta
from functools import cached_property
from random import Random

from appointments.models import Allotment, Pool, Schedule, Slot
from appointments.selectors.office import monday_of
from appointments.services import booking, visit
from hospital import clock
from hospital.models import Department
from tests.factories import (
    CampusFactory,
    DepartmentFactory,
    EncounterFactory,
    IdentifierFactory,
    PatientFactory,
    PoolFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    StaffFactory,
    TeamFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

LEVELS = {
    "主任医师": ("chief", "主任医师号"),
    "副主任医师": ("associate", "副主任医师号"),
    "主治医师": ("specialty", "专科号"),
}


def now():
    return clock.now()


def today():
    return clock.today(now())


def ago(minutes: int):
    """Some minutes ago, or midnight when that was yesterday: who is here today came today."""
    moment = now()
    return max(moment - timedelta(minutes=minutes), clock.at(clock.today(moment), time(0)))


def service(title: str):
    level, name = LEVELS[title]
    return ServiceFactory(code=level, name=name, level=level)


def doctor(name: str, title: str, department: Department):
    return RoleFactory(
        practitioner=PractitionerFactory(name=name, title=title), department=department, service=service(title)
    )


def running(*, role, numbers: int = 12, room: str = "3诊室", **fields) -> Schedule:
    """A clinic that began two hours ago and runs two more, with numbers of everybody and of the window."""
    begins = now() - timedelta(hours=2)
    place = RoomFactory(name=room, floor="3层")
    schedule = open_schedule(
        role=role,
        day=today(),
        starts_at=begins,
        ends_at=begins + timedelta(hours=4),
        numbers=numbers,
        minutes=10,
        opened=begins - timedelta(days=1),
        room=place,
        **fields,
    )
    add_numbers(schedule, count=4, pool="counter", minutes=10, opened=begins - timedelta(days=1))
    return schedule


class Desk:
    """Three doctors of two departments before their rooms, patients who wait, one who is about to come."""

    def __init__(self):
        CampusFactory(name="本部院区")
        self.nurse = StaffFactory(roles=["triage", "counter"], full_name="刘芳")
        self.heart = DepartmentFactory(
            name="心血管内科", pinyin="xinxueguanneike", initials="xxgnk", location="3层", order=1
        )
        self.endocrine = DepartmentFactory(name="内分泌科", pinyin="neifenmike", initials="nfmk", order=2)
        self.wang = running(role=doctor("王建国", "主任医师", self.heart), room="12诊室")
        self.chen = running(role=doctor("陈立", "主治医师", self.heart), room="13诊室")
        self.zhang = running(role=doctor("张颖", "副主任医师", self.endocrine), room="6诊室")
        self.expected = PatientFactory(name="李秀英", pinyin="lixiuying", initials="lxy", phone="13800136210")
        IdentifierFactory(patient=self.expected)
        self.booked = appointment_row(self.wang, self.expected, number=9, confirmed_at=now())

    def wait(self, schedule: Schedule, names: list[str], *, first: int = 1) -> list:
        """People with numbers from `first` on who checked in half an hour ago."""
        rows = [appointment_row(schedule, PatientFactory(name=name), number=first + n) for n, name in enumerate(names)]
        when = ago(30)
        return [visit.check_in(appointment=row, by=self.nurse, document_seen=True, now=when) for row in rows]

    def busy(self) -> None:
        inside, called, *_rest = self.wait(
            self.wang, ["周志明", "何桂兰", "郑和平", "诸葛瑾", "买买提·吐尔逊", "Anna Berg"]
        )
        visit.start(encounter=inside, by=self.nurse, now=ago(6))
        visit.finish(encounter=inside, by=self.nurse, now=ago(1))
        visit.call(encounter=called, by=self.nurse, now=ago(1))
        first, *_rest = self.wait(self.chen, ["孙立", "钱多多", "吴敏", "冯小刚", "卫青", "蒋介", "沈从文"])
        visit.start(encounter=first, by=self.nurse, now=ago(4))
        self.wait(self.zhang, ["韩梅梅"])


NAMES = {
    "心血管内科": ["王建国 主任医师", "李敏 副主任医师", "陈立 主治医师", "赵志强 主治医师"],
    "内分泌科": ["周海燕 主任医师", "张颖 副主任医师", "孙晓梅 主治医师"],
    "呼吸与危重症医学科": ["阿卜杜热西提·买买提明 副主任医师", "吴倩 主治医师"],
    "神经内科": ["郑毅 主任医师", "冯洁 主治医师"],
}
SHARES = (("public", 0.3, 7), ("consult", 0.4, 92), ("partner", 0.2, 10), ("counter", 0.1, 0))


class Week:
    """A week of four departments that looks like the picture: full and empty, stopped, not yet released."""

    def __init__(self):
        campus = CampusFactory(name="本部院区")
        CampusFactory(code="C2", name="东院区")
        self.user = StaffFactory(roles="office", full_name="刘芳")
        self.monday = monday_of(today())
        self.random = Random(3)
        self.pools = {kind: PoolFactory(kind=kind) for kind, _share, _days in SHARES}
        PoolFactory(kind="extra", name=str(Pool.Kind.EXTRA.label))
        self.schedules = []
        for order, (name, doctors) in enumerate(NAMES.items()):
            department = DepartmentFactory(name=name, group="内科系统", order=order, campus=campus)
            for one in doctors:
                person, title = one.rsplit(" ", 1)
                self._of(department, role=doctor(person, title, department))
            self._plain(department)
        self._team()
        self.stopped = self.schedules[2]
        Schedule.objects.filter(pk=self.stopped.pk).update(status="stopped", stop_reason="外出会诊")

    def _plain(self, department) -> None:
        self._of(department, role=None, service=ServiceFactory(), capacity=30)

    def _team(self) -> None:
        department = Department.objects.get(name="心血管内科")
        team = TeamFactory(name="冠心病团队", department=department)
        self._of(department, role=None, team=team, service=team.service, capacity=12)

    def _of(self, department, *, capacity: int = 16, **actor) -> None:
        for day in range(7):
            for half, hour in (("am", 8), ("pm", 14)):
                if self.random.random() < (0.45 if day < 5 else 0.85):
                    continue
                self._session(day, half, hour, capacity, department=department, **actor)

    def _session(self, day: int, half: str, hour: int, capacity: int, **actor) -> None:
        date = self.monday + timedelta(days=day)
        begins = clock.at(date, clock.datetime.min.time().replace(hour=hour))
        schedule = ScheduleFactory(
            day=date, half=half, starts_at=begins, ends_at=begins + timedelta(hours=4), capacity=capacity, **actor
        )
        fullness = self.random.choice([0.2, 0.5, 0.7, 0.9, 1.0]) if day < 5 else 0.1
        kinds = [kind for kind, share, _days in SHARES for _n in range(round(capacity * share))][:capacity]
        Slot.objects.bulk_create(
            Slot(
                schedule=schedule,
                number=n + 1,
                start=begins + timedelta(minutes=8 * n),
                minutes=8,
                pool=self.pools[kind],
                status="booked" if self.random.random() < fullness else "free",
            )
            for n, kind in enumerate(kinds)
        )
        late = date > self.monday + timedelta(days=4)
        for kind, _share, days in SHARES:
            opens = now() + timedelta(hours=21) if late and kind == "public" else begins - timedelta(days=days)
            recalled = begins - timedelta(days=2) if kind == "consult" else None
            Allotment.objects.create(
                schedule=schedule,
                pool=self.pools[kind],
                department=schedule.department,
                day=date,
                opens_at=opens,
                shared_from=begins if kind == "counter" else recalled,
            )
        self.schedules.append(schedule)

    @cached_property
    def coming(self) -> Schedule:
        """The emptiest session of Friday: its drawer has a past and a future."""
        friday = [one for one in self.schedules if one.day == self.monday + timedelta(days=4) and one.role_id]
        return max(friday, key=lambda one: (one.slots.filter(status="free", pool__kind="public").count(), one.pk))

    def visits(self) -> None:
        """Visits of this week and the one before, so that the figures have something to count; a trail to read."""
        earlier = open_schedule(day=self.monday - timedelta(days=3), numbers=10, role=self.schedules[0].role)
        self._seen(earlier, ("consult", "web", "web", "web"), waited=12)
        self._seen(self.schedules[0], ("consult", "web", "consult", "phone", "web"), waited=9)
        for channel in ("web", "counter"):
            booking.book(
                schedule=self.coming,
                patient=PatientFactory(),
                channel=channel,
                by=self.user,
                request_key=f"scene-{channel}",
                confirmed=True,
                now=now(),
            )

    @staticmethod
    def _seen(schedule: Schedule, channels: tuple[str, ...], *, waited: int) -> None:
        for number, channel in enumerate(channels, 1):
            Slot.objects.filter(schedule=schedule, number=number).update(status="free")
            row = appointment_row(schedule, PatientFactory(), number=number, channel=channel, status="fulfilled")
            called = row.start + timedelta(minutes=waited)
            EncounterFactory(
                appointment=row,
                status="finished",
                checked_in_at=row.start,
                called_at=called,
                started_at=called + timedelta(minutes=1),
                finished_at=called + timedelta(minutes=9),
            )
