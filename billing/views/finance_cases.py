"""财务待办 /finance/cases/: what no rule may decide, until somebody of finance has settled it and said how."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.forms.finance import CaseForm, CasesForm
from billing.models import Difference, MoneyCase
from billing.selectors import finance
from billing.services import sending_back, settling_cases
from hospital import clock
from hospital.errors import NotAllowed
from hospital.permissions import role_required

from .finance_reach import ACTORS, PAGE, READERS, frame, houses


@require_safe
@never_cache
@role_required(*READERS)
def cases(request: HttpRequest) -> HttpResponse:
    """The longest waiting first; narrowed by kind; ?settled=on: what was settled, the latest first."""
    form = CasesForm(request.GET)
    said = form.cleaned_data if form.is_valid() else {}
    mine, settled = houses(request), said.get("settled", False)
    found = finance.cases(mine, settled=settled, kind=said.get("kind") or "")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    counts = finance.open_cases(mine)
    context = frame(request) | {
        "form": form, "page": page, "settled": settled, "kind": said.get("kind") or "",
        "counts": [(kind, word, counts[kind]) for kind, word in MoneyCase.Kind.choices if counts.get(kind)],
    }  # fmt: skip
    return render(request, "billing/finance/cases.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@role_required(*READERS)
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: what is known, where the money lies, and how it may be settled."""
    context = frame(request)
    if request.method == "POST" and not context["may_act"]:
        raise NotAllowed
    mine = houses(request, *ACTORS) if request.method == "POST" else houses(request)
    row = _case(mine, pk)
    ways = settling_cases.ways(row)
    form = CaseForm(request.POST or None, ways=ways)
    if request.method == "POST" and (not ways or form.is_valid()):
        said = form.cleaned_data if ways else {"way": "", "note": ""}
        settling_cases.settle(case=row, way=said["way"], note=said["note"], by=request.user, now=clock.now())
        messages.success(request, _("已处理。"))
        return redirect("billing:finance_cases")
    back = getattr(row, "sent_back", None)
    origin, _colon, number = row.key.partition(":")
    context |= {
        "settlement": int(number) if row.kind == MoneyCase.Kind.UNSETTLED and origin == "settlement" else None,
        "found_on": _found_on(number) if origin == "difference" else None,
        "case": row, "form": form, "ways": ways, "back": back, "lies": settling_cases.booked(row),
        "may_go_back": row.settled_at is None and back is None and sending_back.may_go_back(row),
    }  # fmt: skip
    return render(request, "billing/finance/case.html", context, status=422 if form.errors else 200)


def _found_on(number: str) -> Difference:
    """Settled by hand there, and its money left for somebody here."""
    return Difference.objects.select_related("reconciliation").get(pk=number)


def _case(mine: frozenset[int], pk: int) -> MoneyCase:
    rows = finance.cases(mine, settled=False) | finance.cases(mine, settled=True)
    return get_object_or_404(rows, pk=pk)


@require_POST
@role_required(*ACTORS)
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """To its payer, by the gateway; again, after the gateway refused."""
    row = _case(houses(request, *ACTORS), pk)
    back = getattr(row, "sent_back", None)
    if back is not None:
        sending_back.again(row=back, by=request.user, now=clock.now())
        back.refresh_from_db()
        back = sending_back.send(row=back, now=clock.now())
    else:
        back = sending_back.of_case(case=row, by=request.user, now=clock.now())
    if back.status == "done":
        messages.success(request, _("已原路退回付款人。"))
    elif back.status == "refused":
        messages.error(request, _("渠道拒绝退回。请转账退回付款人后，在下面写明。"))
    else:
        messages.info(request, _("渠道还没有答复，系统会继续退回。"))
    return redirect("billing:finance_case", row.pk)
