"""The plan that goes down, on any page of a referral."""

from django import template

from hospital import clock, permissions
from referrals.models import Referral
from referrals.policies import allergies
from referrals.policies import follow_up as policy
from referrals.selectors import down, follow_ups
from referrals.views.down import READERS, SENDERS

register = template.Library()
register.filter("names_allergy", allergies.names_one)
register.filter("has_next_visit", down.has_next_visit)


@register.inclusion_tag("referrals/down/_on_page.html", takes_context=True)
def care_plan(context, referral: Referral) -> dict:
    """A referral down: plan and follow-ups. One up: where its patient went back, or the way there. Else nothing. The
    page links css/referrals-down.css."""
    user = context["request"].user
    today = clock.today(clock.now())
    shown = went = None
    may_go_down = False
    if referral.direction == Referral.Direction.DOWN:
        shown = down.shown(referral)
    else:
        went = down.standing_down(referral)
        here = referral.receiver_id in permissions.organizations_of(user, *SENDERS)
        may_go_down = here and policy.refusal_to_go_down(referral, standing=went) is None
    following = shown.open if shown else None
    followers = permissions.organizations_of(user, *follow_ups.FOLLOWERS)
    return {
        "referral": referral,
        "shown": shown,
        "went": went,
        "may_go_down": may_go_down,
        "may_print": permissions.has_role(user, *READERS),
        "follows": bool(following and following.organization_id in followers),
        "today": today,
    }
