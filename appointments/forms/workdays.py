"""A holiday or a make-up workday as it is typed."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.policies.workday import problem
from hospital import plain
from hospital.models import CalendarDay, Organization
from hospital.models.time import Weekday

from .templates import day_field


class DayForm(plain.Form):
    day = day_field(label=_("日期"))
    kind = forms.ChoiceField(label=_("类型"), choices=CalendarDay.Kind.choices)
    name = forms.CharField(label=_("名称"), max_length=40, strip=True)
    follows = forms.TypedChoiceField(
        label=_("按周几出诊"), choices=[("", _("（放假不填）")), *Weekday.choices], coerce=int, empty_value=None,
        required=False,
    )  # fmt: skip

    def __init__(self, *args, organization: Organization, today: date, row: CalendarDay | None = None, **kwargs):
        if row is not None:
            kwargs["initial"] = {name: getattr(row, name) for name in ("day", "kind", "name", "follows")}
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization, self.today, self.row = organization, today, row
        self.fields["follows"].help_text = _("只在调休上班时填：这一天按周几的模板出诊。")

    def clean(self):
        said = super().clean()
        if self.errors:
            return said
        self.wanted = CalendarDay(pk=self.row and self.row.pk, organization=self.organization, **said)
        twin = CalendarDay.objects.filter(organization=self.organization, day=said["day"])
        twin = twin.exclude(pk=self.wanted.pk).first()
        wrong = problem(self.wanted, was=self.row, twin=twin, today=self.today)
        if wrong:
            self.add_error(*wrong)
        return said
