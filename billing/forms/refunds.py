"""Shapes of input on the refund worklist."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Means
from billing.selectors.refund_work import KINDS
from hospital import plain


class KindForm(plain.Form):
    """Which list is looked at; a wrong value in the address is as if it were not there."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS], required=False)

    def said(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("kind") or ""


class FindForm(plain.Form):
    q = forms.CharField(label=_("证件号、手机、门诊号、姓名，或退款单号"), max_length=80, strip=True)


class PayOutForm(plain.Form):
    """退给患者: by hand, with the document looked at. A cheque's number or the bank's transfer number is kept."""

    means = forms.ChoiceField(label=_("退回方式"), widget=forms.RadioSelect)
    reference = forms.CharField(label=_("支票号或转账流水号"), max_length=64, required=False, strip=True)
    seen = forms.BooleanField(label=_("已核对领款人的证件"))

    def __init__(self, *args, drawer: bool, **kwargs):
        super().__init__(*args, label_suffix="", auto_id="out_%s", **kwargs)
        allowed = [Means.CASH, Means.CHEQUE, Means.BANK] if drawer else [Means.BANK]
        self.fields["means"].choices = [(one.value, self.NAMES[one]) for one in allowed]
        self.fields["reference"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    NAMES = {Means.CASH: _("现金"), Means.CHEQUE: _("支票"), Means.BANK: _("银行转账")}

    def clean(self):
        said = super().clean()
        if said.get("means") in (Means.CHEQUE, Means.BANK) and not said.get("reference"):
            self.add_error("reference", _("请填写支票号或银行转账的流水号，以便以后查对。"))
        return said
