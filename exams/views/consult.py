"""The consult room's exams: one key, one request. Each answers with the kind's middle and, out of band, with what else
changed: the kinds, and the basket where something was taken or let go. Without script, with the whole page."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from appointments.errors import PatientChanged
from appointments.models.rules import Channel
from appointments.views.consult import draw, page_of, pressed
from appointments.views.consult_context import Page
from exams.errors import AlreadyRequested, NothingAsked, RepeatUndecided
from exams.models import ExamBooking, ExamRequest, ExamSet, ExamVariant
from exams.selectors import consult as selectors
from exams.selectors import find
from exams.services import booking, planning, requesting
from exams.services.requesting import Asked
from hospital import clock
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required

from .consult_draft import Priority
from .consult_neighbour import KIND, panel_of
from .consult_panel import Panel


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _page(request) -> Page:
    address = QueryDict(mutable=True)
    address["kind"] = KIND
    if q := request.POST.get("q", request.GET.get("q", ""))[:40]:
        address["q"] = q
    return page_of(request, address=address)


def _answer(panel: Panel, *, basket: bool, status: int = 200) -> HttpResponse:
    page = panel.page
    if not page.request.htmx or not page.patient:
        return draw(page, status=status)
    context = {"page": page, "work": panel, "basket": basket}
    response = render(page.request, "exams/consult/_changed.html", context, status=status)
    if status >= 400:
        response["HX-Retarget"], response["HX-Reswap"] = "#work", "outerHTML"
    return response


def _again(panel: Panel, *, basket: bool = False, status: int = 200, **said) -> HttpResponse:
    """From fresh rows, with what was said of the act."""
    after = panel_of(_page_after(panel))
    for name, value in said.items():
        setattr(after, name, value)
    if after.focus == "confirm":
        after.page.focus, after.focus = "confirm", ""
    else:
        after.page.focus = ""
    return _answer(after, basket=basket, status=status)


def _page_after(panel: Panel) -> Page:
    page = _page(panel.page.request)
    page.form.cleaned_data["q"] = panel.q
    return page


def at_the_desk(view: Callable[..., HttpResponse]):
    """POST by a doctor, about the patient whom the page showed and who is still in the room."""

    @pressed
    @role_required(Role.DOCTOR, Role.WARD)
    @wraps(view)
    def guarded(request):
        page = _page(request)
        if not page.current or page.current.pk != _number(request.POST.get("encounter", "")):
            page.refusal = PatientChanged()
            return draw(page, status=PatientChanged.status)
        panel = panel_of(page)
        try:
            return view(request, panel)
        except Refused as refusal:
            return _again(panel, basket=True, status=refusal.status, refusal=refusal)

    return guarded


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def search(request):
    """Exams and sets by Chinese, pinyin or initials; what the box's Enter adds is the first."""
    page = _page(request)
    if not page.patient:
        raise PatientChanged
    return render(request, "exams/consult/_found.html", {"page": page, "work": panel_of(page)})


@require_GET
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def done(request):
    """What the patient in the room had done lately, here and elsewhere: for the panels of other apps (R2, E6)."""
    page = page_of(request)
    known = page.patient and selectors.known(
        patient=page.patient, organization_id=page.doctor.organization_id, now=page.now
    )
    return render(request, "exams/consult/_done.html", {"page": page, "known": known})


@at_the_desk
def act(request, panel):
    """The form of the kind's middle: whatever was typed is kept, then the pressed button is obeyed."""
    panel.draft.take_typed(request.POST)
    panel.draft.keep(request)
    name, _colon, rest = request.POST.get("act", "go").partition(":")
    if name not in ACTS:
        raise Http404
    if name != "go":
        panel.q = ""  # whatever was typed before this button, the search is over
    return ACTS[name](panel, rest)


# ---- the list ----


def _kept(panel: Panel, **said) -> HttpResponse:
    panel.draft.keep(panel.page.request)
    return _again(panel, **said)


def _add(panel: Panel, what: str) -> HttpResponse:
    sort, _dash, pk = what.partition("-")
    if sort == "set":
        row = get_object_or_404(ExamSet, pk=_number(pk), organization=panel.organization_id, active=True)
        ids = list(row.lines.filter(active=True, item__active=True).order_by("pk").values_list("pk", flat=True))
        from_set = row.pk
    else:
        ids, from_set = list(find.by_pk([_number(pk)], organization_id=panel.organization_id)), None
    if not ids:
        raise Http404
    here = {row.variant_id: row for row in panel.standing if row.encounter_id == panel.page.current.pk}
    panel.q = ""  # also when Enter was quicker than the results
    if set(ids) <= set(here):
        raise AlreadyRequested(exam=here[ids[0]].variant.name)
    for variant in ids:
        if variant not in here:
            panel.draft.add(variant, from_set=from_set)
    return _kept(panel)


def _before(panel: Panel, what: str) -> HttpResponse:
    """What an answer wants done first joins the list, in its plainest way."""
    rows = ExamVariant.objects.filter(
        item=_number(what), item__organization=panel.organization_id, item__active=True, active=True
    )
    pk = rows.order_by("pk").values_list("pk", flat=True).first()
    return _add(panel, f"item-{pk or 0}")


def _first(panel: Panel) -> HttpResponse:
    """Typed quicker than the results came: Enter takes the first of them all the same."""
    rows = [one["row"] for one in panel.found]
    return _add(panel, rows[0].key) if rows else _again(panel)


def _way(panel: Panel, what: str) -> HttpResponse:
    old, _colon, new = what.partition(":")
    variant = find.by_pk([_number(new)], organization_id=panel.organization_id).get(_number(new))
    before = panel.variants.get(_number(old))
    if not variant or not before or variant.item_id != before.item_id or not variant.active:
        raise Http404
    panel.draft.change(before.pk, variant.pk)
    return _kept(panel, focus="list")


def _priority(panel: Panel, what: str) -> HttpResponse:
    """The next of 常规, 优先, 急诊."""
    line = panel.draft.line(_number(what))
    if line:
        order = list(Priority.values)
        line.priority = order[(order.index(line.priority) + 1) % len(order)]
    return _kept(panel, focus="list")


def _remove(panel: Panel, what: str) -> HttpResponse:
    panel.draft.remove(_number(what))
    return _kept(panel)


def _clear(panel: Panel, _what: str) -> HttpResponse:
    panel.draft.asked()
    return _kept(panel)


def _reply(panel: Panel, what: str) -> HttpResponse:
    """An answer's key. The next unanswered question is in focus, then what else stands in the way."""
    code, _colon, answer = what.partition(":")
    question = next((one for one in panel.questions if one.row.code == code), None)
    if question is None or all(one.code != answer for one in question.row.answers.all()):
        raise Http404
    panel.draft.answers[code] = answer
    return _kept(panel, focus="next")


# ---- repeats ----


def _use(panel: Panel, what: str) -> HttpResponse:
    """采用已有结果: the exam leaves the list."""
    chosen = next((one for one in panel.chosen if one.variant.pk == _number(what)), None)
    if chosen is None or chosen.result is None:
        raise Http404
    page = panel.page
    requesting.use_result(
        patient=page.patient,
        variant=chosen.variant,
        report=chosen.result,
        encounter=page.current,
        by=page.doctor,
        now=page.now,
    )
    panel.draft.remove(chosen.variant.pk)
    notice = _("采用已有结果，不再开%(exam)s。") % {"exam": chosen.variant.name}
    return _kept(panel, notice=notice, focus="next")


def _undecided(chosen) -> RepeatUndecided:
    return RepeatUndecided(
        exam=chosen.variant.name,
        institution=str(chosen.result.organization),
        day=f"{clock.today(chosen.result.performed_at):%m-%d}",
    )


# ---- asking, planning, holding ----


def _go(panel: Panel, _what: str) -> HttpResponse:
    """Enter in a box: search for what was typed and not found yet, else the next step."""
    if panel.q:
        return _first(panel) if panel.page.request.htmx else _again(panel)
    return _ask(panel, "") if panel.draft.lines else _plan(panel, "")


def _ask(panel: Panel, _what: str) -> HttpResponse:
    page = panel.page
    if not panel.chosen:
        raise NothingAsked()
    if panel.question_now or panel.repeat_now:
        return _what_is_missing(panel)
    results = {one.result.pk: one.result for one in panel.chosen if one.result}
    sets = ExamSet.objects.in_bulk([line.from_set for line in panel.draft.lines if line.from_set])
    wanted = [
        Asked(
            variant=one.variant,
            priority=one.line.priority,
            reason=panel.draft.reason,
            answers=one.line_answers,
            repeat=(results[one.line.report], one.line.why) if one.line.report in results else None,
            cleared=one.line.cleared if one.needs_check else "",
            from_set=sets.get(one.line.from_set),
        )
        for one in panel.chosen
    ]
    rows = requesting.request(
        patient=page.patient,
        wanted=wanted,
        encounter=page.current,
        requester=page.doctor,
        by=page.request.user,
        wanted_by=panel.back,
        now=page.now,
    )
    panel.draft.asked()
    said = ngettext("已开单%(count)s项。", "已开单%(count)s项。", len(rows)) % {"count": len(rows)}
    return _kept(panel, notice=said, focus="plan", basket=True)


def _what_is_missing(panel: Panel) -> HttpResponse:
    """What has to be said first: refused answers, then questions, then repeats."""
    refused = next((one.refusal for one in panel.chosen if one.refused), None)
    if refused:
        raise refused
    if panel.question_now:
        return _again(panel, focus="next")
    return _again(panel, status=422, focus="next", refusal=_undecided(panel.repeat_now))


def _plan(panel: Panel, _what: str) -> HttpResponse:
    """The wishes have changed: plan anew."""
    requesting.want_by(requests=panel.to_plan, day=panel.back)
    return _again(panel, focus="plan")


def _hold(panel: Panel, token: str) -> HttpResponse:
    """Enter on a plan: all of it is held, or nothing."""
    page = panel.page
    booking.hold_plan(
        patient=page.patient,
        lines=planning.lines_of(token, page.patient),
        channel=Channel.CONSULT,
        by=page.request.user,
        basket=page.basket,
        figures=planning.figures_of(token, page.patient),
        now=clock.deciding(),
    )
    return _again(panel, basket=True, focus="confirm")


def _withdraw(panel: Panel, what: str) -> HttpResponse:
    page = panel.page
    row = get_object_or_404(ExamRequest, pk=_number(what), patient=page.patient, organization=panel.organization_id)
    requesting.withdraw(request=row, by=page.request.user, reason=_("诊间撤销"), now=page.now)
    return _again(panel, basket=True, notice=_("已撤销%(exam)s。") % {"exam": row.variant.name})


ACTS: dict[str, Callable[[Panel, str], HttpResponse]] = {
    "add": _add,
    "first": _before,
    "way": _way,
    "priority": _priority,
    "remove": _remove,
    "clear": _clear,
    "answer": _reply,
    "use": _use,
    "go": _go,
    "ask": _ask,
    "plan": _plan,
    "hold": _hold,
    "withdraw": _withdraw,
}


# ---- the basket's lines ----


@at_the_desk
def drop(request, panel):
    """撤销: one exam that is held."""
    page = panel.page
    rows = ExamBooking.objects.filter(basket=page.basket, patient=page.patient)
    row = get_object_or_404(rows, pk=_number(request.POST.get("drop", "")))
    booking.drop(booking=row, by=request.user, now=clock.deciding())
    return _basket(panel)


@at_the_desk
def drop_plan(request, panel):
    """撤销上一项: a plan was taken with one key and goes with one."""
    booking.drop(basket=panel.page.basket, by=request.user, now=clock.deciding())
    return _basket(panel)


def _basket(panel: Panel) -> HttpResponse:
    """Where the doctor was: the lines are in the basket of every kind."""
    request = panel.page.request
    back = QueryDict(request.POST.get("back", "")[:500])
    page = page_of(request, address=back)
    page.focus = ""
    if not request.htmx:
        return draw(page)
    if page.neighbour:
        panel_of(page).focus = "plan"
    return render(request, "consult/_changed.html", {"page": page})


@at_the_desk
def cancel(request, panel):
    """Under 已有: an exam booked earlier is given back, or the whole request withdrawn with it."""
    page = panel.page
    requests = selectors.standing_requests(patient=page.patient, organization_id=panel.organization_id)
    row = next((one for one in requests if one.pk == _number(request.POST.get("request", ""))), None)
    if row is None:
        raise Http404
    withdraw = bool(request.POST.get("withdraw"))
    if row.going_on:
        booking.cancel(
            booking=row.going_on[0],
            by=request.user,
            channel=Channel.CONSULT,
            note=_("诊间取消"),
            withdraw=withdraw,
            now=clock.deciding(),
        )
    elif withdraw:
        requesting.withdraw(request=row, by=request.user, reason=_("诊间撤销"), now=page.now)
    after = page_of(request, address=QueryDict("kind=booked"))
    words = _("已撤销%(exam)s的申请。") if withdraw else _("已取消%(exam)s的预约，申请回到待预约。")
    after.notice, after.focus = words % {"exam": row.variant.name}, "notice"
    return draw(after)
