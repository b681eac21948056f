"""What a patient's address may ask for. Nothing here is an error to show: what makes no sense is as if not asked."""

import re
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError

from appointments.selectors.patient.doctors import Wanted
from appointments.selectors.patient.places import LONGEST
from appointments.selectors.patient.slices import Chosen
from hospital import plain
from hospital.models import HealthcareService

SLOT = re.compile(r"^(\d{1,18})@(\S{16,40})$")
MOST = 2**62
YEARS = range(2000, 2201)  # at the ends of the calendar there is no other time zone


class DayField(forms.DateField):
    def __init__(self):
        super().__init__(required=False, input_formats=["%Y-%m-%d"])


class SlotField(forms.CharField):
    """A slice as its radio sends it: <schedule>@<first moment, ISO 8601 with offset>."""

    def clean(self, value):
        text = super().clean(value).strip().replace(" ", "+")  # a plus sign that was not written as %2B
        if not text:
            return None
        parts = SLOT.match(text)
        try:
            start = datetime.fromisoformat(parts[2]) if parts else None
        except ValueError:
            start = None
        if start is None or start.tzinfo is None or start.year not in YEARS:
            raise ValidationError("no slice")
        return Chosen(schedule=int(parts[1]), start=start)


class Asked(plain.Form):
    """Fields that are not understood are left out of `given`."""

    @property
    def given(self) -> dict:
        self.is_valid()
        return self.cleaned_data


class DepartmentsAsked(Asked):
    q = forms.CharField(required=False, max_length=10 * LONGEST)
    campus = forms.IntegerField(required=False, min_value=1, max_value=MOST)


class DoctorsAsked(Asked):
    day = DayField()
    left = forms.BooleanField(required=False)
    campus = forms.IntegerField(required=False, min_value=1, max_value=MOST)
    level = forms.ChoiceField(required=False, choices=HealthcareService.Level.choices)

    @property
    def wanted(self) -> Wanted:
        given = self.given
        return Wanted(with_numbers=given.get("left", False), campus=given.get("campus"), level=given.get("level", ""))


class SlotsAsked(Asked):
    day = DayField()
    slot = SlotField(required=False)
    lost = forms.BooleanField(required=False)
    patient = forms.IntegerField(required=False, min_value=1, max_value=MOST)  # carried on to the next step
    seen = forms.CharField(required=False, max_length=64)  # what the page shows already, of a refresh
