"""转诊规则: written as the office's other dated rules are."""

from django import forms

from appointments.forms.rules import RuleForm
from referrals.models import ReferralRule
from referrals.policies.rules import RANGES, problems_of


class ReferralRuleForm(RuleForm):
    model = ReferralRule

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, (least, most) in RANGES.items():
            column = ReferralRule._meta.get_field(name)
            field = forms.IntegerField(label=column.verbose_name, help_text=f"{least}–{most}")
            field.widget.attrs = {"inputmode": "numeric"}
            self.fields[name] = field
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])

    def clean(self):
        said = super().clean()
        if self.readable():
            self.blame(problems_of(self.draft()))
        return said
