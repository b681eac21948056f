"""窗口 (B22, O4): with the document in hand, bind a person to an account or correct the record."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hospital import account_rules, accounts, audit, clock, family, masking, personal_data
from hospital.errors import Refused
from hospital.family_forms import WindowBindForm, WindowCorrectForm, WindowEndForm
from hospital.family_policies import is_child
from hospital.models import Patient, RelatedPerson
from hospital.permissions import WINDOW_ROLES, role_required


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*WINDOW_ROLES)
def bind(request: HttpRequest, pk: int):
    """绑定到手机账号: for whom no code can prove it. A typed phone may be anybody's: the first step says whose account
    it is, the second binds."""
    person, now = _person(request, pk), clock.now()
    form, refusal = WindowBindForm(request.POST or None), None
    if form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("phone", "relation", "agreed")}
        try:
            account = family.account_of(said["phone"]).user
            if request.POST.get("account") != str(account.pk):
                more = {"found": _found(account), "child": _is_child(person, now)}
                return _page(request, "desk/bind.html", person, form, None, **more)
            family.bind_at_the_window(patient=person, by=request.user, now=now, request=request, **said)
            messages.success(request, _("已绑定到这个手机的账号。"))
            return redirect("appointments:desk_patient", person.pk)
        except Refused as no:
            refusal = no
    return _page(request, "desk/bind.html", person, form, refusal, child=_is_child(person, now))


def _is_child(person: Patient, now) -> bool:
    return is_child(person.birth_date, rule=account_rules.in_force(now=now), day=clock.today(now))


def _found(account) -> dict:
    """What lets a clerk and the person at the window tell whether it is the right account."""
    names = [masking.name(row.patient.name) for row in family.people_of(account)]
    return {"account": account, "people": _("、").join(names)}


@require_POST
@role_required(*WINDOW_ROLES)
def end(request: HttpRequest, pk: int, row: int):
    """解除绑定, for the person whose data it is: whoever knew the number may have registered them."""
    person, form = _person(request, pk), WindowEndForm(request.POST)
    bound = get_object_or_404(RelatedPerson.objects.select_related("account", "patient"), pk=row, patient=person)
    if form.is_valid():
        family.unbind(row=bound, by=request.user, now=clock.now(), reason=form.cleaned_data["reason"], request=request)
        messages.success(request, _("这个账号与就诊人的绑定已解除。"))
    else:
        messages.error(request, _("请选择解除绑定的原因。"))
    return redirect("desk_bind", person.pk)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*WINDOW_ROLES)
def correct(request: HttpRequest, pk: int):
    """更正资料."""
    person = _person(request, pk)
    form = WindowCorrectForm(request.POST or None, instance=Patient.objects.get(pk=person.pk))
    refusal = None
    if form.is_valid():
        try:
            _correct(request, person, form)
            messages.success(request, _("资料已更正。"))
            return redirect("appointments:desk_patient", person.pk)
        except Refused as no:
            refusal = no
    return _page(request, "desk/correct.html", person, form, refusal)


def _correct(request, person: Patient, form: WindowCorrectForm) -> None:
    now, said = clock.now(), form.cleaned_data
    told = {name: said[name] for name in ("name", "sex", "birth_date", "special", "seen")}
    personal_data.correct(patient=person, by=request.user, now=now, request=request, **told)
    if said["phone"] and said["phone"] != person.phone:
        moved = accounts.give_phone(patient=person, phone=said["phone"], by=request.user, now=now, request=request)
        if not moved:
            messages.warning(request, _("档案手机已改；这个手机号已有另一个账号，本人账号的登录手机没有变。"))


def _person(request, pk: int) -> Patient:
    person = get_object_or_404(Patient, pk=pk, active=True)
    audit.saw_patient(patient=person, actor=request.user, where="desk", now=clock.now(), request=request)
    return person


def _page(request, template: str, person: Patient, form, refusal: Refused | None, **more):
    context = {
        "patient": person,
        "phone": masking.phone(person.phone),
        "documents": list(person.identifiers.order_by("pk")),
        "form": form,
        "bindings": [(row, masking.phone(accounts.phone_of(row.account))) for row in family.bound_to(person)],
        "ending": WindowEndForm(),
        "refusal": refusal,
        **more,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, template, context, status=status)
