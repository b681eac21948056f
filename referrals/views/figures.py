"""转诊指标 /referral-office/figures/ (R7): counted when asked for, opened down to the rows, as Excel."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.views.office.sheets import MOST_ROWS, file_answer, workbook
from hospital import audit, clock, masking, permissions
from hospital.models import Organization, Role
from hospital.permissions import role_required
from referrals import stats
from referrals.forms.figures import DaysForm, RowsForm
from referrals.models import Referral
from referrals.selectors import counted, pool_use

READERS = (Role.REFERRAL, Role.AUDITOR)
PAGE = 50


@require_safe
@never_cache
@role_required(*READERS)
def figures(request: HttpRequest) -> HttpResponse:
    house, houses = _house(request)
    now = clock.now()
    first, last = DaysForm(request.GET).days(clock.today(now))
    counts = stats.figures(organization=house.pk, first=first, last=last)
    used = _used(house, counts, now=now)
    context = _frame(request, house, first, last) | {
        "houses": houses,
        "figures": counts,
        "each": [(one, used.of.get(one.organization)) for one in counts.of],
        "kept": used.share,
        "paths": stats.paths(organization=house.pk, first=first, last=last),
        "most": stats.MOST_WAYS,
        "concentrated": stats.CONCENTRATED,
    }
    return render(request, "referrals/figures/figures.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def rows(request: HttpRequest) -> HttpResponse:
    """The referrals behind one figure, names masked."""
    house, _houses = _house(request)
    form = RowsForm(request.GET)
    first, last = form.days(clock.today(clock.now()))
    direction, what, narrowed = form.asked()
    found = counted.rows(organization=house.pk, first=first, last=last, direction=direction, what=what)
    page = Paginator(found.filter(**narrowed), PAGE).get_page(request.GET.get("page"))
    reasons = counted.reasons_of(list(page))
    kept = request.GET.copy()
    kept.pop("page", None)
    context = _frame(request, house, first, last) | {
        "page": page,
        "lines": [(row, masking.name(row.patient.name), reasons.get(row.pk, "")) for row in page],
        "direction": Referral.Direction(direction).label,
        "what": counted.WORDS[what],
        "kept": kept.urlencode(),
    }
    return render(request, "referrals/figures/rows.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def export(request: HttpRequest) -> HttpResponse:
    """Institutions, reasons, and all of who referred where. Leaves an audit row."""
    house, _houses = _house(request)
    now = clock.now()
    first, last = DaysForm(request.GET).days(clock.today(now))
    counts = stats.figures(organization=house.pk, first=first, last=last)
    content, count = workbook(
        [
            (_("转诊指标"), _heads(), _institutions(counts, _used(house, counts, now=now).of)),
            (_("退回原因"), [_("原因"), _("次数")], [(row.text, row.count) for row in counts.reasons]),
            (_("谁转给谁"), _path_heads(), _paths(house, first, last)),
        ]
    )
    detail = {"what": "referral_figures", "rows": count, "house": house.pk, "from": f"{first}", "to": f"{last}"}
    audit.record(action="office.exported", actor=request.user, now=now, request=request, detail=detail)
    return file_answer(content, f"{_('转诊指标')}-{first:%Y%m%d}-{last:%Y%m%d}.xlsx")


# ---- whose, and what it says ----


def _house(request: HttpRequest) -> tuple[Organization, list[Organization]]:
    """The house looked at, and all that may be. 404 where the user has none."""
    reach = permissions.organizations_of(request.user, *READERS)
    houses = list(Organization.objects.filter(pk__in=reach).order_by("pk"))
    if not houses:
        raise Http404
    asked = request.GET.get("house", "")
    return next((house for house in houses if str(house.pk) == asked), houses[0]), houses


def _frame(request: HttpRequest, house: Organization, first, last) -> dict:
    span = f"first={first:%Y-%m-%d}&last={last:%Y-%m-%d}&house={house.pk}"
    in_office = permissions.has_role(request.user, Role.REFERRAL)
    return {
        "house": house,
        "first": first,
        "last": last,
        "span": span,
        "in_office": in_office,
        "in_figures": True,
    }


def _used(house: Organization, counts: stats.Figures, *, now) -> pool_use.HouseUse:
    """号池使用 of each institution that referred: as the institution's own page counts it."""
    some = Organization.objects.filter(pk__in=[each.organization for each in counts.of])
    return pool_use.use_at(house, some, first=counts.first, last=counts.last, now=now)


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


def _paths(house: Organization, first, last):
    for row in stats.paths(organization=house.pk, first=first, last=last, most=MOST_ROWS):
        yield (
            Referral.Direction(row.direction).label, row.origin_name, row.doctor, row.receiver_name,
            row.department_name, row.role_name, row.count, row.share.percent, _("集中") if row.concentrated else "",
        )  # fmt: skip
