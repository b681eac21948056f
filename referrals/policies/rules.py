"""May the house's numbers for referrals read like this? Pure."""

from django.utils.translation import gettext as _

from appointments.policies.rules import Problem
from referrals.models import ReferralRule

RANGES = {
    "routine_hours": (1, 240),
    "urgent_minutes": (5, 1440),
    "green_minutes": (1, 60),
    "green_escalate_minutes": (1, 60),
    "answer_hours": (1, 240),
    "follow_up_days": (1, 30),
    "attachment_mb": (1, 20),
    "attachments": (0, 30),
}
"""From–to of each number, both included; the database keeps most of them, too."""


def problems_of(rule: ReferralRule) -> list[Problem]:
    found = []
    for name, (least, most) in RANGES.items():
        if not least <= getattr(rule, name) <= most:
            said = {"least": least, "most": most}
            found.append(Problem(_("应在 %(least)s 到 %(most)s 之间。") % said, name))
    if rule.green_minutes > rule.urgent_minutes:
        found.append(Problem(_("绿色通道不能比加急还慢。"), "green_minutes"))
    if rule.urgent_minutes > rule.routine_hours * 60:
        found.append(Problem(_("加急不能比常规还慢。"), "urgent_minutes"))
    return found
