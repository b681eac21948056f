"""家属 (B22): may this person be added, and why not. Pure: told everything, asks nothing."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from .errors import Refused
from .models import AccountRule, RelatedPerson

Relation = RelatedPerson.Relation


class FamilyFull(Refused):
    code = "family_full"
    message = _("一个账号最多添加 %(limit)s 位就诊人，已经满了。")
    next_step = _("请先解除一位不再需要的就诊人，或用另一个手机号登录后添加。")


class TooManyAdditions(Refused):
    """Scalpers collect names: an account that keeps adding and removing people is stopped (B16)."""

    code = "too_many_additions"
    message = _("最近 30 天添加就诊人的次数太多，已达到 %(limit)s 次。")
    next_step = _("请过些天再添加，或带证件到窗口办理。")


class SecondSelf(Refused):
    code = "second_self"
    message = _("这个账号已经有一位“本人”了。")
    next_step = _("请为这位就诊人选择其他关系；要换“本人”，请带证件和手机到窗口更改。")


class AlreadyYours(Refused):
    code = "already_in_family"
    message = _("这位就诊人已经在您的账号里了。")
    next_step = _("不用重复添加，直接为其预约即可。")


class ChildHasNoAccount(Refused):
    code = "child_account"
    message = _("未满 %(age)s 周岁的儿童不能作为账号“本人”。")
    next_step = _("请由父母或其他监护人用自己的手机号登录，再把孩子添加为就诊人。")


class GuardianNeeded(Refused):
    """The form asks for what is missing; nothing was written."""

    code = "guardian_needed"
    status = 422
    message = _("这位就诊人未满 %(age)s 周岁，需要监护人同意。")
    next_step = _("请阅读儿童个人信息处理规则，确认您是监护人并同意后再添加。")


class TooManyWrongTries(Refused):
    code = "too_many_wrong_documents"
    status = 429
    message = _("今天输错的次数太多，暂时不能再添加就诊人。")
    next_step = _("请明天再试，或带证件到窗口办理绑定。")


def age_on(birth: date | None, day: date) -> int | None:
    """Whole years."""
    if birth is None:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def is_child(birth: date | None, *, rule: AccountRule, day: date) -> bool:
    """Under the age until which a guardian decides, on the hospital's day. An unknown birth date is taken for an
    adult's: the window sees the document."""
    age = age_on(birth, day)
    return age is not None and age < rule.guarded_until


def refusal_to_try(*, wrong_today: int, rule: AccountRule) -> Refused | None:
    """A name is guessed for a document that was bought: few tries a day."""
    return TooManyWrongTries() if wrong_today >= rule.binding_tries else None


def refusal_to_add(*, family: list[RelatedPerson], added_lately: int, relation: str, rule: AccountRule):
    """May the account take one more person in this relation?"""
    if len(family) >= rule.family_limit:
        return FamilyFull(limit=rule.family_limit)
    if added_lately >= rule.additions:
        return TooManyAdditions(limit=rule.additions)
    return refusal_of_relation(others=family, relation=relation)


def refusal_of_relation(*, others: list[RelatedPerson], relation: str) -> Refused | None:
    if relation == Relation.SELF and any(row.relation == Relation.SELF for row in others):
        return SecondSelf()
    return None


def refusal_of_child(birth: date | None, *, relation: str, agreed: bool, rule: AccountRule, day: date):
    """`agreed`: the account says that it is the guardian and agrees to the children's rules."""
    if not is_child(birth, rule=rule, day=day):
        return None
    if relation == Relation.SELF:
        return ChildHasNoAccount(age=rule.guarded_until)
    return None if agreed else GuardianNeeded(age=rule.guarded_until)


def free_place(family: list[RelatedPerson], *, limit: int) -> int:
    """The lowest place nobody has. There is one while the family is not full."""
    taken = {row.place for row in family}
    return next(place for place in range(1, limit + 1) if place not in taken)
