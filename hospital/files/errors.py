"""Refusals of files."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class UnfitFile(Refused):
    """`what`: what the file is, or what is wrong with it; `do`: what helps."""

    code = "unfit_file"
    status = 422
    message = _("没有接收这个文件：%(what)s")
    next_step = _("%(do)s")


class NotAPdf(UnfitFile):
    code = "not_a_pdf"


class FileTooLong(Refused):
    """Refused by its Content-Length, before it was read. `limit` in MB, of one file."""

    code = "file_too_long"
    status = 413
    message = _("上传的文件太大，没有接收（单个上限 %(limit)d MB）。")
    next_step = _("请返回上一页，填的内容还在；把文件压缩后再选。")


class FileLost(Refused):
    """The stored file is gone or not what was stored: never shown."""

    code = "file_lost"
    status = 503
    message = _("文件暂时取不到。")
    next_step = _("请稍后再试；仍不行请联系上传的机构重新发一份。")
