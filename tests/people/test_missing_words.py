"""An empty field is told in plain words that name it, on every form of the house."""

import importlib
import pkgutil

import pytest
from django import forms

import appointments.forms
from appointments import admin_tokens
from hospital import account_forms, admin, admin_integration, admin_privacy, family_forms, plain
from hospital import forms as sign_in_forms

MODULES = [account_forms, admin, admin_integration, admin_privacy, admin_tokens, family_forms, sign_in_forms]
MODULES += [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(appointments.forms.__path__, "appointments.forms.")
]
FORMS = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, forms.BaseForm)
        and each.__module__.startswith(("appointments.", "hospital."))
    },
    key=lambda each: (each.__module__, each.__name__),
)


@pytest.mark.parametrize("form", FORMS, ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_form_names_what_is_missing(form):
    assert issubclass(form, plain.Words)


class Sheet(plain.Form):
    reason = forms.CharField(label="原因")
    pool = forms.ChoiceField(label="号池", choices=[("1", "公共")])
    ticks = forms.MultipleChoiceField(label="院区", choices=[("1", "本部")])
    seen = forms.BooleanField(label="已核验证件")
    file = forms.FileField(label="文件")
    own = forms.CharField(label="周期", error_messages={"required": "请说明周期。"})
    hidden = forms.CharField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["late"] = forms.IntegerField(label="几个")


def test_the_sentence_fits_the_kind_of_field_and_own_sentences_stay():
    told = {name: errors[0] for name, errors in Sheet({}).errors.items()}

    assert told == {
        "reason": "请填写“原因”。",
        "pool": "请选择“号池”。",
        "ticks": "请选择“院区”。",
        "seen": "请先勾选“已核验证件”。",
        "file": "请选择“文件”。",
        "own": "请说明周期。",
        "hidden": "这里不能空着。",
        "late": "请填写“几个”。",
    }
