"""Rules, questions and preparations in words: for pages, and for what the trail keeps."""

from collections.abc import Iterable
from datetime import time

from django.utils.translation import gettext as _

from exams.models import ExamItem, ExamVariant, Follow, OrderingRule, Preparation, ScreeningQuestion
from exams.models.signed import Signed

HOUR, DAY = 60, 24 * 60


def span(minutes: int) -> str:
    """3 天, 2 天 4 小时, 30 分钟."""
    days, rest = divmod(minutes, DAY)
    hours, rest = divmod(rest, HOUR)
    parts = [_("%(n)s 天") % {"n": days}] if days else []
    parts += [_("%(n)s 小时") % {"n": hours}] if hours else []
    parts += [_("%(n)s 分钟") % {"n": rest}] if rest or not parts else []
    return " ".join(parts)


def side(rule: OrderingRule, which: str) -> str:
    """`which`: first or second. A group is marked as one."""
    group = getattr(rule, f"{which}_group")
    return _("“%(name)s”类检查") % {"name": group} if group else str(getattr(rule, f"{which}_item"))


def way(follow: str, minutes: int) -> str:
    """What holds in one direction."""
    match follow:
        case Follow.NEVER:
            return _("不可以")
        case Follow.OTHER_DAY if minutes:
            return _("不能在同一天，且至少间隔 %(span)s") % {"span": span(minutes)}
        case Follow.OTHER_DAY:
            return _("不能在同一天")
        case _ if minutes:
            return _("至少间隔 %(span)s") % {"span": span(minutes)}
    return _("可以，间隔不限")


def sentence_of(rule: OrderingRule) -> str:
    """The rule in plain words: 同一天里先做甲，再做乙；先做了乙的，甲要改天做。"""
    said = _order_of(rule)
    if rule.one_sitting:
        said += _("可以在同一次麻醉中接着做。")
    if rule.question_id:
        said += _("仅当“%(question)s”回答“%(answers)s”时，或没有问过时。") % {
            "question": rule.question.text, "answers": answers_of(rule),
        }  # fmt: skip
    return said


def _order_of(rule: OrderingRule) -> str:
    names = {"first": side(rule, "first"), "second": side(rule, "second")}
    forward, reverse = way(rule.forward, rule.forward_minutes), way(rule.reverse, rule.reverse_minutes)
    names |= {"forward": forward, "reverse": reverse, "span": span(rule.reverse_minutes)}
    free = rule.forward == Follow.GAP and not rule.forward_minutes
    if forward == reverse:
        return _("%(first)s和%(second)s，不论先后：%(forward)s。") % names
    if free and rule.reverse == Follow.NEVER:
        return _("先做%(first)s，再做%(second)s；不能反过来。") % names
    if free and rule.reverse == Follow.OTHER_DAY and not rule.reverse_minutes:
        return _("同一天里先做%(first)s，再做%(second)s；先做了%(second)s的，%(first)s要改天做。") % names
    if free and rule.reverse == Follow.GAP:
        return _("先做%(first)s，再做%(second)s；先做了%(second)s的，至少间隔 %(span)s再做%(first)s。") % names
    return _("先做%(first)s、后做%(second)s：%(forward)s；反过来：%(reverse)s。") % names


def answers_of(rule: OrderingRule) -> str:
    """The texts of the answers that a rule is for; a code whose answer is gone stays a code."""
    texts = {answer.code: answer.text for answer in rule.question.answers.all()}
    return _("、").join(texts.get(code, code) for code in rule.answers)


def words_of(row: Signed) -> dict[str, str]:
    """Name → value, as pages show it and as the trail keeps it."""
    match row:
        case Preparation():
            said = _preparation(row)
        case ScreeningQuestion():
            said = _question(row)
        case OrderingRule():
            said = {_("名称"): row.name, _("规则"): sentence_of(row), _("原因"): row.why}
    return said | {_("依据"): row.source}


def _preparation(row: Preparation) -> dict[str, str]:
    return {
        _("名称"): row.name,
        _("准备说明"): row.text,
        _("禁食"): span(row.fast_minutes) if row.fast_minutes else _("不用"),
        _("空腹最晚开始"): f"{row.latest_start:%H:%M}" if row.latest_start else "–",
        _("至少提前"): span(row.lead_minutes) if row.lead_minutes else "–",
        _("憋尿"): yes(row.full_bladder),
        _("家属陪同"): yes(row.escort),
    }


def yes(value: bool) -> str:
    return _("是") if value else _("否")


def _question(row: ScreeningQuestion) -> dict[str, str]:
    when = [_("预约前")] if row.before_booking else []
    when += [_("报到时")] if row.at_check_in else []
    said = {
        _("问题"): row.text,
        _("说明"): row.hint or "–",
        _("问谁"): whom(row),
        _("什么检查"): exams_of(row),
        _("什么时候问"): _("、").join(when),
        _("顺序"): str(row.order),
    }
    for answer in row.answers.all():
        parts = [answer.get_effect_display(), answer.sentence]
        if answer.first:
            parts.append(_("须先做：%(item)s") % {"item": answer.first})
        said[_("答“%(text)s”") % {"text": answer.text}] = _("；").join(filter(None, parts))
    return said


def whom(row: ScreeningQuestion) -> str:
    parts = [str(row.get_sex_display())] if row.sex else []
    if row.min_age is not None:
        parts.append(_("满 %(age)s 岁") % {"age": row.min_age})
    if row.max_age is not None:
        parts.append(_("%(age)s 岁及以下") % {"age": row.max_age})
    return _("、").join(parts) or _("所有人")


def exams_of(row: ScreeningQuestion) -> str:
    named = [*(_("“%(name)s”类检查") % {"name": group} for group in row.groups.all()), *map(str, row.items.all())]
    return _("、").join(named) or _("所有检查")


def words_of_item(item: ExamItem, variants: Iterable[ExamVariant]) -> dict[str, str]:
    """An item with its ways, as the trail keeps it."""
    names = ("name", "modality", "body_part", "equivalence", "valid_days", "result_minutes", "simple", "active")
    said = {str(item._meta.get_field(name).verbose_name): _shown(item, name) for name in names}
    for variant in variants:
        said[str(variant.get_kind_display())] = _variant(variant)
    return said


def _shown(row, name: str) -> str:
    value = getattr(row, name)
    if isinstance(value, bool):
        return yes(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    shown = getattr(row, f"get_{name}_display", None)
    return str(shown() if shown else value)


def _variant(variant: ExamVariant) -> str:
    if not variant.active:
        return _("停用")
    parts = [_("检查 %(minutes)s 分钟") % {"minutes": variant.minutes}]
    parts += [_("前 %(minutes)s 分钟") % {"minutes": variant.before}] if variant.before else []
    parts += [_("后 %(minutes)s 分钟") % {"minutes": variant.after}] if variant.after else []
    parts.append(_("价目 %(code)s") % {"code": variant.price_code})
    parts += [str(variant.preparation)] if variant.preparation else []
    groups = _("、").join(sorted(group.name for group in variant.groups.all()))
    return _("；").join([*parts, groups] if groups else parts)
