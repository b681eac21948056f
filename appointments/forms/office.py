"""Filters of the office's week. A wrong value in the address is as if it were not there."""

from datetime import date

from django import forms

from appointments.models import Pool
from appointments.selectors.office import Looked, monday_of
from hospital.models import HealthcareService


class WeekForm(forms.Form):
    week = forms.DateField(required=False)  # any day of it
    campus = forms.IntegerField(required=False)
    group = forms.CharField(required=False, max_length=20)
    level = forms.ChoiceField(required=False, choices=[("", ""), *HealthcareService.Level.choices])
    pool = forms.ChoiceField(required=False, choices=[("", ""), *Pool.Kind.choices])
    schedule = forms.IntegerField(required=False)

    def looked(self, *, organizations: frozenset[int], today: date) -> Looked:
        self.is_valid()
        said = self.cleaned_data
        return Looked(
            monday=monday_of(said.get("week") or today),
            organizations=organizations,
            campus=said.get("campus"),
            group=said.get("group") or "",
            level=said.get("level") or "",
            pool=said.get("pool") or "",
        )
