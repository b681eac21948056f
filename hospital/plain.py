"""Forms that name what is missing. Django's own sentence for an empty field names nothing."""

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext as _


class Words:
    """For every form of the house. A field that has its own sentence keeps it."""

    def full_clean(self):
        for field in self.fields.values():
            if field.error_messages["required"] is forms.Field.default_error_messages["required"]:
                field.error_messages["required"] = _missing(field)
        super().full_clean()


def _sentence(field: forms.Field) -> str:
    if not field.label:
        return _("这里不能空着。")
    said = {"field": field.label}
    if isinstance(field.widget, forms.CheckboxInput):
        return _("请先勾选“%(field)s”。") % said
    if isinstance(field, forms.ChoiceField | forms.FileField):
        return _("请选择“%(field)s”。") % said
    return _("请填写“%(field)s”。") % said


_missing = lazy(_sentence, str)
"""When it is shown: by then the form has said what its fields are called, and the reader's language is known."""


class Form(Words, forms.Form):
    pass


class ModelForm(Words, forms.ModelForm):
    pass
