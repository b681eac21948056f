"""Signing in: what allauth leaves to the house."""

from allauth.account import views
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hospital import audit, clock, permissions
from hospital.models import User


def locked_out(request, _response, credentials, *_args, **_kwargs):
    """After five wrong passwords or codes; axes calls it instead of answering the request."""
    user = User.objects.filter(username=(credentials or {}).get("username") or "").first()
    audit.record(
        action="account.locked_out",
        actor=None,
        subject=f"user:{user.pk}" if user else "user:unknown",
        now=clock.now(),
        request=request,
    )
    return render(request, "account/locked_out.html", status=429)


@require_safe
def password_help(request):
    """Accounts of staff are reset by a person who has seen the badge, never by mail."""
    return render(request, "account/password_help.html")


def password_change(request):
    """Staff only: an account that signs in by phone has no password to change."""
    if permissions.is_patient_account(request.user):
        return redirect("me")
    return views.password_change(request)
