"""Shapes of preparations, questions and ordering rules. What they may not say is policies.signing; here it finds its
field."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.rules import ClockInput
from appointments.policies.rules import Problem
from exams.models import ExamGroup, ExamItem, Follow, OrderingRule, Preparation, ScreeningAnswer, ScreeningQuestion
from exams.models.signed import Signed
from exams.policies import signing as policy
from exams.selectors.signed import IN_FORCE
from exams.services.signing import Parts
from hospital import plain
from hospital.models import Organization

from .catalogue import BLANK, NumberInput, Whole

MOST_ANSWERS = 12
MINUTES, HOURS, DAYS = 1, 60, 24 * 60
UNITS = [(HOURS, _("小时")), (DAYS, _("天")), (MINUTES, _("分钟"))]


class SpanWidget(forms.MultiWidget):
    """A number and its unit; a whole number of the largest unit that fits is shown."""

    def __init__(self):
        unit = forms.Select(choices=UNITS, attrs={"aria-label": _("单位")})
        super().__init__([NumberInput(), unit])

    def id_for_label(self, id_, index=None):
        """The label is the number's; the unit carries its own."""
        return f"{id_}_0" if id_ else id_

    def decompress(self, value):
        if not value:
            return ["", HOURS]
        unit = next(each for each in (DAYS, HOURS, MINUTES) if value % each == 0)
        return [value // unit, unit]


class SpanField(forms.MultiValueField):
    """Minutes, typed in minutes, hours or days. Empty is 0."""

    widget = SpanWidget

    def __init__(self, **kwargs):
        number = forms.IntegerField(min_value=0, max_value=99_999, required=False)
        unit = forms.TypedChoiceField(choices=UNITS, coerce=int, required=False, empty_value=HOURS)
        super().__init__(fields=[number, unit], required=False, require_all_fields=False, **kwargs)

    def compress(self, values) -> int:
        number, unit = values or (None, None)
        return (number or 0) * (unit or HOURS)


class SignedForm(plain.Form):
    """`base`: the version that is changed. A subclass makes the `draft` of its model."""

    source = forms.CharField(label=_("依据"), max_length=200, help_text=_("科室规定、指南或文件的名称和年份"))
    note = forms.CharField(label=_("修改说明"), max_length=100, help_text=_("批准的同事会看到"))

    def __init__(self, *args, organization: Organization, base: Signed | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization, self.base = organization, base
        self.order_fields([*(name for name in self.fields if name not in ("source", "note")), "source", "note"])

    @property
    def body(self):
        """Bound fields that say what it is."""
        return [self[name] for name in self.fields if name not in ("source", "note")]

    def draft(self) -> Signed:
        raise NotImplementedError

    def parts(self) -> Parts:
        return Parts()

    def readable(self) -> bool:
        """Every field could be read, so that the draft can be judged as a whole."""
        return not self.errors

    def clean(self):
        said = super().clean()
        if self.readable():
            self.blame(policy.problems_of(self.draft(), self.parts().answers))
        return said

    def blame(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.sentence)


class PreparationForm(SignedForm):
    name = forms.CharField(label=_("名称"), max_length=60)
    text = forms.CharField(
        label=_("准备说明"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text=_("患者看到的就是这些，一行一条"),
    )
    fast_minutes = SpanField(label=_("禁食"), help_text=_("不用禁食请留空"))
    latest_start = forms.TimeField(
        label=_("空腹最晚开始"),
        widget=ClockInput(),
        required=False,
        help_text=_("排方案时，禁食的检查不会晚于这个时刻"),
    )
    lead_minutes = SpanField(label=_("至少提前"), help_text=_("如肠道准备要 2 天；不需要请留空"))
    full_bladder = forms.BooleanField(label=_("需憋尿"), required=False)
    escort = forms.BooleanField(label=_("需家属陪同"), required=False)

    def draft(self) -> Preparation:
        names = ("name", "text", "fast_minutes", "latest_start", "lead_minutes", "full_bladder", "escort", "source")
        return Preparation(organization=self.organization, **{name: self.cleaned_data[name] for name in names})


class QuestionForm(SignedForm):
    """With the rows of its answers (AnswerRows)."""

    text = forms.CharField(label=_("问题"), max_length=200)
    hint = forms.CharField(label=_("说明"), max_length=200, required=False, help_text=_("写在问题下面，可不填"))
    sex = forms.ChoiceField(label=_("只问"), choices=[("", _("不限")), *ScreeningQuestion.Sex.choices], required=False)
    min_age = Whole(label=_("年龄从"), least=0, most=policy.OLDEST, required=False)
    max_age = Whole(label=_("年龄到"), least=0, most=policy.OLDEST, required=False)
    order = Whole(label=_("顺序"), least=0, most=9999, help_text=_("小的先问"))
    before_booking = forms.BooleanField(label=_("预约前问"), required=False)
    at_check_in = forms.BooleanField(label=_("报到时再问"), required=False)
    groups = forms.ModelMultipleChoiceField(
        ExamGroup.objects.none(), label=_("做哪类检查时问"), required=False, widget=forms.CheckboxSelectMultiple(),
        help_text=_("分组和项目都不选，就是做任何检查都问"),
    )  # fmt: skip
    items = forms.ModelMultipleChoiceField(
        ExamItem.objects.none(), label=_("只在做这些项目时问"), required=False, widget=forms.CheckboxSelectMultiple()
    )

    def __init__(self, *args, rows: "AnswerForms", **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = rows
        self.fields["groups"].queryset = ExamGroup.objects.filter(organization=self.organization).order_by("pk")
        items = ExamItem.objects.filter(organization=self.organization, active=True)
        self.fields["items"].queryset = items.order_by("modality", "code")

    def readable(self) -> bool:
        return super().readable() and self.rows.is_valid()

    def is_valid(self):
        """Both halves are looked at, so that everything wrong is said at once."""
        said = super().is_valid()
        return self.rows.is_valid() and said

    def draft(self) -> ScreeningQuestion:
        names = ("text", "hint", "sex", "min_age", "max_age", "order", "before_booking", "at_check_in", "source")
        return ScreeningQuestion(organization=self.organization, **{name: self.cleaned_data[name] for name in names})

    def parts(self) -> Parts:
        said = self.cleaned_data
        return Parts(list(said["groups"]), list(said["items"]), [form.answer() for form in self.rows.used])

    def blame(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem.row is None:
                super().blame([problem])
            else:
                self.rows.used[problem.row].add_error(problem.field, problem.sentence)


class AnswerForm(plain.Form):
    """One answer. An empty row is no row. `code` comes back as it was: what people answered keeps its meaning."""

    text = forms.CharField(label=_("答案"), max_length=60, required=False)
    effect = forms.ChoiceField(label=_("含义"), choices=ScreeningAnswer.Effect.choices, required=False)
    sentence = forms.CharField(label=_("告知"), max_length=200, required=False)
    first = forms.ModelChoiceField(ExamItem.objects.none(), label=_("须先做"), required=False, empty_label="—")
    code = forms.CharField(widget=forms.HiddenInput(), max_length=20, required=False)

    def __init__(self, *args, items, codes: frozenset[str], **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.codes = codes
        self.fields["first"].queryset = items

    @property
    def is_used(self) -> bool:
        said = getattr(self, "cleaned_data", {})
        return bool(said.get("text") or said.get("sentence"))

    def clean(self):
        said = super().clean()
        if said.get("sentence") and not said.get("text") and "text" not in self.errors:
            self.add_error("text", _("请填写答案。"))
        return said

    def answer(self) -> ScreeningAnswer:
        said = self.cleaned_data
        code = said["code"] if said["code"] in self.codes else ""
        effect = said["effect"] or ScreeningAnswer.Effect.OK
        return ScreeningAnswer(
            text=said["text"], effect=effect, sentence=said["sentence"], first=said["first"], code=code
        )


class AnswerForms(forms.BaseFormSet):
    @property
    def used(self) -> list[AnswerForm]:
        return [form for form in self.forms if form.is_used]


AnswerRows = forms.formset_factory(
    AnswerForm, formset=AnswerForms, extra=2, max_num=MOST_ANSWERS, absolute_max=MOST_ANSWERS
)


class OrderingForm(SignedForm):
    """A side is a group ("g7") or an item ("i12"). The condition's ticks are question:answer."""

    name = forms.CharField(label=_("名称"), max_length=80)
    first = forms.ChoiceField(label=_("甲"))
    second = forms.ChoiceField(label=_("乙"))
    forward = forms.ChoiceField(label=_("先甲后乙"), choices=Follow.choices)
    forward_minutes = SpanField(label=_("先甲后乙的间隔"))
    reverse = forms.ChoiceField(label=_("先乙后甲"), choices=Follow.choices)
    reverse_minutes = SpanField(label=_("先乙后甲的间隔"))
    one_sitting = forms.BooleanField(
        label=_("同一次麻醉完成"), required=False, help_text=_("在同一台设备上接着做，甲在前")
    )
    answers = forms.MultipleChoiceField(
        label=_("仅当患者这样回答"), required=False, widget=forms.CheckboxSelectMultiple(),
        help_text=_("只能选同一个问题的答案。没有问过的患者也按这条规则，因为情况不明。"),
    )  # fmt: skip
    why = forms.CharField(label=_("原因"), max_length=200, help_text=_("医生和患者会看到这句话"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sides = side_choices(self.organization)
        self.fields["first"].choices = self.fields["second"].choices = [*BLANK, *sides]
        asked = ScreeningQuestion.objects.filter(IN_FORCE, organization=self.organization).prefetch_related("answers")
        self.questions = {str(question.pk): question for question in asked}
        self.fields["answers"].choices = [
            (question.text, [(f"{pk}:{answer.code}", answer.text) for answer in question.answers.all()])
            for pk, question in self.questions.items()
        ]

    @property
    def conditions(self) -> list[tuple[str, list]]:
        """The ticks, question by question."""
        ticks, found = list(self["answers"]), []
        for question in self.questions.values():
            count = len(question.answers.all())
            found.append((question.text, ticks[:count]))
            ticks = ticks[count:]
        return found

    def clean_answers(self):
        said = self.cleaned_data["answers"]
        if len({tick.partition(":")[0] for tick in said}) > 1:
            raise forms.ValidationError(_("只能选同一个问题的答案。"))
        return said

    def draft(self) -> OrderingRule:
        said = self.cleaned_data
        names = ("name", "forward", "forward_minutes", "reverse", "reverse_minutes", "one_sitting", "why", "source")
        asked = {tick.partition(":")[0] for tick in said["answers"]}
        return OrderingRule(
            organization=self.organization,
            **{name: said[name] for name in names},
            **_side("first", said["first"]),
            **_side("second", said["second"]),
            question=self.questions[asked.pop()] if asked else None,
            answers=[tick.partition(":")[2] for tick in said["answers"]],
        )


def _side(name: str, said: str) -> dict:
    return {f"{name}_group_id" if said[0] == "g" else f"{name}_item_id": int(said[1:])}


def side_choices(organization: Organization) -> list:
    groups = ExamGroup.objects.filter(organization=organization).order_by("pk")
    items = ExamItem.objects.filter(organization=organization, active=True).order_by("modality", "code")
    return [
        (_("规则分组"), [(f"g{group.pk}", group.name) for group in groups]),
        (_("检查项目"), [(f"i{item.pk}", item.name) for item in items]),
    ]


def initial_of(row: Signed) -> dict:
    """What a form starts with that changes this version."""
    said = {each.name: getattr(row, each.attname) for each in row._meta.concrete_fields}
    if isinstance(row, ScreeningQuestion):
        said |= {"groups": [each.pk for each in row.groups.all()], "items": [each.pk for each in row.items.all()]}
    if isinstance(row, OrderingRule):
        for name in ("first", "second"):
            group, item = getattr(row, f"{name}_group_id"), getattr(row, f"{name}_item_id")
            said[name] = f"g{group}" if group else f"i{item}"
        said["answers"] = _ticks(row)
    return said


def _ticks(row: OrderingRule) -> list[str]:
    """The rule may have been written on an earlier version of the question: what counts is its code."""
    if row.question is None:
        return []
    asked = ScreeningQuestion.objects.filter(IN_FORCE, organization=row.organization_id, code=row.question.code).first()
    return [f"{asked.pk}:{code}" for code in row.answers] if asked else []


def answer_rows(data, base: ScreeningQuestion | None, *, organization: Organization) -> AnswerForms:
    """Bound rows keep what was typed; `more` only asks for two rows more."""
    answers = list(base.answers.all()) if base else []
    items = ExamItem.objects.filter(organization=organization, active=True).order_by("modality", "code")
    terms = {"items": items, "codes": frozenset(answer.code for answer in answers)}
    if data is not None:
        if "more" in data:
            data = data.copy()
            total = data.get("answer-TOTAL_FORMS", "")
            data["answer-TOTAL_FORMS"] = str(int(total) + 2 if total.isdecimal() and len(total) < 4 else 2)
        return AnswerRows(data, prefix="answer", form_kwargs=terms)
    names = ("text", "effect", "sentence", "code")
    initial = [{name: getattr(each, name) for name in names} | {"first": each.first_id} for each in answers]
    return AnswerRows(prefix="answer", initial=initial, form_kwargs=terms)


FORMS: dict[str, type[SignedForm]] = {
    "preparations": PreparationForm,
    "questions": QuestionForm,
    "rules": OrderingForm,
}
