"""Pages of a house's own dated numbers: what holds today, what will and what did; new numbers; taking them back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.numbers import NumbersForm
from appointments.forms.rules import WhyForm
from appointments.models.rules import Dated
from appointments.selectors import rulebook
from appointments.services import ruling
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, reach_of
from .rules import OF_THE_DAY
from .whole import read_house, write_house


@dataclass(frozen=True)
class Pages:
    """One app's numbers. `frame`: the template around its pages, `framed`: what that shows; `addresses`: the names of
    all, one, new and withdraw; `forget`: after a change, what the process keeps of them."""

    form: type[NumbersForm]
    frame: str
    framed: Callable[[HttpRequest, Organization], dict]
    addresses: dict[str, str]
    name: str
    change: str
    unwritten: str
    words: Callable[[Dated], dict[str, str]] = rulebook.words_of
    forget: Callable[[], None] = lambda: None

    @property
    def rows(self):
        return self.form.model.objects


def _render(request: HttpRequest, pages: Pages, name: str, house: Organization, *, status: int = 200, **more):
    context = pages.framed(request, house) | {"pages": pages, **more}
    return render(request, f"office/numbers/{name}.html", context, status=status)


@require_safe
@never_cache
@role_required(*READERS)
def listed(request: HttpRequest, pages: Pages) -> HttpResponse:
    """What holds today, what will and what did."""
    house, today = read_house(request), clock.today(clock.now())
    rows = list(pages.rows.filter(organization=house).order_by("-effective_from", "-pk"))
    states = {row.pk: rulebook.state_of(row, today=today) for row in rows}
    now = next((row for row in rows if states[row.pk] == "now"), None) or pages.form.model(organization=house)
    return _render(
        request, pages, "all", house, rule=now, words=pages.words(now),
        coming=[row for row in reversed(rows) if states[row.pk] == "coming"],
        past=[row for row in rows if states[row.pk] == "past"][: rulebook.MOST_PAST],
        trail=rulebook.trail_of(now) if now.pk else [],
    )  # fmt: skip


@require_safe
@never_cache
@role_required(*READERS)
def one(request: HttpRequest, pages: Pages, pk: int) -> HttpResponse:
    return _show(request, pages, _row(request, pages, pk), WhyForm(prefix="withdraw"))


def _row(request: HttpRequest, pages: Pages, pk: int, *roles: str) -> Dated:
    return get_object_or_404(pages.rows, pk=pk, organization__in=reach_of(request, *roles).organizations)


def _show(request: HttpRequest, pages: Pages, row: Dated, withdraw_form: WhyForm, *, status: int = 200):
    before, after = rulebook.before_and_after(row)
    words = pages.words(row)
    return _render(
        request, pages, "one", row.organization, status=status, rule=row, words=words, after=after,
        state=rulebook.state_of(row, today=clock.today(clock.now())),
        changed=rulebook.differences(pages.words(before), words) if before else [],
        trail=rulebook.trail_of(row), withdraw_form=withdraw_form,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def new(request: HttpRequest, pages: Pages) -> HttpResponse:
    """New numbers from a day on: the row that holds then, changed."""
    house = write_house(request)
    form = _form(request, pages, house)
    if request.method == "POST" and form.is_valid() and (written := _write(request, pages, form)):
        return redirect(pages.addresses["one"], written.pk)
    return _render(request, pages, "form", house, status=422 if request.method == "POST" else 200, form=form)


def _form(request: HttpRequest, pages: Pages, house: Organization) -> NumbersForm:
    today = clock.today(clock.now())
    held = pages.rows.filter(organization=house, effective_from__lte=today).order_by("effective_from", "pk").last()
    base = held or pages.form.model(organization=house, effective_from=today)
    initial = {name: getattr(base, name) for name in pages.form.names()}
    initial |= {"effective_from": today + timedelta(days=1), "seen": ruling.latest(base)}
    data = request.POST if request.method == "POST" else None
    return pages.form(data, organization=house, base=held, today=today, initial=initial)


def _write(request: HttpRequest, pages: Pages, form: NumbersForm) -> Dated | None:
    said = form.cleaned_data
    try:
        written = ruling.write(rule=form.draft(), by=request.user, now=clock.now(), seen=said["seen"], why=said["why"])
    except Refused as refusal:
        form.add_error("effective_from" if isinstance(refusal, OF_THE_DAY) else None, refusal.in_full)
        return None
    pages.forget()
    messages.success(request, _("规则已保存，从 %(day)s 起生效。") % {"day": f"{written.effective_from:%m-%d}"})
    return written


@require_POST
@role_required(*ACTORS)
def withdraw(request: HttpRequest, pages: Pages, pk: int) -> HttpResponse:
    """Take numbers back before they begin."""
    row = _row(request, pages, pk, *ACTORS)
    write_house(request, row.organization)
    form = WhyForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            ruling.withdraw(rule=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        else:
            pages.forget()
            messages.success(request, _("已撤销，原来的规则继续有效。"))
            return redirect(pages.addresses["all"])
    return _show(request, pages, row, form, status=422)
