"""Refusals at the lower institution's desk."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class SignedElsewhere(Refused):
    """One family doctor at a time."""

    code = "signed_elsewhere"
    message = _("这位居民已与%(organization)s签约，到 %(until)s 为止。")
    next_step = _("请先由原机构办理解约，或从那之后的日期开始签约。")


class SigningDates(Refused):
    code = "signing_dates"
    status = 422
    message = _("%(problem)s")
    next_step = _("请改日期后再保存。")


class DraftChanged(Refused):
    """Two windows, or two family doctors, on one draft."""

    code = "draft_changed"
    message = _("这张草稿刚由同事或在另一个窗口改过，这里写的还没有保存。")
    next_step = _("请点“保存草稿”：那边写的会列出来，核对后再点一次，就以这里的为准。")


class NoNumberHeld(Refused):
    """转诊并预约 was pressed and nothing is held any more."""

    code = "no_number_held"
    message = _("还没有选号，或锁号已过期、号已放回。")
    next_step = _("请在右边重新选一个时段，或点“发出，请转诊办代约”。")
