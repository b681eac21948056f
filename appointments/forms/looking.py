"""Fields of what an address asks for. A wrong value is as if it were not there, and nothing is reckoned from it."""

from django import forms

YEARS = range(2000, 2101)
"""As of a file that is imported: a year beyond any hospital's is as wrong as a letter."""


class LookedDay(forms.DateField):
    def to_python(self, value):
        day = super().to_python(value)
        if day and day.year not in YEARS:
            raise forms.ValidationError(self.error_messages["invalid"])
        return day
