"""Shapes of input around pay-after-visit."""

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import plain


class SignForm(plain.Form):
    """On the phone: the terms are on the same page."""

    read = forms.BooleanField(label=_("我已阅读以上约定，同意先诊疗后付费"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", auto_id="sign_%s", **kwargs)


class WindowSignForm(plain.Form):
    """At the window: the document was seen and the paper signed."""

    seen = forms.BooleanField(label=_("已核对就诊人的证件"))
    signed = forms.BooleanField(label=_("就诊人或监护人已在纸质协议上签字"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", auto_id="sign_%s", **kwargs)


class FindForm(plain.Form):
    q = forms.CharField(label=_("证件号、手机、门诊号、姓名或拼音首字母"), max_length=80, strip=True)
