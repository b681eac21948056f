"""Shapes of input at the operators' page. A wrong value in the address is as if it were not there."""

import re
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import plain

from .desk import RegistrationForm
from .looking import YEARS, LookedDay

PLACE = re.compile(r"(department|role|team)-(\d{1,18})")
SLICE = re.compile(r"(\d{1,18})@(\S{10,40})")


@dataclass(frozen=True)
class Slice:
    schedule: int
    start: datetime


def read_slice(text: str) -> Slice | None:
    """'345@2026-11-25T08:30:00+08:00' → schedule and moment."""
    found = SLICE.fullmatch(text or "")
    if not found:
        return None
    try:
        start = datetime.fromisoformat(found[2])
    except ValueError:
        return None
    return Slice(int(found[1]), start) if start.tzinfo and start.year in YEARS else None


class LookForm(plain.Form):
    """Where the operator looks: place, from which day, day, slice; and which booking is being moved."""

    q = forms.CharField(required=False, max_length=40, strip=True)
    at = forms.RegexField(PLACE, required=False, strip=True)
    since = LookedDay(required=False)
    day = LookedDay(required=False)
    slot = forms.CharField(required=False, max_length=60)
    move = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    done = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)

    @property
    def place(self) -> tuple[str, int] | None:
        found = PLACE.fullmatch(self.said("at") or "")
        return (found[1], int(found[2])) if found else None

    @property
    def slice(self) -> Slice | None:
        return read_slice(self.said("slot"))


class BookForm(plain.Form):
    slot = forms.CharField(max_length=60)
    move = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    request_key = forms.UUIDField()

    def clean_slot(self) -> Slice:
        found = read_slice(self.cleaned_data["slot"])
        if found is None:
            raise forms.ValidationError(_("请重新选一个时段。"))
        return found


class CallerForm(RegistrationForm):
    """建档 of somebody who calls: nobody holds the document in hand."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["seen"]


class HereForm(RegistrationForm):
    """建档 of somebody who stands before the operator: ward, lower institution."""
