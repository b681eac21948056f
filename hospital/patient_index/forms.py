"""疑似重复 as the window decides on it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import patients, plain


class MergeForm(plain.Form):
    """Which record stays. The other one's rows hang on it from then on."""

    kept = forms.TypedChoiceField(label=_("保留哪一份"), coerce=int, widget=forms.RadioSelect())
    seen = forms.BooleanField(label=_("已和本人核对，两份档案是同一个人"))
    reason = forms.CharField(label=_("理由"), max_length=200, strip=True)

    def __init__(self, *args, choices: list[tuple[int, str]], **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["kept"].choices = choices
        self.fields["reason"].help_text = _("凭什么判断，核对了什么证件。两个人的操作留痕里都能看到。")


class ReasonForm(plain.Form):
    reason = forms.CharField(label=_("理由"), max_length=200, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class ProposeForm(plain.Form):
    """Two medical numbers (门诊号), from the screen or from paper."""

    one = forms.CharField(label=_("一份档案的门诊号"), max_length=20, strip=True)
    other = forms.CharField(label=_("另一份的门诊号"), max_length=20, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for name in ("one", "other"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "placeholder": "M00000001"}

    def clean_one(self):
        return self._person("one")

    def clean_other(self):
        return self._person("other")

    def _person(self, name: str):
        found = patients.with_medical_number(self.cleaned_data[name])
        if found is None:
            raise forms.ValidationError(_("没有这个门诊号，请核对。"))
        return found

    def clean(self):
        said = super().clean()
        if said.get("one") and said.get("one") == said.get("other"):
            self.add_error("other", _("两个门诊号现在是同一份档案。"))
        return said
