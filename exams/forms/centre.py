"""Shapes of input at the exam booking centre."""

from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.bookings import IdField
from exams.models import ContactNote, ExamRequest, Modality
from exams.selectors import worklist
from hospital import plain
from hospital.models import Campus

from .visit import QuestionsForm

LATEST = 366
"""Days ahead that anybody asks about."""

LONGEST = 60
"""Days that a plan may reach over."""


class ListForm(plain.Form):
    """What the worklist is narrowed to; a wrong value in the address is as if it were not there."""

    DAYS = [("", _("不限")), (3, _("3 天以上")), (7, _("7 天以上")), (14, _("14 天以上"))]
    HEARD = [("", _("不限")), (worklist.NEVER, _("还没联系")), *ContactNote.Outcome.choices]
    KINDS = [
        (worklist.OPEN, _("待预约")),
        (worklist.NOT_DONE, _("未做退回")),
        (worklist.MISSED, _("爽约")),
        (worklist.DOWN, _("停机未答复")),
    ]
    kind = forms.ChoiceField(choices=KINDS, required=False)
    modality = forms.ChoiceField(label=_("类别"), choices=[("", _("全部")), *Modality.choices], required=False)
    campus = forms.ModelChoiceField(label=_("院区"), queryset=None, required=False, empty_label=_("全部"))
    days = forms.TypedChoiceField(label=_("已等"), choices=DAYS, coerce=int, empty_value=None, required=False)
    contact = forms.ChoiceField(label=_("联系"), choices=HEARD, required=False)

    def __init__(self, *args, houses, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["campus"].queryset = Campus.objects.filter(organization__in=houses, active=True).order_by("code")

    @property
    def wanted(self) -> worklist.Wanted:
        self.is_valid()
        said = self.cleaned_data
        campus = said.get("campus")
        return worklist.Wanted(
            kind=said.get("kind") or worklist.OPEN,
            modality=said.get("modality") or "",
            campus=campus.pk if campus else None,
            days=said.get("days"),
            contact=said.get("contact") or "",
        )


class IdsField(forms.Field):
    """Several ids of the same name."""

    widget = forms.SelectMultiple

    def to_python(self, value) -> list[int]:
        return [IdField().clean(each) for each in dict.fromkeys((value or [])[:200])]


class ChosenForm(plain.Form):
    """Which requests of a list."""

    r = IdsField(error_messages={"required": _("请先勾选检查。")})


class WishesForm(plain.Form):
    """What the patient wishes, as they say it on the phone."""

    HALVES = [("am", _("上午")), ("pm", _("下午"))]
    first_day = forms.DateField(label=_("从"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(label=_("到"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    halves = forms.MultipleChoiceField(
        label=_("半天"), choices=HALVES, required=False, widget=forms.CheckboxSelectMultiple
    )
    not_before = forms.TimeField(label=_("不早于"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    not_after = forms.TimeField(label=_("不晚于"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    return_day = forms.DateField(
        label=_("复诊日（结果要先出来）"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    without = forms.MultipleChoiceField(
        label=_("这些天不行"), required=False, choices=(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data=None, *, today: date, plan_days: int, **kwargs):
        super().__init__(data, label_suffix="", **kwargs)
        self.today, self.plan_days = today, plan_days
        shown = [self._first(self._day("first_day")) + timedelta(days=ahead) for ahead in range(plan_days)]
        self.fields["without"].choices = [(f"{day:%Y-%m-%d}", day) for day in shown]

    @property
    def without_days(self) -> frozenset[date]:
        return frozenset(date.fromisoformat(text) for text in self.cleaned_data["without"])

    def _first(self, day: date | None) -> date:
        """Not before today; a slip of the keyboard (the year 9999) stays in the calendar."""
        return min(max(day or self.today, self.today), self.today + timedelta(days=LATEST))

    def _day(self, name: str) -> date | None:
        try:
            return self.fields[name].clean((self.data or {}).get(name, ""))
        except forms.ValidationError:
            return None

    def clean(self):
        said = super().clean()
        said["first_day"] = first = self._first(said.get("first_day"))
        said["last_day"] = last = said.get("last_day") or first + timedelta(days=self.plan_days - 1)
        if last < first:
            self.add_error("last_day", _("最后一天要在第一天之后。"))
        elif (last - first).days >= LONGEST:
            self.add_error("last_day", _("一次最多看60天，请缩短日期范围。"))
        early, late = said.get("not_before"), said.get("not_after")
        if early and late and late <= early:
            self.add_error("not_after", _("“不晚于”要比“不早于”晚。"))
        if said.get("return_day") and said["return_day"] <= first:
            self.add_error("return_day", _("复诊日要在可以来检查的第一天之后。"))
        return said


class PlanForm(plain.Form):
    """One of the proposed plans, as the page was given it."""

    token = forms.CharField(max_length=8000, error_messages={"required": _("请先选一个方案。")})


class LookForm(plain.Form):
    """Which days of free times are looked at; a wrong value is as if it were not there."""

    day = forms.DateField(required=False)
    move = forms.IntegerField(required=False, min_value=1)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)


class WhyForm(plain.Form):
    """A reason that stays in the record."""

    reason = forms.CharField(label=_("原因"), max_length=150, strip=True)


class CancelForm(WhyForm):
    withdraw = forms.BooleanField(label=_("同时撤销申请（不再做这项检查）"), required=False)


class ContactForm(plain.Form):
    """What was heard on the phone."""

    outcome = forms.ChoiceField(label=_("结果"), choices=ContactNote.Outcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=_("备注"), max_length=200, required=False, strip=True)


class PaperForm(QuestionsForm):
    """纸质申请: what it is for and from whom, with the preparation questions of the exam."""

    reason = forms.CharField(
        label=_("来源和目的"), help_text=_("哪家医院、哪位医生开的，查什么；原件请留存。"), max_length=200, strip=True
    )
    priority = forms.ChoiceField(
        label=_("优先级"), choices=ExamRequest.Priority.choices, initial=ExamRequest.Priority.ROUTINE
    )
    wanted_by = forms.DateField(
        label=_("希望完成日"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_wanted_by(self) -> date | None:
        day = self.cleaned_data.get("wanted_by")
        if day and not self.today <= day <= self.today + timedelta(days=366):
            raise forms.ValidationError(_("希望完成日要在今天起一年之内。"))
        return day
