"""Shapes of input at the cashier's window."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.models import Means, Receipt
from billing.policies.window import Slip
from hospital import plain
from hospital.models import Organization


class NumberField(forms.DecimalField):
    """1e5 is a slip of the finger, not a hundred thousand."""

    def to_python(self, value):
        if isinstance(value, str) and "e" in value.lower():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class YuanField(NumberField):
    """Yuan as they are typed: ¥ and thousands commas are left out."""

    def __init__(self, **kwargs):
        kwargs.setdefault("min_value", Decimal(0))
        super().__init__(max_digits=10, decimal_places=2, **kwargs)
        self.widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 13})

    def to_python(self, value):
        if isinstance(value, str):
            value = value.strip().strip("¥￥元").replace(",", "").replace("，", "").strip()
        return super().to_python(value)


class FindForm(plain.Form):
    """A scanner types the whole address of a code."""

    q = forms.CharField(label=_("证件、手机、门诊号、姓名，或扫缴费码、预约条"), max_length=300, strip=True)


class OpenShiftForm(plain.Form):
    """The house is asked of whoever sits at windows of more than one."""

    organization = forms.ModelChoiceField(Organization.objects.none(), label=_("机构"), empty_label=None)
    window = forms.CharField(label=_("窗口"), max_length=20, strip=True)
    change = YuanField(label=_("备用金（元）"))

    def __init__(self, *args, houses: frozenset[int], **kwargs):
        super().__init__(*args, **kwargs)
        self.houses = Organization.objects.filter(pk__in=houses).order_by("code")
        self.fields["organization"].queryset = self.houses
        if len(houses) < 2:
            del self.fields["organization"]

    def clean(self):
        said = super().clean()
        return said if "organization" in self.fields else said | {"organization": self.houses.get()}


class CountForm(plain.Form):
    counted = YuanField(label=_("抽屉里的现金（元）"))
    cheques = forms.IntegerField(label=_("支票张数"), min_value=0, max_value=9999, initial=0)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["counted"].widget.attrs["autofocus"] = True


class CloseForm(plain.Form):
    note = forms.CharField(label=_("说明"), max_length=200, required=False, strip=True)


class PayForm(plain.Form):
    """`owed` is what the page showed; `scan` which key was pressed: the rest by a code."""

    owed = YuanField(label=_("应收"))
    request_key = forms.UUIDField()
    cash = YuanField(label=_("现金收到"), required=False)
    bank = YuanField(label=_("刷卡金额"), required=False)
    bank_reference = forms.CharField(label=_("刷卡参考号"), max_length=40, required=False, strip=True)
    cheque = YuanField(label=_("支票金额"), required=False)
    cheque_number = forms.CharField(label=_("支票号"), max_length=40, required=False, strip=True)
    scan = forms.ChoiceField(choices=[(Means.WECHAT, ""), (Means.ALIPAY, "")], required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", auto_id="pay_%s", **kwargs)
        for name in ("bank_reference", "cheque_number"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean(self):
        said = super().clean()
        for amount, reference, sentence in (
            ("bank", "bank_reference", _("请填写刷卡凭条上的参考号。")),
            ("cheque", "cheque_number", _("请填写支票号。")),
        ):
            if said.get(amount) and not said.get(reference):
                self.add_error(reference, sentence)
            if said.get(amount) == 0:
                said[amount] = None
        return said

    @property
    def slips(self) -> list[Slip]:
        said = self.cleaned_data
        found = [
            Slip(Means.BANK, said["bank_reference"], said["bank"]),
            Slip(Means.CHEQUE, said["cheque_number"], said["cheque"]),
        ]
        return [slip for slip in found if slip.reference]


class ServiceForm(plain.Form):
    code = forms.CharField(label=_("价目"), max_length=20)
    quantity = forms.IntegerField(label=_("数量"), min_value=1, max_value=999, initial=1)


class PayOutForm(plain.Form):
    refund = forms.IntegerField()
    means = forms.ChoiceField(choices=[(Means.CASH, ""), (Means.BANK, ""), (Means.CHEQUE, "")])
    reference = forms.CharField(max_length=40, required=False, strip=True)


class KindForm(plain.Form):
    kind = forms.ChoiceField(choices=Receipt.Kind.choices)


class VoidForm(plain.Form):
    why = forms.CharField(label=_("作废原因"), max_length=100, strip=True)
    reissue = forms.BooleanField(label=_("作废后按现在的账单重新开一张"), required=False)
