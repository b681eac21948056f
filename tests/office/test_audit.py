"""操作留痕 (O10, P9): who did what, when, with before and after in words; read only, for the reader's houses."""

from datetime import timedelta

import pytest
import structlog

from appointments.models import BulkAct
from appointments.selectors import trail
from hospital import audit
from hospital.models import AuditEvent, RoleAssignment
from tests.factories import (
    NOW,
    AccountFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    ScheduleFactory,
    StaffFactory,
)

PAGE = "/office/audit/"


def done(actor, action="rule.ended", *, ago=0, **more) -> AuditEvent:
    return audit.record(action=action, actor=actor, now=NOW - timedelta(minutes=ago), **more)


def listed(client, **asked) -> list[str]:
    response = client.get(PAGE, asked)
    assert response.status_code == 200
    return [line.event.action for line in response.context["page"].lines]


def test_who_did_what_when_and_what_it_was_before_stands_in_words(office):
    detail = {"before": {"limit_day": 2, "extra": False}, "after": {"limit_day": 3, "extra": False}, "why": "试行"}
    done(office.user, "rule.replaced", subject="schedule:12", patient=PatientFactory(name="周志明"), detail=detail)

    response = office.get(PAGE)

    [line] = response.context["page"].lines
    assert (line.what, line.about, line.patient) == ("更换规则", "出诊单元 12", "周*明")
    assert line.changes == [trail.Change("一天最多", "2", "3")]
    assert line.more == [("原因", "试行")]
    page = response.content.decode()
    assert "<del>2</del> → <ins>3</ins>" in page
    assert "周志明" not in page


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "无"),
        (True, "是"),
        ([], "无"),
        ([1, 2], "1、2"),
        (list(range(12)), "0、1、2、3、4、5、6、7 等 12 项"),
        ("2026-11-25T00:30:00+00:00", "2026-11-25 08:30"),
        ("2026-11-25", "2026-11-25"),
        ("2026-02-31", "2026-02-31"),
        ({"patients": 3, "digest": "ab"}, "患者数 3"),
        ("web", "web"),
    ],
)
def test_a_value_is_said_as_the_staff_says_it(value, said):
    assert trail.value_of(value) == said


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("bulk.recall", "回收到公共"),
        ("bulk.recall.undone", "撤销回收到公共"),
        ("patient.seen.desk", "查看患者"),
        ("schedule.stopped", "停诊"),
        ("nobody.named.this", "nobody.named.this"),
    ],
)
def test_an_action_is_said_as_the_office_says_it(action, said):
    assert trail.action_of(action) == said


@pytest.mark.parametrize(
    ("subject", "said"), [("stop:3", "停诊 3"), ("bookingrule:7", "预约规则 7"), ("what:1", "what:1"), ("", "")]
)
def test_a_subject_is_said_by_the_name_of_its_kind(subject, said):
    assert trail.subject_of(subject) == said


def test_each_filter_narrows_and_odd_ones_are_as_if_not_there(office):
    other = StaffFactory(roles="office", full_name="钱会计")
    done(office.user, "rule.ended", subject="schedule:12")
    done(other, "stop.ordered", subject="stop:3", ago=60 * 24)

    assert listed(office) == ["rule.ended", "stop.ordered"]
    assert listed(office, who="钱会") == listed(office, who=other.username) == ["stop.ordered"]
    assert listed(office, action="rule.") == ["rule.ended"]
    assert listed(office, subject="stop:3") == listed(office, subject="stop") == ["stop.ordered"]
    assert listed(office, day="2026-11-22") == ["stop.ordered"]
    assert listed(office, who="没有这个人") == []
    for odd in ({"day": "x"}, {"day": "0001-01-01"}, {"after": "x"}, {"after": "9" * 16 + "-1"}, {"subject": "\x00"}):
        assert len(listed(office, **odd)) == 2, odd


def test_another_house_sees_nothing_of_ours_and_patients_own_acts_are_not_in_it(office, client):
    done(office.user)
    done(AccountFactory(), "consent.given")
    done(None, "hospital.imported")
    elsewhere = StaffFactory()
    RoleAssignment.objects.create(user=elsewhere, role="auditor", organization=OrganizationFactory(code="B2"))

    assert listed(office) == ["rule.ended"]
    client.force_login(elsewhere)
    assert listed(client) == []


def test_the_office_of_one_department_sees_its_own_people(client, db):
    place, house = DepartmentFactory(), OrganizationFactory()
    mine, other = StaffFactory(), StaffFactory(roles="office")
    RoleAssignment.objects.create(user=mine, role="office", organization=house, department=place)
    done(mine)
    done(other, "stop.ordered")
    client.force_login(mine)

    assert listed(client) == ["rule.ended"]


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("sysadmin", 200), ("office", 200), ("doctor", 403)])
def test_it_is_the_auditors_page_and_nobody_can_post_to_it(client, db, role, status):
    client.force_login(StaffFactory(roles=role))

    assert client.get(PAGE).status_code == status
    assert client.post(PAGE).status_code == 405


def test_pages_follow_each_other_without_a_gap_and_the_queries_do_not_grow(office, django_assert_max_num_queries):
    rows = [done(office.user, ago=n // 3, patient=PatientFactory()) for n in range(60)]

    with django_assert_max_num_queries(14):
        first = office.get(PAGE)
    second = office.get(PAGE, {"after": first.context["next"]})

    shown = [line.event for page in (first, second) for line in page.context["page"].lines]
    assert shown == sorted(rows, key=lambda row: (row.at, row.pk), reverse=True)
    assert len(first.context["page"].lines) == trail.PAGE
    assert second.context["next"] == ""


def test_nothing_done_yet_says_so(office):
    assert "还没有操作" in office.get(PAGE).content.decode()
    assert "没有符合条件的记录" in office.get(PAGE, {"who": "甲"}).content.decode()


def test_bulk_acts_and_stops_are_said_by_doctor_day_and_half_day_with_their_page_and_without_codes(office):
    session = ScheduleFactory()
    name = f"{session.department.name} {session}"
    act = BulkAct.objects.create(
        organization=session.organization, kind="hold", schedules=[session.pk], by=office.user, created_at=NOW
    )  # fmt: skip
    figures = {"before": {str(session.pk): {"公共": 10}}, "after": {str(session.pk): {"公共": 7}}}
    figures |= {"params": {"kinds": ["public"]}}
    done(
        office.user,
        "bulk.hold",
        subject=f"bulkact:{act.pk}",
        detail=figures | {"params": {"kinds": ["public"]}},
    )
    stop = {"sessions": [session.pk, 999], "cause": "illness"}
    done(office.user, "stop.ordered", subject=f"schedule:{session.pk}", detail=stop, ago=1)
    done(office.user, "patient.searched.desk", detail={"by": "phone"}, ago=2)

    first, second, third = office.get(PAGE).context["page"].lines

    assert (first.about, first.url) == (name, f"/office/acts/{act.pk}/")
    assert first.changes == [trail.Change(name, "公共 10", "公共 7")]
    assert first.more == [("条件", "号池 公共")]
    assert (second.about, dict(second.more)) == (name, {"出诊单元": f"{name}、出诊单元 999", "事由": "病假"})
    assert third.more == [("方式", "手机号")]


def test_an_act_of_a_service_keeps_the_address_of_the_request_that_is_answered(office):
    with structlog.contextvars.bound_contextvars(ip="10.1.2.3"):
        row = done(office.user)

    assert row.address == "10.1.2.3"
