"""Shapes of input of a patient's own exam pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from appointments.forms.bookings import DayForm, IdField, MomentField
from exams.models import ScreeningQuestion
from hospital import plain

__all__ = ["AnswersForm", "DayForm", "PlanForm", "ReadForm", "TimeForm", "WishForm"]


@dataclass(frozen=True)
class Asked:
    """One question as the page shows it: what is chosen, and what is wrong with that."""

    question: ScreeningQuestion
    name: str
    chosen: str
    errors: list[str]


class AnswersForm(plain.Form):
    """The questions that concern this person, each with its own answers."""

    def __init__(self, *args, questions: Iterable[ScreeningQuestion], given: Mapping[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.questions, self.given = list(questions), given
        for question in self.questions:
            choices = [(answer.code, answer.text) for answer in question.answers.all()]
            said = {"required": _("请回答这个问题。"), "invalid_choice": _("请从下面的答案里选一个。")}
            self.fields[name_of(question)] = forms.ChoiceField(choices=choices, error_messages=said)

    def answers(self) -> dict[str, str]:
        """Question code → answer code, once the form is valid."""
        return {question.code: self.cleaned_data[name_of(question)] for question in self.questions}

    def shown(self) -> list[Asked]:
        return [
            Asked(
                question=question,
                name=name_of(question),
                chosen=self._chosen(question),
                errors=self.errors.get(name_of(question), []) if self.is_bound else [],
            )
            for question in self.questions
        ]

    def _chosen(self, question: ScreeningQuestion) -> str:
        return str(self.data.get(name_of(question), "")) if self.is_bound else self.given.get(question.code, "")


def name_of(question: ScreeningQuestion) -> str:
    return f"q-{question.code}"


class SlotField(forms.Field):
    """`<device>@<start>`: one radio of the page of times. Gives (device id, start)."""

    def to_python(self, value) -> tuple[int, datetime] | None:
        device, at, start = str(value or "")[:80].partition("@")
        try:
            moment, found = MomentField(required=False).clean(start), IdField(required=False).clean(device)
        except ValidationError:
            return None
        if (
            not at or found is None or moment is None or not 2000 <= moment.year <= 2200
        ):  # the wall clock knows no other
            return None
        return found, moment


class TimeForm(plain.Form):
    """Which half-hour. What is no time of the page is as if none were chosen."""

    slot = SlotField(error_messages={"required": _("请先选一个检查时间。")})


class ReadForm(plain.Form):
    """确认预约: that the preparation was read is an act of one's own."""

    read = forms.BooleanField(error_messages={"required": _("请先看完检查准备，再勾选“我已看懂”。")})


class PlanForm(plain.Form):
    """One of the proposed plans, as the page was given it."""

    NONE = _("请先选一个方案。")

    token = forms.CharField(max_length=4000, error_messages={"required": NONE, "max_length": NONE})


class WishForm(plain.Form):
    """What a person wishes; a wrong value is as if it were not there."""

    HALVES = (("", _("上午下午都可以")), ("am", _("只要上午")), ("pm", _("只要下午")))

    half = forms.ChoiceField(choices=HALVES, required=False)
    day = forms.DateField(required=False)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name) or None

    def clean_day(self):
        day = self.cleaned_data.get("day")
        if day and not 2000 <= day.year <= 2200:
            raise ValidationError(_("日期写得不对。"))
        return day
