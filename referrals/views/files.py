"""附件: the panel on every page of a referral, each file as a download; without script on a page of its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital import clock, permissions
from hospital.errors import Refused
from hospital.files import intake, names
from hospital.models import Role
from hospital.permissions import role_required
from referrals.models import MOST_BYTES, Referral
from referrals.policies import attachments as policy
from referrals.policies.moves import Side
from referrals.selectors import attachments as selectors
from referrals.selectors import rules, scope
from referrals.services import attachments as service

HOLDERS = (Role.PARTNER, Role.REFERRAL, Role.DOCTOR, Role.WARD)
"""Who brings files and opens them; an auditor reads who did."""

AT_ONCE = 10
"""Files of the most bytes in one request; what is longer is refused unread."""


def _most() -> int:
    return MOST_BYTES


@intake.takes_a_file(most=_most, bodies=AT_ONCE)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*HOLDERS)
def attachments(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel; a POST adds each file that is right and says of each other why not."""
    referral = _referral(request, pk)
    if request.method != "POST":
        return _answer(request, referral)
    added, refused = _take(request, referral)
    if not added and not refused:
        refused.append((_("还没有选文件"), _("请先点“选择文件”，可以一次选几个。")))
    if refused or request.htmx:
        return _answer(request, referral, added=added, refused=refused)
    return redirect(_back(request) or request.path)


def _take(request: HttpRequest, referral: Referral) -> tuple[list[str], list[tuple[str, str]]]:
    now, uploads = clock.now(), request.FILES.getlist("file")
    side = scope.side_of(referral, permissions.organizations_of(request.user, *HOLDERS))
    organization = referral.receiver if side == Side.RECEIVER else referral.origin
    too_long = policy.too_long(rules.referral_rule(referral.receiver_id, day=clock.today(now)))
    added, refused = [], [(names.cleaned(name or "", suffix=""), too_long.in_full) for name in request.cut_off]
    for upload in uploads:
        try:
            row = service.add(referral=referral, upload=upload, by=request.user, organization=organization, now=now)
            added.append(row.name)
        except Refused as refusal:
            refused.append((names.cleaned(upload.name or "", suffix=""), refusal.in_full))
    return added, refused


@require_POST
@role_required(*HOLDERS)
def remove(request: HttpRequest, pk: int, attachment: int) -> HttpResponse:
    """Out of a draft."""
    referral = _referral(request, pk)
    row = get_object_or_404(referral.attachments.filter(removed_at=None), pk=attachment)
    try:
        service.remove(attachment=row, by=request.user, now=clock.now())
    except Refused as refusal:
        return _answer(request, referral, refused=[(row.name, refusal.in_full)])
    return _answer(request, referral) if request.htmx else redirect(_back(request) or "referrals:attachments", pk)


@require_safe
@never_cache
@role_required(*HOLDERS)
def attachment(request: HttpRequest, pk: int, attachment: int) -> HttpResponse:
    """One file, as a download that can do nothing."""
    referral = _referral(request, pk)
    rows = referral.attachments.filter(removed_at=None).select_related("referral__patient")
    row = get_object_or_404(rows, pk=attachment)
    content = service.opened(attachment=row, by=request.user, now=clock.now(), request=request)
    return intake.download(content, kind=row.kind, name=row.name)


def _referral(request: HttpRequest, pk: int) -> Referral:
    rows = scope.referrals_of(request.user, *HOLDERS).select_related("patient", "origin", "receiver")
    return get_object_or_404(rows, pk=pk)


def _back(request: HttpRequest) -> str:
    """The page that the panel stood on."""
    said = request.POST.get("back") or request.GET.get("back", "")
    return said if url_has_allowed_host_and_scheme(said, allowed_hosts={request.get_host()}) else ""


def _answer(request: HttpRequest, referral: Referral, *, added=(), refused=()) -> HttpResponse:
    organizations = permissions.organizations_of(request.user, *HOLDERS)
    panel = selectors.panel_of(referral, organizations=organizations, day=clock.today(clock.now()))
    context = {"panel": panel, "added": added, "refused": refused, "back": _back(request)}
    status = 422 if refused else 200
    if not request.htmx:
        return render(request, "referrals/files/page.html", context, status=status)
    response = render(request, "referrals/files/_attachments.html", context, status=status)
    if status >= 400:
        response["HX-Retarget"], response["HX-Reswap"] = "#attachments", "outerHTML"
    return response
