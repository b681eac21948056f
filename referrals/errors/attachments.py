"""Refusals of attachments."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused
from hospital.files.errors import UnfitFile


class AttachmentTooLong(UnfitFile):
    """`limit` in MB."""

    code = "attachment_too_long"
    status = 413
    message = _("没有接收这个文件：超过 %(limit)d MB。")
    next_step = _("请压缩后再上传；影像请留在影像系统里，这里只传报告或关键图片。")


class TooManyAttachments(Refused):
    code = "attachments_full"
    message = _("这张转诊单最多带 %(limit)d 个附件，已经满了。")
    next_step = _("请把几页合成一个 PDF；没发出的草稿可以先移除不需要的附件。")


class AttachedAlready(Refused):
    code = "attached_already"
    message = _("这个文件已经在附件里了：%(name)s。")
    next_step = _("不用再传。")


class AttachmentStays(Refused):
    """What was sent is never changed."""

    code = "attachment_stays"
    message = _("转诊单已经发出，附件不能再移除。")
    next_step = _("如果传错了，请马上打电话告诉对方转诊办，并在补充说明里写明。")


class AttachmentNotScanned(Refused):
    code = "attachment_not_scanned"
    message = _("附件正在查毒，还不能打开。")
    next_step = _("一般一分钟内完成，请稍后再点；一直打不开请联系信息科。")


class AttachmentInfected(Refused):
    code = "attachment_infected"
    message = _("附件里发现病毒，已隔离，任何人都打不开。")
    next_step = _("请联系上传的机构，换一台电脑重新导出后再发。")
