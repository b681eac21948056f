"""Refusals of uploads and imports."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class ImportUnderWay(Refused):
    code = "import_under_way"
    message = _("另一个导入正在进行，这次什么都没有改。")
    next_step = _("请等一两分钟再试；导入记录里能看到是谁在导入。")


class ImportDecided(Refused):
    """Applied or given up already, perhaps by a colleague in this very moment."""

    code = "import_decided"
    message = _("这次导入已经是“%(state)s”，没有再做一遍。")
    next_step = _("要再导入，请重新上传文件。")


class FileTooLong(Refused):
    code = "file_too_long"
    status = 413
    message = _("文件太大，没有接收。")
    next_step = _("最大 10 MB。请删去图片和多余的格式，或拆成几个文件。")


class WholeHouseOnly(Refused):
    code = "whole_house_only"
    status = 403
    message = _("您的岗位只管一个科室，这里的数据是全院的。")
    next_step = _("请交给门诊办公室里管全院的同事办理。")
