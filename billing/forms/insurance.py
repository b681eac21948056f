"""What a person says about the insurance on a page that takes money."""

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import plain
from hospital.models import Patient


class BeginForm(plain.Form):
    """用医保结算. Whoever has the link alone also says the end of the document's number."""

    agreed = forms.BooleanField(
        label=_("同意"),
        error_messages={"required": _("请先勾选同意；不用医保也可以全额自费付款。")},
    )
    use_account = forms.BooleanField(label=_("个人账户有余额时先用余额"), required=False)
    last4 = forms.CharField(
        label=_("就诊人证件号后四位"),
        min_length=4,
        max_length=4,
        error_messages={"min_length": _("请填四位。"), "max_length": _("请填四位。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "size": 6}),
    )

    def __init__(self, *args, stranger: bool, by_staff: bool, masked: str, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        if not stranger:
            del self.fields["last4"]
        said = (
            _("已核对本人和医保凭证（医保电子凭证、身份证或社会保障卡），本人同意用医保结算")
            if by_staff
            else _("我同意医院用%(who)s的证件核对医保，并上传这张账单的费用明细用于结算")
        )
        self.fields["agreed"].label = said if by_staff else said % {"who": masked}


class SeenForm(plain.Form):
    """确认: the cash part that stood on the page."""

    seen = forms.DecimalField(max_digits=10, decimal_places=2, min_value=0)


class KindForm(plain.Form):
    """By which insurance."""

    kind = forms.ChoiceField(
        choices=[choice for choice in Patient.Insurance.choices if choice[0] != Patient.Insurance.NONE]
    )
