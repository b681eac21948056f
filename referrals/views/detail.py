"""转诊单 /referrals/<pk>/: one page for both sides (R2–R4). What is offered is what the policy allows this hand now."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital import audit, clock, masking, permissions
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required
from referrals.forms.acts import FORMS, ActForm
from referrals.forms.green import ArrangeForm
from referrals.models import Referral
from referrals.policies import hands
from referrals.policies.moves import Act, Side
from referrals.selectors import office, scope, story
from referrals.services import answering, ending, numbers, writing

RELATED = (
    "patient", "origin", "receiver", "department", "role__practitioner", "team", "doctor", "encounter",
    "answers_to__patient", "plan", "green__acknowledged_by",
)  # fmt: skip
WORDS = {
    Act.ACCEPT: (_lazy("接收"), _lazy("已接收。")),
    Act.ASK: (_lazy("要求补充"), _lazy("已请对方补充。")),
    Act.REDIRECT: (_lazy("改派"), _lazy("已改派。")),
    Act.REJECT: (_lazy("退回"), _lazy("已退回，对方会收到原因。")),
    Act.ARRIVE: (_lazy("患者已到院"), _lazy("已记到院。")),
    Act.SEE: (_lazy("已就诊"), _lazy("已记就诊。")),
    Act.COMPLETE: (_lazy("完成"), _lazy("已完成。")),
    Act.ANSWER: (_lazy("补充资料"), _lazy("已补充，对方会收到提醒。")),
    Act.WITHDRAW: (_lazy("撤回"), _lazy("已撤回。")),
}
"""What each button says, in the order of the page, and what is said when it is done."""
KEYS = {
    Act.ACCEPT: "KeyA", Act.ASK: "KeyQ", Act.REDIRECT: "KeyG", Act.REJECT: "KeyT", Act.ARRIVE: "KeyD",
    Act.COMPLETE: "KeyW", Act.ANSWER: "KeyQ",
}  # fmt: skip
GREEN_PANEL = "greencall"
"""The element of the page that is asked for anew."""
DANGER = (Act.REJECT, Act.WITHDRAW)
SERVICES = {
    Act.ASK: answering.ask_back,
    Act.ACCEPT: answering.accept,
    Act.REDIRECT: ending.redirect,
    Act.REJECT: ending.reject,
    Act.COMPLETE: answering.complete,
    Act.ARRIVE: numbers.arrived,
    Act.SEE: numbers.seen,
    Act.ANSWER: writing.answer,
    Act.WITHDRAW: ending.withdraw,
}
MOVE_ON = (Act.REDIRECT, Act.REJECT)
"""After these the office goes back to its list: the referral needs nothing more of it."""


@dataclass(frozen=True)
class Page:
    """A referral that the user may open, and with whose hand: acts are offered and refused by the same policy."""

    request: HttpRequest
    referral: Referral
    side: Side | None
    acts: frozenset[Act]
    now: datetime

    @property
    def address(self) -> str:
        return reverse("referrals:referral", args=[self.referral.pk])

    def must(self, act: Act) -> None:
        """404 for a hand that never has this act; a state that doesn't allow it any more is the service's refusal."""
        row = self.referral
        ever = {hands.offered(roles=_roles(self.request, row, self.side), side=self.side, status=status,
                              direction=row.direction) for status in Referral.Status}  # fmt: skip
        if not any(act in acts for acts in ever):
            raise Http404


def open_page(request: HttpRequest, pk: int) -> Page:
    """Raises Http404 for whom it isn't."""
    rows = scope.referrals_of(request.user).select_related(*RELATED)
    row = get_object_or_404(rows, pk=pk)
    organizations = permissions.organizations_of(request.user, *hands.ACTING)
    side = scope.side_of(row, organizations)
    acts = hands.offered(roles=_roles(request, row, side), side=side, status=row.status, direction=row.direction)
    return Page(request=request, referral=row, side=side, acts=acts, now=clock.now())


def _roles(request: HttpRequest, row: Referral, side: Side | None) -> set[str]:
    """What the user is at the institution of that side."""
    house = row.receiver_id if side == Side.RECEIVER else row.origin_id
    return {each.role for each in permissions.assignments(request.user) if each.organization_id == house}


@require_safe
@never_cache
@role_required(*scope.READING)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything of one referral: whose turn it is, what was sent, what was said, what may be done now."""
    opened = open_page(request, pk)
    row = opened.referral
    if request.htmx and request.htmx.target == GREEN_PANEL:  # what the page asks for by itself while somebody waits
        return render(request, "referrals/office/_green.html", {"referral": row, **_green(opened, None)})
    audit.saw_patient(patient=row.patient, actor=request.user, where="referral", now=opened.now, request=request)
    return show(opened)


def show(
    page: Page,
    *,
    form: ActForm | None = None,
    green_form: ArrangeForm | None = None,
    refusal: Refused | None = None,
    **more,
) -> HttpResponse:
    """`form`, `green_form`: what was typed and is wrong or was refused, in its place."""
    row = page.referral
    context = {
        "page": page,
        "referral": row,
        "patient": row.patient,
        "documents": list(row.patient.identifiers.order_by("pk")),
        "phone": more.pop("phone", "") or masking.phone(row.patient.phone),
        "mine": page.side,
        "acts": _acts(page, form),
        "may_book": Act.BOOK in page.acts,
        "trail": list(reversed(story.story_of(row))),
        "number": numbers_of(row),
        "late": row.due_at is not None and row.due_at <= page.now,
        "refusal": refusal,
        "unsent": _unsent(page, form, green_form),
        "wrong": any(each is not None and each.errors for each in (form, green_form)),
        "closed": page.side == Side.RECEIVER and office.place_is_closed(row),
        "in_office": permissions.has_role(page.request.user, Role.REFERRAL),
        "at_a_partner": permissions.has_role(page.request.user, Role.PARTNER),
        "now": page.now,
        **_green(page, green_form),
        **more,
    }
    status = refusal.status if refusal else 422 if context["wrong"] else 200
    response = render(page.request, "referrals/office/referral.html", context, status=status)
    if page.request.htmx and status >= 400:
        response["HX-Retarget"] = "body"
    return response


def _green(page: Page, form: ArrangeForm | None) -> dict:
    """What the page says of a green channel's call. The receiver's office acts, everybody else reads."""
    row = page.referral
    call = getattr(row, "green", None)
    if call is None:
        return {}
    may_act = page.side == Side.RECEIVER and Role.REFERRAL in _roles(page.request, row, page.side)
    waited = int(((call.acknowledged_at or page.now) - call.rung_at).total_seconds())
    return {
        "call": call,
        "green_acts": may_act and row.ended_at is None and call.closed_at is None,
        "green_form": form or ArrangeForm(call=call, now=page.now),
        "green_open": form is not None,
        "waited": divmod(waited, 60),
    }


def _rings(row: Referral) -> bool:
    call = getattr(row, "green", None)
    return call is not None and call.acknowledged_at is None and call.closed_at is None


def _unsent(page: Page, form: ActForm | None, green_form: ArrangeForm | None) -> str:
    """What was written for an act that a colleague's has made impossible meanwhile: still there to be copied."""
    if form is not None and form.act not in page.acts:
        return form.data.get("text", "").strip()
    if green_form is not None and not _awaited(page.referral):
        return "\n".join(filter(None, [green_form.data.get("note", ""), green_form.data.get("team_told", "")]))
    return ""


def _awaited(row: Referral) -> bool:
    """An ambulance doesn't wait for the day of the number."""
    call = getattr(row, "green", None)
    return call is not None and call.acknowledged_at is not None and call.closed_at is None


def numbers_of(row: Referral):
    """The number that it holds, with all that is said of one."""
    if row.appointment_id is None:
        return None
    rows = type(row).appointment.get_queryset().select_related(
        "slot", "schedule__department", "schedule__service", "schedule__role__practitioner", "schedule__team",
        "schedule__campus", "schedule__room",
    )  # fmt: skip
    return rows.get(pk=row.appointment_id)


def _acts(page: Page, form: ActForm | None) -> list[dict]:
    """Buttons in the order of WORDS; those that say something have a form that opens."""
    number = numbers.to_settle(page.referral)
    shown = []
    for act, (word, _done) in WORDS.items():
        if act not in page.acts:
            continue
        mine = form if form is not None and form.act == act else _form(page, act, number)
        if act == Act.ACCEPT and _rings(page.referral):
            continue  # acknowledging the call takes it in
        if act in (Act.ARRIVE, Act.SEE) and page.referral.appointment_id and not _awaited(page.referral):
            continue  # check-in and consultation say so themselves
        if act == Act.ASK and page.referral.urgency == Referral.Urgency.GREEN:
            continue  # by phone
        shown.append({
            "act": act, "word": word, "form": mine, "open": mine is form, "fields": len(mine.fields),
            "key": KEYS.get(act, ""), "letter": KEYS.get(act, "")[-1:], "danger": act in DANGER,
            "primary": act in (Act.ACCEPT, Act.ANSWER) or (act == Act.ARRIVE and _awaited(page.referral)),
        })  # fmt: skip
    return shown


def _form(page: Page, act: Act, number, data=None) -> ActForm:
    return FORMS[act](data, referral=page.referral, number=number, day=clock.today(page.now))


@require_POST
@never_cache
@role_required(*hands.ACTING)
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One act. What is refused stands above the form with everything typed in it."""
    opened = open_page(request, pk)
    if act not in SERVICES:
        raise Http404
    act = Act(act)
    opened.must(act)
    form = _form(opened, act, numbers.to_settle(opened.referral), request.POST)
    if not form.is_valid():
        return show(opened, form=form)
    try:
        SERVICES[act](referral=opened.referral, by=request.user, now=opened.now, **form.said())
    except Refused as refused:
        return show(open_page(request, pk), form=form, refusal=refused)
    messages.success(request, f"{opened.referral.number} {WORDS[act][1]}")
    if act in MOVE_ON and permissions.has_role(request.user, Role.REFERRAL):
        return redirect("referrals:referral_office")
    return redirect(opened.address)


@require_POST
@never_cache
@role_required(*hands.ACTING)
def phone(request: HttpRequest, pk: int) -> HttpResponse:
    """显示电话: to call the patient; leaves a trace."""
    opened = open_page(request, pk)
    if opened.side is None:
        raise Http404
    row = opened.referral
    audit.record(
        action="patient.phone_shown", actor=request.user, patient=row.patient, subject=f"referral:{row.pk}",
        now=opened.now, request=request,
    )  # fmt: skip
    return show(opened, phone=row.patient.phone or _("没有登记手机"), phone_shown=True)
