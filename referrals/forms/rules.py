"""转诊规则: written as the office's other dated rules are."""

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.rules import RuleForm
from referrals.models import ReferralRule
from referrals.policies.rules import RANGES, problems_of

HELP = {
    "urgent_minutes": _("对方补充资料、绿色通道患者到院，也按这个时限催办"),
    "answer_hours": _("常规转诊的工作日小时数"),
}


class ReferralRuleForm(RuleForm):
    model = ReferralRule

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, (least, most) in RANGES.items():
            column = ReferralRule._meta.get_field(name)
            help_text = " ".join(filter(None, [f"{least}–{most}", str(HELP.get(name, ""))]))
            field = forms.IntegerField(label=column.verbose_name, help_text=help_text)
            field.widget.attrs = {"inputmode": "numeric"}
            self.fields[name] = field
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])

    def clean(self):
        said = super().clean()
        if self.readable():
            self.blame(problems_of(self.draft()))
        return said
