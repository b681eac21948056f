"""结算规则: the house's own numbers, written as the office's other dated rules are."""

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db import models
from django.utils.translation import gettext_lazy

from appointments.forms.numbers import NumbersForm
from appointments.models.rules import Channel
from billing.models import PaymentRule
from billing.policies import rules

HINTS = {
    "prepaid": gettext_lazy(
        "勾选的渠道：要收费的号和检查先保留，付款后才确认。一个都不勾，就是到院后付费。"
        "挂号由外部系统（HIS）收费的医院不要勾窗口。"
    ),
    "paying_minutes": gettext_lazy("0–60；患者第一次打开付款码时，号至少再保留这么久。0 为不延长。"),
    "link_minutes": gettext_lazy("0–1440；从选号时算起。诊室或窗口把患者请到别处付款时用。"),
    "away_minutes": gettext_lazy("0–1440；从选号时算起。微信支付或支付宝没有响应时，号自动多保留，最长这么久。"),
    "dunning_days": gettext_lazy("到期后的天数，用逗号分开，如 0,3,7。空着不催。"),
}


class PaymentRuleForm(NumbersForm):
    model = PaymentRule
    ranges = rules.RANGES
    problems_of = staticmethod(rules.problems_of)

    def asked(self, column: models.Field) -> forms.Field:
        field = super().asked(column) if column.name in self.ranges else _field(column)
        field.help_text = HINTS.get(column.name, field.help_text)
        return field


def _field(column: models.Field) -> forms.Field:
    label = column.verbose_name
    if column.name == "prepaid":
        choices, widget = Channel.choices, forms.CheckboxSelectMultiple()
        return forms.MultipleChoiceField(label=label, choices=choices, widget=widget, required=False)
    if column.name == "dunning_days":
        said = {"item_invalid": gettext_lazy("第 %(nth)s 个天数不对：")}
        return SimpleArrayField(forms.IntegerField(min_value=0), label=label, required=False, error_messages=said)
    if isinstance(column, models.BooleanField):
        return forms.BooleanField(label=label, required=False)
    field = forms.DecimalField(label=label, max_digits=10, decimal_places=2, min_value=0)
    field.widget.attrs = {"inputmode": "decimal"}
    return field
