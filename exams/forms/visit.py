"""Shapes of input on the day of the exam."""

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.desk import PriorityField
from exams.models import ScreeningQuestion
from hospital import plain
from hospital.models import Practitioner


class SeenForm(plain.Form):
    """Whom the page showed as called when the button was pressed."""

    seen = forms.IntegerField(min_value=0)


class WalkInForm(plain.Form):
    device = forms.IntegerField(label=_("设备"))


class NotDoneForm(plain.Form):
    """未做: a reason from the list, and more words where the list does not say it."""

    WHY = [
        ("unprepared", _("准备不足（没有空腹、没有憋尿、肠道不干净等）")),
        ("not_now", _("有不能做的情况")),
        ("refused", _("患者不愿做")),
        ("left", _("没有等到，离开了")),
        ("house", _("设备或人员原因")),
        ("other", _("其他（请写明）")),
    ]
    why = forms.ChoiceField(label=_("原因"), choices=WHY, widget=forms.RadioSelect)
    note = forms.CharField(label=_("说明"), max_length=120, required=False, strip=True)

    def clean(self):
        said = super().clean()
        if said.get("why") == "other" and not said.get("note"):
            self.add_error("note", _("请写明原因。"))
        return said

    @property
    def reason(self) -> str:
        said = self.cleaned_data
        word = "" if said["why"] == "other" else str(dict(self.WHY)[said["why"]])
        return "：".join(filter(None, [word, said["note"]]))


class QuestionsForm(plain.Form):
    """Preparation questions as radios, one field a question, prefilled with what was said before."""

    def __init__(self, *args, questions: list[ScreeningQuestion], said: dict[str, str] | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.questions = questions
        for question in questions:
            choices = [(answer.code, answer.text) for answer in question.answers.all()]
            self.fields[self.field_of(question)] = forms.ChoiceField(
                label=question.text,
                help_text=question.hint,
                choices=choices,
                widget=forms.RadioSelect,
                initial=(said or {}).get(question.code),
            )

    @staticmethod
    def field_of(question: ScreeningQuestion) -> str:
        return f"q-{question.code}"

    @property
    def asked(self) -> list:
        """Bound fields of the questions, in their order."""
        return [self[self.field_of(question)] for question in self.questions]

    @property
    def answers(self) -> dict[str, str]:
        said = {question.code: self.cleaned_data.get(self.field_of(question)) for question in self.questions}
        return {code: answer for code, answer in said.items() if answer}


class CheckInForm(QuestionsForm):
    """报到: the answers again, in which order, and a doctor's word where an answer stops the exam."""

    priority = PriorityField()
    doctor = forms.CharField(label=_("同意仍检查的医生（工号或姓名）"), max_length=40, required=False, strip=True)
    override = forms.CharField(label=_("理由"), max_length=120, required=False, strip=True)

    def __init__(self, *args, organization_id: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.organization_id = organization_id

    def clean(self):
        said = super().clean()
        said["override_by"] = self._doctor(said.get("doctor", ""))
        if said["override_by"] and not said.get("override"):
            self.add_error("override", _("请写明医生同意的理由。"))
        if said.get("override") and not said.get("doctor") and "doctor" not in self.errors:
            self.add_error("doctor", _("请写明是哪位医生同意的。"))
        return said

    def _doctor(self, text: str) -> Practitioner | None:
        if not text:
            return None
        rows = Practitioner.objects.filter(organization=self.organization_id, active=True)
        found = list(rows.filter(code=text)[:2]) or list(rows.filter(name=text)[:2])
        if len(found) == 1:
            return found[0]
        self.add_error("doctor", _("有同名的医生，请填工号。") if found else _("没有这位医生，请核对工号或姓名。"))
        return None
