"""结算规则: which channels pay first, how long holds last, credit and dunning; dated (M2, M4, M6)."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from appointments.views.office.numbers import Pages
from appointments.views.office.whole import framed
from billing.forms.payment_rules import PaymentRuleForm
from billing.selectors import rules
from billing.selectors.rule_words import words_of

PAGES = Pages(
    form=PaymentRuleForm,
    frame="billing/prices/page.html",
    framed=partial(framed, tab="rules"),
    addresses={
        "all": "billing:payment_rules",
        "one": "billing:payment_rule",
        "new": "billing:payment_rule_new",
        "withdraw": "billing:payment_rule_withdraw",
    },
    name=_("结算规则"),
    change=_("修改结算规则"),
    unwritten=_("还没有写过规则：到院后付费，其余按系统默认值"),
    words=words_of,
    forget=rules.forget,
)
