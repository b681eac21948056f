"""对账 /finance/reconciliation/ (M8): a gateway's day beside ours, its differences and their cures, and closing."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing.forms.finance import HowForm
from billing.models import Difference, Reconciliation
from billing.policies import reconciling as policy
from billing.selectors import finance
from billing.services import reconciling
from hospital import clock
from hospital.permissions import role_required

from .finance_reach import ACTORS, PAGE, READERS, frame, houses


@require_safe
@never_cache
@role_required(*READERS)
def days(request: HttpRequest) -> HttpResponse:
    """The days, the latest first; ?open=1: those that are not closed."""
    only_open = request.GET.get("open") == "1"
    found = finance.days(houses(request), only_open=only_open)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = frame(request) | {"page": page, "only_open": only_open}
    return render(request, "billing/finance/days.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def day(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(finance.days(houses(request), only_open=False), pk=pk)
    return _page(request, row)


def _page(request: HttpRequest, row: Reconciliation, *, form: HowForm | None = None, of: int = 0, status: int = 200):
    """`form` with what was typed, at the difference `of`."""
    page = Paginator(finance.differences(row), PAGE).get_page(request.GET.get("page"))
    context = frame(request) | {
        "day": row,
        "page": page,
        "differences": [_difference(one, form if one.pk == of else HowForm(auto_id=f"id_{one.pk}_%s")) for one in page],
        "may_close": policy.refusal_to_close(row.status, open_differences=row.open) is None,
        "payout": row.received - row.given_back - row.fees,
        "entries": row.entries.order_by("pk"),
    }
    return render(request, "billing/finance/day.html", context, status=status)


def _difference(row: Difference, form: HowForm) -> dict:
    return {
        "row": row,
        "form": form,
        "order": row.row.order if row.row else (row.payment or row.refund).order,
        "refund": policy.is_refund(row),
        "back": getattr(row, "sent_back", None),
        "invoice": (row.payment and row.payment.invoice_id) or (row.refund and row.refund.payment.invoice_id),
    }


@require_safe
@never_cache
@role_required(*READERS)
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The bill as it came, and a number looked up in it."""
    row = get_object_or_404(Reconciliation, pk=pk, organization__in=houses(request))
    text = request.GET.get("q", "").strip()[:64]
    page = Paginator(finance.bill_rows(row, text=text), PAGE).get_page(request.GET.get("page"))
    context = frame(request) | {"day": row, "page": page, "text": text}
    return render(request, "billing/finance/rows.html", context)


@require_POST
@role_required(*ACTORS)
def fetch(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch the bill, or compare once more what is there."""
    row = get_object_or_404(Reconciliation, pk=pk, organization__in=houses(request, *ACTORS))
    row = reconciling.reconcile(organization_id=row.organization_id, gateway=row.gateway, day=row.day, now=clock.now())
    closed = row.status == Reconciliation.Status.CLOSED
    messages.success(request, _("已核对，没有差异，已平账。") if closed else _("已核对，还有差异要处理。"))
    return redirect("billing:finance_day", row.pk)


@require_POST
@role_required(*ACTORS)
def close(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Reconciliation, pk=pk, organization__in=houses(request, *ACTORS))
    reconciling.close(reconciliation=row, by=request.user, now=clock.now())
    messages.success(request, _("已平账，渠道结算款已记入银行存款。"))
    return redirect("billing:finance_day", row.pk)


def _mine(request: HttpRequest, pk: int) -> Difference:
    rows = Difference.objects.filter(reconciliation__organization__in=houses(request, *ACTORS))
    return get_object_or_404(rows.select_related("reconciliation"), pk=pk)


@require_POST
@role_required(*ACTORS)
def take(request: HttpRequest, pk: int) -> HttpResponse:
    row = reconciling.take(difference=_mine(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("已按渠道账单补记入账。"))
    return redirect("billing:finance_day", row.reconciliation_id)


@require_POST
@role_required(*ACTORS)
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    row = reconciling.send_back(difference=_mine(request, pk), by=request.user, now=clock.now())
    told = row.settled_at is not None
    if told:
        messages.success(request, _("已记入无主款并原路退回付款人。"))
    elif row.sent_back.status == "refused":
        messages.error(request, _("渠道拒绝退回，款仍在无主款。请在财务待办里转账退回并写明。"))
    else:
        messages.info(request, _("已记入无主款，渠道还没有答复，系统会继续退回。"))
    return redirect("billing:finance_day", row.reconciliation_id)


@require_POST
@role_required(*ACTORS)
def by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    row = _mine(request, pk)
    form = HowForm(request.POST, auto_id=f"id_{pk}_%s")
    if not form.is_valid():
        whole = get_object_or_404(finance.days(houses(request), only_open=False), pk=row.reconciliation_id)
        return _page(request, whole, form=form, of=pk, status=422)
    reconciling.by_hand(difference=row, note=form.cleaned_data["note"], by=request.user, now=clock.now())
    messages.success(request, _("已按核实结果处理。"))
    return redirect("billing:finance_day", row.reconciliation_id)
