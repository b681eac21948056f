"""A house's own numbers, dated: one field for each column of the row."""

from collections.abc import Callable, Iterable

from django import forms
from django.db import models
from django.utils.translation import gettext as _

from appointments.models.rules import Dated
from appointments.policies.rules import Problem

from .rules import ClockInput, RuleForm

FRAME = {"id", "organization", "effective_from", "effective_to"}


class NumbersForm(RuleForm):
    """A subclass names its model, from and to of each number, and what a row may not say."""

    ranges: dict[str, tuple[int, int]]
    problems_of: Callable[[Dated], Iterable[Problem]]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self.names():
            self.fields[name] = self.asked(self.model._meta.get_field(name))
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])

    @classmethod
    def names(cls) -> list[str]:
        return [each.name for each in cls.model._meta.fields if each.name not in FRAME]

    def asked(self, column: models.Field) -> forms.Field:
        """A time of day, else a whole number. A subclass knows better."""
        if isinstance(column, models.TimeField):
            return forms.TimeField(label=column.verbose_name, widget=ClockInput())
        least, most = self.ranges[column.name]
        field = forms.IntegerField(label=column.verbose_name, help_text=f"{least}–{most}")
        field.widget.attrs = {"inputmode": "numeric"}
        return field

    def clean(self):
        said = super().clean()
        if said.get("effective_from") == self.today:
            self.add_error("effective_from", _("今天已经按原来的规则办理，请从明天或以后开始。"))
        if self.readable():
            self.blame(self.problems_of(self.draft()))
        return said
