"""检查准备, 准备问题, 检查顺序 (E3, E4): what somebody answers for. Written by one, approved by another."""

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.rules import WhyForm
from appointments.views.office.reach import ACTORS, READERS, reach_of
from appointments.views.office.whole import read_house, write_house
from exams.errors import CatalogueUnsound, OrderInACircle
from exams.forms.signed import FORMS, QuestionForm, SignedForm, answer_rows, initial_of
from exams.models import OrderingRule, Preparation, ScreeningQuestion
from exams.models.signed import Signed
from exams.policies.signing import refusal_to_approve
from exams.selectors import effects, signed
from exams.selectors.sentences import words_of
from exams.services import signing
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import role_required

from .frame import framed


def _model(kind: str) -> type[Signed]:
    if kind not in signed.KINDS:
        raise Http404
    return signed.KINDS[kind]


def _row(request: HttpRequest, kind: str, pk: int, *roles: str) -> Signed:
    rows = signed.rows_of(_model(kind)).filter(organization__in=reach_of(request, *roles).organizations)
    return get_object_or_404(rows, pk=pk)


@require_safe
@never_cache
@role_required(*READERS)
def board(request: HttpRequest, kind: str):
    """In force, waiting for approval, over."""
    _model(kind)
    house = read_house(request)
    found = signed.board(kind, organization_id=house.pk)
    context = framed(request, house, kind, kind=kind, kind_name=signed.KIND_NAMES[kind], board=found)
    return render(request, "exams/catalogue/signed.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def waiting(request: HttpRequest):
    """待批准, of every kind."""
    house = read_house(request)
    context = framed(request, house, "waiting", entries=signed.waiting([house.pk]))
    return render(request, "exams/catalogue/waiting.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def one(request: HttpRequest, kind: str, pk: int):
    """One version: what it says, what changes by it, who wrote and who approved it."""
    return render(request, "exams/catalogue/one.html", _shown(request, _row(request, kind, pk)))


def _shown(request: HttpRequest, row: Signed, **more) -> dict:
    kind, state = signed.kind_of(row), signed.state_of(row)
    context = framed(request, row.organization, kind)
    acts = context["may_write"]
    refusal = refusal_to_approve(row, by_id=request.user.pk, author_id=signed.author_of(row))
    return context | {
        "row": row,
        "kind": kind,
        "kind_name": signed.KIND_NAMES[kind],
        "state": state,
        "words": words_of(row),
        "changes": signed.changes_of(row),
        "draft": signed.draft_of(row),
        "successor": signed.successor_of(row),
        "trail": signed.trail_of(row),
        "effect": effects.effect_of(row, now=clock.now()) if isinstance(row, OrderingRule) else None,
        "uses": list(row.variants.filter(active=True).select_related("item")) if isinstance(row, Preparation) else [],
        "may_change": acts and state in ("now", "waiting"),
        "may_approve": acts and state == "waiting" and refusal is None,
        "not_approved_by": refusal if acts and state == "waiting" else None,
        "retire_form": WhyForm(prefix="retire"),
        **more,
    }


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def write(request: HttpRequest, kind: str):
    """A new one, or the next version of one (?base=). `preview` shows what a rule would do and saves nothing."""
    _model(kind)
    base = _base(request, kind)
    house = write_house(request, base.organization if base else None)
    form = _form(request, kind, base=base, house=house)
    asked, effect = request.POST.get("act", ""), None
    if asked == "preview":
        form.fields["note"].required = False
    if request.method == "POST" and asked != "more" and form.is_valid():
        try:
            if asked == "preview" and kind == "rules":
                draft = form.draft()
                effect = effects.effect_of(draft, now=clock.now())
                draft.replaces = base if base is None or base.in_force else base.replaces
                signing.refuse_circle(organization_id=house.pk, rule=draft)
            else:
                row = signing.write(
                    row=form.draft(), parts=form.parts(), instead_of=base, by=request.user,
                    why=form.cleaned_data["note"], now=clock.now(),
                )  # fmt: skip
                messages.success(request, _("已保存，等待另一位同事批准。批准前仍按现行的一版办理。"))
                return redirect("exams:office_signed_one", kind, row.pk)
        except Refused as refusal:
            form.add_error(None, refusal.sentence if isinstance(refusal, CatalogueUnsound) else refusal.in_full)
            form.circle = isinstance(refusal, OrderInACircle)
    context = framed(
        request, house, kind, kind=kind, kind_name=signed.KIND_NAMES[kind], form=form, base=base, effect=effect,
        refused=request.method == "POST" and asked not in ("more", "preview") or bool(asked != "more" and form.errors),
    )  # fmt: skip
    return render(request, f"exams/catalogue/{kind}_form.html", context, status=422 if context["refused"] else 200)


def _base(request: HttpRequest, kind: str) -> Signed | None:
    said = request.GET.get("base", "")
    return _row(request, kind, int(said), *ACTORS) if said.isdecimal() and len(said) < 19 else None


def _form(request: HttpRequest, kind: str, *, base: Signed | None, house) -> SignedForm:
    data = request.POST if request.method == "POST" else None
    terms = {"organization": house, "base": base, "initial": initial_of(base) if base else _first(kind, house)}
    if FORMS[kind] is QuestionForm:
        if data is not None and data.get("act") == "more":
            data = data.copy()
            data["more"] = "1"
        terms["rows"] = answer_rows(data, base, organization=house)
    return FORMS[kind](data, **terms)


def _first(kind: str, house) -> dict:
    if kind == "questions":
        last = ScreeningQuestion.objects.filter(signed.IN_FORCE, organization=house).order_by("order").last()
        return {"order": (last.order if last else 0) + 10, "before_booking": True, "at_check_in": True}
    return {"forward": "gap", "reverse": "other_day"} if kind == "rules" else {}


@require_POST
@role_required(*ACTORS)
def approve(request: HttpRequest, kind: str, pk: int):
    row = _row(request, kind, pk, *ACTORS)
    write_house(request, row.organization)
    try:
        row = signing.approve(row=row, by=request.user, now=clock.now())
    except Refused as refusal:
        fresh = _row(request, kind, pk)
        return render(
            request, "exams/catalogue/one.html", _shown(request, fresh, refusal=refusal), status=refusal.status
        )
    messages.success(request, _("已批准，从现在起按这一版办理。"))
    return redirect("exams:office_signed_one", kind, row.pk)


@require_POST
@role_required(*ACTORS)
def retire(request: HttpRequest, kind: str, pk: int):
    """停用 what is in force, 作废 what waits: with a reason, at once."""
    row = _row(request, kind, pk, *ACTORS)
    write_house(request, row.organization)
    form = WhyForm(request.POST, prefix="retire")
    status, refusal = 422, None
    if form.is_valid():
        try:
            signing.retire(row=row, by=request.user, why=form.cleaned_data["why"], now=clock.now())
        except Refused as said:
            status, refusal = said.status, said
        else:
            messages.success(request, _("已停用。") if row.approved_at else _("已作废。"))
            return redirect("exams:office_signed", kind)
    fresh = _row(request, kind, pk)
    return render(
        request, "exams/catalogue/one.html", _shown(request, fresh, refusal=refusal, retire_form=form), status=status
    )
