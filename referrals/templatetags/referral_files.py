"""The panel of attachments on any page of a referral."""

from django import template

from hospital import clock, permissions
from referrals.models import Referral
from referrals.selectors import attachments as selectors
from referrals.views.files import HOLDERS

register = template.Library()


@register.inclusion_tag("referrals/files/_attachments.html", takes_context=True)
def attachments(context, referral: Referral) -> dict:
    """Has forms of its own: never inside of another one. The page links css/referrals-files.css, js/file-size.js."""
    request = context["request"]
    organizations = permissions.organizations_of(request.user, *HOLDERS)
    panel = selectors.panel_of(referral, organizations=organizations, day=clock.today(clock.now()))
    return {
        "panel": panel,
        "added": (),
        "refused": (),
        "back": request.get_full_path(),
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }
