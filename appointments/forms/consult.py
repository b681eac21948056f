"""Shape of what the consult room's address and forms may carry."""

from collections.abc import Sequence
from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.selectors.consult import DEFAULT_WEEKS, Wish
from hospital import plain
from hospital.models import HealthcareService

KINDS = [
    ("own", _("本人复诊")),
    ("other", _("他科门诊")),
    ("team", _("专家团队")),
    ("booked", _("已有预约")),
    ("leader", _("组内转诊")),
]
INTERVALS = [(1, _("1周"), "Q"), (2, _("2周"), "W"), (4, _("4周"), "E"), (13, _("3个月"), "R")]
"""Weeks, words, key. Three months are 13 weeks, so that the weekday stays."""


class WishForm(plain.Form):
    """The address of the page. What is missing or makes no sense falls back to the likeliest."""

    kind = forms.ChoiceField(choices=KINDS, required=False)
    weeks = forms.IntegerField(min_value=0, max_value=52, required=False)
    day = forms.DateField(required=False)
    department = forms.IntegerField(min_value=1, required=False)
    level = forms.ChoiceField(choices=HealthcareService.Level, required=False)
    role = forms.IntegerField(min_value=1, required=False)
    team = forms.IntegerField(min_value=1, required=False)
    schedule = forms.IntegerField(min_value=1, required=False)
    move = forms.IntegerField(min_value=1, required=False)
    extra = forms.BooleanField(required=False)
    q = forms.CharField(max_length=40, required=False)

    def __init__(self, data, *, more_kinds: Sequence[tuple[str, str]] = ()):
        """`more_kinds`: what other apps put on the page."""
        super().__init__(data)
        self.fields["kind"].choices = [*KINDS, *more_kinds]
        self.is_valid()

    def said(self, name: str):
        return self.cleaned_data.get(name) or None

    def wish(self, *, today: date, half: str) -> Wish:
        day = self.said("day")
        if day is None or not today <= day <= today + timedelta(weeks=52):
            day = today + timedelta(weeks=self.interval or DEFAULT_WEEKS)
        return Wish(
            kind=self.said("kind") or "own",
            day=day,
            half=half,
            department=self.said("department"),
            level=self.said("level") or "",
            role=self.said("role"),
            team=self.said("team"),
            schedule=self.said("schedule"),
        )

    @property
    def interval(self) -> int | None:
        """The interval key that is pressed: none when a day was chosen by date."""
        return None if self.said("day") else self.said("weeks") or DEFAULT_WEEKS


class LineForm(plain.Form):
    """One key pressed on a number: take it into the basket."""

    schedule = forms.IntegerField(min_value=1)
    number = forms.IntegerField(min_value=1)
    request_key = forms.CharField(max_length=36)


class ReferralForm(plain.Form):
    """组内转诊: why the leading expert should see this patient (B11)."""

    reason = forms.CharField(
        label=_("转诊理由"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("请写明转诊理由。")},
    )


class ExtraForm(plain.Form):
    """加号 (B10): one number beyond the schedule's, for this patient, with a reason that is kept."""

    schedule = forms.IntegerField(min_value=1)
    reason = forms.CharField(label=_("加号理由"), max_length=100, required=False)
    request_key = forms.CharField(max_length=36)
