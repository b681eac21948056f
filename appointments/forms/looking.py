"""Days as they are asked for or typed. In an address a wrong one is as if it were not there, in a form it is said at
its field: either way nothing is reckoned from it.
"""

from django import forms

YEARS = range(2000, 2101)
"""As of a file that is imported: a year beyond any hospital's is as wrong as a letter."""


class LookedDay(forms.DateField):
    """At the ends of the calendar the next week cannot be reckoned."""

    def to_python(self, value):
        day = super().to_python(value)
        if day and day.year not in YEARS:
            raise forms.ValidationError(self.error_messages["invalid"])
        return day
