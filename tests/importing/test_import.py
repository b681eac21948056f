"""Importing into the database: all or nothing, nothing twice, a preview that is what would happen (P2, O2)."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.apps import apps

from appointments.models import ChannelRule, ScheduleTemplate, SupplyRule
from appointments.services.importing import CHANGED, MISSING, NEW
from hospital.models import (
    AuditEvent,
    CalendarDay,
    Campus,
    CareTeamMember,
    Department,
    HalfDayHours,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    PriceItem,
)
from hospital.workbook.problems import WrongWorkbook
from tests.importing.state import fingerprints

pytestmark = pytest.mark.django_db


def test_the_hospital_is_what_the_workbook_says(bring):
    report = bring()

    assert report.counts() == {NEW: 42, CHANGED: 0, MISSING: 0}
    assert (Organization.objects.get(code="C").parent.code, Campus.objects.get(code="B").transit) == ("H", "公交 5 路")
    department = Department.objects.get(code="XNK")
    assert (department.specialty, department.pinyin, department.initials) == ("03.04", "xinxueguanneike", "xxgnk")
    assert Practitioner.objects.get(code="2").pinyin == "shanwen"  # 单 as a surname
    assert {member.role.practitioner.code: member.leader for member in CareTeamMember.objects.all()} == {
        "1": False, "2": True, "3": False,
    }  # fmt: skip
    template = ScheduleTemplate.objects.get(role__practitioner__code="1")
    assert (template.room.code, template.weekday, template.half, template.numbers) == ("B1", 1, "am", 20)
    assert ScheduleTemplate.objects.get(team__code="T1").service.code == "TD"
    assert ScheduleTemplate.objects.get(role=None, team=None).room.code == "B3"
    assert CalendarDay.objects.filter(kind="holiday").count() == 2  # both institutions keep the holiday
    assert HalfDayHours.objects.filter(campus__code="L").count() == 3


def test_a_service_belongs_to_the_hospital_or_to_the_institutions_it_names(bring):
    bring()

    offered = HealthcareService.objects.order_by("code", "organization__code")
    assert [(row.code, row.organization.code) for row in offered] == [
        ("PT", "C"), ("PT", "H"), ("TD", "H"), ("ZR", "H"),
    ]  # fmt: skip


def test_a_new_institution_gets_its_pools_and_rules(bring):
    bring()

    for organization in Organization.objects.all():
        assert organization.pools.filter(kind="public").count() == 1
        assert ChannelRule.objects.filter(organization=organization, channel="consult").count() == 1
        rules = SupplyRule.objects.filter(organization=organization)
        assert {sum(rule.shares.values_list("percent", flat=True)) for rule in rules} == {100}


def test_the_same_workbook_again_writes_nothing(bring):
    bring()
    before = fingerprints()

    report = bring()

    assert report.changes == []
    assert fingerprints() == before


def test_a_preview_says_what_would_happen_and_writes_nothing(bring):
    before = fingerprints()

    report = bring(apply=False)

    assert (report.counts()[NEW], report.applied) == (42, False)
    assert {table: rows for table, (rows, _hash) in fingerprints().items()} == {
        table: rows for table, (rows, _hash) in before.items()
    }


def test_a_changed_row_is_told_with_its_values_before_and_after(bring):
    bring()

    def change(rows):
        rows["template"][0] |= {"numbers": 24, "room": "B2", "weekday": "周一"}
        rows["template"][1] |= {"room": "B1"}
        rows["doctor"][0]["specialty_text"] = "冠心病"

    preview, done = bring(change, apply=False), bring(change)

    assert [(one.kind, one.sheet, one.row) for one in done.changes] == [
        (CHANGED, "医生", 2), (CHANGED, "出诊模板", 2), (CHANGED, "出诊模板", 3),
    ]  # fmt: skip
    doctor, template, _other = done.changes
    assert doctor.fields == {"擅长": ("", "冠心病")}
    assert template.fields["号数"] == (20, 24)
    assert [str(room) for room in template.fields["诊室"]] == ["3层 1诊室", "3层 2诊室"]
    assert [str(one) for one in preview.changes] == [str(one) for one in done.changes]
    assert ScheduleTemplate.objects.get(role__practitioner__code="1").numbers == 24


def test_a_change_is_told_in_the_words_of_the_sheet(bring):
    bring()

    report = bring(lambda rows: rows["template"][0].update(weekday="周五", half="下午"), retire_missing=True)
    moved = bring(lambda rows: rows["calendar"][1].update(follows="周四"), retire_missing=True)

    assert [(one.kind, one.label) for one in report.changes] == [
        (MISSING, "王建国 周一上午"), (NEW, "王建国 周五下午 心血管内科"),
    ]  # fmt: skip
    assert [one.fields for one in moved.of(CHANGED) if one.sheet == "节假日与调休"] == [
        {"按周几出诊": ("周三", "周四")}
    ] * 2


def test_a_change_is_kept_in_the_history(bring):
    bring()
    bring(lambda rows: rows["doctor"][0].update(title="副主任医师"))

    event = apps.get_model("hospital", "PractitionerEvent").objects.get(pgh_obj__code="1")
    assert (event.title, event.pgh_context.metadata["command"]) == ("主任医师", "import_hospital")
    assert AuditEvent.objects.filter(action="hospital.imported").count() == 2


def without_doctor_three(rows):
    del rows["doctor"][2], rows["template"][1]
    rows["team"][0]["members"] = "1"


def test_what_the_workbook_lacks_is_told_and_left_in_use(bring):
    bring()

    report = bring(without_doctor_three)

    assert [(one.sheet, one.label) for one in report.of(MISSING)] == [
        ("医生", "李敏"), ("医生", "李敏 心血管内科"), ("出诊模板", "李敏 周一上午"),
    ]  # fmt: skip
    assert Practitioner.objects.get(code="3").active
    assert ScheduleTemplate.objects.get(role__practitioner__code="3").active


def test_what_the_workbook_lacks_is_put_out_of_use_when_asked(bring):
    bring()

    bring(without_doctor_three, retire_missing=True)

    assert not Practitioner.objects.get(code="3").active
    assert not PractitionerRole.objects.get(practitioner__code="3").active
    assert not ScheduleTemplate.objects.get(role__practitioner__code="3").active
    assert bring(without_doctor_three).changes == []


def test_who_comes_back_is_put_into_use_again(bring):
    bring()
    bring(without_doctor_three, retire_missing=True)

    report = bring()

    assert (report.of(NEW), report.of(MISSING)) == ([], [])
    assert Practitioner.objects.get(code="3").active
    assert CareTeamMember.objects.get(role__practitioner__code="3").active


def test_a_name_taken_out_of_a_team_is_out_of_the_team(bring):
    bring()

    report = bring(lambda rows: rows["team"][0].update(members="3"))

    assert report.changes[0].fields == {"成员": ("单文（领衔）、李敏、王建国", "单文（领衔）、李敏")}
    assert not CareTeamMember.objects.get(role__practitioner__code="1").active


def test_a_team_changes_its_leader_in_one_import(bring):
    bring()

    bring(lambda rows: rows["team"][0].update(leader="1", members="2、3"))

    leaders = CareTeamMember.objects.filter(leader=True, active=True)
    assert [member.role.practitioner.code for member in leaders] == ["1"]


def test_a_wrong_workbook_changes_nothing_at_all(bring):
    bring()
    before = fingerprints()

    def change(rows):
        rows["organization"][0]["name"] = "新名"
        rows["template"][4]["numbers"] = -1

    with pytest.raises(WrongWorkbook):
        bring(change)

    assert fingerprints() == before
    assert Organization.objects.get(code="H").name == "区医院"


def test_a_failure_half_way_leaves_nothing_behind(bring, monkeypatch):
    """The database refuses the last sheet: the first ones are gone as well."""
    monkeypatch.setattr("appointments.services.importing.timetable.templates", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        bring()

    assert not Organization.objects.exists()


def test_a_new_row_that_meets_a_missing_one_is_refused_with_the_cure(bring):
    """The doctor moved to another day's room; his colleague's template is not in the workbook but still runs."""
    bring()

    def change(rows):
        del rows["template"][1]
        rows["template"][0]["room"] = "B2"

    with pytest.raises(WrongWorkbook) as caught:
        bring(change)

    [problem] = caught.value.problems
    assert (problem.sheet, problem.row, problem.column) == ("出诊模板", 2, "E 诊室")
    assert problem.sentences()[1] == "那一行工作簿里没有：请写回来，或在导入时选择同时停用缺少的行。"
    bring(change, retire_missing=True)
    assert ScheduleTemplate.objects.get(role__practitioner__code="1").room.code == "B2"


def test_new_hours_that_meet_missing_ones_are_refused(bring):
    bring()

    def change(rows):
        rows["hours"][1]["effective_to"] = date(2026, 5, 7)
        rows["hours"][2]["effective_from"] = date(2026, 5, 8)

    with pytest.raises(WrongWorkbook):
        bring(change)

    bring(change, retire_missing=True)
    assert HalfDayHours.objects.get(campus__code="B", effective_from=date(2026, 5, 8)).starts == time(14, 30)


def test_a_new_price_ends_the_one_before(bring):
    bring()

    bring(lambda rows: rows["service"].append(rows["service"][1] | {"amount": 60, "effective_from": date(2027, 1, 1)}))

    old, new = PriceItem.objects.filter(code="ZR").order_by("effective_from")
    assert (old.amount, old.effective_to) == (Decimal("50.00"), date(2026, 12, 31))
    assert (new.amount, new.effective_to) == (Decimal("60.00"), None)


def test_a_price_that_has_been_in_force_stays_and_a_planned_one_can_be_taken_back(bring):
    def plan(rows):
        rows["service"].append(rows["service"][1] | {"amount": 60, "effective_from": date(2027, 1, 1)})

    bring(plan)
    report = bring(retire_missing=True)

    assert [one.label for one in report.of(MISSING)] == ["主任门诊 60.00"]
    assert PriceItem.objects.get(code="ZR").effective_to is None
