"""What the pages with an SMS code share: where to go afterwards, and one form that answers or asks again."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from hospital import account_rules, clock, codes, masking, phone_codes
from hospital.account_forms import CodeForm, PhoneForm
from hospital.errors import Refused


def onward(request) -> str:
    """The address of ours that the person wanted; else nothing. Not a word without a slash: redirect() takes it for
    the name of a view."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours and wanted.startswith("/") else ""


def back_of(after: str) -> str:
    """Of who came here from choosing a time: the times again, since the step after them leads here anew."""
    if urlsplit(after).path != reverse("appointments:book_who"):
        return ""
    return f"{reverse('appointments:book_back')}?{urlsplit(after).query}"


def to(name: str, *, after: str = "") -> str:
    """The address of a page, remembering where to go after it."""
    return f"{reverse(name)}?{urlencode({'next': after})}" if after else reverse(name)


def ask_page(request, *, purpose: str, template: str, code_page: str) -> HttpResponse:
    """A form with a phone; a good one gets a code and leads to `code_page`."""
    after, form, refusal = onward(request), PhoneForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        phone = form.cleaned_data["phone"]
        refusal = _ask(request, purpose=purpose, phone=phone)
        if refusal is None or _is_on_its_way(request, refusal, purpose=purpose, phone=phone):
            return redirect(to(code_page, after=after))
    return _render(request, template, form=form, after=after, refusal=refusal)


def code_page(
    request, *, purpose: str, phone: str, template: str, right: Callable[[str], HttpResponse], **more
) -> HttpResponse:
    """A form with the code that was sent to `phone`; "again" sends another. `right` answers with the proved phone."""
    after, form, refusal = onward(request), CodeForm(), None
    if "again" in request.POST:
        refusal = _ask(request, purpose=purpose, phone=phone)
        if refusal is None:
            return redirect(f"{request.path}?{urlencode({'next': after})}" if after else request.path)
    elif request.method == "POST":
        form = CodeForm(request.POST)
        if form.is_valid():
            try:
                proved = phone_codes.answer(request, purpose=purpose, code=form.cleaned_data["code"], now=clock.now())
            except Refused as wrong:
                refusal, form = wrong, CodeForm(refused=True)
            else:
                return right(proved)
    minutes = account_rules.in_force(now=clock.now()).code_minutes
    more |= {"phone": masking.phone(phone), "minutes": minutes, "demo": settings.DEMO}
    more["over"] = not phone_codes.on_its_way(request, purpose=purpose, phone=phone, now=clock.now())
    return _render(request, template, form=form, after=after, refusal=refusal, **more)


def _ask(request, *, purpose: str, phone: str) -> Refused | None:
    try:
        phone_codes.ask(request, purpose=purpose, phone=phone, now=clock.now())
    except Refused as refusal:
        return refusal


def _is_on_its_way(request, refusal: Refused, *, purpose: str, phone: str) -> bool:
    """Who went back and typed the same phone again is let on to the code that was just sent."""
    return isinstance(refusal, codes.CodeTooSoon) and phone_codes.on_its_way(
        request, purpose=purpose, phone=phone, now=clock.now()
    )


def _render(request, template: str, *, refusal: Refused | None, **context) -> HttpResponse:
    status = refusal.status if refusal else 422 if context["form"].errors else 200
    return render(request, template, {"refusal": refusal, "back": back_of(context["after"]), **context}, status=status)
