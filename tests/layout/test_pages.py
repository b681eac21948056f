"""P2, P12 on the pages: what is wrong is said in place, what was typed stays, nobody acts beyond his reach."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import tasks
from appointments.models import JobRun, LayoutDraft, Schedule, ScheduleTemplate
from appointments.services import contracts, drafts, patterns, workdays
from appointments.tasks import lay_out_schedules
from hospital.models import AuditEvent, CalendarDay, Contract, Organization, PractitionerRole, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    StaffFactory,
    TemplateFactory,
    UserFactory,
    appointment_row,
)
from tests.supply.scenes import MONDAY, lay_out

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(client, hospital):
    user = StaffFactory(roles="office")
    client.force_login(user)
    return user


def typed(role, **changes) -> dict:
    said = {
        "department": role.department_id, "actor": f"role-{role.pk}", "weekday": 1, "half": "am", "numbers": 16,
        "parity": "every", "effective_from": MONDAY.isoformat(), "room": RoomFactory().pk,
    }  # fmt: skip
    return said | changes


def text(response) -> str:
    return response.content.decode()


def test_a_pattern_is_typed_seen_in_the_grid_and_waits_for_a_draft(client, office):
    role = RoleFactory()
    answer = client.post(reverse("appointments:office_template_new"), typed(role, minutes=12), follow=True)

    kept = ScheduleTemplate.objects.get()
    assert (kept.role, kept.service, kept.minutes) == (role, role.service, 12)
    page = text(answer)
    assert "未发布" in page
    assert reverse("appointments:office_template", args=[kept.pk]) in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"numbers": -3}, "号数至少是 1 个"),
        ({"numbers": "9" * 30}, "一个半天最多 300 个号"),
        ({"numbers": "abc"}, "号数要填整数"),
        ({"minutes": 0}, "每号至少 1 分钟"),
        ({"minutes": 20}, "放不进 240 分钟"),
        ({"effective_from": "2026-01-01"}, "生效日已经过去"),
        ({"effective_from": "2062-11-30"}, "像是填错了年份"),
        ({"effective_to": "2026-11-24"}, "失效日早于生效日"),
        ({"starts": "09:00"}, "只填了一个"),
        ({"room": 999999}, "选择一个有效的选项"),
        ({"actor": "role-999999"}, "选择一个有效的选项"),
        ({"actor": "plain"}, "普通门诊请选择号别"),
    ],
)
def test_what_is_wrong_is_said_in_place_and_nothing_is_kept(client, office, changes, said):
    data = typed(RoleFactory(), **changes)

    answer = client.post(reverse("appointments:office_template_new"), data)

    assert answer.status_code == 200
    assert said in text(answer)
    assert f'value="{data["effective_from"]}"' in text(answer)  # what was typed stays
    assert not ScheduleTemplate.objects.exists()


def test_a_change_an_end_and_a_copy_from_the_page(client, office):
    template = TemplateFactory()
    page = reverse("appointments:office_template", args=[template.pk])
    client.post(page, typed(template.role, numbers=20, room=template.room_id))
    new = ScheduleTemplate.objects.exclude(pk=template.pk).get()
    assert (new.numbers, new.effective_from) == (20, MONDAY)

    client.post(reverse("appointments:office_template_copy", args=[new.pk]),
                {"places": ["3-pm"], "first_day": MONDAY.isoformat()})  # fmt: skip
    assert ScheduleTemplate.objects.filter(weekday=3, half="pm").count() == 1
    missing = client.post(reverse("appointments:office_template_copy", args=[new.pk]), {"first_day": "2026-12-07"})
    assert "至少勾一个" in text(missing)

    client.post(reverse("appointments:office_template_end", args=[new.pk]), {"last_day": "2026-12-31"})
    longer = client.post(reverse("appointments:office_template_end", args=[new.pk]), {"last_day": "2027-01-31"})
    assert "要延长，请改失效日" in text(longer)
    new.refresh_from_db()
    assert new.effective_to.isoformat() == "2026-12-31"


def test_an_auditor_reads_and_cannot_touch_and_one_departments_office_sees_its_own(client, hospital):
    template, other = TemplateFactory(), TemplateFactory()
    draft = drafts.make(
        organization=hospital, department=None, first_day=MONDAY, last_day=MONDAY, by=UserFactory(), now=NOW
    )
    page = reverse("appointments:office_template", args=[template.pk])
    client.force_login(StaffFactory(roles="auditor"))
    assert "保存改动" not in text(client.get(page))
    assert client.post(page, typed(template.role)).status_code == 403
    shown = client.get(reverse("appointments:office_draft", args=[draft.pk]))
    assert shown.status_code == 200
    assert '<form class="panel"' not in shown.content.decode()  # nothing to send
    for name, args in [("office_template_new", []), ("office_template_end", [template.pk]),
                       ("office_draft_discard", [draft.pk])]:  # fmt: skip
        assert client.post(reverse(f"appointments:{name}", args=args)).status_code == 403
    for name in ("office_drafts", "office_calendar", "office_contracts"):
        assert client.get(reverse(f"appointments:{name}")).status_code == 200
        assert client.post(reverse(f"appointments:{name}"), {}).status_code == 403

    mine = UserFactory()
    RoleAssignment.objects.create(user=mine, role="office", organization=hospital, department=template.department)
    client.force_login(mine)
    assert client.get(page).status_code == 200
    assert client.get(reverse("appointments:office_template", args=[other.pk])).status_code == 404
    assert client.post(reverse("appointments:office_template_new"), typed(other.role)).status_code == 404
    assert client.get(reverse("appointments:office_draft", args=[draft.pk])).status_code == 404  # the whole house's
    assert client.post(reverse("appointments:office_calendar"), {}).status_code == 403
    assert "全院" not in text(client.get(reverse("appointments:office_drafts")))


def test_a_draft_is_made_ticked_published_and_found_in_the_list(client, office):
    template = TemplateFactory(published_at=None)
    said = {"scope": f"department-{template.department_id}", "first_day": MONDAY.isoformat(), "weeks": 2}
    made = client.post(reverse("appointments:office_drafts"), said)
    draft = LayoutDraft.objects.get()
    assert made.url == reverse("appointments:office_draft", args=[draft.pk])
    first, second = draft.lines.order_by("day")
    assert "16 个号，08:00–12:00" in text(client.get(made.url))

    ticks = {"shown": [first.pk, second.pk], "take": [first.pk], "act": "publish"}
    answer = client.post(made.url, ticks, follow=True)

    assert "已发布：新增 1" in text(answer)
    assert [row.day for row in Schedule.objects.all()] == [first.day]
    again = client.post(made.url, ticks)
    assert again.status_code == 409
    assert "不能再处理" in text(again)
    assert "已发布" in text(client.get(reverse("appointments:office_drafts")))


def test_a_stale_draft_says_what_changed_and_a_booked_line_leads_to_the_stop(client, office, hospital):
    template = TemplateFactory()
    lay_out(hospital)
    schedule = Schedule.objects.get()
    appointment_row(schedule, PatientFactory())
    patterns.end(template=template, last_day=TODAY, by=office, now=NOW)
    draft = drafts.make(organization=hospital, department=None, first_day=MONDAY, last_day=MONDAY, by=office, now=NOW)
    page = reverse("appointments:office_draft", args=[draft.pk])
    shown = text(client.get(page))
    assert "涉及已约患者 1 人" in shown
    assert f"?schedule={schedule.pk}" in shown

    newcomer = TemplateFactory(published_at=None)
    stale = client.post(page, {"act": "publish"}, follow=True)
    assert "已有变化" in text(stale)
    assert [line.row.template for line in stale.context["lines"]] == [newcomer]  # in place, to be left out or ticked
    assert "生成草稿之后才有的变动" in text(stale)
    assert "已发布" in text(client.post(page, {"act": "publish"}, follow=True))
    assert Schedule.objects.count() == 1


def test_a_large_draft_shows_how_far_it_is_until_the_worker_is_done(client, office, hospital, monkeypatch):
    TemplateFactory(published_at=None)
    draft = drafts.make(organization=hospital, department=None, first_day=MONDAY, last_day=MONDAY, by=office, now=NOW)
    page = reverse("appointments:office_draft", args=[draft.pk])
    monkeypatch.setattr("appointments.views.office.drafts.IN_REQUEST", -1)
    line = draft.lines.get().pk
    shown = text(client.post(page, {"shown": line, "take": line, "act": "publish"}, follow=True))
    assert "还剩 1 项，共 1 项" in shown
    assert "放弃草稿" not in shown
    asked = client.get(page, headers={"hx-request": "true"})
    assert ("every 3s" in text(asked), "HX-Refresh" in asked.headers) == (True, False)

    tasks.go_on_publishing()

    assert client.get(page, headers={"hx-request": "true"}).headers["HX-Refresh"] == "true"
    assert "已发布：新增 1" in text(client.get(page))


@pytest.mark.parametrize("weeks", ["1", "5", ""])
def test_a_draft_of_days_gone_by_is_refused_at_its_field(client, office, hospital, weeks):
    said = {"scope": "house-1", "first_day": "2026-01-01", "weeks": weeks}
    answer = client.post(reverse("appointments:office_drafts"), said)

    assert "已经过去" in text(answer)
    endless = said | {"scope": f"house-{hospital.pk}", "first_day": "9999-12-31", "weeks": "1"}
    assert "有效的日期" in text(client.post(reverse("appointments:office_drafts"), endless))
    assert not LayoutDraft.objects.exists()


def test_a_holiday_is_kept_once_and_says_what_stands_on_it_and_touches_nothing(client, office, hospital):
    TemplateFactory()
    lay_out(hospital)
    schedule = Schedule.objects.get()
    appointment_row(schedule, PatientFactory())
    page = f"{reverse('appointments:office_calendar')}?house={hospital.pk}&year=2026"
    said = {"day": MONDAY.isoformat(), "kind": "holiday", "name": "院庆", "follows": ""}

    answer = text(client.post(page, said, follow=True))
    assert "已排 1 个半天、已约 1 人" in answer
    assert f"?schedule={schedule.pk}" in answer
    assert Schedule.objects.get().status == "open"
    again = text(client.post(page, said))
    assert "已登记为放假（院庆）" in again
    assert "调休上班要说明" in text(client.post(page, said | {"day": "2026-12-05", "kind": "workday"}))
    assert "已经过去" in text(client.post(page, said | {"day": "2026-11-01"}))
    assert "最远登记到两年以内" in text(client.post(page, said | {"day": "9999-12-20"}))

    client.force_login(StaffFactory(roles="auditor"))
    assert "/office/stops/new/" not in text(client.get(page))  # nothing to press that would be refused
    client.force_login(office)
    row = CalendarDay.objects.get()
    client.post(f"{page}&day={row.pk}", said | {"kind": "workday", "follows": 2})
    row.refresh_from_db()
    assert (row.kind, row.follows) == ("workday", 2)
    client.post(reverse("appointments:office_calendar_remove", args=[row.pk]))
    assert not CalendarDay.objects.exists()
    assert AuditEvent.objects.filter(action__startswith="calendar.").count() == 3


def test_a_contract_opens_another_house_and_its_end_names_what_it_leaves_uncovered(client, office, hospital):
    """P12."""
    branch = OrganizationFactory(code="B1", name="柳堤社区", parent=hospital)
    there = DepartmentFactory(organization=branch, campus=None)
    service = ServiceFactory(organization=branch)
    expert = PractitionerFactory(name="卢景行")
    page = f"{reverse('appointments:office_contracts')}?house={branch.pk}"
    said = {"doctor": "卢景行", "department": there.pk, "service": service.pk, "effective_from": MONDAY.isoformat()}

    answer = client.post(page, said, follow=True)
    contract = Contract.objects.get()
    role = PractitionerRole.objects.get(practitioner=expert, department=there)
    assert "卢景行可在柳堤社区" in text(answer)
    assert "重叠" in text(client.post(page, said))
    assert "没有找到" in text(client.post(page, said | {"doctor": "无名氏"}))
    assert "像是填错了年份" in text(client.post(page, said | {"effective_from": "2062-11-30"}))
    PractitionerFactory(name="卢景行")
    assert "有多位同名" in text(client.post(page, said))

    room = RoomFactory(campus__organization=branch)
    TemplateFactory(
        organization=branch, role=role, department=there, service=service, room=room, starts="08:00", ends="10:00"
    )
    lay_out(branch, last=MONDAY + timedelta(days=7))
    ended = client.post(
        reverse("appointments:office_contract_end", args=[contract.pk]), {"last_day": MONDAY.isoformat()}, follow=True
    )
    assert "还有 1 个半天已排" in text(ended)
    (left,) = contracts.outside([contract], now=NOW)[contract.pk]
    assert left.schedule.day == MONDAY + timedelta(days=7)


def test_the_nightly_job_leaves_a_row_when_it_added_something(hospital):
    TemplateFactory()
    lay_out_schedules()
    lay_out_schedules()

    run = JobRun.objects.get(job="lay_out")
    assert run.moved == Schedule.objects.count() > 10
    assert run.done_at is not None


def test_standing_clinics_of_a_day_are_counted_in_two_queries(hospital, django_assert_num_queries):
    TemplateFactory()
    lay_out(hospital)
    with django_assert_num_queries(2):
        assert workdays.standing_on(organization=hospital, days=[MONDAY], now=NOW)[MONDAY].schedules == 1


def test_who_only_reads_another_house_ends_and_grants_no_contract_there(client, hospital):
    """P12: an office of one house that audits another."""
    other = Organization.objects.create(code="H2", name="别院")
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=hospital)
    RoleAssignment.objects.create(user=user, role="auditor", organization=other)
    contract = Contract.objects.create(practitioner=PractitionerFactory(), organization=other, effective_from=MONDAY)
    client.force_login(user)
    end = reverse("appointments:office_contract_end", args=[contract.pk])
    page = f"{reverse('appointments:office_contracts')}?house={other.pk}"

    assert client.post(end, {"last_day": (MONDAY + timedelta(days=1)).isoformat()}).status_code == 404
    contract.refresh_from_db()
    assert contract.effective_to is None
    assert client.get(page).status_code == 200
    assert end not in client.get(page).content.decode()
    assert client.post(page, {}).status_code == 403
