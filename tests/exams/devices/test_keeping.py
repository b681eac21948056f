"""The office keeps devices and brings them in by Excel (E1, E10)."""

from datetime import time, timedelta
from io import BytesIO

import pytest
import time_machine
from openpyxl import load_workbook

from exams.models import Device, DeviceHours, DeviceSession, ExamItem, ExamZone, StaffTeam, WalkingTime
from exams.services.devices import keeping
from exams.services.devices.keeping import Reserve, Weekly
from hospital.models import RoleAssignment
from tests.factories import NOW, TODAY, DepartmentFactory, RoomFactory, UserFactory

from .test_downtime import TOMORROW, House

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def house():
    return House(booked=1)


@pytest.fixture
def office(client, house):
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=house.device.organization)
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("hours", "reserves", "problem"),
    [
        ([(1, 8, 12), (1, 11, 13)], [], "同一天的两段开机时间重叠"),
        ([(1, 8, 12)], [(1, 12, 13)], "预留要落在当天的一段开机时间里"),
        ([(1, 8, 12)], [(1, 8, 10), (1, 9, 11)], "同一天的两段预留重叠"),
        ([(1, 12, 8)], [], "结束要晚于开始"),
        ([(1, 8, 12), (2, 8, 12)], [(2, 8, 12)], None),
    ],
)
def test_a_week_that_cannot_be(hours, reserves, problem):
    """E1, E10: pure."""
    weekly = [Weekly(day, time(start), time(end)) for day, start, end in hours]
    held = [Reserve(day, "emergency", time(start), time(end), 60) for day, start, end in reserves]
    assert keeping.problem_of(weekly, held) == problem


def stretches(prefix, rows, names):
    said = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        said |= {f"{prefix}-{place}-{name}": value for name, value in zip(names, row, strict=True)}
    return said


def week(hours, reserves=(), day=TODAY):
    return {
        "first_day": day,
        **stretches("h", hours, ("weekdays", "starts", "ends")),
        **stretches("r", reserves, ("weekdays", "starts", "ends", "whose", "shared")),
    }


def test_changed_hours_apply_at_once_and_say_what_they_could_not_change(office, house):
    """E1: the form keeps what was typed; empty days follow, the booked one stays and is named."""
    address = f"/office/exams/devices/{house.other.pk}/hours/"
    wrong = office.post(address, week([([2, 3], "12:00", "08:00")]))
    assert (wrong.status_code, "结束要晚于开始" in wrong.content.decode()) == (422, True)
    office.post(address, week([([2, 3], "08:00", "12:00")], [([2], "11:00", "12:00", "emergency::", "120")]))
    assert {row.weekday for row in DeviceHours.objects.filter(device=house.other)} == {2, 3}
    assert DeviceSession.objects.filter(device=house.other, hours__isnull=False).count() == 8
    assert office.get(address).content.decode().count("checked") == 3

    booked = f"/office/exams/devices/{house.device.pk}/hours/"
    row = DeviceHours.objects.create(
        device=house.device, weekday=2, starts=time(8), ends=time(12), effective_from=TODAY - timedelta(days=9)
    )
    house.device.sessions.filter(day=TOMORROW).update(hours=row)
    said = office.post(booked, week([([2], "10:00", "12:00")]), follow=True).content.decode()
    assert f"{TOMORROW:%m-%d} 没有改：已约 1 项检查" in said
    row.refresh_from_db()
    assert row.effective_to == TODAY - timedelta(days=1)


def test_a_device_is_not_put_out_of_use_under_its_patients(office, house):
    """E1: with its abilities and minutes; refused with a sentence, what was typed stays."""
    variant = house.variant
    said = {
        "name": "新彩超", "code": house.device.code, "modality": "us", "room": house.device.room_id,
        "zone": house.device.zone_id, "team": "", f"can-{variant.pk}": "on", f"minutes-{variant.pk}": "7",
    }  # fmt: skip
    house.device.zone.campus = house.device.room.campus
    house.device.zone.save()
    room = house.device.room
    room.campus.organization = house.device.organization
    room.campus.save()
    address = f"/office/exams/devices/{house.device.pk}/"
    assert "5 的倍数" in office.post(address, said | {"active": "on"}).content.decode()
    refused = office.post(address, said | {f"minutes-{variant.pk}": "25"})
    assert (refused.status_code, "请先登记停机、为患者改约" in refused.content.decode()) == (422, True)
    of_a_thousand_items = {f"minutes-{10**6 + n}": "" for n in range(2000)}
    kept = office.post(address, of_a_thousand_items | said | {"active": "on", f"minutes-{variant.pk}": "25"})
    assert kept.status_code == 302
    device = Device.objects.get(pk=house.device.pk)
    assert (device.name, device.initials, device.abilities.get().minutes) == ("新彩超", "xcc", 25)


def test_zones_walks_and_teams(office, house):
    """E1."""
    campus = RoomFactory().campus
    campus.organization = house.device.organization
    campus.save()
    office.post("/office/exams/zones/", {"what": "zone", "z-campus": campus.pk, "z-name": "医技楼"})
    office.post("/office/exams/zones/", {"what": "zone", "z-campus": campus.pk, "z-name": "门诊楼"})
    other, one = ExamZone.objects.filter(name__in=["医技楼", "门诊楼"]).order_by("pk")
    office.post("/office/exams/zones/", {"what": "walk", "w-one": one.pk, "w-other": other.pk, "w-minutes": "8"})
    same = office.post("/office/exams/zones/", {"what": "walk", "w-one": one.pk, "w-other": one.pk, "w-minutes": "8"})
    assert (same.status_code, WalkingTime.objects.get().one) == (422, other)
    office.post("/office/exams/teams/", {"organization": campus.organization_id, "name": "超声组", "size": 2})
    assert StaffTeam.objects.get(name="超声组").size == 2


def test_the_office_of_one_department_keeps_its_own_rooms_and_nothing_of_the_house(client, house):
    """P9: another department's room is no choice for its devices; zones and teams are the whole house's."""
    device, campus = house.device, house.device.room.campus
    campus.organization = device.organization
    campus.save()
    mine = DepartmentFactory(organization=device.organization)
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=device.organization, department=mine)
    client.force_login(user)
    said = {
        "name": "新机",
        "code": "N1",
        "modality": "us",
        "room": device.room_id,
        "zone": device.zone_id,
        "active": "on",
    }
    assert "room" in client.post("/office/exams/devices/new/", said).context["form"].errors
    assert not Device.objects.filter(code="N1").exists()
    team = {"organization": device.organization_id, "name": "甲组", "size": 50}
    assert client.post("/office/exams/teams/", team).status_code == 403
    zone = {"what": "zone", "z-campus": campus.pk, "z-name": "新区"}
    assert client.post("/office/exams/zones/", zone).status_code == 403
    assert [client.get(f"/office/exams/{page}/").status_code for page in ("zones", "teams")] == [200, 200]
    assert "/office/exams/sheets/" not in client.get("/office/exams/devices/").text  # a workbook is the whole house's


def upload(office, content, house, name="设备.xlsx"):
    file = BytesIO(content)
    file.name = name
    answer = office.post("/office/exams/sheets/", {"organization": house.device.organization_id, "file": file})
    return answer, answer.url if answer.status_code == 302 else ""


def test_the_present_workbook_changes_nothing_and_a_wrong_one_nothing_either(office, house):
    """E1: errors named by sheet, row and column; all or nothing; a file that is none is refused."""
    device = house.device
    device.room.campus.organization = device.organization
    device.room.campus.save()
    Device.objects.update(room=device.room)
    ExamZone.objects.update(campus=device.room.campus)
    keeping.keep_hours(
        device=house.other, first_day=TODAY, hours=[Weekly(2, time(8), time(12))],
        reserves=[Reserve(2, "emergency", time(11), time(12), 120)], by=house.by, now=NOW,
    )  # fmt: skip
    present = office.get("/office/exams/sheets/present/").content
    _answer, address = upload(office, present, house)
    assert "和系统一致，没有要改的" in office.get(address).content.decode()

    book = load_workbook(BytesIO(present))
    book["检查项目"]["B2"] = "新名字超声"
    book["检查方式"]["C2"], book["检查方式"]["F2"] = 17, "NONE"
    wrong = BytesIO()
    book.save(wrong)
    _answer, address = upload(office, wrong.getvalue(), house)
    page = office.get(address).content.decode()
    assert "C 检查分钟" in page
    assert "17 不是 5 的倍数" in page
    assert "价目里没有“NONE”" in page
    book["检查方式"]["C2"], book["检查方式"]["F2"] = 25, "EX"
    right = BytesIO()
    book.save(right)
    _answer, address = upload(office, right.getvalue(), house)
    assert not ExamItem.objects.filter(name="新名字超声").exists()
    office.post(f"{address}apply/")
    item = ExamItem.objects.get(name="新名字超声")
    assert item.variants.get().minutes == 25

    assert "不是能读的 Excel" in office.get(upload(office, b"nonsense", house)[1]).content.decode()
    refused, _none = upload(office, b"nonsense", house, name="设备.pdf")
    assert (refused.status_code, "不是 .xlsx" in refused.content.decode()) == (422, True)
    assert office.get("/office/exams/sheets/blank/").status_code == 200
