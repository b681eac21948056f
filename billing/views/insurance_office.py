"""医保规则 by kind and 医保目录, in the office: what holds, from a day on something else; the list as a file (M5)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.views.office.imports import refuse_long_bodies
from appointments.views.office.reach import ACTORS, READERS
from appointments.views.office.sheets import TYPE
from appointments.views.office.whole import framed, read_house, write_house
from billing.forms.insurance_office import ImportForm, ItemForm, RuleForm, SieveForm
from billing.models import InsuranceItem, InsuranceRule, InsuranceSettlement
from billing.selectors import insurance_tables as tables
from billing.selectors import insured
from billing.services import insurance_choosing, insurance_sheet, insurance_tables
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization, Role
from hospital.permissions import organizations_of, role_required
from hospital.workbook.problems import WrongWorkbook

PAGE = 50
MOST_SHOWN = 200
"""Wrong rows of a file on the page."""


def _at(name: str, house: Organization) -> str:
    return f"{reverse(name)}?house={house.pk}"


@require_safe
@never_cache
@role_required(*READERS)
def rules(request: HttpRequest):
    """医保规则 by kind."""
    house = read_house(request)
    board = tables.board(house.pk, today=clock.today(clock.now()))
    context = framed(request, house, tab="rules", kinds=board, linked=insured.is_linked(house.pk))
    return render(request, "billing/insurance/rules.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def rule_new(request: HttpRequest, kind: str):
    """New numbers of a kind from a day on."""
    house, now = write_house(request), clock.now()
    today = clock.today(now)
    found = next((each for each in tables.board(house.pk, today=today) if each.value == kind and each.settles), None)
    if found is None:
        raise Http404
    rows = InsuranceRule.objects.filter(organization=house, insurance=kind)
    held = found.now or InsuranceRule(organization=house, insurance=kind)
    names = ("fund_percent", "deductible", "yearly_cap", "account")
    initial = {name: getattr(held, name) for name in names} | {"seen": tables.latest(rows)}
    form = RuleForm(request.POST or None, today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            said = form.cleaned_data
            insurance_tables.write_rule(
                rule=form.rule(organization=house, insurance=kind),
                seen=said["seen"], by=request.user, why=said["why"], now=now,
            )  # fmt: skip
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已保存，从 %(day)s 起生效。") % {"day": f"{said['day']:%m-%d}"})
            return redirect(_at("billing:insurance_rules", house))
    context = framed(request, house, tab="rules", form=form, kind=found)
    return render(request, "billing/insurance/rule_form.html", context, status=422 if form.errors else 200)


@require_POST
@never_cache
@role_required(*ACTORS)
def rule_withdraw(request: HttpRequest, pk: int):
    """撤销 of one that has not begun."""
    house = write_house(request)
    row = get_object_or_404(InsuranceRule, pk=pk, organization=house)
    try:
        before = insurance_tables.withdraw_rule(rule=row, by=request.user, now=clock.now())
    except Refused as refusal:
        messages.error(request, refusal.in_full)
    else:
        stays = _("已撤销，原来的规则继续有效。") if before else _("已撤销。还没有规则：估算时全部由个人支付。")
        messages.success(request, stays)
    return redirect(_at("billing:insurance_rules", house))


@require_safe
@never_cache
@role_required(*READERS)
def items(request: HttpRequest):
    """医保目录: every price code with what it is on the list; what is on none counts as class C."""
    house = read_house(request)
    sieve, today = SieveForm(request.GET), clock.today(clock.now())
    text, only = sieve.said("q"), sieve.said("only")
    rows = tables.listed(house.pk, today=today)
    counts = {"none": sum(row.item is None for row in rows)}
    for value, _label in InsuranceItem.Klass.choices:
        counts[value] = sum(row.item is not None and row.item.klass == value for row in rows)
    shown = tables.sieved(rows, text=text, only=only)
    labels = [("none", _("未对照")), *InsuranceItem.Klass.choices]
    context = framed(
        request, house, tab="items",
        page=Paginator(shown, PAGE).get_page(request.GET.get("page")),
        text=text, only=only, all=len(rows),
        sieves=[(value, label, counts[value]) for value, label in labels],
    )  # fmt: skip
    return render(request, "billing/insurance/items.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def item(request: HttpRequest):
    """One price code (?code=) on the list, from a day on."""
    house, now = write_house(request), clock.now()
    today, code = clock.today(now), request.GET.get("code", "")[:20]
    row = next((each for each in tables.listed(house.pk, today=today) if each.code == code), None)
    if row is None:
        raise Http404
    names = ("national_code", "klass", "own_percent")
    initial = {name: getattr(row.item, name) for name in names} if row.item else {}
    form = ItemForm(request.POST or None, today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        insurance_tables.write_item(
            organization=house, item=form.item(code), day=form.cleaned_data["day"], by=request.user, now=now
        )
        messages.success(request, _("已保存 %(code)s 的医保对照。") % {"code": code})
        return redirect(_at("billing:insurance_items", house))
    context = framed(request, house, tab="items", form=form, row=row)
    return render(request, "billing/insurance/item_form.html", context, status=422 if form.errors else 200)


@refuse_long_bodies
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*ACTORS)
def bring(request: HttpRequest):
    """导入: all of a file or nothing of it; every wrong row is said."""
    house, now = write_house(request), clock.now()
    form = ImportForm(request.POST or None, request.FILES or None, today=clock.today(now))
    problems, done = [], None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            found = insurance_sheet.read(said["file"], name=said["file"].name)
        except WrongWorkbook as wrong:
            problems = [(each.sheet, each.row, each.column, *each.sentences(_)) for each in wrong.problems]
        else:
            done = insurance_tables.bring_in(
                organization=house, items=found, day=said["day"], save=not said["only_look"],
                by=request.user, now=now,
            )  # fmt: skip
            if not said["only_look"]:
                counts = {"new": done.new, "changed": done.changed, "same": done.same}
                text = _("已导入：新增 %(new)s 条，变更 %(changed)s 条，不变 %(same)s 条。")
                messages.success(request, text % counts)
                return redirect(_at("billing:insurance_items", house))
    context = framed(
        request, house, tab="items", form=form, done=done, problems=problems[:MOST_SHOWN], count=len(problems)
    )
    wrong = bool(form.errors or problems)
    return render(request, "billing/insurance/import.html", context, status=422 if wrong else 200)


@require_POST
@role_required(Role.FINANCE)
def again(request: HttpRequest, pk: int):
    """请医保再办一次: it refused to take a settlement back, or to settle anew."""
    houses = organizations_of(request.user, Role.FINANCE)
    row = get_object_or_404(InsuranceSettlement, pk=pk, organization__in=houses)
    insurance_choosing.ask_again(settlement=row, by=request.user, now=clock.now())
    messages.success(request, _("已经请医保再办一次，一分钟内会有结果；成功后这条待办自动处理。"))
    case = insured.open_cases(row).first()
    return redirect("billing:finance_case", case.pk) if case else redirect("billing:finance_cases")


def _file(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(content, TYPE, headers={"Content-Disposition": content_disposition_header(True, name)})


@require_safe
@never_cache
@role_required(*READERS)
def blank(request: HttpRequest) -> HttpResponse:
    return _file(insurance_sheet.blank(), "医保目录-空白.xlsx")


@require_safe
@never_cache
@role_required(*READERS)
def present(request: HttpRequest) -> HttpResponse:
    """What holds today, and every price code that is on no list yet, to be filled in."""
    house = read_house(request)
    rows = tables.listed(house.pk, today=clock.today(clock.now()))
    return _file(insurance_sheet.packed([_line(row) for row in rows]), "医保目录.xlsx")


def _line(row: tables.Listed) -> dict:
    line = {"code": row.code, "name": row.name}
    if row.item:
        line |= {
            "national_code": row.item.national_code,
            "klass": insurance_sheet.KLASS_WORDS[row.item.klass],
            "own_percent": float(row.item.own_percent),
        }
    return line
