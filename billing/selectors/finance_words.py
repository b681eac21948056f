"""What finance calls the accounts of the journal and what happened to money."""

from django.utils.translation import gettext_lazy as _

from billing.policies import accounts

ACCOUNTS = {
    "cash": _("现金"),
    "cheque": _("支票"),
    "bank": _("银行卡（终端）"),
    "wechat": _("微信支付（待结算）"),
    "alipay": _("支付宝（待结算）"),
    "card": _("社保卡个人账户"),
    accounts.AT_BANK: _("银行存款"),
    accounts.PATIENT_DUE: _("应收就诊人（先诊疗后付费）"),
    accounts.FUND_DUE: _("应收医保统筹"),
    accounts.ACCOUNT_DUE: _("应收医保个人账户"),
    accounts.DEPOSITS: _("预收款"),
    accounts.REFUNDS_DUE: _("应退款"),
    accounts.UNOWNED: _("无主款"),
    "income_visit": _("挂号收入"),
    "income_exam": _("检查收入"),
    "income_service": _("其他服务收入"),
    accounts.FEES: _("支付渠道手续费"),
    accounts.OVER_SHORT: _("长短款"),
}

KINDS = {
    "received": _("收款"),
    "earned": _("确认收入"),
    "unearned": _("冲回收入"),
    "credit_paid": _("付清欠费"),
    "promised": _("应退"),
    "given_back": _("已退"),
    "settled": _("医保结算"),
    "reversed": _("医保结算撤销"),
    "owed_anew": _("医保撤销后应收"),
    "unowned": _("收到无主款"),
    "unowned_returned": _("退回无主款"),
    "difference": _("对账差异"),
    "turned_up": _("差异核回"),
    "payout": _("渠道结算到账"),
    "deposit": _("银行到账"),
    "drawer_counted": _("交班长短款"),
    "case": _("财务待办处理"),
}


def account(code: str) -> str:
    return str(ACCOUNTS.get(code, code))


def kind(code: str) -> str:
    return str(KINDS.get(code, code))
