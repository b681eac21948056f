"""What a signed-in person's role opens, for the frame of the follow-ups."""

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from hospital import permissions
from hospital.models import Role

register = template.Library()


@register.simple_tag
def doors(user) -> list[tuple[str, str]]:
    """Address and words of the workplaces beside this one."""
    found = []
    if permissions.has_role(user, Role.PARTNER):
        found.append((reverse("referrals:partner"), _("家庭医生工作台")))
    if permissions.has_role(user, Role.REFERRAL):
        found.append((reverse("referrals:referral_office"), _("转诊办")))
    if permissions.may_sit_in_a_room(user):
        found.append((reverse("appointments:consult"), _("诊间预约")))
    return found
