"""Refusals of the cashier's drawer."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class ShiftOpenAlready(Refused):
    code = "shift_open_already"
    message = _("您在%(window)s的班次还没有交班。")
    next_step = _("请先在“交班”页点款、交班，再开新的班次。")


class ShiftUncertain(Refused):
    """Money was begun by hand and never confirmed: a click whose answer got lost, or a worker that died."""

    code = "shift_uncertain"
    message = _("还有 %(count)s 笔收款没有确认是否收到，不能点款。")
    next_step = _("请逐笔选择“已收到”或“没有收”，再点款。")


class ShiftNotCounted(Refused):
    code = "shift_not_counted"
    message = _("这个班次还没有点款，或已经交班。")
    next_step = _("请刷新页面，按现在的状态操作。")


class DifferenceUnexplained(Refused):
    code = "difference_unexplained"
    status = 422
    message = _("实点和应有不一致，没有写说明。")
    next_step = _("请写明长款、短款或支票不符的原因，再交班。")
