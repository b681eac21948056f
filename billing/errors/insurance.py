"""Refusals of settling with the insurance. What the patient can always do is pay without it."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NoInsuranceLink(Refused):
    """No link to the insurance is set up for this house."""

    code = "no_insurance_link"
    message = _("本院暂未开通医保直接结算。")
    next_step = _("可以先全额自费付款，并保留票据到参保地报销。")


class NoInsuranceDocument(Refused):
    code = "no_insurance_document"
    message = _("档案里没有可以核对医保的证件（身份证或社会保障卡）。")
    next_step = _("请带证件到窗口补录，或这一次全额自费付款。")


class NotTheInsured(Refused):
    """The last four digits of the document were typed wrongly by somebody who is not signed in."""

    code = "not_the_insured"
    status = 422
    message = _("证件后四位与就诊人档案不符。")
    next_step = _("请核对后再填，或到窗口办理。")


class InsuranceChanged(Refused):
    """What is on the invoice, or what the insurance would bear, is not what the person looked at."""

    code = "insurance_changed"
    message = _("账单刚刚有变化，医保需要重新核对。")
    next_step = _("请看新的金额，再确认一次。")


class AlreadyPaid(Refused):
    """Something was paid already: what was settled with the insurance is taken back by giving lines back."""

    code = "already_paid"
    message = _("这张账单已经付过款，不能再改医保结算方式。")
    next_step = _("需要更改时请到窗口办理退费，再重新结算。")


class RuleBegun(Refused):
    """Bills were estimated by it."""

    code = "rule_begun"
    message = _("这条规则已经生效，不能撤销。")
    next_step = _("请点“修改”，从某一天起写新的规则。")


class TableChanged(Refused):
    """Somebody else of the office wrote a rule of this kind since the form was opened."""

    code = "table_changed"
    message = _("刚刚有同事改过这条规则，还没有保存。")
    next_step = _("请重新打开规则，看过新的内容后再改。")


class InsuranceUnderWay(Refused):
    """The kind of insurance can't be changed any more."""

    code = "insurance_under_way"
    message = _("这张账单正在付款或医保结算，不能再改医保种类。")
    next_step = _("请先取消正在进行的付款或结算，再改医保种类；或到窗口办理。")
