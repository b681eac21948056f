"""Shapes of input at the desk."""

import re
from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from hospital import identity, patients, plain
from hospital.errors import Refused
from hospital.models import Patient, PatientIdentifier

LATEST = timedelta(days=366)
"""The day picker's last day; how far numbers exist is the supply's matter."""


class PriorityField(forms.TypedChoiceField):
    """0 in turn, 1 people whom the house serves first, 2 urgent (docs/decisions/0008-queue-order.md)."""

    CHOICES = [(0, _("按序")), (1, _("优先")), (2, _("紧急"))]

    def __init__(self, **kwargs):
        super().__init__(choices=self.CHOICES, coerce=int, empty_value=0, required=False, label=_("次序"), **kwargs)


class SearchForm(plain.Form):
    q = forms.CharField(label=_("证件号、手机、门诊号、姓名或拼音首字母"), max_length=80, strip=True)


class CheckInForm(plain.Form):
    document_seen = forms.BooleanField(required=False)
    priority = PriorityField()


class GiveForm(CheckInForm):
    schedule = forms.IntegerField()
    request_key = forms.UUIDField()


class MoveForm(plain.Form):
    schedule = forms.IntegerField()
    request_key = forms.UUIDField()


class CancelForm(plain.Form):
    reason = forms.CharField(label=_("退号原因"), max_length=100, required=False, strip=True)
    request_key = forms.UUIDField()


class NumbersForm(plain.Form):
    """Which numbers are looked at; a wrong value in the address is as if it were not there."""

    department = forms.IntegerField(required=False)
    day = forms.DateField(required=False)
    q = forms.CharField(required=False, max_length=40)
    move = forms.IntegerField(required=False)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)

    def day_from(self, today: date) -> date:
        day = self.said("day") or today
        return min(max(day, today), today + LATEST)


class RegistrationForm(plain.Form):
    """建档. What an identity card's number says of its holder need not be typed."""

    name = forms.CharField(label=_("姓名"), max_length=40)
    kind = forms.ChoiceField(label=_("证件类型"), choices=PatientIdentifier.Kind.choices)
    number = forms.CharField(label=_("证件号码"), max_length=64)
    phone = forms.CharField(label=_("手机"), max_length=20, required=False)
    sex = forms.ChoiceField(label=_("性别"), choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN, required=False)
    birth_date = forms.DateField(
        label=_("出生日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    insurance = forms.ChoiceField(
        label=_("医保"), choices=Patient.Insurance.choices, initial=Patient.Insurance.NONE, required=False
    )
    seen = forms.BooleanField(label=_("已核对证件原件和本人"), required=False)

    existing: Patient | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for name in ("name", "number", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.fields["number"].help_text = _("18 位证件会核对校验位，并带出性别和出生日期。")

    def clean_phone(self) -> str:
        phone = self.cleaned_data["phone"].strip()
        return self._read(identity.read_phone, phone) if phone else ""

    def clean(self):
        said = super().clean()
        kind, number = said.get("kind"), said.get("number")
        if not (kind and number):
            return said
        try:
            self.existing = patients.find_by_document(kind=kind, number=number)
        except Refused as refusal:
            self.add_error("number", refusal.sentence)
        if self.existing:
            self.add_error("number", _("这个证件已经建档。"))
        return said

    @staticmethod
    def _read(read, text: str) -> str:
        try:
            return read(text)
        except Refused as refusal:
            raise ValidationError(refusal.in_full) from None

    @staticmethod
    def initial_from(text: str) -> dict:
        """What was searched for and not found, put where it belongs."""
        text = text.strip()
        written = identity.one_form(text)
        if not text:
            return {}
        if patients.HAN.search(text):
            return {"name": text}
        if re.fullmatch(r"1\d{10}", written):
            return {"phone": written}
        if re.fullmatch(r"\d{17}[\dX]", written):
            return {"number": written, "kind": PatientIdentifier.Kind.ID_CARD}
        return {"number": written} if re.search(r"\d", written) else {}
