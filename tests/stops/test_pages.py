"""The office's, the doctor's and the phone desk's pages (B13, O9): who may, what is said, what is left behind."""

from datetime import timedelta

import pytest
import time_machine

from appointments.models import Appointment, CallNote, StopCase, Suspension
from appointments.services import stops
from hospital.models import AuditEvent
from tests.factories import (
    NOW,
    AccountFactory,
    RoleFactory,
    StaffFactory,
    TeamFactory,
    TeamMemberFactory,
    appointment_row,
    open_schedule,
)

from .scenes import IN_A_WEEK, doctor, doctors_account, link_of, office_of, session, stop, substitute, told, wish, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(client):
    client.user = StaffFactory(roles="office")
    client.force_login(client.user)
    return client


def text_of(response) -> str:
    return response.content.decode()


def seen_in(response) -> str:
    return text_of(response).split('name="seen" value="')[1].split('"')[0]


def test_a_doctor_asks_the_office_approves_and_the_patients_are_told(client):
    """O9: request, approval, messages, call list."""
    role = doctor()
    schedule = session(role, booked=2)
    me = doctors_account(role)
    client.force_login(me)

    page = client.get("/my/schedule/")
    assert f'value="{schedule.pk}"' in text_of(page)
    client.post("/my/schedule/", {"schedule": schedule.pk, "cause": "leave", "reason": "孩子高考"})
    client.post("/my/schedule/", {"schedule": schedule.pk, "cause": "leave", "reason": "孩子高考"})
    asked = Suspension.objects.get()
    assert "已申请" in text_of(client.get("/my/schedule/"))
    assert Appointment.objects.filter(status="booked").count() == 2

    client.force_login(StaffFactory(roles="office"))
    assert "等审批的申请" in text_of(client.get("/office/stops/"))
    page = client.get(f"/office/stops/{asked.pk}/")
    assert "批准，并通知 2 位患者" in text_of(page)
    done = client.post(f"/office/stops/{asked.pk}/decide/", {"decision": "approve", "seen": seen_in(page)}, follow=True)
    again = client.post(f"/office/stops/{asked.pk}/decide/", {"decision": "approve", "seen": "another"}, follow=True)
    work()

    assert ["0 / 2" in text_of(each) for each in (done, again)] == [True, True]  # clicked twice
    assert [told(row.patient) for row in Appointment.objects.all()] == [["stop.asked"]] * 2
    actions = AuditEvent.objects.filter(subject=f"stop:{asked.pk}").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["stop.asked", "stop.ordered"]


def test_a_request_for_days_is_withdrawn_or_rejected_with_a_reason_the_doctor_reads(client):
    role = doctor()
    session(role, booked=0)
    client.force_login(doctors_account(role))
    days = {
        "first": IN_A_WEEK,
        "last": IN_A_WEEK + timedelta(days=13),
        "half": "",
        "cause": "meeting",
        "reason": "年会",
    }

    client.post("/my/schedule/", days)
    first = Suspension.objects.get()
    client.post(f"/my/schedule/{first.pk}/withdraw/")
    client.post("/my/schedule/", days)
    second = Suspension.objects.latest("pk")
    client.force_login(StaffFactory(roles="office"))
    without = client.post(f"/office/stops/{second.pk}/decide/", {"decision": "reject", "reason": " "})
    client.post(f"/office/stops/{second.pk}/decide/", {"decision": "reject", "reason": "当天无人替"})

    first.refresh_from_db(), second.refresh_from_db()
    assert without.status_code == 422
    assert (first.status, second.status) == ("withdrawn", "rejected")
    client.force_login(role.practitioner.user)
    assert "当天无人替" in text_of(client.get("/my/schedule/"))
    work()
    assert "当天无人替" in text_of(client.get("/messages/"))


def test_a_teams_leader_asks_for_its_session_and_another_teams_is_out_of_reach(client):
    """O9: the office decides as on any request."""
    team = TeamFactory()
    leader = RoleFactory(department=team.department)
    TeamMemberFactory(team=team, role=leader, leader=True)
    own = open_schedule(role=None, team=team, department=team.department, service=team.service, day=IN_A_WEEK)
    other = TeamFactory(department=team.department, service=team.service)
    theirs = open_schedule(role=None, team=other, department=team.department, service=team.service, day=IN_A_WEEK)
    client.force_login(doctors_account(leader))

    page = text_of(client.get("/my/schedule/"))
    assert f'value="{own.pk}"' in page
    assert f'value="{theirs.pk}"' not in page
    client.post("/my/schedule/", {"schedule": [own.pk, theirs.pk], "cause": "meeting", "reason": "全组外出"})
    assert "已申请" in text_of(client.get("/my/schedule/"))

    asked = Suspension.objects.get()
    assert (asked.status, asked.schedules) == ("requested", [own.pk])
    stops.approve(order=asked, by=StaffFactory(roles="office"), now=NOW)
    own.refresh_from_db()
    assert own.status == "stopped"


def test_nothing_ticked_and_no_days_and_no_cause_are_asked_for_in_words(client):
    client.force_login(doctors_account(doctor()))

    page = text_of(client.post("/my/schedule/", {"reason": "x"}))

    assert "请勾选要停的出诊，或在这里填日子。" in page
    assert "请选事由。" in page
    assert '<option value="" selected>' in page


def test_a_doctor_can_neither_ask_for_a_colleagues_session_nor_withdraw_their_request(client):
    role, colleague = doctor(), doctor()
    theirs = session(colleague, booked=0)
    request = stops.ask(wish=wish(theirs, practitioner=colleague.practitioner_id), by=StaffFactory(), now=NOW)
    client.force_login(doctors_account(role))

    response = client.post("/my/schedule/", {"schedule": theirs.pk, "cause": "leave", "reason": "x"})
    assert response.status_code == 422  # nothing of one's own was chosen
    assert client.post(f"/my/schedule/{request.pk}/withdraw/").status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        {"first": "2026-11-01", "cause": "leave", "reason": "过去的日子"},
        {"first": "2062-12-01", "cause": "leave", "reason": "年份填错"},
        {"first": "2026-12-10", "last": "2026-12-01", "cause": "leave", "reason": "倒过来"},
        {"first": "2026-12-10", "last": "2028-12-01", "cause": "leave", "reason": "两年"},
        {"first": "不是日期", "cause": "leave", "reason": "x"},
        {"first": "2026-12-10", "cause": "nonsense", "reason": "x"},
        {"first": "2026-12-10", "cause": "leave", "reason": " "},
        {},
    ],
)
def test_a_bad_request_is_answered_in_place_with_what_was_typed(client, sent):
    client.force_login(doctors_account(doctor()))

    response = client.post("/my/schedule/", sent)

    assert response.status_code == 422
    assert sent.get("reason", "").strip() in text_of(response)
    assert not Suspension.objects.exists()


def test_the_preview_says_who_how_many_and_who_could_step_in_before_anything_is_done(office):
    role = doctor()
    free, busy = doctor(role.department, of="chief"), doctor(role.department)
    schedule, _elsewhere = session(role, booked=2), session(busy, booked=0)

    page = office.get(f"/office/stops/new/?act=substitute&schedule={schedule.pk}")

    text = text_of(page)
    assert "确认，并通知 2 位患者" in text
    assert f'<option value="{free.pk}" selected>' in text
    assert f'<option value="{busy.pk}" disabled>' in text
    assert not Suspension.objects.exists()
    sent = {
        "schedule": schedule.pk,
        "seen": seen_in(page),
        f"sub-{schedule.pk}": free.pk,
        "cause": "illness",
        "reason": "发烧",
    }
    done = office.post("/office/stops/new/", sent, follow=True)
    schedule.refresh_from_db()
    assert schedule.role == free
    assert "替诊" in text_of(done)


def test_a_preview_that_is_stale_is_shown_anew_and_nothing_is_done(office):
    schedule = session(doctor(), booked=1)
    page = office.get(f"/office/stops/new/?schedule={schedule.pk}")
    appointment_row(schedule, Appointment.objects.get().patient, number=5, channel="counter")

    sent = {"schedule": schedule.pk, "seen": seen_in(page), "cause": "illness", "reason": "写好的原因"}
    response = office.post("/office/stops/new/", sent)

    assert response.status_code == 409
    assert "写好的原因" in text_of(response)
    assert seen_in(response) != seen_in(page)
    assert not Suspension.objects.exists()


def test_a_departments_half_day_through_the_form(office):
    schedule = session(doctor(), booked=1)
    chosen = {"practitioner": "", "department": schedule.department_id, "first": IN_A_WEEK, "last": "", "half": "am"}
    page = office.get("/office/stops/new/", chosen)

    office.post("/office/stops/new/", {**chosen, "seen": seen_in(page), "cause": "equipment", "reason": "停电"})

    order = Suspension.objects.get()
    assert (order.department_id, order.half, order.schedules) == (schedule.department_id, "am", [])
    schedule.refresh_from_db()
    assert (schedule.status, schedule.stop_reason) == ("stopped", "设备或场地")


def test_more_sessions_than_one_form_holds_are_refused_before_they_are_drawn(office, monkeypatch):
    monkeypatch.setattr("appointments.views.office.stops.MOST", 0)
    schedule = session(doctor(), booked=1)

    page = office.get("/office/stops/new/", {"department": schedule.department_id, "first": IN_A_WEEK})

    assert "一次最多选 0 个出诊单元" in text_of(page)
    assert "preview" not in page.context


WRONG = ["first=x", "first=2026-12-01", "schedule=999999", "schedule=zzz", "practitioner=99999&first=2026-12-01"]


@pytest.mark.parametrize("asked", WRONG)
def test_a_wrong_question_is_no_error(office, asked):
    assert office.get(f"/office/stops/new/?{asked}").status_code == 200


def test_an_office_of_one_department_sees_and_stops_its_own_only(client):
    mine, theirs = session(doctor(), booked=1), session(doctor(), booked=1)
    client.force_login(office_of(mine.department))
    others = stop(theirs)

    page = client.get(f"/office/stops/new/?schedule={theirs.pk}")
    assert "看影响" in text_of(page)  # nothing was chosen: the form
    assert client.get(f"/office/stops/{others.pk}/").status_code == 404
    assert client.post(f"/office/stops/{others.pk}/undo/").status_code == 404
    assert client.get(f"/office/calls/{StopCase.objects.get().pk}/").status_code == 404
    own = stop(mine)
    assert client.get(f"/office/stops/{own.pk}/").status_code == 200


def test_of_a_stop_over_two_departments_each_office_sees_its_own_patients(client):
    here = doctor()
    there = RoleFactory(practitioner=here.practitioner)
    mine, theirs = session(here, booked=1), session(there, day=IN_A_WEEK + timedelta(days=1), booked=1)
    order = stop(mine, theirs)
    client.force_login(office_of(mine.department))

    page = client.get(f"/office/stops/{order.pk}/")

    assert [each.case.appointment.schedule for each in page.context["cases"]] == [mine]


def test_an_auditor_reads_and_cannot_touch(client):
    order = stop(session(doctor(), booked=1))
    case = StopCase.objects.get()
    client.force_login(StaffFactory(roles="auditor"))

    page = text_of(client.get(f"/office/stops/{order.pk}/"))
    assert "恢复整张停诊单" not in page
    assert client.get(f"/office/calls/{case.pk}/").status_code == 200
    for path in ("/office/stops/new/", f"/office/stops/{order.pk}/undo/", f"/office/calls/{case.pk}/phone/"):
        assert client.post(path).status_code == 403


def test_the_phone_desk_calls_notes_and_answers_for_the_patient(client):
    """B13: the number on demand leaves a trace."""
    role = doctor()
    schedule = session(role, booked=2)
    later = session(role, day=IN_A_WEEK + timedelta(days=1), booked=0)
    stop(schedule)
    work()
    first, second = StopCase.objects.order_by("pk")
    desk = StaffFactory(roles="phone")
    with time_machine.travel(first.deadline, tick=False):
        client.force_login(desk)
        listed = text_of(client.get("/office/calls/"))
        assert f"/office/calls/{first.pk}/" in listed
        page = text_of(client.get(f"/office/calls/{first.pk}/"))
        assert first.patient.phone not in listed + page
        assert first.patient.phone in text_of(client.post(f"/office/calls/{first.pk}/phone/"))
        client.post(f"/office/calls/{first.pk}/note/", {"outcome": "thinking", "note": "晚上再打"})
        number = later.slots.filter(status="free").first().number
        client.post(f"/office/calls/{first.pk}/answer/", {"answer": "move", "slot": f"{later.pk}:{number}"})
        client.post(f"/office/calls/{second.pk}/answer/", {"answer": "cancel"})

    first.refresh_from_db(), second.refresh_from_db()
    assert (first.answer, first.answered_by, second.answer) == ("move", desk, "cancel")
    assert CallNote.objects.get().note == "晚上再打"
    trace = AuditEvent.objects.filter(actor=desk).order_by("pk").values_list("action", "patient")
    assert list(trace) == [
        ("stop.phone_shown", first.patient_id),
        ("stop.called", first.patient_id),
        ("stop.answered_for", first.patient_id),
        ("stop.answered_for", second.patient_id),
    ]


def test_the_board_counts_and_one_session_comes_back(office):
    role = doctor()
    first, second = session(role, booked=1), session(role, day=IN_A_WEEK + timedelta(days=1), booked=2)
    order = stop(first, second)
    stops.cancel(case=StopCase.objects.order_by("pk").first(), by=None, now=NOW)

    assert "1 / 3" in text_of(office.get(f"/office/stops/{order.pk}/"))
    fragment = office.get(f"/office/stops/{order.pk}/", headers={"HX-Request": "true", "HX-Target": "board"})
    assert text_of(fragment).lstrip().startswith("<div")
    office.post(f"/office/stops/{order.pk}/undo/", {"schedule": second.pk, "reason": "改了"})

    second.refresh_from_db(), order.refresh_from_db()
    assert (second.status, order.status) == ("open", "active")
    stops.follow_up(now=NOW)  # it is not stopped again
    second.refresh_from_db()
    assert second.status == "open"


def test_after_an_undone_substitution_every_page_says_who_sits_now(office, client):
    """B13: neither the patient who accepted nor the office reads of the substitute any more."""
    role = doctor()
    schedule = session(role, booked=3)
    colleague = doctor(role.department)
    order = substitute(schedule, colleague)
    work()
    case = StopCase.objects.order_by("pk").first()
    stops.accept(case=case, by=None, now=NOW)
    assert f"已接受{colleague.practitioner.name}替诊" in text_of(office.get(link_of(case)))

    stops.undo(order=order, by=office.user, why="", now=NOW)

    page = text_of(office.get(link_of(case)))
    assert f"由{role.practitioner.name}出诊" in page
    assert "已接受" not in page
    assert "医生有变动" not in page
    call = text_of(office.get(f"/office/calls/{case.pk}/"))
    assert f"由 {role.practitioner} 出诊" in call
    assert f"由 {colleague.practitioner} 替诊" not in call
    board = text_of(office.get(f"/office/stops/{order.pk}/"))
    assert "1 / 1" in board
    assert "另有 2 人已无需答复" in board


def test_the_list_takes_the_same_queries_however_many_patients_there_are(office, django_assert_max_num_queries):
    role = doctor()
    order = stop(session(role, booked=6), session(role, day=IN_A_WEEK + timedelta(days=1), booked=6, numbers=12))
    with django_assert_max_num_queries(28):
        office.get(f"/office/stops/{order.pk}/")


def test_a_patients_account_and_a_stranger_have_no_business_here(client):
    order = stop(session(doctor(), booked=1))
    for user in (AccountFactory(), StaffFactory(roles="cashier")):
        client.force_login(user)
        for path in ("/office/stops/", f"/office/stops/{order.pk}/", "/office/calls/", "/my/schedule/"):
            assert client.get(path).status_code == 403


def test_a_selection_with_a_session_that_is_stopped_already_stops_the_other(office):
    first, second = session(doctor(), booked=1), session(doctor(), booked=1)
    stop(first)
    page = office.get(f"/office/stops/new/?schedule={first.pk}&schedule={second.pk}")

    sent = {"schedule": [first.pk, second.pk], "seen": seen_in(page), "cause": "duty", "reason": "急救"}
    assert office.post("/office/stops/new/", sent).status_code == 302

    second.refresh_from_db()
    assert second.status == "stopped"
    assert StopCase.objects.count() == 2


def test_undoing_a_fortnight_leaves_what_is_over_as_it_was_and_complains_about_nothing(office):
    role = doctor()
    over, coming = session(role, booked=0), session(role, day=IN_A_WEEK + timedelta(days=1), booked=0)
    order = stop(over, coming)
    with time_machine.travel(over.ends_at, tick=False):
        office.force_login(office.user)
        page = office.post(f"/office/stops/{order.pk}/undo/", {"reason": "回来了"}, follow=True)
        assert "已恢复" in text_of(page)
        assert stops.follow_up(now=over.ends_at) == 0

    over.refresh_from_db(), coming.refresh_from_db()
    assert (over.status, coming.status) == ("stopped", "open")
