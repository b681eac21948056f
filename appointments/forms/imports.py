"""Shape of an upload. What is in the file is the reader's matter."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from appointments.models import ImportRun
from hospital import plain
from hospital.models import Organization

MOST_BYTES = 10 * 1024 * 1024
"""Of a file as it is uploaded. The demo hospital's workbook has 86 KB, a cutover of 20,000 rows about 1 MB."""

KINDS = [choice for choice in ImportRun.Kind.choices if choice[0] != ImportRun.Kind.EXAMS]
"""Devices and exam items have a page of their own."""


class UploadForm(plain.Form):
    kind = forms.ChoiceField(
        label=_("导入什么"), choices=KINDS, initial=ImportRun.Kind.HOSPITAL, widget=forms.RadioSelect
    )
    organization = forms.ModelChoiceField(label=_("机构"), queryset=Organization.objects.none(), empty_label=None)
    file = forms.FileField(
        label=_("Excel 文件"),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
        error_messages={"empty": _("这个文件是空的，请重新选一个。"), "required": _("请选一个 Excel 文件。")},
        help_text=_("只收 .xlsx，最大 10 MB。上传后先看结果，确认了才会生效。"),
    )
    retire_missing = forms.BooleanField(
        label=_("工作簿里没有的，一并停用"), required=False, help_text=_("只对医院基础数据有效。")
    )
    system = forms.RegexField(
        r"^[A-Za-z0-9_-]*$",
        label=_("旧系统代号"),
        max_length=12,
        required=False,
        help_text=_("只对切换数据有效。有几个旧系统时用字母、数字区分，编号才不会混。"),
        error_messages={"invalid": _("只用字母、数字、横线。")},
    )

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["organization"].queryset = Organization.objects.filter(pk__in=organizations).order_by("pk")
        if len(organizations) == 1:
            self.fields["organization"].initial = next(iter(organizations))

    def clean_file(self):
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(".xlsx"):
            raise ValidationError(_("这个文件不是 .xlsx。请在 Excel 或 WPS 里另存为“Excel 工作簿（.xlsx）”。"))
        if file.size > MOST_BYTES:
            raise ValidationError(_("文件超过 10 MB。请删去图片和多余的格式，或拆成几个文件。"))
        return file
