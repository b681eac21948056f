"""就诊人 (B22): the account's people, adding one, proving it by a code, ending it."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from hospital import account_rules, accounts, clock, codes, consents, family, masking, personal_data, phone_codes
from hospital.errors import Refused
from hospital.family_forms import FamilyForm, RelationForm
from hospital.family_policies import GuardianNeeded, is_child
from hospital.models import CodeSent, Patient, RelatedPerson
from hospital.permissions import freshly_signed_in, patient_required
from hospital.views.code_pages import back_of, code_page, onward

BINDING = "binding"
"""In the session: whom the account wants to add once the code is right. Ids and words of the form, no personal data."""


@require_safe
@never_cache
@patient_required
def people(request: HttpRequest):
    """The list. Names are masked: a phone lies open on a table."""
    now = clock.now()
    rows, rule = family.people_of(request.user), account_rules.in_force(now=now)
    missing = consents.missing_for(request.user, [row.patient for row in rows], now)
    lines = [{"row": row, "name": masking.name(row.patient.name), "missing": missing[row.patient_id]} for row in rows]
    context = {"lines": lines, "limit": rule.family_limit, "full": len(rows) >= rule.family_limit}
    return render(request, "family/list.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@freshly_signed_in
def add(request: HttpRequest):
    """添加就诊人. What was typed stays on the page when the hospital says no."""
    now, after = clock.now(), onward(request)
    first = not family.people_of(request.user)
    form = FamilyForm(request.POST or None, initial={"relation": RelatedPerson.Relation.SELF if first else None})
    refusal = None
    if form.is_valid():
        try:
            outcome = family.add(account=request.user, person=_person(form), now=now, request=request)
            if isinstance(outcome, RelatedPerson):
                return _added(request, outcome, after=after)
            _ask_for_code(request, outcome.patient, form, now=now)
            return redirect(_with_next("family_code", after))
        except GuardianNeeded as needed:
            refusal = None if form.asks_guardian else needed
            form.ask_guardian()
        except Refused as no:
            refusal = no
    rule = account_rules.in_force(now=now)
    context = {"form": form, "refusal": refusal, "after": after, "rule": rule, "back": back_of(after)}
    context["child_notice"] = consents.current(consents.CHILD, now=now) if form.asks_guardian else None
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "family/add.html", context, status=status)


def _person(form: FamilyForm) -> family.Person:
    data = form.cleaned_data
    return family.Person(
        name=data["name"],
        kind=data["kind"],
        number=data["number"],
        relation=data["relation"],
        sex=data["sex"] or Patient.Sex.UNKNOWN,
        birth_date=data["birth_date"],
        phone=data["phone"],
        agreed=form.agreed,
    )


def _ask_for_code(request, patient: Patient, form: FamilyForm, *, now) -> None:
    """Send the code, or go on to one that was just sent to this very phone."""
    request.session[BINDING] = {
        "patient": patient.pk,
        "relation": form.cleaned_data["relation"],
        "agreed": form.agreed,
    }
    try:
        phone_codes.ask(request, purpose=CodeSent.Purpose.BIND, phone=patient.phone, now=now)
    except codes.CodeTooSoon:
        if not phone_codes.on_its_way(request, purpose=CodeSent.Purpose.BIND, phone=patient.phone, now=now):
            raise


def _added(request, row: RelatedPerson, *, after: str):
    """On to the consent that the first booking needs, or back to where the person came from."""
    request.session.pop(BINDING, None)
    after = _for_them(after, row)
    messages.success(request, _("已添加就诊人：%(name)s。") % {"name": masking.name(row.patient.name)})
    if consents.missing(request.user, row.patient, clock.now()):
        return redirect(_with_next("consent_person", after, row.pk))
    return redirect(after or "family")


def _for_them(after: str, row: RelatedPerson) -> str:
    """Back to the last step of booking with the new person chosen there."""
    where = urlsplit(after)
    if where.path != reverse("appointments:book_who"):
        return after
    query = [(name, value) for name, value in parse_qsl(where.query) if name != "patient"]
    return where._replace(query=urlencode([*query, ("patient", row.patient_id)])).geturl()


@require_http_methods(["GET", "POST"])
@never_cache
@freshly_signed_in
def code(request: HttpRequest):
    """A code to the phone on the person's record: whoever has that phone agrees."""
    wanted = request.session.get(BINDING)
    patient = Patient.objects.filter(pk=wanted["patient"], active=True).first() if wanted else None
    if patient is None or not patient.phone:
        return redirect("family_add")

    def right(phone: str):
        if phone != patient.phone:  # the record changed in between
            raise family.GoToTheWindow
        row = family.bind_proved(
            account=request.user,
            patient=patient,
            relation=wanted["relation"],
            agreed=wanted["agreed"],
            now=clock.now(),
            request=request,
        )
        return _added(request, row, after=onward(request))

    return code_page(
        request, purpose=CodeSent.Purpose.BIND, phone=patient.phone, template="family/code.html", right=right
    )


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def member(request: HttpRequest, pk: int):
    """One person in full: the page of the account's own making, where a name has to be checked."""
    row, now = _mine(request, pk), clock.now()
    form, refusal = RelationForm(request.POST or None, initial={"relation": row.relation}), None
    if form.is_valid():
        try:
            family.change_relation(row=row, relation=form.cleaned_data["relation"], now=now, request=request)
            messages.success(request, _("关系已更改。"))
            return redirect("family_member", row.pk)
        except Refused as no:
            refusal = no
    patient, rule = row.patient, account_rules.in_force(now=now)
    context = {
        "row": row,
        "patient": patient,
        "child": is_child(patient.birth_date, rule=rule, day=clock.today(now)),
        "phone": masking.phone(patient.phone),
        "documents": [(paper.get_kind_display(), masking.document(paper.last4)) for paper in patient.identifiers.all()],
        "missing": consents.missing(request.user, patient, now),
        "form": form,
        "refusal": refusal,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "family/member.html", context, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
@patient_required
def end(request: HttpRequest, pk: int):
    """解除绑定, after saying what becomes of the bookings."""
    row, now = _mine(request, pk), clock.now()
    if request.method == "POST":
        family.unbind(row=row, by=request.user, now=now, request=request)
        messages.success(request, _("已解除绑定。"))
        return redirect("family")
    ahead = personal_data.ahead_of([row.patient_id], now=now, account=request.user)
    own = row.relation == RelatedPerson.Relation.SELF
    context = {"row": row, "name": masking.name(row.patient.name), "ahead": ahead}
    context["loses_phone"] = not own and row.patient.phone and row.patient.phone == accounts.phone_of(request.user)
    return render(request, "family/end.html", context)


def _mine(request, pk: int) -> RelatedPerson:
    """Another account's person by a guessed id is not found, as one that never was."""
    rows = RelatedPerson.objects.filter(account=request.user, ended_at=None, patient__active=True)
    return get_object_or_404(rows.select_related("patient", "account"), pk=pk)


def _with_next(name: str, after: str, *args) -> str:
    address = reverse(name, args=args)
    return f"{address}?{urlencode({'next': after})}" if after else address
