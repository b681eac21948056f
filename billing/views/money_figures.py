"""结算指标 /office/money-figures/: settlements not at the window, refunds by reason, pay-after-visit.

Counted when asked for, opened down to the rows, as Excel.
"""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.views.office.figures import Look, exported, look
from billing import stats
from billing.forms.money_figures import DaysForm, RowsForm
from billing.models import Means, Refund, Way
from billing.selectors import counted
from hospital import masking, permissions
from hospital.models import Role
from hospital.permissions import role_required

READERS = (Role.FINANCE, Role.OFFICE, Role.AUDITOR)
PAGE = 50


@require_safe
@never_cache
@role_required(*READERS)
def figures(request: HttpRequest) -> HttpResponse:
    looked = _look(request, DaysForm(request.GET))
    shown = stats.figures(**looked.asked, now=looked.now)
    context = looked.framed(
        figures=shown,
        ways=[(Way(row.code).label, row) for row in shown.ways],
        means=[(Means(row.code).label, row) for row in shown.means],
        reasons=[(Refund.Reason(row.code).label, row) for row in shown.reasons],
        target=stats.SMART_TARGET,
    )
    return render(request, "billing/figures/figures.html", context)


def _look(request: HttpRequest, form: DaysForm) -> Look:
    """Money is the whole house's: the office of one department does not see it."""
    held = permissions.assignments(request.user)
    reach = {row.organization_id for row in held if row.role in READERS and row.department_id is None}
    return look(request, reach, form)


@require_safe
@never_cache
@role_required(*READERS)
def rows(request: HttpRequest) -> HttpResponse:
    """The invoices or refunds behind one figure, names masked."""
    form = RowsForm(request.GET)
    looked, what = _look(request, form), form.said("what") or "settled"
    page = Paginator(_found(form, what, looked), PAGE).get_page(request.GET.get("page"))
    context = looked.framed(
        page=page,
        what=counted.WORDS[what],
        of_refunds=what == "refunds",
        lines=[(row, masking.name(_patient(row).name)) for row in page],
    )
    return render(request, "billing/figures/rows.html", context)


def _found(form: RowsForm, what: str, looked: Look):
    if what == "refunds":
        return counted.refunds(**looked.asked, reason=form.said("reason"))
    if what == "settled":
        return counted.settled(stats.settled(**looked.asked, way=form.said("way"), now=looked.now))
    return counted.on_credit(**looked.asked, what=what, now=looked.now)


def _patient(row):
    return row.payment.invoice.patient if isinstance(row, Refund) else row.patient


@require_safe
@never_cache
@role_required(*READERS)
def export(request: HttpRequest) -> HttpResponse:
    """All tables of the page. Leaves an audit row."""
    looked = _look(request, DaysForm(request.GET))
    shown = stats.figures(**looked.asked, now=looked.now)
    return exported(request, looked, _sheets(shown), what="money_figures", name=_("结算指标"))


def _sheets(shown: stats.Figures):
    smart, credit = shown.smart, shown.credit
    yield (
        _("智能结算"),
        [_("途径"), _("结算"), _("占比（%）")],
        [
            *((Way(row.code).label, row.count, _percent(row.count, smart.denominator)) for row in shown.ways),
            (_("合计"), smart.denominator, None),
            (_("智能结算"), smart.numerator, smart.percent),
        ],
    )
    yield (
        _("按科室"),
        [_("科室"), _("智能结算"), _("结算"), _("智能结算率（%）")],
        [(row.name, row.smart, row.all, row.share.percent) for row in shown.departments],
    )
    yield (
        _("按月"),
        [_("月份"), _("智能结算"), _("结算"), _("智能结算率（%）")],
        [(f"{month:%Y-%m}", rate.numerator, rate.denominator, rate.percent) for month, rate in shown.months],
    )
    yield (
        _("收款方式"),
        [_("支付方式"), _("笔数"), _("金额（元）")],
        [(Means(row.code).label, row.count, float(row.amount)) for row in shown.means],
    )
    yield (
        _("退费"),
        [_("原因"), _("笔数"), _("金额（元）"), _("已退"), _("退费中"), _("渠道拒绝"), _("到账中位数（小时）")],
        [
            (Refund.Reason(row.code).label, row.count, float(row.amount), row.done, row.waiting, row.refused, row.hours)
            for row in shown.reasons
        ],
    )
    yield _("先诊疗后付费"), [_("指标"), _("数值")], _credit(credit)


def _credit(credit: stats.Credit) -> list[tuple]:
    return [
        (_("有效协议"), credit.agreements),
        (_("新签协议"), credit.signed),
        (_("记账账单"), credit.invoices),
        (_("记账金额（元）"), float(credit.amount)),
        (_("收回金额（元）"), float(credit.paid)),
        (_("到期账单"), credit.due),
        (_("按期付清"), credit.in_time),
        (_("按期付清率（%）"), credit.in_time_share.percent),
        (_("期末欠费（元）"), float(credit.owed)),
        (_("其中逾期（元）"), float(credit.overdue)),
        (_("逾期账单"), credit.overdue_count),
        (_("催缴消息"), credit.told),
    ]


def _percent(some: int, of: int) -> float | None:
    return stats.Rate(some, of).percent
