"""Filters of the office's week. A wrong value in the address is as if it were not there."""

from datetime import date

from django import forms
from django.db.models import Q

from appointments.models import NUMBER_KINDS
from appointments.selectors.office import Looked, monday_of
from hospital import plain
from hospital.models import HealthcareService

from .looking import LookedDay


class WeekForm(plain.Form):
    week = LookedDay(required=False)  # any day of it
    campus = forms.IntegerField(required=False)
    group = forms.CharField(required=False, max_length=20)
    department = forms.IntegerField(required=False)
    level = forms.ChoiceField(required=False, choices=[("", ""), *HealthcareService.Level.choices])
    pool = forms.ChoiceField(required=False, choices=[("", ""), *NUMBER_KINDS])
    who = forms.CharField(required=False, max_length=40, strip=True)
    schedule = forms.IntegerField(required=False)

    def asked_schedule(self) -> int | None:
        self.is_valid()
        return self.cleaned_data.get("schedule")

    def looked(self, *, organizations: frozenset[int], today: date, within: Q | None = None) -> Looked:
        self.is_valid()
        said = self.cleaned_data
        return Looked(
            monday=monday_of(said.get("week") or today),
            organizations=organizations,
            within=within or Q(),
            campus=said.get("campus"),
            group=said.get("group") or "",
            department=said.get("department"),
            level=said.get("level") or "",
            pool=said.get("pool") or "",
            who=said.get("who") or "",
        )
