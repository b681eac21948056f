"""我的: the account's own page, its phone and its language."""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from hospital import accounts, clock, devices, family, masking, phone_codes
from hospital.models import CodeSent, Patient
from hospital.permissions import freshly_signed_in, patient_required

from . import edition
from .code_pages import ask_page, code_page
from .sign_in import page

CHANGE = CodeSent.Purpose.CHANGE


@require_safe
@never_cache
@patient_required
def me(request):
    context = {
        "phone": masking.phone(accounts.phone_of(request.user)),
        "people": _("、").join(masking.name(person.patient.name) for person in family.people_of(request.user)),
        "editions": edition.EDITIONS.items(),
        "chosen": edition.of(request),
    }
    return render(request, "me/me.html", context)


@require_POST
@patient_required
def language(request):
    """Of the pages, and of what the account's people are told."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        people = [person.patient_id for person in family.people_of(request.user)]
        Patient.objects.filter(pk__in=people).exclude(language=chosen).update(language=chosen)
    return set_language(request)


@page
@never_cache
@freshly_signed_in
def phone(request):
    """更换手机: the old phone answered a moment ago, now the new one has to. Who lost the old one goes to the desk."""
    return ask_page(request, purpose=CHANGE, template="me/phone.html", code_page="me_phone_code")


@page
@never_cache
@sensitive_post_parameters()
@freshly_signed_in
def phone_code(request):
    waiting = phone_codes.asked(request, purpose=CHANGE)
    if waiting is None:
        return redirect("me_phone")

    def right(proved):
        get_adapter(request).set_phone(request.user, proved, True)
        update_session_auth_hash(request, request.user)
        devices.remember(user=request.user, device=devices.digest_of(request), now=clock.now())
        messages.success(request, _("登录手机已更换，以后请用新手机号登录。"))
        return redirect("me")

    return code_page(request, purpose=CHANGE, phone=waiting.phone, template="me/phone_code.html", right=right)
