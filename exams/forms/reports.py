"""What staff type into a report, and what is asked of a person at the link on paper."""

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exams.models import ExamVariant, ReportVersion
from exams.policies import reports as policy
from exams.services.reports import Says, files
from hospital import patients, plain
from hospital.files.errors import NotAPdf
from hospital.models import Organization

ROWS = 6
MORE_ROWS = 5
NOT_A_NUMBER = _("请填数字，如 3.5。")


class Form(plain.Form):
    """Labels without a colon."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class ReportForm(Form):
    """The text of a version, and its file. `about`: for which report the file is, so that it can't be put elsewhere."""

    findings = forms.CharField(
        label=_("检查所见"),
        max_length=10000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 7, "autofocus": True}),
    )
    conclusion = forms.CharField(
        label=_("诊断意见"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    file = forms.FileField(
        label=_("报告文件（PDF）"), required=False, widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"})
    )
    critical = forms.BooleanField(label=_("有危急值：发布时马上通知申请医生"), required=False)
    kept = forms.CharField(required=False, widget=forms.HiddenInput)
    drop_file = forms.BooleanField(label=_("不要这个文件"), required=False)
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args, by: int, about: str, former: ReportVersion | None = None, cut_off=False, now, **kwargs):
        super().__init__(*args, **kwargs)
        self.by, self.about, self.former, self.cut_off, self.now = by, about, former, cut_off, now
        self.fields["file"].error_messages["empty"] = _("这个文件是空的，请重新选一个。")
        self.brought: files.Kept | None = None
        if self.is_bound:
            self.fields["findings"].widget.attrs.pop("autofocus", None)

    def clean_file(self):
        """Looked at and stored at once: whatever else is wrong, it need not be chosen again."""
        if self.cut_off:
            raise forms.ValidationError(files.too_long().in_full)
        upload = self.cleaned_data["file"]
        if isinstance(upload, File):
            try:
                self.brought = files.keep(upload, now=self.now)
            except NotAPdf as refusal:
                raise forms.ValidationError(refusal.in_full) from None

    def clean(self):
        said = super().clean()
        if self.brought is None and said.get("kept"):
            self.brought = files.of_word(said["kept"], by=self.by, about=self.about)
            if self.brought is None:
                self.add_error("file", _("先前上传的文件已过期，请重新选一次。"))
        if said.get("drop_file"):
            self.brought = None
        return said

    @property
    def word(self) -> str:
        """Of the file that this form has brought so far."""
        return self.brought.word(by=self.by, about=self.about) if self.brought else ""

    @property
    def most_bytes(self) -> int:
        return settings.REPORT_FILE_LIMIT

    @property
    def too_long(self) -> str:
        return files.too_long().in_full

    @property
    def file_help(self) -> str:
        most = settings.REPORT_FILE_LIMIT // 1024**2
        return gettext("只收 PDF，最大 %(most)d MB；不能有密码、脚本和附件。") % {"most": most}

    @property
    def former_file(self) -> bool:
        return bool(self.former and self.former.file) and not self.brought

    def says(self, measurements: list[policy.Measured]) -> Says:
        said = self.cleaned_data
        return Says(
            findings=said["findings"],
            conclusion=said["conclusion"],
            measurements=measurements,
            critical=said["critical"],
            file=self.brought,
            keep_file=not said["drop_file"],
        )


class CorrectionForm(ReportForm):
    reason = forms.CharField(label=_("更正原因"), max_length=200, help_text=_("患者也能看到，请写清改了什么、为什么。"))

    field_order = ["reason"]


class PartnerForm(ReportForm):
    """A result of another institution: whose, of what, where and when."""

    person = forms.CharField(
        label=_("患者"),
        max_length=40,
        help_text=_("门诊号，或完整的证件号码。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    variant = forms.ModelChoiceField(label=_("检查"), queryset=ExamVariant.objects.none(), empty_label=_("请选择"))
    organization = forms.ModelChoiceField(
        label=_("检查机构"),
        queryset=Organization.objects.none(),
        empty_label=_("请选择"),
        help_text=_("没有的机构请系统管理员先登记。"),
    )
    performed_at = forms.DateTimeField(
        label=_("检查时间"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    field_order = ["person", "variant", "organization", "performed_at"]

    def __init__(self, *args, houses, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["findings"].widget.attrs.pop("autofocus", None)
        if not self.is_bound:
            self.fields["person"].widget.attrs["autofocus"] = True
        variants = ExamVariant.objects.filter(item__organization__in=houses, active=True, item__active=True)
        self.fields["variant"].queryset = variants.select_related("item").order_by("item__modality", "item__name", "pk")
        others = Organization.objects.filter(active=True).exclude(pk__in=houses)
        self.fields["organization"].queryset = others.order_by("name")

    def clean_person(self):
        text = self.cleaned_data["person"]
        found = [patients.with_medical_number(text)] if text[:1].upper() == "M" else patients.with_document(text)
        found = [each for each in found if each]
        if len(found) != 1:
            raise forms.ValidationError(_("没有找到这位患者。请核对门诊号或证件号码；没有建档的请先到窗口建档。"))
        return found[0]


class MeasureForm(Form):
    """One row of the table of values. A row whose value is empty and that nobody touched counts for nothing."""

    name = forms.CharField(label=_("项目"), max_length=40, required=False)
    value = forms.CharField(label=_("结果"), max_length=40, required=False)
    unit = forms.CharField(label=_("单位"), max_length=20, required=False)
    low = forms.CharField(label=_("参考下限"), max_length=20, required=False)
    high = forms.CharField(label=_("参考上限"), max_length=20, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"autocomplete": "off", "class": f"measure__{name}"}
            if self.prefix is not None:
                row = int(self.prefix.rpartition("-")[2]) + 1 if self.prefix.rpartition("-")[2].isdigit() else 0
                field.widget.attrs["aria-label"] = gettext("第%(row)d行 %(field)s") % {"row": row, "field": field.label}

    def clean(self):
        said = super().clean()
        said = {name: policy.plain(value) if name != "name" else value.strip() for name, value in said.items()}
        if not self.has_changed() and not said.get("value"):
            return said
        if any(said.values()) and not said.get("name"):
            self.add_error("name", _("请写是什么项目，或清空这一行。"))
        if said.get("name") and not said.get("value"):
            self.add_error("value", _("请填结果，或清空这一行。"))
        for end in ("low", "high"):
            if said.get(end) and policy.number(said[end]) is None:
                self.add_error(end, NOT_A_NUMBER)
        low, high = policy.number(said.get("low", "")), policy.number(said.get("high", ""))
        if low is not None and high is not None and low > high:
            self.add_error("high", _("上限不能小于下限。"))
        return said

    @property
    def measured(self) -> policy.Measured | None:
        said = self.cleaned_data
        return policy.Measured(**said) if said.get("value") else None


class Measures(BaseFormSet):
    def measured(self) -> list[policy.Measured]:
        return [row for form in self.forms if (row := form.measured)]


MeasureFormSet = formset_factory(
    MeasureForm, formset=Measures, extra=0, max_num=policy.MOST_MEASURED, absolute_max=policy.MOST_MEASURED
)


class WithdrawForm(Form):
    reason = forms.CharField(
        label=_("撤回原因"), max_length=200, widget=forms.TextInput(attrs={"autofocus": True}), help_text=_("会留痕。")
    )


class AcknowledgeForm(Form):
    note = forms.CharField(label=_("做了什么处理"), max_length=200, help_text=_("例如：已电话通知患者来院；已收住院。"))


class LastFourForm(Form):
    last4 = forms.CharField(
        label=_("证件号码后四位"),
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        help_text=_("就诊人的身份证或其他证件，最后一位是 X 也要填。"),
    )


class FilterForm(forms.Form):
    """What the lists are narrowed by; anything odd in the address narrows nothing."""

    q = forms.CharField(label=_("找患者或检查"), max_length=40, required=False)
    modality = forms.CharField(max_length=4, required=False)
    older = forms.BooleanField(required=False)

    def said(self) -> dict:
        self.is_valid()
        said = self.cleaned_data
        return {"text": said.get("q", ""), "modality": said.get("modality", ""), "older": bool(said.get("older"))}
