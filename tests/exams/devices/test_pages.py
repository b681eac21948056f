"""The office's pages of devices: the week, a day's acts, downtimes, calls, and the link of a displaced patient."""

import re
from datetime import time, timedelta

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import DeviceSession, Downtime, DowntimeCase, ExamBooking, ExamVariant, SessionWindow
from exams.selectors import devices as selectors
from exams.services import devices
from hospital import clock
from hospital.models import AuditEvent, Message, RoleAssignment
from tests.exams.patient.scenes import fasting
from tests.factories import NOW, OrganizationFactory, UserFactory

from .test_downtime import TOMORROW, House, deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def house():
    return House(booked=3)


@pytest.fixture
def office(client, house):
    client.force_login(staff("office", house.device.organization))
    return client


def staff(role, organization):
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role=role, organization=organization)
    return user


def minutes(cell):
    return {name: getattr(cell, name) for name in ("open", "booked", "held", "free", "down")}


def test_a_days_minutes_are_booked_held_free_or_down(house, django_assert_num_queries):
    """E1, E10: they add up; a reserve counts as held until its moment; the week asks as often for two devices as for
    fifty."""
    session = house.device.sessions.order_by("day").first()
    pool = house.device.organization.pools.get(kind="emergency")
    for starts, shared in ((time(10), NOW + timedelta(hours=1)), (time(11), NOW - timedelta(hours=1))):
        window = DateTimeTZRange(clock.at(TOMORROW, starts), clock.at(TOMORROW, time(starts.hour, 30)))
        SessionWindow.objects.create(
            session=session, pool=pool, during=window, opens_at=NOW - timedelta(days=1), shared_from=shared
        )
    down = DateTimeTZRange(clock.at(TOMORROW, time(11, 30)), clock.at(TOMORROW, time(14)))
    Downtime.objects.create(device=house.device, during=down, cause="fault", by=UserFactory(), created_at=NOW)
    looked = selectors.Looked(monday=clock.today(NOW), organizations=frozenset({house.device.organization_id}))

    with django_assert_num_queries(6):
        [block] = selectors.week(looked, now=NOW)
    cell = block.rows[0].cells[1]
    assert minutes(cell) == {"open": 240, "booked": 60, "held": 30, "free": 120, "down": 30}
    assert (cell.percent, cell.state, block.rows[0].cells[4].state) == (29, "open", "none")
    [after] = selectors.count([house.device], days=[TOMORROW], now=clock.at(TOMORROW, time(10, 20))).values()
    assert (minutes(after), after.unused) == (
        {"open": 240, "booked": 60, "held": 0, "free": 70, "down": 30}, 80,
    ), "nobody books what is over"  # fmt: skip


def test_the_week_shows_a_days_drawer_and_its_acts(office, house):
    """E10: closing is refused while exams are booked in it, and says what to do; an extra session is open at once."""
    session = house.device.sessions.order_by("day").first()
    address = f"/office/exams/?device={house.device.pk}&day={TOMORROW}"
    page = office.get(address).content.decode()
    assert "60/240" in page
    assert house.rows[0].patient.name not in page
    assert AuditEvent.objects.filter(action="device.patients_listed").exists()
    assert "cell-" in office.get(address, headers={"HX-Request": "true", "HX-Target": "drawer"}).content.decode()

    refused = office.post(f"/office/exams/sessions/{session.pk}/close/", follow=True).content.decode()
    assert "已约 3 项检查，不能直接关闭" in refused
    empty = house.other.sessions.order_by("day").first()
    office.post(f"/office/exams/sessions/{empty.pk}/close/")
    assert DeviceSession.objects.get(pk=empty.pk).closed
    office.post(f"/office/exams/sessions/{empty.pk}/open/")
    assert not DeviceSession.objects.get(pk=empty.pk).closed

    add = f"/office/exams/devices/{house.device.pk}/add/"
    short = office.post(add, {"day": TOMORROW, "starts": "14:01", "ends": "14:22"})  # an exam begins at 14:05
    assert (short.status_code, "最短的检查要 20 分钟" in short.content.decode()) == (422, True)
    for day, told in (("2020-01-01", "已经结束"), (TOMORROW + timedelta(365), "最远只能加开到")):
        off = office.post(add, {"day": day, "starts": "14:00", "ends": "16:00"})
        assert (off.status_code, told in off.content.decode()) == (422, True)
    assert office.post(add, {"day": TOMORROW, "starts": "14:00", "ends": "16:00"}).status_code == 302
    wrong = office.post(add, {"day": TOMORROW, "starts": "15:00", "ends": "17:00"})
    assert (wrong.status_code, "已经开放" in wrong.content.decode(), 'value="17:00"' in wrong.content.decode()) == (
        422, True, True,
    )  # fmt: skip


def test_a_downtime_is_looked_at_before_it_is_done_and_all_answered_is_seen(office, house):
    """E10: who is touched is said first; wrong input keeps what was typed; the board counts to the end."""
    new = f"/office/exams/devices/{house.device.pk}/down/"
    assert 'value="00:00"' in office.get(f"{new}?day={TOMORROW}").content.decode()
    said = {"first_day": TOMORROW, "starts": "08:00", "last_day": TOMORROW, "ends": "07:00", "cause": "fault"}
    wrong = office.post(new, said)
    assert (wrong.status_code, "结束要晚于开始" in wrong.content.decode()) == (422, True)
    looked = office.post(new, said | {"ends": "23:59", "reason": "球管"})
    assert "有 3 位患者受影响" in looked.content.decode()
    assert not Downtime.objects.exists()

    board = office.post(new, said | {"ends": "23:59", "reason": "球管", "sure": "1"})
    down = Downtime.objects.get()
    assert board.url == f"/office/exams/downtimes/{down.pk}/"
    assert "正在找" in office.get(board.url).content.decode()
    deliver(NOW)
    assert "正在找" not in office.get(board.url).content.decode()
    wait, cancel, accept = down.cases.order_by("booking__during")
    devices.accept(case=accept, by=None, channel="web", now=NOW)
    devices.cancel(case=cancel, by=None, channel="web", now=NOW)
    page = office.get(board.url).content.decode()
    assert "患者已答复 2/3" in page
    assert house.rows[0].patient.name not in page
    devices.move(case=wait, device=house.other, start=clock.at(TOMORROW, time(11)), by=None, channel="web", now=NOW)
    done = office.get(board.url)
    assert "患者都已办好" in done.content.decode()
    assert [line.case for line in done.context["cases"]] == [wait, cancel, accept], "as they were"
    assert "设备停机" in office.get("/office/exams/downtimes/").content.decode()
    assert "改约3/3" in re.sub(r"<[^>]+>", "", office.get(f"/office/exams/?week={TOMORROW}").content.decode())


def link_of(case):
    text = (
        Message.objects.filter(template="exam.device_asked", channel="sms", about=f"exam:{case.booking_id}").get().link
    )
    return re.sub(r"^https?://[^/]+", "", text)


def test_the_link_of_the_message_takes_one_answer(client, house, settings):
    """E10: without an account, masked, never indexed; from when to fast for the other time; a wrong link is a page,
    not an error."""
    settings.PUBLIC_URL = "https://yuyue.example.cn"
    ExamVariant.objects.update(preparation=fasting())
    down = house.take_down()
    deliver(NOW)
    case = down.cases.order_by("booking__during").first()
    address = link_of(case)
    page = client.get(address)
    text = page.content.decode()
    assert (page.status_code, page["X-Robots-Tag"]) == (200, "noindex, nofollow")
    assert "接受这个时间" in text
    assert "22:00后禁食" in text.partition("接受这个时间")[0]
    assert case.patient.name not in text

    for data, said in [
        ({"answer": "move"}, "请先选一个时间。"),
        ({"answer": "move", "place": "zz"}, "请先选一个时间。"),
        ({"answer": "zz"}, "请从下面的答案里选一个。"),
    ]:
        wrong = client.post(address, data)
        assert (wrong.status_code, wrong.content.decode().count(said)) == (422, 1)
    gone = client.post(address, {"answer": "move", "place": f"{house.device.pk}:{int(NOW.timestamp())}"})
    assert gone.status_code == 409
    assert client.post(address, {"answer": "accept"}).status_code == 302
    assert "已改到新的时间" in (then := client.get(address).content.decode())
    assert "22:00后禁食" in then
    assert client.post(address, {"answer": "cancel"}).status_code == 409
    assert client.get("/exam-answer/nonsense/").status_code == 404
    assert client.post("/exam-answer/nonsense/", {"answer": "cancel"}).status_code == 404


def test_who_did_not_answer_is_called_and_answered_for(office, house):
    """E10: on the list from the deadline on; the number only on demand and traced; a note; the answer."""
    down = house.take_down()
    deliver(NOW)
    case = down.cases.order_by("booking__during").first()
    assert "没有要打的电话" in office.get("/office/exams/calls/").content.decode()
    DowntimeCase.objects.filter(pk=case.pk).update(deadline=NOW)
    assert f"/office/exams/calls/{case.pk}/" in office.get("/office/exams/calls/").content.decode()

    call = f"/office/exams/calls/{case.pk}/"
    assert case.patient.phone not in office.get(call).content.decode()
    assert case.patient.phone in office.post(f"{call}phone/").content.decode()
    office.post(f"{call}note/", {"outcome": "no_answer", "note": "关机"})
    place = f"{house.other.pk}:{int(clock.at(TOMORROW, time(11)).timestamp())}"
    assert office.post(f"{call}answer/", {"answer": "move", "place": place}).status_code == 302
    assert ExamBooking.objects.get(pk=case.booking_id).device == house.other
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"exam_case.phone_shown", "exam_case.called", "exam_case.answered_for"} <= actions


def test_another_house_and_an_auditor_change_nothing(client, house):
    """O10: reach and roles."""
    session = house.device.sessions.first()
    posts = (
        f"/office/exams/sessions/{session.pk}/close/", f"/office/exams/devices/{house.device.pk}/down/",
        f"/office/exams/devices/{house.device.pk}/add/",
    )  # fmt: skip
    client.force_login(staff("office", OrganizationFactory(code="H2")))
    assert [client.post(address).status_code for address in posts] == [404, 404, 404]
    assert "彩超" not in client.get("/office/exams/").content.decode()
    client.force_login(staff("auditor", house.device.organization))
    assert [client.post(address).status_code for address in posts] == [403, 403, 403]
    pages = ("/office/exams/", "/office/exams/devices/", "/office/exams/downtimes/", "/office/exams/calls/")
    assert [client.get(address).status_code for address in pages] == [200] * 4
    client.force_login(staff("exam", house.device.organization))
    assert [client.get(address).status_code for address in (*pages, posts[1])] == [200] * 5
    assert client.get("/office/exams/devices/new/").status_code == 403
    client.force_login(staff("phone", house.device.organization))
    assert [client.get(address).status_code for address in pages] == [403, 403, 403, 200]
    assert not DeviceSession.objects.filter(closed=True).exists()
