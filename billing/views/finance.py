"""总账 /finance/: the trial balance of a day, opened down to entries and to the rows that they tell of."""

from decimal import Decimal

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.forms.finance import DaysForm, EntriesForm
from billing.policies.accounts import ACCOUNTS
from billing.selectors import finance, ledger, sums
from billing.selectors.finance_words import account, kind
from hospital import audit, clock, masking
from hospital.permissions import role_required

from .finance_reach import PAGE, READERS, frame, houses


@require_safe
@never_cache
@role_required(*READERS)
def balance(request: HttpRequest) -> HttpResponse:
    """科目余额表 of one house, of a day or of several."""
    context = frame(request)
    today = clock.today(clock.now())
    form = DaysForm(request.GET, houses=context["organizations"], today=today)
    house, first, last = form.wanted
    rows = ledger.trial_balance(organization_id=house.pk, first=first, last=last)
    rows.sort(key=lambda row: ORDER.index(row.account))
    lines = [{"row": row, "name": account(row.account), "after": _sides(row.after), "before": _sides(row.before)}
             for row in rows]  # fmt: skip
    context |= {
        "form": form, "house": house, "first": first, "last": last, "today": today,
        "groups": [(kind_, [line for line in lines if line["row"].kind == kind_]) for kind_ in KINDS],
        "total": _total(rows),
    }  # fmt: skip
    return render(request, "billing/finance/balance.html", context)


ORDER = list(ACCOUNTS)
KINDS = ("asset", "liability", "income", "expense")


def _sides(amount: Decimal) -> tuple[Decimal, Decimal]:
    """A balance stands on one side."""
    return (amount, Decimal(0)) if amount >= 0 else (Decimal(0), -amount)


def _total(rows: list[ledger.Row]) -> dict:
    """Both sides, which are the same: shown, so that anybody may see it."""
    said = {"debit": sums.total(row.debit for row in rows), "credit": sums.total(row.credit for row in rows)}
    for name in ("before", "after"):
        sides = [_sides(getattr(row, name)) for row in rows]
        said[name] = tuple(sums.total(side[n] for side in sides) for n in (0, 1))
    return said


@require_safe
@never_cache
@role_required(*READERS)
def entries(request: HttpRequest) -> HttpResponse:
    """分录 of an account, of a kind or of all, in those days."""
    context = frame(request)
    form = EntriesForm(request.GET, houses=context["organizations"], today=clock.today(clock.now()))
    house, first, last = form.wanted
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    wanted = {"account": said.get("account") or "", "kind": said.get("kind") or ""}
    found = finance.entries(organization_id=house.pk, first=first, last=last, **wanted)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context |= {
        "form": form, "house": house, "first": first, "last": last, "page": page,
        "entries": [_entry(row) for row in page], "account": account(wanted["account"]), "wanted": wanted,
        "sides": wanted["account"]
        and finance.sides(organization_id=house.pk, first=first, last=last, account=wanted["account"]),
    }  # fmt: skip
    return render(request, "billing/finance/entries.html", context)


def _entry(row) -> dict:
    return {
        "row": row,
        "kind": kind(row.kind),
        "lines": [(account(line.account_id), line.debit, line.credit) for line in row.lines.all()],
    }


@require_safe
@never_cache
@role_required(*READERS)
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(finance.entry(pk, houses=houses(request)))
    return render(request, "billing/finance/entry.html", frame(request) | {"entry": _entry(row), "row": row})


@require_safe
@never_cache
@role_required(*READERS)
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """账单 with all that hangs on it: what was charged, received, given back, settled, printed and written down."""
    row = get_object_or_404(finance.invoices(houses(request)), pk=pk)
    audit.saw_patient(patient=row.patient, actor=request.user, where="finance", now=clock.now(), request=request)
    context = frame(request) | {
        "invoice": row,
        "name": masking.name(row.patient.name),
        "sums": sums.of(row),
        "entries": [_entry(one) for one in row.entries.all()],
    }
    return render(request, "billing/finance/invoice.html", context)
