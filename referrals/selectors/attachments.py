"""The files of a referral, as each side sees them, and what it may do with them."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from hospital.errors import Refused
from referrals.models import Attachment, Referral
from referrals.policies import attachments as policy
from referrals.policies.moves import Act, refusal

from . import rules, scope


@dataclass(frozen=True)
class Shown:
    """`refusal`: why it can't be opened (now)."""

    attachment: Attachment
    refusal: Refused | None
    removable: bool


@dataclass(frozen=True)
class Panel:
    """`left`: how many more may be added; `most`: bytes of one."""

    referral: Referral
    rows: list[Shown]
    may_add: bool
    left: int
    most: int
    too_long: Refused

    @property
    def most_mb(self) -> int:
        return self.most // policy.MEGABYTE


def of_referral(referral: Referral) -> list[Attachment]:
    rows = Attachment.objects.filter(referral=referral, removed_at=None)
    return list(rows.select_related("organization").order_by("pk"))


def panel_of(referral: Referral, *, organizations: frozenset[int], day: date) -> Panel:
    """`organizations`: where whoever looks may act; none for those who only read. Two queries."""
    rule = rules.referral_rule(referral.receiver_id, day=day)
    side = scope.side_of(referral, organizations)
    open_ = refusal(Act.ATTACH, side=side, status=referral.status, direction=referral.direction) is None
    kept = of_referral(referral)
    removable = open_ and policy.refusal_to_remove(referral) is None
    scanner = bool(settings.SCANNER_COMMAND)
    return Panel(
        referral=referral,
        rows=[Shown(row, policy.refusal_to_open(row, scanner=scanner), removable) for row in kept],
        may_add=open_ and policy.refusal_to_add(rule, there=len(kept)) is None,
        left=max(rule.attachments - len(kept), 0),
        most=policy.most_bytes(rule),
        too_long=policy.too_long(rule),
    )
