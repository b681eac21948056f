"""银行到账 /finance/deposits/: what reached the bank from drawers, terminals and the insurance, by its slip."""

from datetime import timedelta
from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.errors.finance import DepositedAlready, NotThatMuch
from billing.forms.finance import DaysForm, DepositForm
from billing.selectors import finance
from billing.selectors.finance_words import account
from billing.selectors.ledger import balance
from billing.services import depositing
from hospital import clock
from hospital.errors import NotAllowed
from hospital.permissions import role_required

from .finance_reach import ACTORS, PAGE, READERS, frame, houses

BACK = timedelta(days=365)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@role_required(*READERS)
def deposits(request: HttpRequest) -> HttpResponse:
    """What is still to come by account, a form for the next slip, and those of a year, the latest first."""
    context, now = frame(request), clock.now()
    house, *_days = DaysForm(request.GET, houses=context["organizations"], today=clock.today(now)).wanted
    context["may_act"] = house.pk in houses(request, *ACTORS)
    if request.method == "POST" and not context["may_act"]:
        raise NotAllowed
    form = DepositForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _written(request, house, form, now=now):
        return redirect(f"{request.path}?house={house.pk}")
    found = finance.entries(
        organization_id=house.pk, first=clock.today(now) - BACK, last=clock.today(now), kind="deposit"
    ).order_by("-at", "-pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context |= {
        "house": house, "form": form, "page": page, "rows": [_row(row) for row in page],
        "to_come": [(account(code), balance(code, organization=house.pk)) for code in depositing.FROM],
    }  # fmt: skip
    return render(request, "billing/finance/deposits.html", context, status=422 if form.errors else 200)


def _written(request: HttpRequest, house, form: DepositForm, *, now) -> bool:
    """False: refused, and said at its field with everything typed kept."""
    said = form.cleaned_data
    said["fee"] = said["fee"] or Decimal(0)
    try:
        depositing.deposit(organization=house, **said, by=request.user, now=now)
    except NotThatMuch as refusal:
        form.add_error("amount", refusal.in_full)
        return False
    except DepositedAlready as refusal:
        form.add_error("slip", refusal.in_full)
        return False
    messages.success(request, _("已登记，款已记入银行存款。"))
    return True


def _row(row) -> dict:
    """What reached the bank, the fee kept on the way, and from where."""
    lines = {line.account_id: line for line in row.lines.all()}
    away = next(code for code in depositing.FROM if code in lines)
    return {
        "row": row,
        "account": account(away),
        "amount": lines["at_bank"].debit,
        "fee": lines["fees"].debit if "fees" in lines else None,
        "slip": row.key.rpartition(":")[2],
    }
