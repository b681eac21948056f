"""The diagnosis, wherever one is written: a code that was picked, or words of one's own."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hospital import plain
from referrals.selectors import icd10

MOST = 120
"""Characters, as the columns hold."""


class DiagnosisFields(forms.Form):
    """Mixed into a form: `diagnosis_code` and `diagnosis`, cleaned together. Drawn by referrals/icd10/_field.html.

    The one box is typed into, whether to search or to say it in words; what it finds are radios, so that picking needs
    no script. A code is of the list, or none. What only looks for one (gxy) is no diagnosis: `needs_pick` says so,
    and so does the form, unless it is a draft.
    """

    drafting = False

    diagnosis_code = forms.CharField(
        label=gettext_lazy("ICD-10"), max_length=10, required=False, widget=forms.HiddenInput
    )
    diagnosis = forms.CharField(label=gettext_lazy("诊断"), max_length=MOST, required=False)

    def clean_diagnosis_code(self) -> str:
        row = icd10.find(self.cleaned_data["diagnosis_code"])
        return row.code if row else ""

    def clean(self):
        said = super().clean() or self.cleaned_data
        said["diagnosis_code"] = icd10.meant(said.get("diagnosis_code", ""), said.get("diagnosis", ""))
        if self.needs_pick and not self.drafting:
            self.ask_to_pick()
        said["diagnosis"] = icd10.named(said.get("diagnosis_code", ""), said.get("diagnosis", ""))[:MOST]
        return said

    @property
    def typed(self) -> str:
        """What stands in the box."""
        return str(self["diagnosis"].value() or "")

    @property
    def needs_pick(self) -> bool:
        return icd10.only_searched(self._posted_code, self.typed)

    def ask_to_pick(self) -> None:
        said = {"typed": self.typed.strip()}
        self.add_error("diagnosis", _("“%(typed)s”只能用来查找，请从下面选一个诊断，或用中文写。") % said)

    @property
    def picked(self) -> icd10.Code | None:
        return icd10.find(icd10.meant(self._posted_code, self.typed))

    @property
    def _posted_code(self) -> str:
        return str(self["diagnosis_code"].value() or "")

    @property
    def found(self) -> list[icd10.Code]:
        """What fits what was typed; the picked one is among them."""
        rows = icd10.search(self.typed)
        return rows if self.picked is None or self.picked in rows else [self.picked, *rows]


class DiagnosisForm(DiagnosisFields, plain.Form):
    """The field alone, while it is typed into."""
