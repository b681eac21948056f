"""May the house's rule of paying read like this? Pure."""

from django.utils.translation import gettext as _

from appointments.policies.rules import Problem
from billing.models import PaymentRule

RANGES = {
    "order_minutes": (1, 120),
    "paying_minutes": (0, 60),
    "link_minutes": (0, 24 * 60),
    "away_minutes": (0, 24 * 60),
    "credit_days": (1, 90),
}
"""From–to of each number, both included. Beyond them it is a typing error in every hospital we know."""

MOST_CREDIT = 100_000
MOST_DUNNING = 10
LATEST_DUNNING = 365


def problems_of(rule: PaymentRule) -> list[Problem]:
    found = []
    for name, (least, most) in RANGES.items():
        if not least <= getattr(rule, name) <= most:
            said = {"least": least, "most": most}
            found.append(Problem(_("应在 %(least)s 到 %(most)s 之间。") % said, name))
    if not 0 <= rule.credit_limit <= MOST_CREDIT:
        found.append(Problem(_("应在 0 到 %(most)s 元之间。") % {"most": MOST_CREDIT}, "credit_limit"))
    days = list(rule.dunning_days)
    if days != sorted(set(days)) or len(days) > MOST_DUNNING or any(day > LATEST_DUNNING for day in days):
        sentence = _("请从小到大写天数，不重复，最多 %(most)s 个，每个不超过 %(latest)s。")
        found.append(Problem(sentence % {"most": MOST_DUNNING, "latest": LATEST_DUNNING}, "dunning_days"))
    return found
