"""价目: the office's list with changes from a day on, import and history; the public list (M7)."""

import csv
import io
from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.selectors import rulebook
from appointments.views.office import whole
from appointments.views.office.reach import ACTORS, READERS
from appointments.views.office.whole import read_house, write_house
from billing.errors import PriceDayTaken, PriceTooEarly, PriceTooFarAhead, PriceUnchanged
from billing.forms.prices import MOST_BYTES, EndForm, ListForm, PriceForm, WithdrawForm
from billing.selectors import prices as selectors
from billing.services import pricing
from hospital import audit, clock
from hospital.errors import Refused
from hospital.files.intake import takes_a_file
from hospital.models import Organization, PriceItem
from hospital.permissions import role_required

PAGE = 100
OF_THE_DAY = (PriceDayTaken, PriceTooEarly, PriceTooFarAhead)


def framed(request: HttpRequest, house: Organization, **more) -> dict:
    return whole.framed(request, house, today=clock.today(clock.now()), **more)


@require_safe
@never_cache
@role_required(*READERS)
def office_prices(request: HttpRequest):
    house, today, q = read_house(request), clock.today(clock.now()), request.GET.get("q", "").strip()[:40]
    page = Paginator(selectors.listed(house, today=today, q=q), PAGE).get_page(request.GET.get("page"))
    return render(request, "billing/prices/office.html", framed(request, house, page=page, q=q))


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def price_new(request: HttpRequest):
    """新价目: a code that the list does not have."""
    house = write_house(request)
    form = PriceForm(request.POST or None, today=clock.today(clock.now()), initial={"seen": 0})
    if request.method == "POST" and form.is_valid() and (done := _write(request, house, form)):
        return done
    return render(request, "billing/prices/new.html", framed(request, house, form=form), status=_status(form))


def _status(form) -> int:
    return 422 if form.is_bound and form.errors else 200


def _write(request: HttpRequest, house: Organization, form: PriceForm) -> HttpResponse | None:
    said = form.cleaned_data
    try:
        row = pricing.write(
            organization=house, wanted=form.wanted(), seen=said["seen"], by=request.user, why=said["why"],
            now=clock.now(),
        )  # fmt: skip
    except Refused as refusal:
        field = "effective_from" if isinstance(refusal, OF_THE_DAY) else None
        form.add_error("amount" if isinstance(refusal, PriceUnchanged) else field, refusal.in_full)
        return None
    said = {"name": row.name, "amount": row.amount, "day": f"{row.effective_from:%m-%d}"}
    messages.success(request, _("已保存：%(name)s ¥%(amount)s，从 %(day)s 起生效。") % said)
    return redirect(_address(house, row.code))


def _address(house: Organization, code: str) -> str:
    return f"{reverse('billing:office_price', args=[code])}?house={house.pk}"


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*READERS)
def office_price(request: HttpRequest, code: str):
    """One code: its prices over time, what uses it, the trail, and the form for the next price."""
    house = write_house(request) if request.method == "POST" else read_house(request)
    price = selectors.one(house, code, today=clock.today(clock.now()))
    if price is None:
        raise Http404
    form = _form(request, price)
    if request.method == "POST" and form.is_valid() and (done := _write(request, house, form)):
        return done
    return _show(request, house, price, form=form, status=_status(form))


def _form(request: HttpRequest, price: selectors.Priced) -> PriceForm:
    initial = {"name": price.name, "seen": max(row.pk for row in price.rows)}
    return PriceForm(request.POST or None, code=price.code, today=price.today, initial=initial)


def _show(request: HttpRequest, house: Organization, price: selectors.Priced, *, status: int = 200, **forms):
    rows = sorted(price.rows, key=lambda row: row.effective_from, reverse=True)
    initial = {"name": price.name, "seen": max((row.pk for row in price.rows), default=0)}
    context = {
        "price": price,
        "rows": rows,
        "trails": [(row, trail) for row in rows if (trail := rulebook.trail_of(row))],
        "form": PriceForm(code=price.code, today=price.today, initial=initial),
        "withdraw_form": WithdrawForm(prefix="withdraw"),
        "end_form": EndForm(prefix="end", initial={"last_day": price.today}),
        "may_end": price.now is not None and not price.used and not price.coming and price.now.effective_to is None,
        **forms,
    }
    return render(request, "billing/prices/one.html", framed(request, house, **context), status=status)


def _row(request: HttpRequest, pk: int) -> PriceItem:
    row = get_object_or_404(PriceItem.objects.select_related("organization"), pk=pk)
    write_house(request, row.organization)
    return row


@require_POST
@role_required(*ACTORS)
def price_withdraw(request: HttpRequest, pk: int):
    """Take a price back before it begins."""
    row = _row(request, pk)
    form = WithdrawForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            before = pricing.withdraw(price=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已撤销，原来的价格继续有效。") if before else _("已撤销。"))
            there = PriceItem.objects.filter(organization=row.organization, code=row.code).exists()
            list_of = f"{reverse('billing:office_prices')}?house={row.organization_id}"
            return redirect(_address(row.organization, row.code) if there else list_of)
    price = selectors.one(row.organization, row.code, today=clock.today(clock.now()))
    if price is None:
        raise Http404
    return _show(request, row.organization, price, withdraw_form=form, status=422)


@require_POST
@role_required(*ACTORS)
def price_end(request: HttpRequest, pk: int):
    """停用 of a code that nothing uses any more."""
    row = _row(request, pk)
    form = EndForm(request.POST, prefix="end")
    if form.is_valid():
        try:
            pricing.end(price=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已记下最后一天，之后这个代码没有价格。"))
            return redirect(_address(row.organization, row.code))
    price = selectors.one(row.organization, row.code, today=clock.today(clock.now()))
    return _show(request, row.organization, price, end_form=form, status=422)


@takes_a_file(most=lambda: MOST_BYTES)
@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def price_import(request: HttpRequest):
    """导入: look first, then save; what was pasted stays in the box whatever is wrong with it."""
    house, today = write_house(request), clock.today(clock.now())
    if request.method != "POST":
        return render(request, "billing/prices/import.html", framed(request, house, form=ListForm(today=today)))
    form = ListForm(request.POST, request.FILES, cut_off=bool(request.cut_off), today=today)
    if form.errors:
        context = framed(request, house, form=form, wrong=form.wrong[:50], more=max(len(form.wrong) - 50, 0))
        return render(request, "billing/prices/import.html", context, status=422)
    judged = pricing.judged(house, form.lines, today=today)
    refused = [each for each in judged if isinstance(each[1], Refused) and not isinstance(each[1], PriceUnchanged)]
    if "save" in request.POST and not refused and (done := _bring_in(request, house, form)):
        return done
    return render(request, "billing/prices/import.html", _looked(request, house, form, judged, refused))


def _bring_in(request: HttpRequest, house: Organization, form: ListForm) -> HttpResponse | None:
    try:
        rows = pricing.bring_in(
            organization=house, wanted=form.lines, by=request.user, why=form.cleaned_data["why"], now=clock.now()
        )
    except Refused as refusal:  # a colleague was quicker: looked at anew
        form.add_error(None, refusal.in_full)
        return None
    messages.success(request, _("已导入 %(count)s 个价格，其余没有变化。") % {"count": len(rows)})
    return redirect(f"{reverse('billing:office_prices')}?house={house.pk}")


def _looked(request: HttpRequest, house: Organization, form: ListForm, judged: list, refused: list) -> dict:
    """What saving would do."""
    changed = [(one, step) for one, step in judged if not isinstance(step, Refused)]
    return framed(
        request, house, form=form, looked=True, refused=refused[:50],
        changed=changed[:200], count=len(changed), more_changed=max(len(changed) - 200, 0),
        same=sum(isinstance(step, PriceUnchanged) for _one, step in judged),
        ready=not refused and bool(changed),
    )  # fmt: skip


@require_safe
@never_cache
@role_required(*READERS)
def price_export(request: HttpRequest) -> HttpResponse:
    """What holds today, as the import reads it."""
    house, now = read_house(request), clock.now()
    today = clock.today(now)
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow([_("代码"), _("名称"), _("金额"), _("生效日")])
    found = selectors.listed(house, today=today, in_force_only=True)
    for price in found:
        sheet.writerow([price.code, price.now.name, price.now.amount, price.now.effective_from])
    audit.record(
        action="office.exported", actor=request.user, now=now, request=request,
        detail={"what": "prices", "rows": len(found)},
    )  # fmt: skip
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="prices-{house.code.lower()}-{today:%Y%m%d}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


# ---- for everybody ----


@require_safe
def prices(request: HttpRequest):
    """价目公示: what holds today and what is decided to come, of each house; also printed."""
    houses = list(selectors.houses())
    asked = request.GET.get("house", "")
    house = next((one for one in houses if str(one.pk) == asked), houses[0] if houses else None)
    today: date = clock.today(clock.now())
    q = request.GET.get("q", "").strip()[:40]
    found = selectors.listed(house, today=today, q=q, in_force_only=True) if house else []
    page = Paginator(found, selectors.MOST).get_page(request.GET.get("page"))
    context = {
        "houses": houses,
        "house": house,
        "q": q,
        "groups": selectors.grouped(list(page)),
        "page": page,
        "today": today,
    }
    return render(request, "billing/prices/public.html", context)
