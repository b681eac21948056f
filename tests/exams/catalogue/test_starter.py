"""The catalogue a hospital starts with (E1, E4, E8)."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from exams.models import ExamItem, ExamVariant, Modality, OrderingRule, Preparation
from exams.planner.problem import Gap
from exams.policies.ordering import Exam, cycle, planner_rules, sittings
from exams.policies.screening import judge
from exams.selectors.ordering import rules_in_force
from exams.selectors.screening import questions_for
from exams.services import starter
from hospital.models import AuditEvent, PriceItem
from tests.factories import NOW, TODAY, PatientFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def way(house, code, kind="plain") -> ExamVariant:
    return ExamVariant.objects.select_related("item").get(item__organization=house, item__code=code, kind=kind)


def seen(variant, **answers) -> Exam:
    groups = frozenset(variant.groups.values_list("pk", flat=True))
    return Exam(key=variant.name, item=variant.item_id, groups=groups, answers=answers)


def between(house, one, other, **answers) -> tuple[Gap | None, Gap | None]:
    """What the planner hears of two exams: one before the other, the other before the one; the strictest of each."""

    def strict(gap):
        return (1, 0, 0) if gap is None else (0, gap.other_day, gap.minutes)

    forward, reverse = [Gap()], [Gap()]
    for rule in planner_rules([seen(one, **answers), seen(other, **answers)], rules_in_force(house.pk)):
        straight = rule.first == one.name
        forward.append(rule.gap if straight else rule.reverse)
        reverse.append(rule.reverse if straight else rule.gap)
    return max(forward, key=strict), max(reverse, key=strict)


HOUR, DAY = 60, 24 * 60
OTHER_DAY = Gap(other_day=True)


def test_a_new_house_has_every_kind_of_exam_priced_prepared_and_approved_and_asking_again_writes_nothing(house):
    """E1, E4: whoever gives it answers for it."""
    assert set(ExamItem.objects.values_list("modality", flat=True)) == set(Modality.values)
    codes = set(ExamVariant.objects.values_list("price_code", flat=True))
    assert codes <= set(PriceItem.objects.filter(organization=house).values_list("code", flat=True))
    for model in (OrderingRule, Preparation):
        assert not model.objects.filter(approved_by=None).exists()
        assert not model.objects.filter(source="").exists()
    trail = AuditEvent.objects.filter(action="exam_catalogue.given")
    assert trail.count() == 1

    ExamItem.objects.filter(code="US01").update(name="上腹部超声")
    retired = OrderingRule.objects.order_by("pk").first()
    OrderingRule.objects.filter(pk=retired.pk).update(retired_at=NOW)
    assert starter.give(organization=house, by=UserFactory(), now=NOW) == 0
    assert ExamItem.objects.get(code="US01").name == "上腹部超声"
    assert trail.count() == 1


def test_the_starter_rules_say_what_the_list_of_rules_says(house):
    """E3: row by row."""
    ultrasound, gastroscopy = way(house, "US01"), way(house, "ES01")
    assert between(house, ultrasound, way(house, "XR03")) == (Gap(), Gap(3 * DAY))
    assert between(house, ultrasound, way(house, "XR05")) == (Gap(), Gap(2 * DAY))
    assert between(house, ultrasound, gastroscopy) == (Gap(), OTHER_DAY)
    assert between(house, ultrasound, way(house, "ES02", "sedated")) == (Gap(), OTHER_DAY)
    assert between(house, gastroscopy, way(house, "US04")) == (Gap(), OTHER_DAY)
    assert between(house, way(house, "US02"), way(house, "US03")) == (Gap(), OTHER_DAY)
    assert between(house, way(house, "LB01"), way(house, "CT02", "contrast")) == (Gap(), OTHER_DAY)
    assert between(house, way(house, "LB01"), way(house, "CT02")) == (Gap(), Gap())
    assert between(house, way(house, "LB01"), way(house, "US10")) == (Gap(), OTHER_DAY)

    sedated = [seen(way(house, code, "sedated")) for code in ("ES02", "ES01")]
    assert sittings(sedated, rules_in_force(house.pk)) == [("胃镜（无痛）", "肠镜（无痛）")]


@pytest.mark.parametrize(
    ("renal", "iodine_first", "gadolinium_first"),
    [
        ({"renal": "normal"}, 4 * HOUR, 4 * HOUR),
        ({"renal": "moderate"}, 4 * HOUR, 4 * HOUR),
        ({"renal": "severe"}, 2 * DAY, 7 * DAY),
        ({"renal": "unknown"}, 2 * DAY, 7 * DAY),
        ({}, 2 * DAY, 7 * DAY),
    ],
)
def test_iodine_and_gadolinium_are_apart_by_the_kidneys(house, renal, iodine_first, gadolinium_first):
    """E3: whoever was not asked waits as with severe impairment."""
    iodine, gadolinium = way(house, "CT01", "contrast"), way(house, "MR01", "contrast")
    assert between(house, iodine, gadolinium, **renal) == (Gap(iodine_first), Gap(gadolinium_first))


def test_the_starter_rules_leave_an_order_for_everything(house):
    exams = [seen(variant) for variant in ExamVariant.objects.select_related("item")]
    assert cycle(rules_in_force(house.pk), exams) is None


def test_the_questions_come_with_the_exams_and_stop_whom_they_must(house, django_assert_max_num_queries):
    """E4: three exams, each question once; a man is not asked whether he is pregnant."""
    variants = [way(house, "MR01", "contrast"), way(house, "CT01", "contrast"), way(house, "ES01", "sedated")]
    man = PatientFactory(sex="M", birth_date=date(TODAY.year - 40, 1, 1))
    woman = PatientFactory(sex="F", birth_date=date(TODAY.year - 30, 1, 1))
    with django_assert_max_num_queries(5):
        asked = questions_for(variants, patient=man, day=TODAY)
        assert [answer.text for question in asked for answer in question.answers.all()]
    everybody = ["implant", "fever", "claustrophobia", "renal", "metformin", "anticoagulant", "anaesthesia", "escort"]
    assert [question.code for question in asked] == everybody
    assert "pregnancy" in [question.code for question in questions_for(variants, patient=woman, day=TODAY)]
    assert questions_for([way(house, "LB01")], patient=woman, day=TODAY) == []
    for code in ("XR01", "XR03", "CT02", "NM01"):  # 放射诊疗管理规定 第二十六条
        [asked_first] = questions_for([way(house, code)], patient=woman, day=TODAY)
        assert (asked_first.code, "第二十六条" in asked_first.source) == ("radiation", True)
        effects = [judge([asked_first], {"radiation": said}).effect for said in ("no", "unsure", "yes")]
        assert (effects, judge([asked_first], {"radiation": "yes"}).first) == (["ok", "check", "check"], ())
        assert questions_for([way(house, code)], patient=man, day=TODAY) == []

    at_check_in = questions_for(variants, patient=man, day=TODAY, at_check_in=True)
    assert [question.code for question in at_check_in] == [*everybody, "fasted"]

    good = {"implant": "no", "fever": "no", "claustrophobia": "no", "renal": "normal", "metformin": "no",
            "anticoagulant": "no", "anaesthesia": "done", "escort": "yes"}  # fmt: skip
    assert judge(asked, good).clear
    assert judge(asked, good | {"implant": "pacemaker"}).effect == "refuse"
    unknown = judge(asked, good | {"renal": "unknown", "claustrophobia": "yes"})
    assert (unknown.effect, [item.code for item in unknown.first]) == ("check", ["LB03"])
    assert judge(asked, good | {"anaesthesia": "no"}).effect == "check"


def test_a_real_house_is_given_it_once_by_who_answers_for_it(capsys):
    """E1: by a command; refused for a house that is not there and for who is not of its office."""
    office = StaffFactory(roles="office")
    house = office.role_assignments.get().organization
    for code, login in (("NONE", office.username), (house.code, StaffFactory(roles="doctor").username)):
        with pytest.raises(CommandError):
            call_command("give_exam_catalogue", code, by=login)
    assert not ExamItem.objects.filter(organization=house).exists()
    for _twice in range(2):
        call_command("give_exam_catalogue", house.code, by=office.username)
    assert "没有要改的" in capsys.readouterr().out
    assert {row.approved_by for row in rules_in_force(house.pk)} == {office}
