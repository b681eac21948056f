"""What is pressed on the page of paying."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Means


class StartForm(forms.Form):
    """支付方式: one of those that this house takes here; `request_key`: pressed twice it is one code."""

    request_key = forms.UUIDField()
    means = forms.ChoiceField(
        choices=(),
        error_messages={"required": _("请选一种支付方式。"), "invalid_choice": _("这种支付方式现在不能用，请换一种。")},
    )

    def __init__(self, *args, offered: list[Means], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["means"].choices = [(means.value, means.label) for means in offered]


class PaymentForm(forms.Form):
    """Which payment the page showed."""

    payment = forms.IntegerField(min_value=1, max_value=2**63 - 1)
