"""检查预约规则: the house's own numbers, written as the office's other dated rules are."""

from django import forms
from django.db import models
from django.utils.translation import gettext as _

from appointments.forms.rules import ClockInput, RuleForm
from exams.models import ExamRule
from exams.policies.settings import RANGES, SEGMENTS, problems_of

FRAME = {"id", "organization", "effective_from", "effective_to"}
FIELDS = [each.name for each in ExamRule._meta.fields if each.name not in FRAME]


class ExamRuleForm(RuleForm):
    model = ExamRule

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
    column = ExamRule._meta.get_field(name)
    if name == "segment_minutes":
        return forms.TypedChoiceField(label=column.verbose_name, choices=[(n, n) for n in SEGMENTS], coerce=int)
    if isinstance(column, models.TimeField):
        return forms.TimeField(label=column.verbose_name, widget=ClockInput())
    least, most = RANGES[name]
    field = forms.IntegerField(label=column.verbose_name, help_text=f"{least}–{most}")
    field.widget.attrs = {"inputmode": "numeric"}
    return field
