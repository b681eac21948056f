"""退费待办 /refunds/ (M6): what a gateway refused or does not answer, and money that is fetched at the window. Cashier
and finance act; an auditor looks.
"""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing.errors import NoGateway
from billing.forms.refunds import FindForm, KindForm, PayOutForm
from billing.models import CashierShift, Refund
from billing.selectors import drawers
from billing.selectors import refund_work as work
from billing.services import refunding
from hospital import audit, clock, masking, patients, permissions
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required

READERS = (Role.CASHIER, Role.FINANCE, Role.AUDITOR)
ACTORS = (Role.CASHIER, Role.FINANCE)
PAGE = 50


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*READERS)
def refunds(request: HttpRequest) -> HttpResponse:
    """The lists; a search is posted, so that no name or number stands in an address."""
    now, houses = clock.now(), permissions.organizations_of(request.user, *READERS)
    counts = work.counts(houses, now=now)
    kind = KindForm(request.GET).said() or next((one for one in work.NEEDS_SOMEBODY if counts[one]), "refused")
    form = FindForm(request.POST) if request.method == "POST" else FindForm()
    context = {"counts": counts, "kind": kind, "form": form, "kinds": _kinds(counts)}
    if request.method == "POST" and form.is_valid():
        found = list(_found(request, form.cleaned_data["q"], houses)[:PAGE])
        return render(request, "billing/refunds/list.html", context | {"kind": "", "lines": work.lines_of(found)})
    page = Paginator(work.listed(houses, kind=kind, now=now), PAGE).get_page(request.GET.get("page"))
    insured = work.waiting_for_insurance(houses) if kind == "waiting" else []
    context |= {
        "page": page,
        "lines": work.lines_of(list(page), kind=kind),
        "insured": [(row, masking.name(row.invoice.patient.name)) for row in insured[:PAGE]],
    }
    return render(request, "billing/refunds/list.html", context, status=422 if form.errors else 200)


def _found(request: HttpRequest, text: str, houses: frozenset[int]):
    if text.startswith("R") and len(text) > 20:
        return work.within(houses).filter(order=text).order_by("pk")
    results = patients.search(text)
    people = [found.pk for found in results.people]
    audit.searched_patients(actor=request.user, how=results.by, found=people, where="refund", now=clock.now())
    return work.of_people(houses, people)


def _kinds(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    names = {
        "refused": _("渠道拒绝"),
        "by_hand": _("待窗口领取"),
        "stuck": _("长时间没有结果"),
        "waiting": _("退费中"),
        "done": _("今天已退"),
    }
    return [(kind, names[kind], counts[kind]) for kind in work.KINDS]


@require_http_methods(["GET"])
@never_cache
@role_required(*READERS)
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, _one(request, pk))


def _one(request: HttpRequest, pk: int, *roles: str) -> Refund:
    """Of the houses where the user holds the role. Anybody else's does not exist."""
    row = work.within(permissions.organizations_of(request.user, *(roles or READERS))).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _show(request: HttpRequest, row: Refund, *, form: PayOutForm | None = None, refusal: Refused | None = None):
    """With the person's name in full: whoever fetches money is asked for the document."""
    now, person = clock.now(), row.payment.invoice.patient
    audit.saw_patient(patient=person, actor=request.user, where="refund", now=now, request=request)
    acts = row.payment.organization_id in permissions.organizations_of(request.user, *ACTORS)
    drawer = _drawer(request, row) is not None
    kind = work.kind_of(row)
    context = {
        "row": row,
        "kind": kind,
        "invoice": row.payment.invoice,
        "patient": person,
        "documents": list(person.identifiers.order_by("pk")),
        "story": work.story(row),
        "may_ask": acts and kind in ("refused", "stuck"),
        "form": (form or PayOutForm(drawer=drawer)) if acts and kind in ("refused", "by_hand") else None,
        "drawer": drawer,
        "refusal": refusal,
    }
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    return render(request, "billing/refunds/refund.html", context, status=status)


def _drawer(request: HttpRequest, row: Refund) -> CashierShift | None:
    """The user's open shift at this house."""
    shift = drawers.current(request.user)
    fits = shift and shift.status == CashierShift.Status.OPEN and shift.organization_id == row.payment.organization_id
    return shift if fits else None


@require_POST
@role_required(*ACTORS)
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """再退一次: the gateway is asked at once, by the same number, so it can't be paid twice."""
    row, now = _one(request, pk, *ACTORS), clock.now()
    try:
        if row.status == Refund.Status.REFUSED:
            row = refunding.again(refund=row, by=request.user, now=now)
        refunding.send(refund=row, now=now)
    except NoGateway as refusal:
        messages.warning(request, refusal.in_full)
        return redirect("billing:refund", pk)
    except Refused as refusal:
        return _show(request, _one(request, pk), refusal=refusal)
    row.refresh_from_db()
    _say(request, row)
    return redirect("billing:refund", pk)


def _say(request: HttpRequest, row: Refund) -> None:
    if row.status == Refund.Status.DONE:
        messages.success(request, _("已原路退回。"))
    elif row.status == Refund.Status.REFUSED:
        code = row.refusal or "-"
        messages.error(request, _("渠道又拒绝了（%(code)s）。可以稍后再试，或改为窗口退给患者。") % {"code": code})
    else:
        messages.warning(request, _("已提交，渠道还没有答复；系统会继续问，不会退两次。"))


@require_POST
@role_required(*ACTORS)
def pay_out(request: HttpRequest, pk: int) -> HttpResponse:
    """窗口退给患者: cash or a cheque out of the user's own drawer, or a bank transfer."""
    row, now = _one(request, pk, *ACTORS), clock.now()
    shift = _drawer(request, row)
    form = PayOutForm(request.POST, drawer=shift is not None)
    if not form.is_valid():
        return _show(request, row, form=form)
    said = form.cleaned_data
    try:
        refunding.pay_out(
            refund=row, means=said["means"], by=request.user, shift=shift, reference=said["reference"], now=now
        )
    except Refused as refusal:
        return _show(request, _one(request, pk), form=form, refusal=refusal)
    messages.success(request, _("已退给患者 ¥%(amount)s。") % {"amount": row.amount})
    return redirect("billing:refund", pk)
