"""Shapes of input at the referral office."""

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import plain
from referrals.models import Referral
from referrals.selectors import office


class ListForm(plain.Form):
    """What the worklist is narrowed to; a wrong value in the address is as if it were not there."""

    TURNS = [
        (office.OURS, _("待处理")),
        (office.THEIRS, _("等对方补充")),
        (office.COMING, _("已约未到")),
        (office.HERE, _("到院待结")),
        (office.OVER_TAB, _("近 30 天结束")),
    ]
    q = forms.CharField(label=_("单号或姓名"), required=False, max_length=40, strip=True)
    turn = forms.ChoiceField(choices=TURNS, required=False)
    urgency = forms.ChoiceField(
        label=_("紧急程度"), choices=[("", _("全部")), *Referral.Urgency.choices], required=False
    )
    direction = forms.ChoiceField(
        label=_("方向"), choices=[("", _("全部")), *Referral.Direction.choices], required=False
    )
    origin = forms.ModelChoiceField(label=_("转出机构"), queryset=None, required=False, empty_label=_("全部"))
    department = forms.ModelChoiceField(label=_("科室"), queryset=None, required=False, empty_label=_("全部"))
    status = forms.ChoiceField(label=_("状态"), required=False)
    late = forms.BooleanField(label=_("只看超时"), required=False)

    def __init__(self, *args, houses, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["origin"].queryset = office.senders(houses)
        self.fields["department"].queryset = office.departments(houses)
        asked = self.data.get("turn") or office.OURS
        states = office.TURNS.get(asked, office.TURNS[office.OURS])
        self.fields["status"].choices = [("", _("全部")), *((each, Referral.Status(each).label) for each in states)]

    @property
    def wanted(self) -> office.Wanted:
        self.is_valid()
        said = self.cleaned_data
        origin, department = said.get("origin"), said.get("department")
        return office.Wanted(
            turn=said.get("turn") or office.OURS,
            urgency=said.get("urgency") or "",
            direction=said.get("direction") or "",
            late=bool(said.get("late")),
            origin=origin.pk if origin else None,
            department=department.pk if department else None,
            status=said.get("status") or "",
            text=said.get("q") or "",
        )
