"""批量操作 on pages (P1, P8, O10): selected, previewed, confirmed, taken back; who may and who only reads."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments.models import BulkAct, Schedule
from hospital.models import AuditEvent, RoleAssignment
from tests.bulk.acts import Session
from tests.factories import (
    NOW,
    DepartmentFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    StaffFactory,
    open_schedule,
)

NEW = "/office/acts/new/"


@pytest.fixture
def session(office):
    return Session()


def said(session, **more):
    figures = {"kind": "reallocate", "sent": "1", "source": session.consult.pk, "target": session.public.pk}
    return {**figures, "count": 3, "reason": "专家外出", "schedule": [session.schedule.pk], **more}


def preview(office, session, **more) -> BulkAct:
    response = office.post(NEW, said(session, **more))
    assert response.status_code == 302, response.content.decode()
    return BulkAct.objects.latest("pk")


def address(act, name="office_act"):
    return reverse(f"appointments:{name}", args=[act.pk])


def test_selection_form_preview_confirmation_and_undo(office, session):
    pk = session.schedule.pk
    asked = office.post(NEW, {"kind": "reallocate", "schedule": [pk]})
    assert asked.context["form"].initial["source"] == session.consult.pk
    assert session.schedule.actor_name in asked.content.decode()

    act = preview(office, session)
    page = office.get(address(act)).content.decode()
    assert "诊间 10 → <b>7</b>" in page
    assert "确认执行" in page

    done = office.post(address(act), follow=True).content.decode()
    assert "已执行：1 个出诊单元" in done
    assert "10:10 之前可以撤销" in done
    assert session.numbers(session.public) == [1, 2, 3, 11, 12, 13, 14]
    trail = office.get(f"/office/?schedule={pk}").context["trail"]
    assert (str(office.user), "调整号池 诊间 10→7，公共 4→7（专家外出）") in [(one.who, one.text) for one in trail]

    undone = office.post(address(act, "office_act_undo"), follow=True).content.decode()
    assert "已撤销，全部还原" in undone
    assert len(session.numbers(session.consult)) == 10


def test_a_stale_preview_is_shown_afresh_with_its_reason(office, session):
    mine, theirs = preview(office, session), preview(office, session, count=4)
    office.post(address(theirs))

    response = office.post(address(mine))

    assert response.status_code == 409
    page = response.content.decode()
    assert "预览之后号源有了变化，没有执行。" in page
    assert "诊间 6 → <b>3</b>" in page
    assert office.post(address(mine), follow=True).status_code == 200
    assert len(session.numbers(session.consult)) == 3


def test_confirming_twice_does_it_once_and_says_what_was_done(office, session):
    act = preview(office, session)
    office.post(address(act))

    again = office.post(address(act), follow=True)

    assert again.context["act"].status == "done"
    assert len(session.numbers(session.consult)) == 7


def test_what_could_not_be_undone_is_named(office, session):
    act = preview(office, session)
    office.post(address(act))
    session.schedule.slots.filter(number=2).update(status="booked")

    page = office.post(address(act, "office_act_undo"), follow=True).content.decode()

    assert "有 1 处没能还原" in page
    assert "2号已被预约或改动" in page


def test_too_late_to_undo_is_a_sentence_with_a_next_step(office, session):
    act = preview(office, session)
    office.post(address(act))

    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        assert "之前可以撤销" not in office.get(address(act)).content.decode()
        late = office.post(address(act, "office_act_undo"))

    assert late.status_code == 409
    assert "撤销的时间已过" in late.content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"count": "-2"}, "请填 1 到 300 之间的整数。"),
        ({"count": "100000"}, "请填 1 到 300 之间的整数。"),
        ({"count": "三"}, "请填 1 到 300 之间的整数。"),
        ({"target": "999999"}, "选择"),
        ({"target": ""}, "请选择“移到哪个号池”。"),
        ({"reason": "   "}, "请填写“原因”。"),
        ({"reason": "长" * 201}, "200"),
    ],
)
def test_bad_figures_are_told_beside_the_field_and_nothing_is_kept(office, session, wrong, sentence):
    response = office.post(NEW, said(session, **wrong))

    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert f'name="schedule" value="{session.schedule.pk}"' in page
    assert not BulkAct.objects.exists()


def test_the_same_pool_twice_and_no_pool_to_recall_are_told(office, session):
    same = office.post(NEW, said(session, target=session.consult.pk))
    assert "两个号池相同" in same.content.decode()

    none = office.post(NEW, {"kind": "recall", "sent": "1", "reason": "x", "schedule": [session.schedule.pk]})
    assert none.status_code == 422


@pytest.mark.parametrize(("kind", "more"), [("add", {"count": 2}), ("recall", {})])
def test_add_and_recall_take_the_same_way(office, session, kind, more):
    pools = {"pool": session.extra.pk} if kind == "add" else {"pools_given": [session.consult.pk]}
    act = preview(office, session, kind=kind, **more, **pools)

    assert office.post(address(act), follow=True).context["act"].status == "done"


@pytest.mark.parametrize("schedules", [[], ["x"], ["99999999999999999999999"]])
def test_nothing_selected_goes_back_to_the_week_as_it_was(office, session, schedules):
    response = office.post(NEW, {"kind": "add", "schedule": schedules, "kept": "week=2026-11-23&level=chief"})

    assert response["Location"] == "/office/?week=2026-11-23&level=chief"


def test_an_unknown_session_or_kind_is_not_found_and_opening_the_address_leads_back(office, session):
    assert office.post(NEW, {"kind": "add", "schedule": [987654321]}).status_code == 404
    assert office.post(NEW, {"kind": "nonsense", "schedule": [session.schedule.pk]}).status_code == 404
    assert office.get(NEW)["Location"].startswith("/office/")


def test_the_office_of_one_department_acts_on_its_own_sessions_only(client, db):
    session = Session()
    own, user = open_schedule(pool="consult", day=session.schedule.day), StaffFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=own.organization, department=own.department)
    theirs = session.reallocate(2)
    both = session.reallocate(2, schedules=[session.schedule, own])
    client.force_login(user)

    week = client.get(f"/office/?week={own.day}")
    cells = [cell.pk for block in week.context["blocks"] for row in block.rows for day in row.columns for cell in day]
    assert cells == [own.pk]
    assert client.get(f"/office/schedules/{session.schedule.pk}/").status_code == 404
    assert client.get(f"/office/schedules/{session.schedule.pk}/patients/").status_code == 404
    assert client.post(NEW, said(session, schedule=[session.schedule.pk, own.pk])).status_code == 404
    assert client.get(address(theirs)).status_code == 404
    assert [line.schedule for line in client.get(address(both)).context["done"]] == [own]  # of its own, to be read
    assert client.post(address(both)).status_code == 404
    session.apply(both)
    assert client.post(address(both, "office_act_undo")).status_code == 404
    assert [act.pk for act in client.get("/office/acts/").context["page"]] == [both.pk]
    assert preview(client, session, schedule=[own.pk]).by == user


def test_nobody_confirms_a_colleagues_preview_but_may_take_back_what_was_done(office, session):
    act = session.reallocate(2)
    assert session.by != office.user

    assert office.post(address(act)).status_code == 404
    session.apply(act)
    assert office.post(address(act, "office_act_undo")).status_code == 302
    assert AuditEvent.objects.get(action="bulk.reallocate.undone").actor == office.user


@pytest.mark.parametrize("role", ["auditor", "sysadmin"])
def test_an_auditor_reads_everything_and_touches_nothing(client, db, role):
    session = Session()
    act = session.apply(session.reallocate(2))
    client.force_login(StaffFactory(roles=role))

    week = client.get(f"/office/?week={session.schedule.day}&schedule={session.schedule.pk}").content.decode()
    assert 'class="tick"' not in week
    assert "调整号池" not in week.replace("调整号池 诊间", "")
    assert 'class="btn btn--danger"' not in client.get(address(act)).content.decode()
    assert client.get("/office/acts/").status_code == 200
    for path in (NEW, address(act, "office_act_undo")):
        assert client.post(path).status_code == 403
    assert client.post(address(session.reallocate(1))).status_code == 404


def test_another_house_is_not_reached(office, session):
    house = OrganizationFactory(code="H2", name="城东分院")
    doctor = PractitionerFactory(organization=house)
    role = RoleFactory(practitioner=doctor, department=DepartmentFactory(organization=house))
    other = open_schedule(organization=house, role=role, day=session.schedule.day)

    assert office.post(NEW, said(session, schedule=[other.pk])).status_code == 404
    assert Schedule.objects.filter(pk=other.pk).exists()


def test_the_record_lists_what_happened_with_filters_pages_and_undo(office, session, django_assert_max_num_queries):
    for n in range(32):
        act = session.apply(session.reallocate(None if n % 2 else 1, source=session.public, target=session.consult))
        session.undo(act)
    running = session.apply(session.recall())
    session.add(1)  # never confirmed

    with django_assert_max_num_queries(16):
        response = office.get("/office/acts/")

    page = response.content.decode()
    assert response.context["page"].paginator.count == 33
    assert address(running, "office_act_undo") in page
    assert "page=2" in page
    assert office.get("/office/acts/?kind=recall").context["page"].paginator.count == 1
    assert office.get("/office/acts/?status=previewed").context["page"].paginator.count == 1
    assert office.get("/office/acts/?last=2026-11-22").context["page"].paginator.count == 0
    assert office.get("/office/acts/?kind=nonsense&first=gestern&page=99").status_code == 200


@pytest.mark.parametrize(("kind", "most"), [("reallocate", 2), ("stop", 1)])
def test_more_sessions_than_can_be_read_are_not_taken(office, session, monkeypatch, kind, most):
    """A bigger selection of stops goes on in an address, which has an end."""
    monkeypatch.setattr("appointments.views.office.acts.MOST", 2)
    monkeypatch.setattr("appointments.views.office.acts.MOST_STOPPED", 1)
    chosen = [session.schedule.pk, *(open_schedule(day=session.schedule.day).pk for _n in range(2))]

    response = office.post(NEW, {"kind": kind, "schedule": chosen}, follow=True)

    assert f"一次最多选 {most} 个出诊单元" in response.content.decode()


@pytest.mark.parametrize("kind", ["stop", "substitute"])
def test_stops_go_on_to_their_own_page_with_the_sessions(office, session, kind):
    response = office.post(NEW, {"kind": kind, "schedule": [session.schedule.pk]})

    assert response["Location"] == f"/office/stops/new/?act={kind}&schedule={session.schedule.pk}"
