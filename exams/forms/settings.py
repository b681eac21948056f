"""检查预约规则: the house's own numbers, written as the office's other dated rules are."""

from django import forms
from django.db import models

from appointments.forms.numbers import NumbersForm
from exams.models import ExamRule
from exams.policies import settings


class ExamRuleForm(NumbersForm):
    model = ExamRule
    ranges = settings.RANGES
    problems_of = staticmethod(settings.problems_of)

    def asked(self, column: models.Field) -> forms.Field:
        if column.name == "segment_minutes":
            choices = [(n, n) for n in settings.SEGMENTS]
            return forms.TypedChoiceField(label=column.verbose_name, choices=choices, coerce=int)
        return super().asked(column)
