"""结算规则: the house's own numbers, written as the office's other dated rules are."""

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.forms.rules import RuleForm
from appointments.models.rules import Channel
from billing.models import PaymentRule
from billing.policies.rules import RANGES, problems_of

FRAME = {"id", "organization", "effective_from", "effective_to"}
FIELDS = [each.name for each in PaymentRule._meta.fields if each.name not in FRAME]
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


class PaymentRuleForm(RuleForm):
    model = PaymentRule

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in FIELDS:
            self.fields[name] = _field(name)
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])

    def clean(self):
        said = super().clean()
        if said.get("effective_from") == self.today:
            self.add_error("effective_from", _("今天已经按原来的规则办理，请从明天或以后开始。"))
        if self.readable():
            self.blame(problems_of(self.draft()))
        return said


def _field(name: str) -> forms.Field:
    column = PaymentRule._meta.get_field(name)
    label, hint = column.verbose_name, HINTS.get(name, "")
    if name == "prepaid":
        return forms.MultipleChoiceField(
            label=label, choices=Channel.choices, widget=forms.CheckboxSelectMultiple(), required=False, help_text=hint
        )
    if name == "dunning_days":
        return SimpleArrayField(forms.IntegerField(min_value=0), label=label, required=False, help_text=hint)
    if name in RANGES:
        least, most = RANGES[name]
        field = forms.IntegerField(label=label, help_text=hint or f"{least}–{most}")
        field.widget.attrs = {"inputmode": "numeric"}
        return field
    if column.get_internal_type() == "BooleanField":
        return forms.BooleanField(label=label, required=False, help_text=hint)
    field = forms.DecimalField(label=label, max_digits=10, decimal_places=2, min_value=0, help_text=hint)
    field.widget.attrs = {"inputmode": "decimal"}
    return field
