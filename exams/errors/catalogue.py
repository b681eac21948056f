"""Refusals of the exam catalogue: rules, questions and preparations that somebody answers for."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class OrderInACircle(Refused):
    """`circle`: 甲 → 乙 → 丙 → 甲."""

    code = "exam_order_circle"
    status = 422
    message = _("检查先后成了一圈：%(circle)s。这几项就排不出先后了。")
    next_step = _("请改这条规则的先后，或先修改、停用圈里的另一条规则。")


class CatalogueUnsound(Refused):
    """`what`: the first thing that is wrong, as the form says it beside its field."""

    code = "exam_catalogue_unsound"
    status = 422
    message = _("内容不能这样写：%(what)s")
    next_step = _("请改正后再保存。")


class AlreadyDrafted(Refused):
    """One change at a time waits for approval."""

    code = "exam_already_drafted"
    message = _("这一条已有一份修订在等待批准。")
    next_step = _("请先批准或作废那份修订。")


class SignedOver(Refused):
    """Approved, replaced, retired or discarded by a colleague meanwhile."""

    code = "exam_signed_over"
    message = _("这一版的状态已经改变，不能这样办理。")
    next_step = _("请刷新页面，查看现行的一版。")


class NeedsSecondPerson(Refused):
    """Whoever wrote it does not approve it."""

    code = "exam_needs_second_person"
    message = _("自己写的内容要由另一位同事批准。")
    next_step = _("请让另一位号源管理员核对后批准。")


class StillUsed(Refused):
    """`what`: who depends on it."""

    code = "exam_still_used"
    message = _("现在不能停用或这样修改：%(what)s")
    next_step = _("请先改掉用到它的地方。")


class CatalogueChanged(Refused):
    """Somebody else saved the same item or set since the form was opened."""

    code = "exam_catalogue_changed"
    message = _("这一项刚被别人改过，您的修改没有保存。")
    next_step = _("请在新的页面打开它核对后，再保存一次。")
