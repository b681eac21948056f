"""结算规则 in words, as its pages show it."""

from django.utils.translation import gettext as _

from appointments.models.rules import Channel
from appointments.selectors import rulebook
from billing.models import PaymentRule


def words_of(rule: PaymentRule) -> dict[str, str]:
    """Name → value."""
    said = rulebook.words_of(rule)
    names = {name: str(rule._meta.get_field(name).verbose_name) for name in ("prepaid", "late_refund", "noshow_refund")}
    said[names["prepaid"]] = _("、").join(str(Channel(one).label) for one in rule.prepaid) or _("没有：到院后付费")
    said[names["late_refund"]] = _("是") if rule.late_refund else _("否")
    said[names["noshow_refund"]] = _("是") if rule.noshow_refund else _("否")
    days = str(rule._meta.get_field("dunning_days").verbose_name)
    said[days] = _("、").join(map(str, rule.dunning_days)) or _("不催")
    return said
