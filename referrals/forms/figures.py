"""Which rows behind a figure. A wrong value in the address is as if it were not there."""

from django import forms

from appointments.forms.looking import DaysForm
from referrals.models import Referral
from referrals.selectors.counted import WORDS


class RowsForm(DaysForm):
    direction = forms.ChoiceField(choices=Referral.Direction, required=False)
    what = forms.ChoiceField(choices=list(WORDS.items()), required=False)
    institution = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    who = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    by = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    department = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    role = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def asked(self) -> tuple[str, str, dict]:
        """Direction, what, and the columns it is narrowed by."""
        self.is_valid()
        said = self.cleaned_data
        direction = said.get("direction") or Referral.Direction.UP.value
        other = "origin" if direction == Referral.Direction.UP else "receiver"
        columns = {other: "institution", "doctor": "who", "by": "by", "department": "department", "role": "role"}
        narrowed = {column: said[name] for column, name in columns.items() if said.get(name)}
        if "by" in narrowed:  # an account's own: what it typed for a doctor is the doctor's
            narrowed["doctor"] = None
        return direction, said.get("what") or "sent", narrowed
