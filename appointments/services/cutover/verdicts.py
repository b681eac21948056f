"""What may be said of a row, as codes: they are kept, the words are made when somebody reads them."""

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import ImportLine
from hospital.workbook.sheet import Sheet

Outcome = ImportLine.Outcome


@dataclass(frozen=True)
class Verdict:
    """Of one row. `column` is the header that is to blame, never what stands in the cell."""

    outcome: str
    code: str = ""
    column: str = ""


WAITING, THERE = Verdict(Outcome.WAITING), Verdict(Outcome.THERE)


def refused(code: str, column: str = "") -> Verdict:
    return Verdict(Outcome.REFUSED, code, column)


REASONS = {
    "empty": (_("这里不能空着。"), _("请填写这一列。")),
    "cell": (_("这一格填得不对。"), _("请对照空白工作簿里这一列的说明更正；号码类的列要设为文本格式。")),
    "same_number": (_("这个旧系统编号在文件里出现了不止一次。"), _("请在旧系统核对，只留一行。")),
    "same_person": (_("这个证件在文件里出现了不止一次。"), _("同一个人只能有一行，请在旧系统合并后再导出。")),
    "same_row": (_("这一行和前面的一行相同。"), _("请删去一行。")),
    "bad_number": (_("旧系统编号不能用：不能有空格和斜杠，也不能是证件号码。"), _("请换成旧系统里的内部编号。")),
    "bad_name": (_("姓名不能空着。"), _("请补上姓名。")),
    "bad_document": (_("证件号码不对，或和证件类型不符。"), _("请对照证件核对号码和校验位。")),
    "bad_phone": (_("手机号码不对。"), _("请填 11 位手机号，固定电话带区号。")),
    "differs_from_document": (_("和证件号码里的不一致。"), _("请对照证件更正，或把这一格空着。")),
    "impossible_birth_date": (_("出生日期不可能是将来或 150 年以前。"), _("请对照证件更正。")),
    "person_differs": (
        _("这个证件在本系统属于姓名、性别或出生日期不同的人。"),
        _("请门诊办公室对照证件，在出错的系统里更正。"),
    ),
    "number_of_another": (_("这个旧系统编号已经对应本系统里的另一个人或预约。"), _("请在旧系统核对编号。")),
    "document_of_another": (_("证件在本系统属于另一位患者。"), _("请门诊办公室对照证件，在出错的系统里更正。")),
    "person_inactive": (_("这位患者在本系统的档案已停用。"), _("请联系系统管理员确认后恢复。")),
    "unknown_patient": (_("没有这个就诊人：文件里没有，或他那一行没有导入。"), _("请先更正“就诊人”表里的那一行。")),
    "unknown_actor": (_("没有这个出诊者。"), _("请核对工号、团队编码或号别编码，以及出诊者类型。")),
    "no_time": (_("时间和序号都空着。"), _("请至少填一个。")),
    "past": (_("就诊时间已经过去。"), _("过去的预约不用导入，请删去这一行。")),
    "no_session": (_("这位出诊者当天没有符合的出诊。"), _("请先在排班里加上这次出诊，或请患者改约。")),
    "several_sessions": (_("这位出诊者当天有几个符合的出诊。"), _("请填上科室、号别或时间。")),
    "stopped": (_("这次出诊已经停诊。"), _("请联系患者改约。")),
    "unknown_slot": (_("这次出诊没有这个序号。"), _("请核对序号，或改填时间。")),
    "time_differs": (_("序号和时间对不上。"), _("请只填其中一个。")),
    "number_taken": (_("这个号已经有人了。"), _("请核对是不是同一个预约；不是的，请联系患者改约。")),
    "no_number_left": (_("这个时段没有空号了。"), _("请加号后重新上传，或联系患者改约。")),
    "time_conflict": (_("患者这个时间在别处已有安排。"), _("请联系患者确认留哪一个。")),
    "already_booked": (_("患者这一天在这个科室已经有预约。"), _("请联系患者确认留哪一个。")),
    "needs_referral": (_("领衔专家的号只能由团队成员转诊打开。"), _("请由团队转诊后预约。")),
    "inactive": (_("这位医生或这个号别已停用。"), _("请先核对医院基础数据。")),
    "no_price": (_("这个号别在就诊日没有价格。"), _("请先补上价目。")),
    "dates": (_("结束日期早于开始日期。"), _("请核对两个日期。")),
    "over": (_("暂停已经结束。"), _("不用导入，请删去这一行。")),
    "other": (_("没有导入成功。"), _("请稍后重新上传这个文件；已导入的行不会重复。")),
}  # fmt: skip


MARK = "、"
LONGEST = 40  # letters of ImportLine.column; only nine wrong cells and more, a shifted row, are not all named


def listed(headers: list[str]) -> str:
    while len(MARK.join(headers)) > LONGEST:
        headers = headers[:-1]
    return MARK.join(headers)


def sentences(code: str, sheet: Sheet | None = None, column: str = "") -> tuple[str, str]:
    """What is wrong with the row, and the cure; of cells of a `sheet`, what may stand in each of them."""
    wrong, cure = REASONS.get(code, REASONS["other"])
    if sheet and code in {"empty", "cell"}:
        headers = column.split(MARK)
        if len(headers) > 1:
            wrong = gettext("这几格空着或填得不对。")
        cells = [f"{one.header}（{gettext(one.kind.hint())}）" for one in sheet.columns if one.header in headers]
        cure = gettext("请按这样填写，不要用公式：%(cells)s。") % {"cells": MARK.join(cells)}
    return str(wrong), str(cure)
