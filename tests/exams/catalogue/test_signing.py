"""Medical data is written by one person and approved by another (E4); an order that bites its tail is refused (E3)."""

import pytest

from exams.errors import (
    AlreadyDrafted,
    CatalogueUnsound,
    NeedsSecondPerson,
    OrderInACircle,
    SignedOver,
    StillUsed,
)
from exams.models import ExamGroup, ExamVariant, OrderingRule, Preparation, ScreeningAnswer, ScreeningQuestion
from exams.selectors.ordering import rules_in_force
from exams.selectors.screening import in_force
from exams.services import signing
from exams.services.signing import Parts
from hospital.models import AuditEvent
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return UserFactory()


@pytest.fixture
def second():
    return UserFactory()


def group(code) -> ExamGroup:
    return ExamGroup.objects.get(code=code)


def before(house, first, second, **more) -> OrderingRule:
    """An unsaved rule: on one day the first group before the second."""
    said = {"name": f"{first} {second}", "reverse": "other_day", "why": "先后", "source": "科室规定"} | more
    return OrderingRule(organization=house, first_group=group(first), second_group=group(second), **said)


def written(row, author, **more):
    return signing.write(row=row, by=author, why="改一改", now=NOW, **more)


def test_a_change_waits_for_somebody_else_and_the_old_version_stays_until_then(house, author, second):
    """E4: four eyes; nothing signed is edited in place."""
    old = OrderingRule.objects.get(name="空腹检查先于憋尿检查")
    new = written(before(house, "fasting", "full-bladder", name="空腹先", reverse="never"), author, instead_of=old)

    assert old in rules_in_force(house.pk)
    assert new not in rules_in_force(house.pk)
    with pytest.raises(NeedsSecondPerson):
        signing.approve(row=new, by=author, now=NOW)
    signing.approve(row=new, by=second, now=NOW)

    old.refresh_from_db()
    assert (old.retired_at, old.name) == (NOW, "空腹检查先于憋尿检查")
    assert old not in rules_in_force(house.pk)
    assert new in rules_in_force(house.pk)
    with pytest.raises(SignedOver):
        signing.approve(row=new, by=second, now=NOW)
    trail = AuditEvent.objects.filter(subject=f"orderingrule:{new.pk}").order_by("pk")
    assert list(trail.values_list("action", "actor")) == [
        ("exam_signed.written", author.pk),
        ("exam_signed.approved", second.pk),
    ]
    assert trail[0].detail["before"]["名称"] == "空腹检查先于憋尿检查"
    assert trail[0].detail["why"] == "改一改"


def test_one_change_waits_at_a_time_and_is_itself_changed_by_another_version(house, author, second):
    old = OrderingRule.objects.get(name="空腹检查先于憋尿检查")
    draft = written(before(house, "fasting", "full-bladder", reverse="never"), author, instead_of=old)
    with pytest.raises(AlreadyDrafted):
        written(before(house, "fasting", "full-bladder"), second, instead_of=old)
    with pytest.raises(AlreadyDrafted):
        signing.retire(row=old, by=second, why="不用了", now=NOW)
    better = written(before(house, "fasting", "full-bladder", reverse_minutes=60), second, instead_of=draft)
    draft.refresh_from_db()
    assert (draft.retired_at, draft.approved_at, better.replaces) == (NOW, None, old)
    signing.approve(row=better, by=author, now=NOW)  # wrote the version before, not this one
    assert better in rules_in_force(house.pk)


def test_a_rule_that_closes_a_circle_is_refused_with_the_circle(house, author, second):
    """E3: at writing, and again at approving, when the other half came in between."""
    with pytest.raises(OrderInACircle) as told:
        written(before(house, "endoscopy", "abdominal-us"), author)
    assert "胃镜 → 腹部超声 → 胃镜" in told.value.sentence
    assert OrderingRule.objects.count() == 10

    one = written(before(house, "barium", "mri"), author)
    other = written(before(house, "mri", "barium"), author)
    signing.approve(row=one, by=second, now=NOW)
    with pytest.raises(OrderInACircle):
        signing.approve(row=other, by=second, now=NOW)
    assert other not in rules_in_force(house.pk)
    # the rule that is replaced is not counted against its successor
    turned = written(before(house, "mri", "barium"), author, instead_of=one)
    signing.approve(row=turned, by=second, now=NOW)
    assert turned in rules_in_force(house.pk)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": " "}, "依据"),
        ({"forward": "never", "reverse": "never"}, "至少留一个方向"),
        ({"reverse_minutes": 20_165}, "最长 14 天"),
        ({"reverse": "never", "reverse_minutes": 5}, "没有间隔"),
        ({"one_sitting": True}, "两个方向都要选"),
        ({"reverse": "gap"}, "什么也没有说"),
        ({"answers": ["severe"]}, "选一个问题"),
    ],
)
def test_a_rule_that_says_nonsense_is_refused(house, author, change, field):
    with pytest.raises(CatalogueUnsound) as told:
        written(before(house, "blood", "mri", **change), author)
    assert field in told.value.sentence


def answers(*rows):
    return [ScreeningAnswer(text=text, effect=effect, sentence=said, code=code) for text, effect, said, code in rows]


def test_a_question_keeps_its_code_and_its_answers_theirs(house, author, second):
    """E4: what people answered keeps its meaning; new answers get a code of their own."""
    old = ScreeningQuestion.objects.get(code="escort")
    row = ScreeningQuestion(organization=house, text="有人陪同吗？", source="科室规定")
    kept = answers(("有", "ok", "", "yes"), ("没有", "check", "请安排家属。", "no"), ("没有", "ok", "", ""))
    with pytest.raises(CatalogueUnsound):
        written(row, author, parts=Parts(answers=kept), instead_of=old)
    kept[2].text = "住院患者"
    row = written(row, author, parts=Parts([group("endoscopy")], [], kept), instead_of=old)
    signing.approve(row=row, by=second, now=NOW)
    asked = in_force([house.pk]).get(code="escort")
    assert [(each.code, each.text) for each in asked.answers.all()] == [
        ("yes", "有"), ("no", "没有"), ("zyhz", "住院患者"),
    ]  # fmt: skip
    assert [each.code for each in asked.groups.all()] == ["endoscopy"]


def test_what_a_rule_goes_by_is_neither_dropped_nor_retired(house, author):
    """E3, E4: the kidneys decide how far iodine and gadolinium are apart."""
    renal = ScreeningQuestion.objects.get(code="renal")
    with pytest.raises(StillUsed) as told:
        signing.retire(row=renal, by=author, why="不问了", now=NOW)
    assert "含碘与含钆对比剂间隔 4 小时" in told.value.sentence
    fewer = answers(("正常", "ok", "", "normal"), ("不正常", "check", "请问医生。", ""))
    row = ScreeningQuestion(organization=house, text="肾功能？", source="科室规定")
    with pytest.raises(StillUsed):
        written(row, author, parts=Parts(answers=fewer), instead_of=renal)
    with pytest.raises(CatalogueUnsound):
        written(before(house, "blood", "mri", question=renal, answers=["gone"]), author)


def test_exams_get_the_new_leaflet_and_a_used_one_is_not_retired(house, author, second):
    """E4."""
    old = Preparation.objects.get(name="空腹采血")
    used = set(ExamVariant.objects.filter(preparation=old).values_list("pk", flat=True))
    with pytest.raises(StillUsed):
        signing.retire(row=old, by=author, why="不用了", now=NOW)
    new = Preparation(
        organization=house, name="采血", text="空腹。", fast_minutes=600, latest_start="09:30", source="科"
    )
    signing.approve(row=written(new, author, instead_of=old), by=second, now=NOW)
    assert set(ExamVariant.objects.filter(preparation=new).values_list("pk", flat=True)) == used
    spare = written(Preparation(organization=house, name="其他", text="无。", source="科"), author)
    signing.retire(row=spare, by=author, why="写错了", now=NOW)
    assert AuditEvent.objects.get(action="exam_signed.discarded").detail["why"] == "写错了"
