"""转诊指标 /referral-office/figures/ (R7): counted when asked for, opened down to the rows, as Excel."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.looking import DaysForm
from appointments.views.office.figures import Look, exported, look
from appointments.views.office.sheets import MOST_ROWS
from hospital import masking, permissions
from hospital.models import Organization, Role
from hospital.permissions import role_required
from referrals import stats
from referrals.forms.figures import RowsForm
from referrals.models import Referral
from referrals.selectors import counted, pool_use

READERS = (Role.REFERRAL, Role.AUDITOR)
PAGE = 50


@require_safe
@never_cache
@role_required(*READERS)
def figures(request: HttpRequest) -> HttpResponse:
    looked = _look(request, DaysForm(request.GET))
    counts = stats.figures(**looked.asked)
    used = _used(looked, counts)
    context = _framed(request, looked) | {
        "figures": counts,
        "each": [(one, used.of.get(one.organization)) for one in counts.of],
        "kept": used.share,
        "paths": stats.paths(**looked.asked),
        "most": stats.MOST_WAYS,
        "concentrated": stats.CONCENTRATED,
    }
    return render(request, "referrals/figures/figures.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def rows(request: HttpRequest) -> HttpResponse:
    """The referrals behind one figure, names masked."""
    form = RowsForm(request.GET)
    looked = _look(request, form)
    direction, what, narrowed = form.asked()
    found = counted.rows(**looked.asked, direction=direction, what=what)
    page = Paginator(found.filter(**narrowed), PAGE).get_page(request.GET.get("page"))
    reasons = counted.reasons_of(list(page))
    context = _framed(request, looked) | {
        "page": page,
        "lines": [(row, masking.name(row.patient.name), reasons.get(row.pk, "")) for row in page],
        "direction": Referral.Direction(direction).label,
        "what": counted.WORDS[what],
    }
    return render(request, "referrals/figures/rows.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def export(request: HttpRequest) -> HttpResponse:
    """Institutions, reasons, and all of who referred where. Leaves an audit row."""
    looked = _look(request, DaysForm(request.GET))
    counts = stats.figures(**looked.asked)
    sheets = [
        (_("转诊指标"), _heads(), _institutions(counts, _used(looked, counts).of)),
        (_("退回原因"), [_("原因"), _("次数")], [(row.text, row.count) for row in counts.reasons]),
        (_("谁转给谁"), _path_heads(), _paths(looked)),
    ]
    return exported(request, looked, sheets, what="referral_figures", name=_("转诊指标"))


# ---- whose, and what it says ----


def _look(request: HttpRequest, form: DaysForm) -> Look:
    return look(request, permissions.organizations_of(request.user, *READERS), form)


def _framed(request: HttpRequest, looked: Look) -> dict:
    return looked.framed(in_office=permissions.has_role(request.user, Role.REFERRAL), in_figures=True)


def _used(looked: Look, counts: stats.Figures) -> pool_use.HouseUse:
    """号池使用 of each institution that referred: as the institution's own page counts it."""
    some = Organization.objects.filter(pk__in=[each.organization for each in counts.of])
    return pool_use.use_at(looked.house, some, first=looked.first, last=looked.last, now=looked.now)


def _heads() -> list[str]:
    return [
        _("机构"), _("上转"), _("首次答复中位数（分钟）"), _("九成在（分钟）"), _("未答复"), _("逾期催办"),
        _("退回"), _("改派"), _("撤回"), _("约到号"), _("下级机构号池"), _("号池使用率（%）"),
        _("下转"), _("下转已完成"),
    ]  # fmt: skip


def _institutions(counts: stats.Figures, used: dict[int, pool_use.Use]):
    for one in counts.of:
        up, use = one.up, used.get(one.organization)
        yield (
            one.name, up.sent, up.median, up.ninety, up.unanswered, up.escalated, up.rejected, up.redirected,
            up.withdrawn, up.numbered, up.own, None if use is None or use.shared_pools else use.used_percent,
            one.down.sent, one.down.completed,
        )  # fmt: skip


def _path_heads() -> list[str]:
    return [
        _("方向"), _("转出机构"), _("转诊医生"), _("接收机构"), _("科室"), _("医生"), _("次数"),
        _("占本人转诊（%）"), _("集中"),
    ]  # fmt: skip


def _paths(looked: Look):
    for row in stats.paths(**looked.asked, most=MOST_ROWS):
        yield (
            Referral.Direction(row.direction).label, row.origin_name, row.doctor, row.receiver_name,
            row.department_name, row.role_name, row.count, row.share.percent, _("集中") if row.concentrated else "",
        )  # fmt: skip
