"""Refusals of giving back."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NoShowKeepsFee(Refused):
    code = "noshow_keeps_fee"
    message = _("这一项是爽约，按本院的结算规则不退费。")
    next_step = _("患者有异议的，请向财务反映；检查爽约经检查预约中心核实免记后可以退。")


class RefundUnderWay(Refused):
    """The gateway may still pay it: nobody else does meanwhile."""

    code = "refund_under_way"
    message = _("这笔退费已经提交给支付渠道，还没有结果，不能再用别的方式退。")
    next_step = _("系统会自动再问；渠道拒绝后会出现在退费待办，那时可以改为窗口退。")
