"""Where a signed-in person lands: the rooms that their roles open."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from hospital import permissions
from hospital.middleware import StaffSecurity


@dataclass(frozen=True)
class Tile:
    """One room of the house. Addresses are the settled ones: a lower layer can't import the pages themselves."""

    address: str
    title: str
    note: str
    open_to: callable


TILES = [
    Tile("/consult/", _("诊间"), _("今天的候诊、叫号、给患者约下一次"), permissions.may_sit_in_a_room),
    Tile("/my/schedule/", _("我的出诊"), _("今后四周的出诊，申请停诊"), permissions.may_see_own_sessions),
    Tile("/desk/", _("报到台"), _("报到、现场挂号、退号与改约"), permissions.may_work_the_desk),
    Tile(
        "/office/duplicates/",
        _("患者主索引"),
        _("疑似重复的档案：核对、合并、撤销合并"),
        permissions.may_keep_the_index,
    ),
    Tile(
        "/partner/",
        _("下级机构工作台"),
        _("转诊、本机构的号和回收时间、签约居民、随访"),
        permissions.works_at_a_partner,
    ),
    Tile(
        "/referral-office/",
        _("转诊办"),
        _("收到的转诊单：接收、改派、退回、代约，绿色通道"),
        permissions.may_work_the_referral_office,
    ),
    Tile(
        "/finance/",
        _("财务"),
        _("科目余额和分录、支付渠道对账、财务待办"),
        permissions.may_look_at_the_money,
    ),
    Tile("/phone/", _("代约"), _("给来电、出院和下级机构的患者约号、改约、退号"), permissions.may_book_for_others),
    Tile(
        "/office/calls/",
        _("停诊电话"),
        _("没有答复的患者：打电话、记结果、替他们改约或退号"),
        permissions.may_call_patients,
    ),
    Tile(
        "/exam-centre/",
        _("检查预约中心"),
        _("还没预约的检查：排到一次、打电话、改时间"),
        permissions.may_work_the_exam_centre,
    ),
    Tile(
        "/exam-reports/",
        _("检查报告"),
        _("写报告、审核发布、更正，登记外院结果"),
        permissions.may_read_exam_reports,
    ),
    Tile("/critical/", _("危急值"), _("等着确认的危急值，记下做了什么处理"), permissions.may_see_critical_values),
    Tile("/exam-rooms/", _("检查室"), _("检查报到、按设备叫号、开始、结束"), permissions.may_work_the_exam_rooms),
    Tile(
        "/admissions/",
        _("住院与日间手术"),
        _("住院申请：审核、还缺什么、安排日期、登记入院"),
        permissions.may_run_admissions,
    ),
    Tile("/cashier/", _("收费窗口"), _("收款、找零、退费、开票，开班和交班"), permissions.may_take_money),
    Tile("/kiosk/", _("自助机"), _("大厅的触摸屏：报到、约号、我的号"), permissions.is_a_kiosk),
    Tile("/office/", _("号源"), _("一周出诊与号池，规则接下来做什么"), permissions.may_look_at_the_office),
    Tile("/admin/", _("后台"), _("规则、岗位、账号与操作留痕"), permissions.may_open_the_admin),
]
INBOX = Tile(
    "/inbox/", _("收件箱"), _("开发用：系统发给患者的短信都在这里"), lambda user: bool(permissions.roles_of(user))
)


@require_safe
def landing(request):
    """Staff see their rooms; everybody else the patients' home page, whose foot has the staff's door."""
    if not request.user.is_authenticated or permissions.is_patient_account(request.user):
        return redirect("appointments:patient_home")
    tiles = [*TILES, INBOX] if settings.DEMO else TILES
    assignments = permissions.assignments(request.user)
    context = {
        "tiles": [tile for tile in tiles if tile.open_to(request.user)],
        "organizations": list(dict.fromkeys(str(row.organization) for row in assignments)),
        "roles": list(dict.fromkeys(row.get_role_display() for row in assignments)),
        "second_factor": is_mfa_enabled(request.user, [Authenticator.Type.TOTP]),
        "idle_minutes": request.session[StaffSecurity.KEY]["idle_minutes"],
    }
    return render(request, "home/landing.html", context)
