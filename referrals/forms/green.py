"""预留 for a green channel's patient (R5)."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from hospital import clock, plain
from referrals.models import GreenCall

Capacity, State = GreenCall.Capacity, GreenCall.State


class ArrangeForm(plain.Form):
    """A time of day is the next such moment: who is expected at 00:20 comes after midnight."""

    capacity = forms.ChoiceField(label=_lazy("要预留什么"), choices=Capacity, widget=forms.RadioSelect)
    state = forms.ChoiceField(label=_lazy("现在怎样"), choices=State, required=False, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_lazy("送到哪里、怎么说"), required=False, max_length=200, strip=True,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text=_lazy("转出医生马上看到，如：直接送急诊抢救室 2 床。"),
    )  # fmt: skip
    team_told = forms.CharField(
        label=_lazy("已通知谁"), required=False, max_length=200, strip=True,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text=_lazy("如：胸痛中心值班 李医生，14:32 电话。"),
    )  # fmt: skip
    expected = forms.TimeField(
        label=_lazy("预计几点到"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args, call: GreenCall, now: datetime, **kwargs):
        initial = {
            "capacity": call.capacity if call.state or call.note else "",  # nobody has said yet
            "state": call.state or State.ASKED,
            "note": call.note,
            "team_told": call.team_told,
            "expected": call.expected_at and call.expected_at.astimezone(clock.ZONE).time(),
        }
        super().__init__(*args, label_suffix="", auto_id="id_green_%s", initial=initial, **kwargs)
        self.call, self.now = call, now

    def clean(self):
        said = super().clean()
        if said.get("capacity") not in (None, Capacity.NONE) and not said.get("state"):
            self.add_error("state", _("请选“协调中”“已预留”或“无法预留”。"))
        if said.get("state") == State.NONE_LEFT and not said.get("note"):
            self.add_error("note", _("不能预留时，请写清楚患者该送到哪里、怎么办。"))
        return said

    def said(self) -> dict:
        said = dict(self.cleaned_data)
        expected = said.pop("expected")
        return {**said, "expected_at": self._moment(expected)}

    def _moment(self, time):
        if time is None:
            return None
        if self.call.expected_at and time == self.call.expected_at.astimezone(clock.ZONE).time():
            return self.call.expected_at  # left as it was, however late it is by now
        moment = clock.at(clock.today(self.now), time)
        return moment if moment > self.now - timedelta(hours=1) else moment + timedelta(days=1)
