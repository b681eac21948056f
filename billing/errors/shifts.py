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


class DrawerInUse(Refused):
    code = "drawer_in_use"
    message = _("这个班次还在收费，只能由收费员本人点款。")
    next_step = _("开班满 16 小时没有交班，或收费员已停用、调离，才能由同事或财务代点。")


class CountedAlready(Refused):
    """On a page from before."""

    code = "counted_already"
    message = _("这个抽屉已经有人点过了，这一次没有记。")
    next_step = _("请按现在的点款结果复核；要重新点，请收费员本人在“交班”页重新开班。")


class CountedByYou(Refused):
    code = "counted_by_you"
    message = _("这个抽屉是您代点的，不能再由您复核。")
    next_step = _("请由收费员本人，或另一位同事、财务复核并交班。")


class ShiftNotCounted(Refused):
    code = "shift_not_counted"
    message = _("这个班次还没有点款，或已经交班。")
    next_step = _("请刷新页面，按现在的状态操作。")


class DifferenceUnexplained(Refused):
    code = "difference_unexplained"
    status = 422
    message = _("实点和应有不一致，没有写说明。")
    next_step = _("请写明长款、短款或支票不符的原因，再交班。")
