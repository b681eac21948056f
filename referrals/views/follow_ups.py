"""随访名单 /follow-ups/: whom this institution has to follow up, and one of them."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from hospital import audit, clock, permissions
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required
from referrals.forms.down import FollowUpForm, ListForm, TriedForm
from referrals.models import FollowUp
from referrals.policies import follow_up as policy
from referrals.selectors import down
from referrals.selectors import follow_ups as selectors
from referrals.services import follow_up as service

PAGE = 50


@require_safe
@never_cache
@role_required(*selectors.READERS)
def listed(request: HttpRequest) -> HttpResponse:
    """Overdue first. Names are masked here; whoever calls opens the row, and that leaves a trace."""
    day = clock.today(clock.now())
    form = ListForm(request.GET)
    rows = selectors.follow_ups_of(request.user)
    counts = selectors.counts(rows, day=day)
    shown = form.said("shown") or ("today" if counts["today"] else "open")
    found = selectors.listed(rows, shown=shown, day=day)
    q = (form.said("q") or "").strip()
    if q:
        found = found.filter(_named(q))
    page = Paginator(found, PAGE).get_page(form.said("page"))
    context = {
        "shown": shown,
        "q": q,
        "tabs": _tabs(counts),
        "page": page,
        "lines": [selectors.line_of(row, day=day) for row in page],
        "kept": urlencode({"shown": shown} | ({"q": q} if q else {})),
        "may_act": permissions.has_role(request.user, *selectors.FOLLOWERS),
        "several": len(permissions.organizations_of(request.user, *selectors.READERS)) > 1,
    }
    return render(request, "referrals/down/follow_ups.html", context)


def _tabs(counts: dict[str, int]) -> list[tuple[str, str, int | None]]:
    words = {
        "overdue": _("已逾期"),
        "today": _("到今天"),
        "week": _("七天内"),
        "open": _("全部未完成"),
        "done": _("已随访"),
    }
    return [(name, words[name], counts.get(name)) for name in selectors.SHOWN]


def _named(text: str) -> Q:
    low = text.lower()
    name = Q(patient__name__startswith=text) | Q(patient__pinyin__startswith=low) | Q(patient__initials=low)
    return name | Q(patient__medical_number=text.upper())


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*selectors.READERS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom to call, the plan, what was said before; and what is to be noted."""
    rows = selectors.follow_ups_of(request.user).select_related(*selectors.RELATED, "referral__answers_to")
    row = get_object_or_404(rows, pk=pk)
    mine = row.organization_id in permissions.organizations_of(request.user, *selectors.FOLLOWERS)
    if request.method == "POST" and mine:
        return _act(request, row)
    return _draw(request, row, mine=mine)


def _act(request: HttpRequest, row: FollowUp) -> HttpResponse:
    acts = {"done": _done, "tried": _tried} | ({"up": _up} if _may_refer_up(request, row) else {})
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        return _draw(request, row, mine=True, status=422)
    try:
        return act(request, row)
    except Refused as refusal:
        forms = _forms(request, act)
        return _draw(request, row, mine=True, refusal=refusal, status=refusal.status, **forms)


def _forms(request: HttpRequest, act) -> dict:
    """What was typed is kept."""
    today = clock.today(clock.now())
    if act is _done:
        return {"form": FollowUpForm(request.POST, today=today)}
    return {"tried": TriedForm(request.POST, today=today)} if act is _tried else {}


def _done(request: HttpRequest, row: FollowUp) -> HttpResponse:
    now = clock.now()
    form = FollowUpForm(request.POST, today=clock.today(now))
    if not form.is_valid():
        return _draw(request, row, mine=True, form=form, status=422)
    said = form.cleaned_data
    following = service.record(follow_up=row, by=request.user, now=now, **said)
    if said["outcome"] == FollowUp.Outcome.WORSE:
        messages.warning(request, _("已记录：患者加重。请上转，情况紧急请拨打 120。"))
        return redirect("referrals:follow_up", row.pk)
    done = (
        _("已记录，下次随访 %(day)s。") % {"day": f"{following.due_on:%m-%d}"} if following else _("已记录，随访结束。")
    )
    messages.success(request, done)
    return redirect("referrals:follow_ups")


def _tried(request: HttpRequest, row: FollowUp) -> HttpResponse:
    now = clock.now()
    form = TriedForm(request.POST, today=clock.today(now))
    if not form.is_valid():
        return _draw(request, row, mine=True, tried=form, status=422)
    said = form.cleaned_data
    after = service.tried(follow_up=row, by=request.user, now=now, note=said["note"], next_on=said["again_on"])
    messages.success(request, _("已记第%(tries)d次未联系上，%(day)s再联系。") % {
        "tries": after.tries, "day": f"{after.due_on:%m-%d}"
    })  # fmt: skip
    return redirect("referrals:follow_ups")


def _up(request: HttpRequest, row: FollowUp) -> HttpResponse:
    """加重 → 上转: the draft is written in, the family doctor looks it over and sends it."""
    draft = service.draft_up(follow_up=row, by=request.user, now=clock.now())
    return redirect("referrals:partner_draft", draft.pk)


def _may_refer_up(request: HttpRequest, row: FollowUp) -> bool:
    """Worse, at the lower institution, by somebody who has its workplace."""
    here = row.organization_id == row.referral.receiver_id and row.outcome == FollowUp.Outcome.WORSE
    return here and permissions.may_act_in(request.user, row.organization_id, Role.PARTNER)


def _draw(request: HttpRequest, row: FollowUp, *, mine: bool, status: int = 200, **said) -> HttpResponse:
    now = clock.now()
    today = clock.today(now)
    audit.saw_patient(patient=row.patient, actor=request.user, where="follow_up", now=now, request=request)
    shown = down.shown(row.referral)
    context = {
        "row": row,
        "patient": row.patient,
        "masked": row.patient.name,
        "shown": shown,
        "documents": list(row.patient.identifiers.order_by("pk")),
        "mine": mine,
        "late": max((today - row.due_on).days, 0) if row.done_at is None else 0,
        "many": row.tries >= policy.MANY_TRIES,
        "may_refer_up": _may_refer_up(request, row),
        "following": shown.open if shown and shown.open and shown.open.pk != row.pk else None,
        "form": FollowUpForm(today=today, initial={"way": FollowUp.Way.PHONE}),
        "tried": TriedForm(today=today),
        **said,
    }
    return render(request, "referrals/down/follow_up.html", context, status=status)
