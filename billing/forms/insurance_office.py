"""Shapes of input for 医保规则 and 医保目录. What is wrong is said at its field, and kept."""

from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import InsuranceItem, InsuranceRule
from billing.services.insurance_sheet import MOST_BYTES
from billing.services.insurance_tables import Item
from hospital import plain
from hospital.models import Organization

from .cashier import NumberField, YuanField

LATEST = timedelta(days=366 * 2)


def _day(today: date) -> forms.DateField:
    return forms.DateField(
        label=gettext_lazy("从哪天起"),
        initial=today + timedelta(days=1),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("之前的日子仍按原来的。"),
    )


def _percent(label, **more) -> NumberField:
    return NumberField(
        label=label, min_value=0, max_value=100, max_digits=5, decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}), **more,
    )  # fmt: skip


class FromADay(plain.Form):
    """Something that holds from a day on, today at the earliest."""

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today
        self.fields["day"] = _day(today)

    def clean_day(self) -> date:
        day = self.cleaned_data["day"]
        if day < self.today:
            raise ValidationError(_("不能早于今天：过去的账单已经按当时的规则结算。"))
        if day > self.today + LATEST:
            raise ValidationError(_("最远只能写到两年后，请核对年份。"))
        return day


class RuleForm(FromADay):
    fund_percent = _percent(gettext_lazy("统筹支付比例（%）"))
    deductible = YuanField(label=gettext_lazy("年度起付线（元）"), initial=Decimal("0.00"))
    yearly_cap = YuanField(
        label=gettext_lazy("年度统筹封顶（元）"), required=False, help_text=gettext_lazy("空着是不封顶。")
    )
    account = forms.BooleanField(label=gettext_lazy("个人账户余额可用于支付"), required=False)
    why = forms.CharField(
        label=gettext_lazy("依据或原因"), max_length=200, help_text=gettext_lazy("例如医保局文件号。")
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def rule(self, *, organization: Organization, insurance: str) -> InsuranceRule:
        said = self.cleaned_data
        return InsuranceRule(
            organization=organization,
            insurance=insurance,
            deductible=said["deductible"],
            fund_percent=said["fund_percent"],
            yearly_cap=said["yearly_cap"],
            account=said["account"],
            effective_from=said["day"],
        )


class ItemForm(FromADay):
    national_code = forms.RegexField(
        r"^[A-Za-z0-9._-]+$", label=gettext_lazy("国家医保编码"), max_length=30, strip=True,
        error_messages={"invalid": gettext_lazy("只用字母、数字、点和横线。")},
    )  # fmt: skip
    klass = forms.ChoiceField(label=gettext_lazy("类别"), choices=InsuranceItem.Klass.choices)
    own_percent = _percent(
        gettext_lazy("先行自付（%）"), required=False, help_text=gettext_lazy("只有乙类要填，例如 10。")
    )

    def clean(self) -> dict:
        said = super().clean()
        if said.get("klass") != InsuranceItem.Klass.B and said.get("own_percent"):
            self.add_error("own_percent", _("只有乙类有先行自付。请改成 0 或空着，或把类别改成乙类。"))
        return said

    def item(self, code: str) -> Item:
        said = self.cleaned_data
        own = (said["own_percent"] or Decimal(0)).quantize(Decimal("0.01"))
        return Item(code, said["national_code"], said["klass"], own)


class ImportForm(FromADay):
    file = forms.FileField(
        label=gettext_lazy("文件"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        error_messages={"empty": gettext_lazy("这个文件是空的，请重新选一个。")},
        help_text=gettext_lazy(".xlsx 或 .csv，最大 10 MB。有一行不对就都不导入。"),
    )
    only_look = forms.BooleanField(label=gettext_lazy("只检查，不保存"), required=False)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith((".xlsx", ".csv")):
            raise ValidationError(_("只收 .xlsx 和 .csv。请在 Excel 或 WPS 里另存后再上传。"))
        if file.size > MOST_BYTES:
            raise ValidationError(_("文件超过 10 MB。请删去图片和多余的格式，或拆成几个文件。"))
        return file


class SieveForm(plain.Form):
    """What the list shows; a wrong value is as if it were not there."""

    q = forms.CharField(required=False, max_length=60)
    only = forms.ChoiceField(required=False, choices=[("none", "none"), *InsuranceItem.Klass.choices])

    def said(self, name: str) -> str:
        self.is_valid()
        return self.cleaned_data.get(name, "")
