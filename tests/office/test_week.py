"""号源周表: the office's week, read only; the drawer says what the rules will do and when (P1, P6, P8)."""

from datetime import timedelta

import pytest

from appointments.models import Slot, StopCase, Substitution, Suspension
from appointments.selectors.office import monday_of
from hospital.models import AuditEvent
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    PatientFactory,
    RoleFactory,
    ServiceFactory,
    StaffFactory,
    TeamFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)


def taken(schedule, count):
    slots = schedule.slots.order_by("number")[:count]
    Slot.objects.filter(pk__in=slots.values("pk")).update(status="booked")


def cells(response):
    blocks = response.context["blocks"]
    return [cell for block in blocks for row in block.rows for column in row.columns for cell in column]


@pytest.mark.parametrize(
    ("count", "tone"), [(0, "heat-0"), (3, "heat-0"), (4, "heat-1"), (6, "heat-2"), (8, "heat-3"), (10, "heat-4")]
)
def test_a_cell_says_taken_of_all_and_how_full(office, count, tone):
    taken(open_schedule(day=TODAY, numbers=10), count)

    response = office.get("/office/")

    [cell] = cells(response)
    assert (cell.taken, cell.total, cell.tone) == (count, 10, tone)
    page = response.content.decode()
    assert f"<b>{count}/10</b>" in page
    assert ("满号" if count == 10 else f"余{10 - count}") in page


def test_a_stopped_session_and_an_unreleased_one_say_so(office):
    open_schedule(day=TODAY, status="stopped")
    open_schedule(day=TODAY + timedelta(days=5), opened=NOW + timedelta(hours=1), numbers=7)

    response = office.get("/office/")

    assert {cell.tone for cell in cells(response)} == {"cell--off", "cell--held"}
    assert "<b>7</b><small>未放号</small>" in response.content.decode()


def test_a_hold_is_not_taken_and_a_blocked_number_is_none(office):
    schedule = open_schedule(day=TODAY, numbers=4)
    schedule.slots.filter(number=1).update(status="held", hold_until=NOW + timedelta(minutes=3))
    schedule.slots.filter(number=2).update(status="blocked")

    [cell] = cells(office.get("/office/"))

    assert (cell.taken, cell.total) == (0, 3)


def test_rows_are_doctors_by_department_then_plain_clinics_then_teams(office):
    heart = DepartmentFactory(name="心血管内科")
    chief = RoleFactory(department=heart, service=ServiceFactory(code="chief", level="chief"))
    open_schedule(day=TODAY, role=chief)
    team = TeamFactory(department=heart)
    for fields in ({"team": team, "service": team.service}, {"service": ServiceFactory()}):
        open_schedule(day=TODAY, role=None, department=heart, **fields)

    [block] = office.get("/office/").context["blocks"]

    assert [row.name for row in block.rows] == [chief.practitioner.name, "普通号", "冠心病团队"]
    assert (block.sessions, block.total) == (3, 30)


def test_columns_are_seven_days_of_two_halves(office):
    monday = monday_of(TODAY)
    role = RoleFactory()
    open_schedule(day=monday, role=role)
    open_schedule(day=monday + timedelta(days=6), half="pm", role=role)

    [block] = office.get("/office/").context["blocks"]

    assert [len(column) for column in block.rows[0].columns] == [1, *[0] * 12, 1]


@pytest.mark.parametrize(
    ("query", "count"),
    [("group=外科系统", 1), ("level=chief", 1), ("pool=consult", 1), ("campus=999999", 0), ("level=nonsense", 3)],
)
def test_filters_narrow_the_week(office, query, count):
    open_schedule(day=TODAY, role=RoleFactory(department=DepartmentFactory(group="外科系统")))
    open_schedule(day=TODAY, role=RoleFactory(service=ServiceFactory(code="chief", level="chief")))
    open_schedule(day=TODAY, pool="consult")

    assert len(cells(office.get(f"/office/?{query}"))) == count


def test_weeks_follow_each_other(office):
    open_schedule(day=TODAY + timedelta(days=7))

    this = office.get("/office/")
    following = office.get(f"/office/?{this.context['steps']['after']}")

    assert (len(cells(this)), len(cells(following))) == (0, 1)
    assert "这一周没有出诊" in this.content.decode()


def test_the_week_takes_the_same_queries_for_one_doctor_and_for_sixty(office, django_assert_max_num_queries):
    for _doctor in range(60):
        open_schedule(day=TODAY, numbers=4, role=RoleFactory())
    office.get("/office/")

    with django_assert_max_num_queries(17):  # one is the menu's: requests for stops that wait
        assert len(cells(office.get("/office/"))) == 60


BESIDE = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "drawer"}


def drawer(office, schedule):
    return office.get(f"/office/?schedule={schedule.pk}", **BESIDE)


def test_the_drawer_shows_each_pool_and_what_the_rules_will_do(office):
    recall = NOW + timedelta(days=2)
    schedule = open_schedule(day=TODAY + timedelta(days=4), numbers=6, pool="consult", shared=recall)
    add_numbers(schedule, count=4, pool="public", opened=NOW + timedelta(hours=1))
    taken(schedule, 2)

    response = drawer(office, schedule)

    fills = {fill.kind: (fill.taken, fill.total) for fill in response.context["fills"]}
    assert fills == {"public": (0, 4), "consult": (2, 6)}
    assert [(event.at, event.text) for event in response.context["coming"]][:2] == [
        (NOW + timedelta(hours=1), "公共号开放，余4个"),
        (recall, "诊间余号回收到公共，现余4个"),
    ]
    texts = [event.text for event in response.context["coming"]]
    assert texts[2:] == [
        "网上退号、改约截止，之后到窗口办理",
        "发送就诊提醒",
        "开诊，窗口可挂已过时刻的号",
        "结束，未报到的记爽约",
    ]
    assert "<meter" in response.content.decode()


def test_the_floor_opens_to_all_at_the_start_and_a_full_pool_has_nothing_to_share(office):
    """P7."""
    schedule = open_schedule(day=TODAY + timedelta(days=1), numbers=3, pool="counter")
    schedule.allotments.update(shared_from=schedule.starts_at)
    add_numbers(schedule, count=2, pool="consult", shared=NOW + timedelta(hours=1))
    schedule.slots.filter(pool__kind="consult").update(status="booked")

    texts = [event.text for event in drawer(office, schedule).context["coming"]]

    assert "窗口余号向所有渠道开放，现余3个" in texts
    assert not [text for text in texts if "诊间" in text]


def test_a_stopped_session_has_no_future(office):
    schedule = open_schedule(day=TODAY + timedelta(days=4), status="stopped", stop_reason="外出会诊")

    response = drawer(office, schedule)

    assert response.context["coming"] == []
    assert "外出会诊" in response.content.decode()


def test_the_trail_tells_who_did_what_and_that_the_row_changed(office):
    from appointments.services import visit

    schedule = open_schedule(day=TODAY)
    row = appointment_row(schedule, PatientFactory(), number=4)
    visit.check_in(appointment=row, by=office.user, now=NOW)
    schedule.room_id, schedule.capacity = schedule.room_id, 12
    schedule.save()

    trail = [(line.who, line.text) for line in drawer(office, schedule).context["trail"]]

    assert (str(office.user), "报到 4号") in trail
    assert ("系统", "出诊单元变更：号数") in trail


def test_the_drawer_brings_its_cell_and_the_one_before(office):
    one, other = open_schedule(day=TODAY, opened=NOW + timedelta(hours=1)), open_schedule(day=TODAY)

    page = office.get(f"/office/?pool=public&schedule={one.pk}&shown={other.pk}", **BESIDE).content.decode()

    assert page.count("hx-swap-oob") == 2
    assert f'class="cell cell--held chosen" id=cell-{one.pk} href="?pool=public&amp;schedule={one.pk}"' in page
    assert f'class="cell heat-0" id=cell-{other.pk} ' in page


def test_a_cell_is_short_and_its_link_finds_the_week_of_its_session(office):
    """O8: a house has 2,500 a week: what the table or the script can say for all does not stand in each."""
    later = open_schedule(day=TODAY + timedelta(days=15))
    response = office.get(f"/office/?schedule={later.pk}")

    [cell] = cells(response)
    page = response.content.decode()
    assert response.context["looked"].monday <= later.day <= response.context["looked"].days[-1]
    drawn = page[page.index('<a class="cell ') :].split("</a>")[0]
    assert len(drawn.encode()) < 170
    assert f"<i>{cell.label}</i>" in drawn
    assert f'href="?schedule={later.pk}"' in drawn
    assert "data-n" not in drawn
    assert 'class="tick"' not in page
    assert (
        f'class="tick" type="checkbox" name="schedule" value="{later.pk}"'
        in office.get(f"/office/?week={later.day}&ticks=1").content.decode()
    )


def test_without_script_the_cells_link_opens_the_week_with_the_drawer(office):
    schedule = open_schedule(day=TODAY)

    response = office.get(f"/office/schedules/{schedule.pk}/", follow=True)

    assert response.context["schedule"] == schedule
    assert "看就诊名单" in response.content.decode()


def test_the_patients_of_a_session_are_masked_and_looking_leaves_a_trace(office):
    schedule = open_schedule(day=TODAY)
    appointment_row(schedule, PatientFactory(name="诸葛亮明"), number=2)

    page = office.get(f"/office/schedules/{schedule.pk}/patients/").content.decode()

    assert "诸**明" in page
    assert "诸葛亮明" not in page
    assert "13800136210" not in page
    assert AuditEvent.objects.get(action="schedule.patients_listed").subject == f"schedule:{schedule.pk}"


@pytest.mark.parametrize(("role", "status"), [("office", 200), ("auditor", 200), ("sysadmin", 200), ("doctor", 403)])
def test_the_office_is_for_office_auditor_and_administrator(client, db, role, status):
    client.force_login(StaffFactory(roles=role))

    assert client.get("/office/").status_code == status


def test_add_ons_stand_apart_from_the_capacity(office):
    """B10."""
    schedule = open_schedule(day=TODAY, numbers=4)
    add_numbers(schedule, count=2, pool="extra")

    response = office.get("/office/")

    [block] = response.context["blocks"]
    [cell] = cells(response)
    assert (cell.total, cell.extras, block.total, block.extras) == (6, 2, 4, 2)
    page = response.content.decode()
    assert "<b>0/6</b><small>余6 加2</small>" in page
    assert "号源 4，加号 2，已约 0" in page


def test_a_substituted_session_and_a_stopped_one_say_who_sits_there_and_who_has_answered(office):
    """B13."""
    given, stopped = open_schedule(day=TODAY), open_schedule(day=TODAY, status="stopped")
    order = Suspension.objects.create(
        organization=given.organization, status="active", cause="leave", department=given.department,
        first_day=TODAY, last_day=TODAY, asked_by=office.user, asked_at=NOW, decided_at=NOW,
    )  # fmt: skip
    instead = RoleFactory()
    Substitution.objects.create(suspension=order, schedule=given, original=given.role, substitute=instead)
    row = Substitution.objects.create(suspension=order, schedule=stopped, original=stopped.role)
    for number, answer in enumerate(["cancel", "", "gone"], start=1):
        asked = appointment_row(stopped, PatientFactory(), number=number)
        StopCase.objects.create(
            substitution=row, appointment=asked, patient=asked.patient, token_hash=str(number), deadline=NOW,
            opened_at=NOW, answer=answer, answered_at=NOW if answer else None,
        )  # fmt: skip

    response = office.get(f"/office/?schedule={given.pk}")

    page = response.content.decode()
    assert "<small>替诊 余10</small>" in page
    assert "cell--sub" in page
    assert f"由 {instead.practitioner.name} 替诊" in page
    assert "<b>停诊</b><small>改约1/2</small>" in page
    [figure] = [one for one in response.context["figures"] if one.name == "停诊改约完成"]
    assert (figure.value, figure.change) == ("1/2", "1人未答复")
    assert figure.counted == "本周需要答复 2 人，已答复 1 人；另有 1 人已无需答复。"


@pytest.mark.parametrize(("who", "count"), [("王", 2), ("ZHANG", 1), ("zy", 1), ("冠心", 1), ("nobody", 0)])
def test_doctors_and_teams_are_found_by_name_and_pinyin(office, who, count):
    department = DepartmentFactory()
    open_schedule(day=TODAY, role=RoleFactory(department=department))
    open_schedule(day=TODAY, role=RoleFactory(practitioner__name="王敏", practitioner__initials="wm"))
    zhang = RoleFactory(
        practitioner__name="张颖", practitioner__pinyin="zhangying", practitioner__initials="zy", department=department
    )
    open_schedule(day=TODAY, role=zhang)
    open_schedule(day=TODAY, role=None, team=TeamFactory(department=department), department=department,
                  service=ServiceFactory())  # fmt: skip

    assert len(cells(office.get("/office/", {"who": who}))) == count


def test_one_department_alone(office):
    wanted = open_schedule(day=TODAY)
    open_schedule(day=TODAY)

    [cell] = cells(office.get(f"/office/?department={wanted.department_id}"))

    assert cell.pk == wanted.pk
