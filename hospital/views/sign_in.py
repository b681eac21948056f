"""登录: the one door for patients. Phone, code, in; the same page and words for known and unknown phones."""

from functools import wraps

from allauth.account.internal.stagekit import clear_login
from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from hospital import accounts, clock, phone_codes, phone_signin
from hospital.account_forms import NewOwnerForm, PersonForm
from hospital.errors import Refused, StaffAccount
from hospital.models import CodeSent, GatewayReceipt
from hospital.permissions import CODE_AT, is_patient_account, patient_required

from .code_pages import ask_page, code_page, onward, to

Purpose = CodeSent.Purpose
page = require_http_methods(["GET", "HEAD", "POST"])


def for_strangers(view):
    """Who is signed in goes on; staff hear that this is the other door."""

    @wraps(view)
    def guarded(request):
        if not request.user.is_authenticated:
            return view(request)
        if not is_patient_account(request.user):
            raise StaffAccount
        return redirect(onward(request) or "home")

    return guarded


@page
@never_cache
@for_strangers
def sign_in(request):
    clear_login(request)  # who comes back to the start has given up "is it still you?"
    return ask_page(request, purpose=Purpose.SIGN_IN, template="me/sign_in.html", code_page="sign_in_code")


@page
@never_cache
@sensitive_post_parameters()
@for_strangers
def code(request):
    waiting, after = phone_codes.asked(request, purpose=Purpose.SIGN_IN), onward(request)
    if waiting is None:
        return redirect(to("sign_in", after=after))
    return code_page(
        request,
        purpose=Purpose.SIGN_IN,
        phone=waiting.phone,
        template="me/sign_in_code.html",
        right=lambda phone: phone_signin.let_in(request, phone=phone, onward=after),
    )


@page
@never_cache
@sensitive_post_parameters()
@for_strangers
def person(request):
    """还是您本人吗: nothing of the account is shown before it is answered."""
    stage = phone_signin.waiting_stage(request)
    if stage is None:
        return redirect("sign_in")
    same, new, refusal = PersonForm(), NewOwnerForm(), None
    if "same" in request.POST:
        same = PersonForm(request.POST)
        if same.is_valid():
            try:
                accounts.check_person(
                    user=stage.login.user, number=same.cleaned_data["number"], now=clock.now(), request=request
                )
            except Refused as wrong:
                refusal, same = wrong, PersonForm()
            else:
                return stage.exit()
    elif "new" in request.POST:
        new = NewOwnerForm(request.POST)
        if new.is_valid():
            return phone_signin.start_afresh(request, stage)
    status = refusal.status if refusal else 422 if same.errors or new.errors else 200
    return render(request, "me/sign_in_person.html", {"same": same, "new": new, "refusal": refusal}, status=status)


@page
@never_cache
@sensitive_post_parameters()
@patient_required
def code_again(request):
    """再验证一次: for permissions.freshly_signed_in. The code goes to the account's own phone, and nowhere else."""
    phone, after = accounts.phone_of(request.user), onward(request)
    waiting = phone_codes.asked(request, purpose=Purpose.CONFIRM)

    def right(_phone):
        request.session[CODE_AT] = clock.now().timestamp()
        return redirect(after or "me")

    if waiting is not None and waiting.phone != phone:
        phone_codes.forget(request, purpose=Purpose.CONFIRM)
        waiting = None
    return code_page(
        request, purpose=Purpose.CONFIRM, phone=phone, template="me/code_again.html", right=right, sent=bool(waiting)
    )


@require_safe
@never_cache
def inbox(request):
    """演示: the codes that this browser asked for, and nobody else's. Only in a demo."""
    if not settings.DEMO:
        raise Http404
    sent = [f"code:{number}" for number in request.session.get(phone_codes.SHOWN_IN_DEMO, [])]
    receipts = GatewayReceipt.objects.filter(request_id__in=sent).order_by("-received_at", "-pk")
    return render(request, "me/inbox.html", {"receipts": receipts, "after": onward(request)})
