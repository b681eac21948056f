"""Which 患者账号规则 holds today: dated rows that the hospital edits in the admin."""

from datetime import datetime

from . import clock
from .models import AccountRule


def in_force(*, now: datetime) -> AccountRule:
    """The row with the latest start that has begun; a hospital that set none gets the defaults. One query."""
    rows = AccountRule.objects.filter(effective_from__lte=clock.today(now))
    return rows.order_by("-effective_from").first() or AccountRule(effective_from=clock.today(now))
