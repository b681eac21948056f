"""What finance types: days, an account, how something was settled."""

from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import MoneyCase
from billing.policies.accounts import ACCOUNTS
from billing.selectors.finance_words import ACCOUNTS as ACCOUNT_WORDS
from billing.selectors.finance_words import KINDS
from billing.services import depositing, settling_cases
from hospital import plain
from hospital.models import Organization

from .cashier import YuanField

LONGEST = timedelta(days=366)


def day_field(label, **more) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}), **more)


class DaysForm(forms.Form):
    """?house=&day=&to=: what can't be read is today and says so."""

    house = forms.ModelChoiceField(Organization.objects.none(), label=_("机构"), required=False, empty_label=None)
    day = day_field(_("记账日"))
    to = day_field(_("到"))

    def __init__(self, data, *, houses: list[Organization], today: date):
        super().__init__(data or None)
        self.today, self.houses = today, houses
        self.fields["house"].queryset = Organization.objects.filter(pk__in=[one.pk for one in houses])
        if len(houses) < 2:
            del self.fields["house"]

    def clean(self):
        said = super().clean()
        first, last = said.get("day") or self.today, said.get("to")
        if last and last < first:
            self.add_error("to", _("结束日期早于开始日期，请改一下。"))
        elif last and last - first > LONGEST:
            self.add_error("to", _("一次最多看一年，请缩短日期范围。"))
        return said

    @property
    def wanted(self) -> tuple[Organization, date, date]:
        """House, first and last day; unread or wrong: the first house, today."""
        said = self.cleaned_data if self.is_bound and self.is_valid() else {}
        first = said.get("day") or self.today
        return said.get("house") or self.houses[0], first, said.get("to") or first


class EntriesForm(DaysForm):
    account = forms.ChoiceField(label=_("科目"), required=False)
    kind = forms.ChoiceField(label=_("事项"), required=False)

    def __init__(self, data, **more):
        super().__init__(data, **more)
        self.fields["account"].choices = [("", _("全部科目")), *((code, ACCOUNT_WORDS[code]) for code in ACCOUNTS)]
        self.fields["kind"].choices = [("", _("全部事项")), *KINDS.items()]


class DepositForm(plain.Form):
    """One line of a bank statement."""

    account = forms.ChoiceField(label=_("哪里的款"))
    amount = YuanField(label=_("到账金额（元）"), min_value=Decimal("0.01"))
    fee = YuanField(
        label=_("被扣手续费（元）"), required=False, help_text=_("银行卡终端结算时银行扣下的；没有就留空。")
    )
    slip = forms.RegexField(
        r"^[0-9A-Za-z-]{4,30}$", label=_("银行回单号"), help_text=_("每张回单登记一次。"),
        error_messages={"invalid": _("请填回单上的号码：4–30 位数字、字母或短横。")},
    )  # fmt: skip

    def __init__(self, *args, **more):
        super().__init__(*args, label_suffix="", **more)
        self.fields["account"].choices = [(code, ACCOUNT_WORDS[code]) for code in depositing.FROM]


class HowForm(plain.Form):
    """How a difference was found out."""

    note = forms.CharField(
        label=_("怎么核实的"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明核实的结果，审计时要看。")},
    )  # fmt: skip

    def __init__(self, *args, **more):
        super().__init__(*args, label_suffix="", **more)


class CaseForm(HowForm):
    way = forms.ChoiceField(label=_("处理方式"), widget=forms.RadioSelect)

    WORDS = {
        settling_cases.NOTE: _("已核实，只作说明"),
        settling_cases.TRANSFER: _("已从银行账户转账退给付款人"),
        settling_cases.NEVER: _("渠道核实：没有收到过这笔款"),
    }

    def __init__(self, *args, ways: list[str], **more):
        super().__init__(*args, **more)
        self.fields["way"].choices = [(way, self.WORDS[way]) for way in ways]
        self.order_fields(["way", "note"])
        if len(ways) == 1:
            self.fields["way"].initial = ways[0]


class CasesForm(forms.Form):
    kind = forms.ChoiceField(label=_("类别"), required=False)
    settled = forms.BooleanField(label=_("看已处理的"), required=False)

    def __init__(self, data):
        super().__init__(data)
        self.fields["kind"].choices = [("", _("全部类别")), *MoneyCase.Kind.choices]
