"""May medical data read like this, and who may put it in force? Pure: the form says it beside the field, the service
refuses."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from appointments.policies.rules import Problem
from exams.errors import NeedsSecondPerson, SignedOver
from exams.models import Follow, OrderingRule, Preparation, ScreeningAnswer, ScreeningQuestion
from exams.models.signed import Signed
from hospital.errors import Refused

LONGEST_GAP = 14 * 24 * 60
"""Minutes. The planner looks two weeks ahead (and the table refuses more)."""

LONGEST_FAST = 24 * 60
LONGEST_LEAD = 7 * 24 * 60
"""Minutes. Longer than a day without food, or a week of preparation, is a slip of the pen."""

OLDEST = 130
FEWEST_ANSWERS = 2


def problems_of(row: Signed, answers: Sequence[ScreeningAnswer] = ()) -> list[Problem]:
    """What is wrong with a preparation, a question with its answers, or a rule."""
    found = [] if row.source.strip() else [Problem(_("请写明依据，如科室规定或指南名称。"), "source")]
    match row:
        case Preparation():
            found += _of_preparation(row)
        case ScreeningQuestion():
            found += [*_of_question(row), *_of_answers(answers)]
        case OrderingRule():
            found += _of_rule(row)
    return found


def _of_preparation(row: Preparation) -> Iterable[Problem]:
    if row.fast_minutes > LONGEST_FAST:
        yield Problem(_("禁食不会超过 24 小时，请核对。"), "fast_minutes")
    if row.fast_minutes and row.latest_start is None:
        yield Problem(_("需要禁食的，要写空腹最晚几点开始检查，免得患者空腹太久。"), "latest_start")
    if not row.fast_minutes and row.latest_start is not None:
        yield Problem(_("不用禁食的，不写空腹最晚开始时间。"), "latest_start")
    if row.lead_minutes > LONGEST_LEAD:
        yield Problem(_("提前准备不会超过 7 天，请核对。"), "lead_minutes")


def _of_question(row: ScreeningQuestion) -> Iterable[Problem]:
    if not row.before_booking and not row.at_check_in:
        yield Problem(_("预约前和报到时至少要问一次。"), "at_check_in")
    low, high = row.min_age, row.max_age
    if low is not None and high is not None and low > high:
        yield Problem(_("不能小于起始年龄。"), "max_age")
    for name in ("min_age", "max_age"):
        if (getattr(row, name) or 0) > OLDEST:
            yield Problem(_("年龄应在 0 到 %(most)s 之间。") % {"most": OLDEST}, name)


def _of_answers(answers: Sequence[ScreeningAnswer]) -> Iterable[Problem]:
    if len(answers) < FEWEST_ANSWERS:
        yield Problem(_("至少写两个答案。"))
    if answers and not any(answer.effect in (Effect.OK, Effect.WARN) for answer in answers):
        yield Problem(_("至少要有一个答案可以检查，否则谁都不能做。"))
    seen: dict[str, int] = {}
    for row, answer in enumerate(answers):
        if answer.text in seen:
            yield Problem(_("和第 %(row)s 个答案一样。") % {"row": seen[answer.text] + 1}, "text", row)
        seen.setdefault(answer.text, row)
        if answer.effect != Effect.OK and not answer.sentence.strip():
            yield Problem(_("要告诉患者为什么、下一步怎么办。"), "sentence", row)
        if answer.first_id and answer.effect != Effect.CHECK:
            yield Problem(_("只有“先完成检查或评估”才写须先做的检查。"), "first", row)


Effect = ScreeningAnswer.Effect


def _of_rule(row: OrderingRule) -> Iterable[Problem]:
    for name, sentence in (("first", _("请选甲。")), ("second", _("请选乙。"))):
        if not getattr(row, f"{name}_group_id") and not getattr(row, f"{name}_item_id"):
            yield Problem(sentence, name)
    if row.forward == Follow.NEVER and row.reverse == Follow.NEVER:
        yield Problem(_("两个方向都不可以，就谁也不能都做。至少留一个方向。"), "reverse")
    for way in ("forward", "reverse"):
        follow, minutes = getattr(row, way), getattr(row, f"{way}_minutes")
        if minutes > LONGEST_GAP:
            yield Problem(_("间隔最长 14 天。"), f"{way}_minutes")
        if follow == Follow.NEVER and minutes:
            yield Problem(_("“不可以”没有间隔，请留空。"), f"{way}_minutes")
    same = (row.first_group_id, row.first_item_id) == (row.second_group_id, row.second_item_id)
    if same and any((row.first_group_id, row.first_item_id)) and row.forward != row.reverse:
        yield Problem(_("甲和乙相同时没有先后，两个方向要一样。"), "second")
    if row.one_sitting and (row.forward_minutes or row.reverse_minutes):
        yield Problem(_("同一次麻醉完成的，不能再要求间隔。"), "one_sitting")
    if row.one_sitting and not (row.forward == row.reverse == Follow.GAP):
        yield Problem(_("同一次麻醉完成的，两个方向都要选“间隔至少”，间隔留空。"), "one_sitting")
    if not row.one_sitting and _says_nothing(row):
        yield Problem(_("两个方向都没有限制，这条规则什么也没有说。"), "forward")
    if bool(row.question_id) != bool(row.answers):
        yield Problem(_("“仅当”要选一个问题，并至少勾选它的一个答案。"), "answers")


def _says_nothing(row: OrderingRule) -> bool:
    return row.forward == row.reverse == Follow.GAP and not row.forward_minutes and not row.reverse_minutes


def refusal_to_approve(row: Signed, *, by_id: int, author_id: int | None) -> Refused | None:
    """Four eyes: whoever wrote this version does not approve it. A version nobody of the house wrote (imported) is
    approved by anybody of the office."""
    if row.approved_at is not None or row.retired_at is not None:
        return SignedOver()
    if author_id is not None and author_id == by_id:
        return NeedsSecondPerson()
    return None
