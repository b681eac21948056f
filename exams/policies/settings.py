"""May the house's numbers for exams read like this? Pure."""

from django.utils.translation import gettext as _

from appointments.policies.rules import Problem
from exams.models import ExamRule

SEGMENTS = (5, 10, 15, 20, 30)
"""Published segments are thirty minutes at most (E1)."""

RANGES = {
    "horizon_days": (1, 92),
    "plan_days": (1, 28),
    "hold_minutes": (1, 120),
    "staff_hold_minutes": (1, 480),
    "cancel_minutes": (0, 14 * 1440),
    "early_minutes": (0, 480),
    "late_minutes": (0, 480),
    "noshow_limit": (1, 50),
    "noshow_days": (1, 366),
    "suspend_days": (1, 366),
    "walk_minutes": (0, 240),
    "campus_minutes": (0, 480),
    "link_days": (1, 92),
    "acknowledge_minutes": (1, 1440),
}
"""From–to of each number, both included. Beyond them it is a typing error in every hospital we know."""


def problems_of(rule: ExamRule) -> list[Problem]:
    found = [] if rule.segment_minutes in SEGMENTS else [Problem(_("时段最长 30 分钟。"), "segment_minutes")]
    for name, (least, most) in RANGES.items():
        if not least <= getattr(rule, name) <= most:
            said = {"least": least, "most": most}
            found.append(Problem(_("应在 %(least)s 到 %(most)s 之间。") % said, name))
    if rule.plan_days > rule.horizon_days:
        found.append(Problem(_("不能超过可约天数。"), "plan_days"))
    if rule.walk_minutes > rule.campus_minutes:
        found.append(Problem(_("院区之间的路程不会比院内步行短。"), "campus_minutes"))
    return found
